"""Walking through a volume: every record that verifies, and every stretch that does not.

Reads through a function that is passed in, so the walk itself has no clock and no IO of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from . import format as fmt
from .format import ALIGN, Damage, Fragment, Header, Kind

CHUNK = 1 << 20  # bytes per read: a disk's own pace, and a bound on what the walk holds

Read = Callable[[int, int], bytes]  # (size, offset) -> bytes, fewer at the end


class Record(NamedTuple):
    """A fragment that is there, verified to its last byte."""

    header: Header
    offset: int
    end: int  # where the next one may start


class Hole(NamedTuple):
    """A stretch without a fragment: swept, or zeros, or the volume's own header."""

    offset: int
    end: int
    marked: bool  # its bounds verify; False for zeros and for what is left of an older gap


class Wreck(NamedTuple):
    """A stretch that holds something that does not verify."""

    offset: int
    end: int
    reason: str
    fragment: Fragment | None  # if its header could be read


Found = Record | Hole | Wreck


def walk(read: Read, size: int, *, home: int, volume: int, start: int = 0) -> Iterator[Found]:
    """Yield what is in a volume from `start` to `size`, without a gap and in order.

    Law: a record that verifies is found whatever stands before it; nothing that fails to verify is
    ever a Record. After a wreck the walk goes on at the next place where a header verifies, which
    bytes inside a client's payload cannot imitate (see `format`).
    """
    window = _Window(read, size)
    at = start
    while at < size:
        try:
            found: Found = _at(window, at, home, volume)
        except Damage as damage:
            found = _wreck(window, at, home, volume, str(damage))
        yield found
        at = found.end


def _at(window: _Window, at: int, home: int, volume: int) -> Found:
    """Return what starts exactly here. Raises: Damage."""
    header = _header(window, at, home, volume)
    if header.kind is Kind.GAP_END:
        return Hole(at, at + ALIGN, False)
    end = at + fmt.aligned(header.length)
    if end > window.size or header.length < ALIGN:
        raise Damage("cut short")
    if header.kind in (Kind.GAP, Kind.VOLUME):
        return Hole(at, end, True)
    if header.kind is not Kind.SMALL:
        raise Damage(f"{header.kind.name} does not belong in a volume")
    image = window.read(at, header.length)
    fmt.open_block(image, header.blocks_at, header.fragment, 0, header.payload)
    return Record(header, at, end)


def _header(window: _Window, at: int, home: int, volume: int) -> Header:
    fixed = window.read(at, fmt.HEADER_SIZE)
    if len(fixed) == fmt.HEADER_SIZE and fixed.startswith(fmt.MAGIC):
        fixed = window.read(at, fmt.HEADER_SIZE + fmt.label_size(fixed))
    return fmt.unpack_header(fixed, home=home, volume=volume, offset=at)


def _wreck(window: _Window, at: int, home: int, volume: int, reason: str) -> Hole | Wreck:
    """Return the stretch from a bad place up to the next header that verifies."""
    try:
        fragment: Fragment | None = _header(window, at, home, volume).fragment
    except Damage:
        fragment = None
    end = at + ALIGN
    while end < window.size:
        end = window.find(fmt.MAGIC, end)
        if end % ALIGN:
            end = fmt.aligned(end)
            continue
        try:
            _header(window, end, home, volume)
        except Damage:
            end += ALIGN
            continue
        break
    end = min(end, window.size)
    if fragment is None and window.is_zero(at, end):
        return Hole(at, end, False)
    return Wreck(at, end, reason, fragment)


class _Window:
    """The part of the volume that was read last."""

    def __init__(self, read: Read, size: int) -> None:
        self._read, self.size = read, size
        self._base, self._bytes = 0, b""

    def read(self, at: int, size: int) -> bytes:
        """Return up to `size` bytes from `at`: fewer at the end of the volume."""
        size = max(0, min(size, self.size - at))
        begin = at - self._base
        if begin < 0 or begin + size > len(self._bytes):
            self._bytes = self._read(min(max(size, CHUNK), self.size - at), at)
            self._base, begin = at, 0
        return self._bytes[begin : begin + size]

    def find(self, what: bytes, at: int) -> int:
        """Return where `what` comes next, or the end of the volume."""
        while at < self.size:
            self.read(at, len(what))
            found = self._bytes.find(what, at - self._base)
            if found >= 0:
                return self._base + found
            if self._base + len(self._bytes) >= self.size:
                return self.size
            at = max(at + 1, self._base + len(self._bytes) - len(what) + 1)
        return self.size

    def is_zero(self, at: int, end: int) -> bool:
        """Say whether nothing but zeros stands between two places."""
        while at < end:
            part = self._read(min(CHUNK, end - at), at)
            if not part or part.count(0) != len(part):
                return False
            at += len(part)
        return True
