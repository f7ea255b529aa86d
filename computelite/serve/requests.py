"""Requests of all workers, counted by protocol and status in memory that they share.

As `slots`: made before the first fork, one writer for each row, no lock.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator

# Which protocol it is, by the first part of a path on the API port; the rest are pages.
PROTOCOL_OF = {
    "v1": "swift",
    "info": "swift",
    "identity": "identity",
    "auth": "tempauth",
    "image": "image",
}
PAGES = "pages"
PROTOCOLS = ("s3", "swift", "identity", "tempauth", "image", PAGES)
_FIRST_STATUS, _STATUSES = 100, 500  # 100 to 599


class Requests:
    """How many requests were answered, by any worker that ever was."""

    def __init__(self, workers: int) -> None:
        self._width = len(PROTOCOLS) * _STATUSES
        self._cells = memoryview(mmap.mmap(-1, workers * self._width * 8)).cast("q")

    def row(self, worker: int) -> WorkerRequests:
        """Return what one worker counts with."""
        start = worker * self._width
        return WorkerRequests(self._cells[start : start + self._width])

    def totals(self) -> Iterator[tuple[str, int, int]]:
        """Yield protocol, status and how many, for those that there were."""
        for number, protocol in enumerate(PROTOCOLS):
            for status in range(_STATUSES):
                count = sum(self._cells[number * _STATUSES + status :: self._width])
                if count:
                    yield protocol, _FIRST_STATUS + status, count


class WorkerRequests:
    """One worker's side."""

    def __init__(self, cells: memoryview) -> None:
        self._cells = cells
        self._starts = {name: i * _STATUSES - _FIRST_STATUS for i, name in enumerate(PROTOCOLS)}

    def count(self, protocol: str, status: int) -> None:
        """Count one answer."""
        self._cells[self._starts[protocol] + status] += 1
