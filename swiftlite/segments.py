"""Segments: what a large object of Swift's is made of, and which bytes of it lie where.

A static large object stores its manifest as its own bytes: a JSON list of entries, of objects as
they were when the manifest was written, and of data given inline. Its size and ETag, as clients see
them, follow from the entries alone.

Source: Swift's "Static Large Objects" (2026-08).
Pure: no clock, no IO.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import msgspec

NESTED_MAX = 10  # manifests within manifests that a read follows


class Segment(msgspec.Struct, frozen=True, omit_defaults=True):
    """One entry of a stored manifest: an object (`name`), or bytes given inline (`data`).

    Shapes:  name: /container/object; bytes and hash: size and ETag of that whole object; range:
             "first-last", both inclusive, "" for the whole; data: base64.
    """

    name: str = ""
    bytes: int = -1  # of what is inline: it does not count there
    hash: str = ""
    content_type: str = ""
    last_modified: str = ""
    range: str = ""
    sub_slo: bool = False
    data: str = ""

    @property
    def is_inline(self) -> bool:
        """Whether the bytes are in the manifest itself."""
        return self.data != ""

    @property
    def span(self) -> tuple[int, int]:
        """Which bytes of the object, or of the inline data, are meant: (start, end)."""
        if self.is_inline:
            return 0, len(base64.b64decode(self.data))
        if not self.range:
            return 0, self.bytes
        first, _, last = self.range.partition("-")
        return int(first), int(last) + 1

    @property
    def length(self) -> int:
        """How many bytes of the large object come from here."""
        start, end = self.span
        return end - start

    @property
    def place(self) -> tuple[str, str]:
        """Container and object."""
        container, _, name = self.name.lstrip("/").partition("/")
        return container, name


class Piece(NamedTuple):
    """The bytes start..end-1 of one segment's own object or data."""

    segment: Segment
    start: int
    end: int


_decoder = msgspec.json.Decoder(list[Segment])


def encoded(segments: Sequence[Segment]) -> bytes:
    """Return the document that is stored, and shown as it is."""
    return msgspec.json.encode(segments)


def decoded(document: bytes) -> list[Segment]:
    """Return the entries of a stored document.

    Raises:  msgspec.DecodeError.
    """
    return _decoder.decode(document)


def size_of(segments: Iterable[Segment]) -> int:
    """Return the size of the large object."""
    return sum(segment.length for segment in segments)


def etag_of(segments: Iterable[Segment]) -> str:
    """Return the large object's ETag: the MD5 of what identifies each segment, one after another.

    An object counts with its ETag, a part of one with `ETag:range;`, inline data with its MD5.
    """
    digest = hashlib.md5(usedforsecurity=False)
    for segment in segments:
        if segment.is_inline:
            data = base64.b64decode(segment.data)
            text = hashlib.md5(data, usedforsecurity=False).hexdigest()
        elif segment.range:
            text = f"{segment.hash}:{segment.range};"
        else:
            text = segment.hash
        digest.update(text.encode())
    return digest.hexdigest()


def pieces(segments: Iterable[Segment], start: int, end: int) -> Iterator[Piece]:
    """Yield what makes up the bytes start..end-1 of the large object, in order.

    Law:     the pieces' lengths add up to end - start, if 0 <= start <= end <= size.
    """
    origin = 0
    for segment in segments:
        if origin >= end:
            return
        first, last = segment.span
        length = last - first
        lo, hi = max(start - origin, 0), min(end - origin, length)
        if lo < hi:
            yield Piece(segment, first + lo, first + hi)
        origin += length


def part_span(segments: Sequence[Segment], number: int) -> tuple[int, int]:
    """Return (start, end) of the segment of this number, counted from 1, in the large object."""
    start = size_of(segments[: number - 1])
    return start, start + segments[number - 1].length
