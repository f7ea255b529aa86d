"""Ranges: which bytes of an object a Range header asks for.

Source: RFC 9110, 14.1 and 14.2; S3 answers several ranges, and what it cannot read, with the whole.
Pure: no clock, no IO.
"""

from __future__ import annotations

import re
from itertools import accumulate

from swiftlite.s3.errors import InvalidPartNumberHere, InvalidRange

_RANGE = re.compile(r"bytes=[ \t]*([0-9]*)-([0-9]*)[ \t]*", re.ASCII)
# More digits than any size has; longer ones are cut, so that no arithmetic grows with the input.
_DIGITS_MAX = 19
_SIZE_MAX = 10**_DIGITS_MAX


def byte_range(header: str, size: int) -> tuple[int, int] | None:
    """Return (start, end) with end exclusive, or None for the whole object.

    Law:     0 <= start < end <= size.
    Raises:  InvalidRange where no byte of the object is in the range.
    """
    match = _RANGE.fullmatch(header)
    if match is None or match.group(1, 2) == ("", ""):
        return None
    first_text, last_text = match.group(1, 2)
    if first_text == "":
        length = _bounded(last_text)
        if length == 0 or size == 0:
            raise InvalidRange(size=size)
        return max(0, size - length), size
    first = _bounded(first_text)
    last = _bounded(last_text) if last_text else _SIZE_MAX
    if last < first:
        return None
    if first >= size:
        raise InvalidRange(size=size)
    return first, min(last + 1, size)


def source_range(header: str, size: int) -> tuple[int, int] | None:
    """Return what x-amz-copy-source-range asks for, or None where it is not `bytes=first-last`.

    Raises:  InvalidRange where it reaches beyond the source.
    """
    match = _RANGE.fullmatch(header)
    if match is None or "" in match.group(1, 2):
        return None
    first, last = (_bounded(text) for text in match.group(1, 2))
    if last < first:
        return None
    if last >= size:
        raise InvalidRange(size=size)
    return first, last + 1


def part_range(number: int, parts: tuple[int, ...], size: int) -> tuple[int, int]:
    """Return (start, end) of a part, counted from 1; an object without parts is one part.

    Raises:  InvalidPartNumberHere where there are not so many.
    """
    sizes = parts or (size,)
    if number > len(sizes):
        raise InvalidPartNumberHere()
    end = list(accumulate(sizes[:number]))[-1]
    return end - sizes[number - 1], end


def _bounded(digits: str) -> int:
    digits = digits.lstrip("0")
    return _SIZE_MAX if len(digits) > _DIGITS_MAX else int(digits or "0")
