"""An access record: who asked for what, from where, and what was decided by which rule.

It holds ids and names, never a credential: no token, no signature, no password, no query string.
As text it is one line of JSON, its fields in one order, those without a value left out.

Pure: no clock, no IO.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from functools import partial
from typing import Any, Protocol

import msgspec

from eventlog.shown import time_text

LINE_MAX = 8192  # bytes of a line; what would be longer has its values cut short
_CUTS = (512, 64)  # characters that are left of each then; JSON has at most 6 bytes for one


class Kind(Enum):
    """What a record is about; each kind can be switched on and off."""

    READ = "read"  # allowed, and changed nothing
    REFUSED = "refused"  # by a decision, or by authentication
    LOGIN = "login"
    LOGIN_REFUSED = "login-refused"
    LOST = "lost"  # records before this one: there were too many at once

    __hash__ = object.__hash__


REFUSALS = frozenset({Kind.REFUSED, Kind.LOGIN_REFUSED})


class Record(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One request, or one part of it that was decided for itself.

    Units:   at_us: UTC microseconds since 1970, when it was answered.
    """

    at_us: int
    kind: Kind
    protocol: str = ""  # "s3", "swift", "identity", "tempauth"
    action: str = ""  # the protocol's name for what was asked
    status: int = 0
    rule: str = ""  # what decided
    reason: str = ""  # why, for people
    request_id: str = ""
    user: str = ""  # ids: "" is nobody known
    project: str = ""
    credential: str = ""  # the id of an access key, an application credential or a token
    source: str = ""  # address
    agent: str = ""
    account: str = ""  # the project whose storage it is
    bucket: str = ""  # or container, by name
    key: str = ""
    target: str = ""  # what else it was about: the id of a user, a role
    count: int = 0  # LOST: so many


class Records(Protocol):
    """Where records go. Nobody waits for them, and nobody fails because of them."""

    def wants(self, kind: Kind) -> bool:
        """Whether records of this kind are kept; what is not wanted need not be made."""

    def add(self, record: Record) -> None:
        """Keep the record if its kind is wanted and there is room; never raise, never wait."""


class Unrecorded:
    """Keeps none."""

    def wants(self, kind: Kind) -> bool:
        return False

    def add(self, record: Record) -> None:
        pass


def line_of(record: Record) -> bytes:
    """Return the record as a line.

    Law:     a line has at most `LINE_MAX` bytes, and one line break, at its end.
    """
    try:
        line = msgspec.json.encode(record)
    except UnicodeEncodeError:  # a header that was no UTF-8
        line = msgspec.json.encode(_changed(record, _sound))
    for length in _CUTS:
        if len(line) >= LINE_MAX:
            line = msgspec.json.encode(_changed(record, partial(_sound, length=length)))
    return line + b"\n"


def plain_of(record: Record) -> dict[str, Any]:
    """Return the record as JSON can hold it: `at` is ISO 8601, what has no value is left out."""
    fields: dict[str, Any] = msgspec.to_builtins(record)
    return {"at": time_text(fields.pop("at_us")), **fields}


def record_from(line: bytes) -> Record | None:
    """Return the record that a line holds; None if it was damaged, or never finished."""
    try:
        return _DECODER.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


_DECODER = msgspec.json.Decoder(Record)


def _changed(record: Record, change: Callable[[str], str]) -> Record:
    texts = {
        name: change(value)
        for name, value in msgspec.structs.asdict(record).items()
        if isinstance(value, str)
    }
    return msgspec.structs.replace(record, **texts)


def _sound(text: str, length: int | None = None) -> str:
    return text[:length].encode("utf-8", "replace").decode()
