"""SLO manifests as clients write them: read, checked, and compared with the objects that they name.

Source: Swift's "Static Large Objects" (2026-08): the wording of each complaint is Swift's.
Pure: no clock, no IO.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import msgspec

from swiftlite.segments import Segment
from swiftlite.swift.errors import Declined

SEGMENTS_MAX = 1000
ENTRIES_MAX = 10_000  # with those whose data is given inline
MANIFEST_BYTES_MAX = 8 << 20

_OPTIONAL = {"path": {"range", "etag", "size_bytes"}, "data": set[str]()}
_RANGE = re.compile(r"([0-9]*)-([0-9]*)", re.ASCII)
_SIZE = re.compile(r"[0-9]{1,19}", re.ASCII)
_TOO_SMALL = "too small; each segment must be at least 1 byte."
_TOO_SMALL_FOUND = "Too small; each segment must be at least 1 byte."


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """One entry as the client wrote it: an object, with what it should be like, or inline data.

    Shapes:  range: first and last as they were written, None where one is open.
    """

    path: str = ""
    etag: str | None = None
    size: int | None = None
    range: tuple[int | None, int | None] | None = None
    data: str = ""

    @property
    def place(self) -> tuple[str, str]:
        """Container and object."""
        container, _, name = self.path.lstrip("/").partition("/")
        return container, name


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What there is where an entry points. `problem`: why it cannot be read, "" if it can."""

    problem: str = ""
    size: int = 0
    etag: str = ""
    content_type: str = ""
    modified_us: int = 0
    is_manifest: bool = False


def parse(document: bytes, *, own: tuple[str, str]) -> list[Wanted]:
    """Return the entries. `own`: container and name of the object that the manifest is for.

    Raises:  Declined 400, Declined 400 with a line for each bad entry, Declined 413.
    """
    try:
        entries = msgspec.json.decode(document)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        raise Declined(400, "Manifest must be valid JSON.") from None
    if not isinstance(entries, list):
        raise Declined(400, "Manifest must be a list.")
    if len(entries) > ENTRIES_MAX:
        raise Declined(413, f"Number of segments must be <= {ENTRIES_MAX}")
    wanted: list[Wanted] = []
    complaints: list[str] = []
    for index, entry in enumerate(entries):
        found = _entry(entry, is_last=index == len(entries) - 1, own=own)
        if isinstance(found, str):
            complaints.append(f"Index {index}: {found}\n")
        else:
            wanted.append(found)
    if entries and all(isinstance(entry, dict) and "data" in entry for entry in entries):
        complaints.append("Inline data segments require at least one object-backed segment.\n")
    if complaints:
        raise Declined(400, "".join(complaints))
    if sum(1 for entry in wanted if entry.path) > SEGMENTS_MAX:
        raise Declined(413, f"Number of object-backed segments must be <= {SEGMENTS_MAX}")
    return wanted


