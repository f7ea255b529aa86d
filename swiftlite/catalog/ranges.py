"""A key range of a table, read in chunks that grow while it is read and shrink where it jumps."""

from __future__ import annotations

import msgspec

from eventlog.log import Log
from eventlog.view import Row

CHUNK_MIN = 2
GROWTH = 4


class Range:
    """The rows with lo <= key < hi, in key order, with a look ahead and leaps.

    `dense`: most rows will be wanted, so that the first read takes `most` of them at once.
    """

    def __init__(
        self,
        log: Log,
        table: str,
        lo: bytes,
        hi: bytes,
        *,
        most: int,
        dense: bool,
        shape: type[msgspec.Struct] | None = None,
    ) -> None:
        self._log = log
        self._table = table
        self._shape = shape
        self._lo = lo
        self._hi = hi
        self._most = most
        self._chunk = most if dense else min(most, CHUNK_MIN)
        self._rows: list[tuple[bytes, Row]] = []
        self._next = 0
        self._more = lo < hi

    async def peek(self) -> tuple[bytes, Row] | None:
        """Return the next row without taking it, or None at the end."""
        if self._next < len(self._rows):
            return self._rows[self._next]
        if not self._more:
            return None
        self._rows = await self._log.scan(
            self._table, self._lo, self._hi, limit=self._chunk, shape=self._shape
        )
        self._next = 0
        self._more = len(self._rows) == self._chunk
        if not self._rows:
            return None
        self._lo = self._rows[-1][0] + b"\0"
        self._chunk = min(self._most, self._chunk * GROWTH)
        return self._rows[0]

    def pop(self) -> None:
        """Take the row that `peek` returned."""
        self._next += 1

    def skip_to(self, lo: bytes) -> None:
        """Drop all rows before `lo`; what was read ahead and lies behind it is kept."""
        start = self._next
        while self._next < len(self._rows) and self._rows[self._next][0] < lo:
            self._next += 1
        if self._next == len(self._rows) and lo > self._lo:
            self._lo = lo
            self._more = self._more and lo < self._hi
            if 2 * (self._next - start) > len(self._rows):
                # Most of the chunk was read in vain: undo the growth and shrink once more.
                self._chunk = max(min(self._most, CHUNK_MIN), self._chunk // GROWTH**2)
