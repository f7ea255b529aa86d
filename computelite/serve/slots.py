"""Connections of all workers, counted in memory that they share: a row for each, all read the sum.

Made before the first fork. A row has one writer, and an aligned 8-byte store is atomic, so there is
no lock that a killed worker could take with it.
"""

from __future__ import annotations

import mmap
from enum import IntEnum


class Counter(IntEnum):
    """The columns of a row."""

    OPEN = 0  # connections now; dies with its worker
    ACCEPTED = 1  # connections ever
    REFUSED = 2  # connections turned away at the limit, ever


class Slots:
    """Places for connections over all workers."""

    def __init__(self, workers: int, limit: int) -> None:
        self.limit = limit
        self._cells = memoryview(mmap.mmap(-1, workers * len(Counter) * 8)).cast("q")

    def total(self, counter: Counter) -> int:
        """Return the sum over all workers."""
        return sum(self._cells[int(counter) :: len(Counter)])

    def row(self, worker: int) -> WorkerSlots:
        """Return what one worker takes and gives back."""
        start = worker * len(Counter)
        return WorkerSlots(self, self._cells[start : start + len(Counter)])

    def worker_died(self, worker: int) -> None:
        """Give back the places of a worker that is gone."""
        self._cells[worker * len(Counter) + Counter.OPEN] = 0


class WorkerSlots:
    """One worker's side. Two that take the last place in the same instant may both get it."""

    def __init__(self, slots: Slots, cells: memoryview) -> None:
        self._slots = slots
        self._cells = cells

    def acquire(self) -> bool:
        """Take a place; False if all are taken."""
        if self._slots.total(Counter.OPEN) >= self._slots.limit:
            self._cells[Counter.REFUSED] += 1
            return False
        self._cells[Counter.OPEN] += 1
        self._cells[Counter.ACCEPTED] += 1
        return True

    def release(self) -> None:
        """Give a place back."""
        self._cells[Counter.OPEN] -= 1
