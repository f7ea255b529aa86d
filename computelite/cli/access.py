"""`cumulog access`: the second log, of what changed nothing: refusals, logins, reads."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from time import sleep

from computelite.cli.actor import find_actor_at, log_path
from computelite.cli.command import BAD, GOOD, add_common, add_verb, parser, run
from computelite.folder import Folder, read_record
from eventlog.records.record import REFUSALS, Kind, Record, plain_of
from eventlog.records.segments import Follower, Lines
from eventlog.shown import escaped, json_text, time_text, when_from_text

EXAMPLES = """
cumulog access tail -f
cumulog access grep --refused --since 2026-11-22
cumulog access grep --actor default/ann --bucket photos --json
"""

_FOLLOW_S = 0.5

Filter = Callable[[Record], bool]


def main(argv: Sequence[str]) -> int:
    """Run the command; return its exit status."""
    top = parser("access", "Who was refused what and why, who logged in, who read.", EXAMPLES)
    add_common(top)
    verbs = top.add_subparsers(dest="verb", required=True, metavar="VERB")
    tail = add_verb(
        verbs, "tail", "show the last records",
        "cumulog access tail\ncumulog access tail -n 100 --refused\ncumulog access tail -f",
    )  # fmt: skip
    tail.add_argument("-n", type=_count, default=10, metavar="N", help="so many (10)")
    tail.add_argument("-f", "--follow", action="store_true", help="go on as records are written")
    grep = add_verb(
        verbs, "grep", "find records",
        "cumulog access grep --refused --since 20261122t100000z\n"
        "cumulog access grep --actor ann --text report.pdf\n"
        "cumulog access grep --bucket photos --kind read --json",
    )  # fmt: skip
    grep.add_argument("--since", type=_time, metavar="TIME", help="from this time on")
    grep.add_argument("--until", type=_time, metavar="TIME", help="up to this time")
    grep.add_argument("-n", type=_count, metavar="N", help="stop after so many")
    for verb in (tail, grep):
        verb.add_argument("--actor", metavar="U", help="of this user: NAME, DOMAIN/NAME or id")
        verb.add_argument("--bucket", metavar="NAME", help="about this bucket or container")
        verb.add_argument("--text", metavar="TEXT", help="whose line as shown contains this text")
        verb.add_argument("--refused", action="store_true", help="refusals only")
        verb.add_argument(
            "--kind",
            choices=[kind.value for kind in Kind],
            action="append",
            help="of this kind; may be given several times",
        )
    args = top.parse_args(argv)
    return run(args, lambda: _RUN[args.verb](args))


def shown(record: Record) -> str:
    """Return a record as one line for people."""
    who = record.user or record.credential or "-"
    what = "/".join(filter(None, (record.account, record.bucket, record.key))) or record.target
    words = [time_text(record.at_us), record.kind.value, record.protocol or "-", who]
    words += [record.source or "-", record.request_id or "-"]
    words += [str(record.status or "-"), record.action or "-", what or "-"]
    if record.rule or record.reason:
        words.append(f"[{record.rule}] {record.reason}".strip())
    if record.count:
        words.append(f"({record.count:,})")
    return escaped(" ".join(words))


def _tail(args: argparse.Namespace) -> int:
    folder, fits = _folder(args), _filter(args)
    lines = Lines()
    follower = Follower(folder)
    found = list(islice(filter(fits, lines.read_back(folder)), args.n))
    _print(args, reversed(found))
    while args.follow:
        sleep(_FOLLOW_S)
        _print(args, filter(fits, follower.newer()))
    return _end(lines)


def _grep(args: argparse.Namespace) -> int:
    folder, fits = _folder(args), _filter(args)
    lines = Lines()
    found: Iterator[Record] = filter(
        fits, lines.read(folder, since_us=args.since or 0, until_us=args.until)
    )
    _print(args, islice(found, args.n))
    return _end(lines)


def _folder(args: argparse.Namespace) -> Path:
    folder = Folder(args.data)
    read_record(folder)
    return folder.access


def _filter(args: argparse.Namespace) -> Filter:
    users = _users(args)
    kinds = {Kind(name) for name in args.kind or ()} or set(Kind)
    if args.refused:
        kinds &= REFUSALS

    def fits(record: Record) -> bool:
        return (
            record.kind in kinds
            and (users is None or not users.isdisjoint(_who(record)))
            and args.bucket in (None, record.bucket)
            and (args.text is None or args.text in shown(record))
        )

    return fits


def _users(args: argparse.Namespace) -> frozenset[str] | None:
    if args.actor is None:
        return None
    return frozenset(asyncio.run(find_actor_at(log_path(args), args.actor)))


def _who(record: Record) -> set[str]:
    """Return whom a record is of: also whose key or login it was that did not succeed."""
    return {record.user, record.credential, record.target} - {""}


def _print(args: argparse.Namespace, records: Iterable[Record]) -> None:
    for record in records:
        text = json_text(plain_of(record)) if args.json else shown(record)
        print(text, flush=getattr(args, "follow", False))


def _end(lines: Lines) -> int:
    if lines.damaged:
        print(f"cumulog: {lines.damaged} damaged lines were left out", file=sys.stderr)
    return BAD if lines.damaged else GOOD


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"{text!r} is no positive number")
    return int(text)


def _time(text: str) -> int:
    try:
        when = when_from_text(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    if when.us is None:
        raise argparse.ArgumentTypeError(f"{text!r} is a position, which is the other log's")
    return when.us


_RUN = {"tail": _tail, "grep": _grep}
