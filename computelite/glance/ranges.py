"""The one range of an image's bytes that a request asks for.

Source: RFC 9110, 14.2: what is not understood asks for everything.
Pure: no clock, no IO.
"""

from __future__ import annotations

from computelite.glance.errors import RangeMissed

_DIGITS_MAX = 18


def byte_range(header: str, size: int) -> tuple[int, int] | None:
    """Return (start, end), end exclusive; None for all bytes, also where several ranges are asked.

    Law:     0 <= start < end <= size.
    Raises:  RangeMissed if none of it is there.
    """
    unit, equals, text = header.replace(" ", "").partition("=")
    first, dash, last = text.partition("-")
    if unit.lower() != "bytes" or not equals or not dash:
        return None
    for part in (first, last):
        if part and not (part.isascii() and part.isdigit() and len(part) <= _DIGITS_MAX):
            return None
    if not first and not last:
        return None
    if first:
        start, end = int(first), min(int(last) + 1, size) if last else size
        if last and int(last) < int(first):
            return None
    else:
        start, end = max(0, size - int(last)), size
    if start >= end:
        raise RangeMissed(size=size)
    return start, end
