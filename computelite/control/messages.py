"""What goes over control.sock: one JSON line each way, and lines of progress between.

    -> {"do": "scrub", "arguments": {"quick": true}}
    <- {"progress": {"what": "fragments", "done": 17, "total": 64}}
    <- {"result": {...}}
    or {"error": {"kind": "NoSuchKey", "text": "...", "wrong_usage": false}}

Pure: no clock, no IO.
"""

from __future__ import annotations

from typing import Any

import msgspec

MAX_LINE = 1 << 20
# The keeper's answers are trusted further: a list of all keys, or of all that cannot be read.
MAX_ANSWER = 1 << 28


class Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an operator wants."""

    do: str
    arguments: dict[str, Any] = {}

    def __repr__(self) -> str:
        return f"Request({self.do!r}, arguments hidden)"  # a new password may be among them


class Progress(msgspec.Struct, frozen=True):
    """How far long work is; total 0: not known."""

    what: str
    done: int
    total: int = 0


class Failure(msgspec.Struct, frozen=True):
    """Why it was not done."""

    kind: str
    text: str
    wrong_usage: bool = False


class Reply(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line back; exactly one of the fields is there."""

    progress: Progress | None = None
    result: dict[str, Any] | None = None
    error: Failure | None = None
