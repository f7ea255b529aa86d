"""Ranges: which bytes of an object a Range header asks for, one run of them or several.

Source: RFC 9110, 14.1 and 14.2, and 17.15 on what to refuse.
Pure: no clock, no IO.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from itertools import pairwise

from swiftlite.http.replies import Buffer
from swiftlite.swift.errors import Declined
from swiftlite.swift.request import number

RANGES_MAX = 50
OVERLAPS_MAX = 2
UNORDERED_MAX = 8
_HEADER_MAX = 4096

_LINE = "\r\n"

Span = tuple[int, int]


def byte_ranges(header: str, size: int, etag: str) -> list[Span] | None:
    """Return (start, end) of each range, end exclusive, or None for the whole object.

    A range that lies behind the object is left out; a header that cannot be read asks for nothing.
    Law:     0 <= start < end <= size.
    Raises:  Declined: 416 if nothing is left, or more is asked for than is good for the server.
    """
    unit, equals, text = header.replace(" ", "").partition("=")
    if unit.lower() != "bytes" or not equals or len(header) > _HEADER_MAX:
        return None
    found: list[Span] = []
    for part in text.split(","):
        first_text, dash, last_text = part.partition("-")
        first, last = number(first_text), number(last_text)
        if not dash or (first is None) != (not first_text) or (last is None) != (not last_text):
            return None
        if first is None:
            if last is None:
                return None
            first, last = max(0, size - last), size - 1
        elif last is not None and last < first:
            return None
        end = size if last is None else min(last + 1, size)
        if first < end:
            found.append((first, end))
    if not found or _is_costly(found):
        raise Declined(416, Content_Range=f"bytes */{size}", Etag=etag, Accept_Ranges="bytes")
    return found


def _is_costly(spans: Sequence[Span]) -> bool:
    """Return whether the same bytes, or scattered ones, are asked for again and again."""
    if len(spans) > RANGES_MAX:
        return True
    overlaps = sum(
        a[0] < b[1] and b[0] < a[1] for at, a in enumerate(spans) for b in spans[at + 1 :]
    )
    is_ordered = all(a[0] <= b[0] for a, b in pairwise(spans))
    return overlaps > OVERLAPS_MAX or (not is_ordered and len(spans) >= UNORDERED_MAX)


class Multipart:
    """Several ranges as one body, multipart/byteranges, whose length is known before."""

    def __init__(self, spans: Sequence[Span], size: int, *, kind: str, boundary: str) -> None:
        """`kind`: the object's own Content-Type."""
        self.content_type = f"multipart/byteranges;boundary={boundary}"
        self._spans = spans
        self._heads = [
            f"{'' if at == 0 else _LINE}--{boundary}\r\nContent-Type: {kind}\r\n"
            f"Content-Range: bytes {start}-{end - 1}/{size}\r\n\r\n".encode()
            for at, (start, end) in enumerate(spans)
        ]
        self._end = f"\r\n--{boundary}--\r\n".encode()
        self.length = (
            sum(end - start for start, end in spans)
            + sum(len(head) for head in self._heads)
            + len(self._end)
        )

    async def stream(
        self, read: Callable[[int, int], AsyncGenerator[Buffer, None]]
    ) -> AsyncGenerator[Buffer, None]:
        """Yield the body; `read` yields the bytes of one range."""
        for head, (start, end) in zip(self._heads, self._spans, strict=True):
            yield head
            async with aclosing(read(start, end)) as pieces:
                async for piece in pieces:
                    yield piece
        yield self._end


async def begun(pieces: AsyncGenerator[Buffer, None]) -> AsyncGenerator[Buffer, None]:
    """Return the stream with its first piece read, while an error can still be told as one."""
    first = await anext(pieces)
    return _all(first, pieces)


async def _all(first: Buffer, rest: AsyncIterator[Buffer]) -> AsyncGenerator[Buffer, None]:
    try:
        yield first
        async for piece in rest:
            yield piece
    finally:
        if isinstance(rest, AsyncGenerator):
            await rest.aclose()
