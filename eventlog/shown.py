"""Events as text for people: one line each, safe on a terminal.

Names and payloads come from clients, so nothing that a terminal might obey is let through.

Pure: no clock, no IO.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from eventlog.codec import decode_entry, leaf_hash
from eventlog.errors import Unreadable
from eventlog.log import Recorded

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# What a line shows of one value; a ring's table or 10,000 parts would fill the screen.
_TEXT_MAX, _BYTES_MAX, _ITEMS_MAX = 256, 32, 8
_ID_SIZE = 16


class When(msgspec.Struct, frozen=True):
    """A point of the log: a position, or a time in UTC microseconds."""

    position: int | None = None
    us: int | None = None


def when_from_text(text: str) -> When:
    """Return the point that `text` names: a position, `20261122t100000z`, or ISO 8601.

    A time without a zone is UTC. Raises: ValueError.
    """
    if text.isascii() and text.isdigit():
        return When(position=int(text))
    try:
        if re.fullmatch(r"\d{8}[tT]\d{6}[zZ]", text, re.ASCII):
            moment = datetime.strptime(text.upper(), "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        else:
            moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            f"{text!r} is no position, no 20261122t100000z, no ISO 8601 time"
        ) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return When(us=(moment - EPOCH) // timedelta(microseconds=1))


def time_text(us: int) -> str:
    """Return UTC microseconds as ISO 8601."""
    try:
        moment = EPOCH + timedelta(microseconds=us)
    except OverflowError:
        return f"{us}us"
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def escaped(text: str) -> str:
    """Return `text` with every character that is not plainly printable as an escape.

    Control characters, line and paragraph separators, bidirectional overrides, lone surrogates.
    """
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else _escape(one) for one in text)


def json_text(value: Any, indent: int | None = None) -> str:
    """Return `value` as JSON of printable ASCII."""
    text = json.dumps(value, indent=indent, ensure_ascii=True)
    return text.replace("\x7f", "\\u007f")


def line(rec: Recorded, *, whole: bool = False) -> str:
    """Return one event as one line; long values are cut short unless it is to be `whole`."""
    return escaped(
        f"{rec.position} {time_text(rec.committed_us)} {rec.stream}@{rec.version}"
        f" {rec.type} {' '.join(_origin(rec))} {_body(rec, plain if whole else brief)}"
    )


def record(rec: Recorded) -> dict[str, Any]:
    """Return everything that is known of an event, as JSON can hold it.

    Raises: Unreadable.
    """
    entry = rec.envelope
    return {
        "position": rec.position,
        "stream": rec.stream,
        "version": rec.version,
        "type": rec.type,
        "schema": rec.schema,
        "event_id": rec.event_id.hex(),
        "at": time_text(rec.at_us),
        "committed": time_text(rec.committed_us),
        "actor": rec.actor,
        "request_id": rec.request_id,
        "cause": rec.cause,
        "source": rec.source,
        "agent": rec.agent,
        "subject": rec.subject,
        "erased": rec.data is None,
        "event": plain(rec.event),
        "commit": entry.commit,
        "size": entry.size,
        "leaf": leaf_hash(rec.entry).hex(),
    }


def plain(value: Any) -> Any:
    """Return a value as JSON can hold it; fields by name, bytes (ids above all) as hex."""
    if isinstance(value, bytes):
        return value.hex()
    return _mapped(value, plain)


def brief(value: Any) -> Any:
    """Return what `plain` does, with a mark in place of what is long in it."""
    if isinstance(value, bytes) and len(value) > _BYTES_MAX:
        return f"{value[:_ID_SIZE].hex()}...({len(value):,} bytes)"
    if isinstance(value, str) and len(value) > _TEXT_MAX:
        return f"{value[:_TEXT_MAX]}...({len(value):,} characters)"
    if isinstance(value, list | tuple) and len(value) > _ITEMS_MAX:
        return [*map(brief, value[:_ITEMS_MAX]), f"...({len(value):,} in all)"]
    return value.hex() if isinstance(value, bytes) else _mapped(value, brief)


def key_text(key: bytes) -> str:
    """Return a row's key: as text where it is, else as hex; behind an id there may be text."""
    try:
        text = key.decode()
    except UnicodeDecodeError:
        text = "\0"
    if "\0" not in text[:_ID_SIZE]:
        return escaped(text)
    rest = key[_ID_SIZE:].decode("utf-8", "backslashreplace")
    return key[:_ID_SIZE].hex() + (f" {escaped(rest)}" if rest else "")


def _mapped(value: Any, shown: Callable[[Any], Any]) -> Any:
    if isinstance(value, msgspec.Struct):
        fields = ((name, getattr(value, name)) for name in value.__struct_fields__)
        # A change says only what it changes: the rest is no value, not even null.
        return {name: shown(one) for name, one in fields if one is not msgspec.UNSET}
    if isinstance(value, dict):
        return {str(plain(key)): shown(one) for key, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [shown(one) for one in value]
    return value


def _body(rec: Recorded, shown: Callable[[Any], Any]) -> str:
    if rec.data is None:
        return "(erased)"
    try:
        return json.dumps(shown(rec.event), ensure_ascii=False, separators=(",", ":"))
    except Unreadable as error:
        return f"(unreadable: {error.reason})"


def _origin(rec: Recorded) -> tuple[str, str, str]:
    """Return actor, source address and request id."""
    try:
        entry, source = decode_entry(rec.entry), rec.source
    except Exception:  # a damaged event is for verify to explain; a line is shown all the same
        return "?", "?", "?"
    return entry.actor or "-", source or "-", entry.request_id or "-"


def _escape(one: str) -> str:
    code = ord(one)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