def resolved(
    wanted: Sequence[Wanted], found: Mapping[str, Found]
) -> tuple[list[Segment], list[tuple[str, str]]]:
    """Return the entries to store, and (quoted path, problem) for what does not fit.

    `found`: by the path as it was written.
    """
    segments: list[Segment] = []
    problems: list[tuple[str, str]] = []
    for index, entry in enumerate(wanted):
        if entry.data:
            segments.append(Segment(data=entry.data))
            continue
        there = found[entry.path]
        told, span = _compared(entry, there, may_be_empty=index == len(wanted) - 1)
        problems += [(quote(entry.path), problem) for problem in told]
        modified = datetime.fromtimestamp(there.modified_us // 1_000_000, UTC)
        segments.append(
            Segment(
                name="/" + entry.path.lstrip("/"),
                bytes=there.size,
                hash=there.etag,
                content_type=there.content_type,
                last_modified=f"{modified:%Y-%m-%dT%H:%M:%S}.{there.modified_us % 1_000_000:06d}",
                range="" if span == (0, there.size) else f"{span[0]}-{span[1] - 1}",
                sub_slo=there.is_manifest,
            )
        )
    return segments, problems


def as_written(segments: Sequence[Segment]) -> bytes:
    """Return stored entries in the spelling in which a client could put them again."""
    entries: list[dict[str, Any]] = []
    for segment in segments:
        if segment.is_inline:
            entries.append({"data": segment.data})
            continue
        entry = {"path": segment.name, "etag": segment.hash, "size_bytes": segment.bytes}
        entries.append(entry | ({"range": segment.range} if segment.range else {}))
    return json.dumps(entries, sort_keys=True).encode()


def _entry(entry: object, *, is_last: bool, own: tuple[str, str]) -> Wanted | str:
    """Return the entry, or what is wrong with it."""
    if not isinstance(entry, dict):
        return "not a JSON object"
    kind = next((key for key in ("data", "path") if key in entry), None)
    if kind is None:
        return "expected keys to include one of 'data' or 'path'"
    extra = sorted(key for key in entry if key != kind and key not in _OPTIONAL[kind])
    if extra:
        return "extraneous keys " + ", ".join(json.dumps(key) for key in extra)
    return _inline(entry["data"]) if kind == "data" else _object(entry, is_last, own)


def _inline(data: object) -> Wanted | str:
    try:
        if not isinstance(data, str):
            raise binascii.Error
        text = data.strip().rstrip("=")
        raw = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return "data must be valid base64"
    if not raw:
        return _TOO_SMALL
    return Wanted(data=base64.b64encode(raw).decode())


def _object(entry: dict[str, Any], is_last: bool, own: tuple[str, str]) -> Wanted | str:
    path, etag, size = entry["path"], entry.get("etag"), entry.get("size_bytes")
    if not isinstance(path, str):
        return '"path" must be a string'
    if etag is not None and not isinstance(etag, str):
        return '"etag" must be a string or null (if provided)'
    if "/" not in path.strip("/"):
        return "path does not refer to an object. Path must be of the form /container/object."
    if size is not None:
        size = _size(size)
        if size is None:
            return "invalid size_bytes"
        if size < 1 and not is_last:
            return _TOO_SMALL
    wanted = Wanted(path=path, etag=etag, size=size)
    if wanted.place == own:
        return "manifest must not include itself as a segment"
    if not entry.get("range"):
        return wanted
    text = entry["range"]
    if isinstance(text, str) and "," in text:
        return "multiple ranges (only one allowed)"
    span = _range(text) if isinstance(text, str) else None
    if span is None:
        return "invalid range"
    if size is not None and _span(span, size) is None:
        return "unsatisfiable range"
    return msgspec.structs.replace(wanted, range=span)


def _size(value: object) -> int | None:
    if isinstance(value, str) and _SIZE.fullmatch(value.strip()):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if -(2**63) < value < 2**63 else None


def _range(text: str) -> tuple[int | None, int | None] | None:
    match = _RANGE.fullmatch(text.strip())
    if match is None or match.group(1, 2) == ("", ""):
        return None
    if any(len(digits) > 19 for digits in match.groups()):
        return None
    first, last = (int(digits) if digits else None for digits in match.groups())
    if first is not None and last is not None and last < first:
        return None
    return first, last


def _span(wanted: tuple[int | None, int | None], size: int) -> tuple[int, int] | None:
    """Return (start, end) of a range within an object of this size, or None where it has none."""
    first, last = wanted
    if first is None:
        return (max(0, size - (last or 0)), size) if last and size else None
    if first >= size:
        return None
    return first, size if last is None else min(last + 1, size)


def _compared(
    entry: Wanted, there: Found, *, may_be_empty: bool
) -> tuple[list[str], tuple[int, int]]:
    """Return what does not fit, and which bytes of the object are meant."""
    if there.problem:
        return [there.problem], (0, 0)
    problems: list[str] = []
    span: tuple[int, int] | None = (0, there.size)
    if entry.range is not None:
        span = _span(entry.range, there.size)
        if span is None:
            problems.append("Unsatisfiable Range")
    start, end = span or (0, there.size)
    if end - start < 1 and not may_be_empty:
        problems.append(_TOO_SMALL_FOUND)
    if entry.size is not None and entry.size != there.size:
        problems.append("Size Mismatch")
    if entry.etag is not None and entry.etag != there.etag:
        problems.append("Etag Mismatch")
    return problems, (start, end)
