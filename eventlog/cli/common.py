"""What the log's commands share: exit codes, and how a refusal is told."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Awaitable, Callable, Collection, Sequence
from difflib import get_close_matches

from eventlog.event import registered
from eventlog.shown import json_text
from eventlog.sqlite import SqliteLog
from eventlog.view import TableView

GOOD, DAMAGED, WRONG = 0, 1, 2

# The ids of the actors that a name stands for in a log; of a name that nobody has, itself.
FindActor = Callable[[SqliteLog, str], Awaitable[Collection[str]]]
FindViews = Callable[[], Sequence[TableView]]


def unknown_type(names: Sequence[str] | None) -> str:
    """Return why no event is of one of these types, with those that may be meant; else ""."""
    for name in names or ():
        if name not in registered():
            close = get_close_matches(name, registered(), n=3, cutoff=0.4)
            known = ", ".join(close or sorted(registered()))
            return f"--type {name}: there is no such type; known are {known}"
    return ""


def refuse(args: argparse.Namespace, text: str, code: int) -> int:
    """Say why there is nothing to show, in JSON where that was asked for; return the exit code."""
    if args.json:
        print(json_text({"error": "Refused", "text": text}))
    else:
        print(text, file=sys.stderr)
    return code
