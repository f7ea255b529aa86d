"""Geometry: an object's bytes as stripes, and a stripe's bytes as k cells of one length.

Pure: no clock, no IO.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

STRIPE = 1 << 20  # bytes; 1 MiB of data and its parity stay within a core's second-level cache

Buffer = bytes | bytearray | memoryview


class Geometry(msgspec.Struct, frozen=True):
    """An object of `size` bytes in stripes of `stripe` bytes, each in k cells.

    Units:  bytes throughout; offsets count from the object's start, ends are exclusive.
    Law:    the stripes' data, one after the other, are exactly the object; a cell is zero-padded
            only where k does not divide its stripe's data.
    """

    size: int
    k: int
    stripe: int = STRIPE

    def __post_init__(self) -> None:
        assert self.size >= 0
        assert self.k >= 1
        assert self.stripe >= 1

    @property
    def stripes(self) -> int:
        """How many stripes there are; an empty object has none."""
        return -(-self.size // self.stripe)

    def data_length(self, stripe: int) -> int:
        """Return how many of the object's bytes are in a stripe: only the last may have fewer."""
        assert 0 <= stripe < self.stripes
        return min(self.stripe, self.size - stripe * self.stripe)

    def cell_length(self, stripe: int) -> int:
        """Return the length of each of the stripe's k data cells and m parity cells."""
        return -(-self.data_length(stripe) // self.k)

    @property
    def fragment_data_size(self) -> int:
        """The sum of a fragment's cells."""
        if not self.stripes:
            return 0
        full = -(-self.stripe // self.k)
        return full * (self.stripes - 1) + self.cell_length(self.stripes - 1)

    def range_to_stripes(self, start: int, end: int) -> range:
        """Return the stripes that hold the bytes start..end-1 of the object."""
        assert 0 <= start <= end <= self.size
        if start == end:
            return range(0)
        return range(start // self.stripe, -(-end // self.stripe))

    def within(self, stripe: int, start: int, end: int) -> tuple[int, int]:
        """Return which bytes of a stripe's data belong to start..end-1 of the object."""
        origin = stripe * self.stripe
        length = self.data_length(stripe)
        return min(max(start - origin, 0), length), min(max(end - origin, 0), length)


def split(data: Buffer, k: int) -> list[memoryview]:
    """Return a stripe's data as k cells of one length, the end filled up with zeros.

    Shapes: data: at least 1 byte. Cells that are full are views of `data`, which must not change
            while they are used; only the others are copies.
    """
    view = memoryview(data).cast("B")
    assert len(view) > 0
    length = -(-len(view) // k)
    full = len(view) // length
    cells = [view[i * length : (i + 1) * length] for i in range(full)]
    if full < k:
        rest = bytearray((k - full) * length)
        rest[: len(view) - full * length] = view[full * length :]
        tail = memoryview(rest)
        cells += [tail[i * length : (i + 1) * length] for i in range(k - full)]
    return cells


def join(cells: Sequence[Buffer], start: int, end: int) -> list[memoryview]:
    """Return the bytes start..end-1 of the stripe that these k data cells hold, without a copy."""
    length = len(cells[0])
    pieces = []
    for i in range(start // length, -(-end // length) if end > start else 0):
        first, last = max(start - i * length, 0), min(end - i * length, length)
        pieces.append(memoryview(cells[i])[first:last])
    return pieces
