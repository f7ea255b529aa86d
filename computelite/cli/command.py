"""What all commands share: --data, --log, --json, exit codes, and how results are shown."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from computelite.errors import WrongUsage
from computelite.folder import Folder
from eventlog.errors import CloudError
from eventlog.shown import escaped, json_text

GOOD, BAD, WRONG = 0, 1, 2


def parser(command: str, what: str, examples: str) -> argparse.ArgumentParser:
    """Return a command's parser; the examples stand below its help."""
    return argparse.ArgumentParser(prog=f"cumulog {command}", **_layout(what, examples))


def add_verb(verbs: Any, name: str, what: str, examples: str) -> argparse.ArgumentParser:
    """Add one verb of a command that has several; return its parser."""
    added: argparse.ArgumentParser = verbs.add_parser(
        name, help=what, **_layout(f"{what[0].upper()}{what[1:]}.", examples)
    )
    add_common_to_verb(added)
    return added


def add_common(parser: argparse.ArgumentParser) -> None:
    """Add what every command takes."""
    add_common_to_verb(parser)
    parser.set_defaults(data=Path("cumulog-data"), log=None, json=False)


def add_common_to_verb(parser: argparse.ArgumentParser) -> None:
    """Add it to a verb too: `key --data DIR list` is `key list --data DIR`.

    Without defaults, which would cover what was said before the verb.
    """
    parser.add_argument(
        "--data",
        type=Path,
        default=argparse.SUPPRESS,
        metavar="DIR",
        help="the data folder (default: ./cumulog-data)",
    )
    parser.add_argument(
        "--log",
        default=argparse.SUPPRESS,
        metavar="URL",
        help="where the log is (default: as recorded)",
    )
    parser.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="print JSON")


def _layout(what: str, examples: str) -> dict[str, Any]:
    return {
        "description": what,
        "epilog": "examples:\n" + "\n".join(f"  {x}" for x in examples.strip().splitlines()),
        "formatter_class": argparse.RawDescriptionHelpFormatter,
        "allow_abbrev": False,
    }


def run(args: argparse.Namespace, work: Callable[[], int]) -> int:
    """Do a command's work; turn what can go wrong into a text and an exit code."""
    os.umask(0o077)  # whatever is made in a data folder is its owner's
    try:
        return work()
    except CloudError as error:
        _tell(args, error, str(error))
        return WRONG if isinstance(error, WrongUsage) else BAD
    except BrokenPipeError:
        # `| head` has seen enough. The interpreter would complain again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return GOOD
    except OSError as error:
        # A folder that is a file, is not ours, is on a full disk: the system's own words say which.
        _tell(args, error, f"{error.filename}: {error.strerror}" if error.filename else str(error))
        return BAD
    except KeyboardInterrupt:
        return 130


def ask(args: argparse.Namespace, do: str, **arguments: Any) -> dict[str, Any]:
    """Have an operation done by the running cloud, or here; show progress; return its result."""
    from computelite.cli.progress import Meter
    from computelite.control import client
    from computelite.control.messages import Request
    from computelite.folder import check_record, read_record
    from eventlog.clock import SystemClock

    folder = Folder(args.data)
    check_record(folder, read_record(folder), devices="", code="", log=args.log or "")
    with Meter(SystemClock()) as meter:
        result: dict[str, Any] = asyncio.run(client.ask(folder, Request(do, arguments), meter.show))
    return result


def show(args: argparse.Namespace, result: object, text: str) -> None:
    """Print the result: as JSON if that was asked for, else the text."""
    print(json_text(result, indent=2) if args.json else text)


def table(head: tuple[str, ...], rows: list[tuple[object, ...]]) -> str:
    """Return rows under a head, in columns; safe on a terminal, whatever people put into them."""
    cells = [
        head, *[tuple("-" if c in (None, "") else escaped(str(c)) for c in row) for row in rows]
    ]  # fmt: skip
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    lines = ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) for row in cells]
    return "\n".join(line.rstrip() for line in lines)


def _tell(args: argparse.Namespace, error: Exception, text: str) -> None:
    if args.json:
        print(json_text({"error": type(error).__name__, "text": text}))
    else:
        print(f"cumulog: {text}", file=sys.stderr)
