"""`log tail | show | grep | verify | replay | views | rebuild`: the log from a command line.

The caller brings the parsers, the place of the log, and the program's views; having imported
those, it has registered their events. All but `rebuild` only read, on a log that runs or rests.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from eventlog.cli import events, tables
from eventlog.cli.common import FindActor, FindViews
from eventlog.shown import When, when_from_text

AddCommon = Callable[[argparse.ArgumentParser], None]
FindPath = Callable[[argparse.Namespace], Path]
Verbs = Any  # argparse's own type of subparsers is private


def register(
    verbs: Verbs,
    *,
    add_common: AddCommon,
    path: FindPath,
    views: FindViews,
    actor: FindActor | None = None,
) -> None:
    """Add the log's verbs to `verbs`; each sets `run`, which takes the arguments.

    `add_common` adds what every command of the program takes, `--json` among it; `path` says
    where the log is, `views` which views the program has, `actor` which ids a name stands for.
    `run` returns the exit code: 0 good, 1 damage or a refusal found, 2 wrong usage.
    """

    def verb(name: str, what: str, examples: str, work: Any) -> argparse.ArgumentParser:
        lines = "\n".join(f"  cumulog log {example}" for example in examples.split(" | "))
        parser: argparse.ArgumentParser = verbs.add_parser(
            name,
            help=what,
            description=f"{what[0].upper()}{what[1:]}.",
            epilog=f"examples:\n{lines}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        add_common(parser)
        parser.set_defaults(find_actor=actor, run=lambda args: work(args, path(args), views))
        return parser

    tail = verb(
        "tail",
        "show the last events",
        "tail | tail -n 100 --type object.written | tail -f",
        events.tail,
    )
    _say_lines(tail)
    tail.add_argument("-n", type=_count, default=10, metavar="N", help="so many (10)")
    tail.add_argument("-f", "--follow", action="store_true", help="go on as events are committed")
    _add_filters(tail)

    show = verb(
        "show", "show all that is known of one event", "show 4711 | show 4711 --json", events.show
    )
    show.add_argument("position", type=_count, metavar="POSITION", help="the event's position")

    grep = verb(
        "grep", "find events",
        "grep --type object.deleted --since 2026-11-22 | grep --text report.pdf --actor user-7f3a"
        " | grep --stream 'bucket/*' --since 4000 --until 5000",
        events.grep,
    )  # fmt: skip
    _add_filters(grep)
    _say_lines(grep)
    grep.add_argument("--actor", metavar="ID", help="by this actor: an id, or a user's name")
    grep.add_argument("--since", type=_when, metavar="WHEN", help="from this position or time on")
    grep.add_argument("--until", type=_when, metavar="WHEN", help="up to this position or time")
    grep.add_argument("--text", metavar="TEXT", help="whose line as shown contains this text")
    grep.add_argument("-n", type=_count, metavar="N", help="stop after so many")

    verb(
        "verify", "prove that the log is whole, and its tables what it says",
        "verify | verify --json", tables.verify,
    )  # fmt: skip

    replay = verb(
        "replay", "fold the log again, up to a point, and print the rows",
        "replay | replay --as-of 4711 --view catalog | replay --as-of 20261122t100000z --json",
        tables.replay,
    )  # fmt: skip
    _say_lines(replay)
    replay.add_argument("--as-of", type=_when, metavar="WHEN", help="a position or time (the head)")
    replay.add_argument("--view", metavar="NAME", help="of this view only")

    verb("views", "show the table views: versions, positions, lag, rows", "views", tables.views)

    again = verb(
        "rebuild", "fold table views anew beside the live ones, then switch",
        "rebuild | rebuild catalog --compare", tables.rebuild,
    )  # fmt: skip
    again.add_argument("view", nargs="*", metavar="VIEW", help="the views to rebuild (all)")
    again.add_argument(
        "--compare", action="store_true", help="compare old and new rows before; 1 if they differ"
    )


def _say_lines(parser: argparse.ArgumentParser) -> None:
    parser.description = f"{parser.description} With --json: one JSON document per line."


def _add_filters(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--type", action="append", metavar="NAME", help="of this type; may be given several times"
    )
    parser.add_argument("--stream", metavar="GLOB", help="of this stream, or of those that match")


def _when(text: str) -> When:
    try:
        return when_from_text(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"{text!r} is no positive number")
    return int(text)
