"""Repairs: damage that reads met, remembered until it is made good."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from eventlog.clock import Clock
from swiftlite.manifest import Blob
from swiftlite.node.format import Label

TOLD_AGAIN_S = 60.0
_TOLD_MAX = 1000


class Damaged(NamedTuple):
    """A blob of which some fragment could not be read; it was still needed at position `since`."""

    blob: Blob
    label: Label
    since: int


class Repairs:
    """A queue without doubles and with an end: what does not fit is left for scrub to find."""

    def __init__(self, limit: int, head: Callable[[], int]) -> None:
        self._limit = limit
        self._head = head
        self._waiting: dict[bytes, Damaged] = {}
        self._some = asyncio.Event()

    def add(self, blob: Blob, label: Label) -> None:
        """Remember a damaged blob, unless it is known or there are too many."""
        if len(self._waiting) < self._limit and blob.id not in self._waiting:
            self._waiting[blob.id] = Damaged(blob, label, self._head())
            self._some.set()

    async def next(self) -> Damaged:
        """Return the one that waited longest, as soon as there is one; it is then forgotten."""
        while not self._waiting:
            self._some.clear()
            await self._some.wait()
        return self._waiting.pop(next(iter(self._waiting)))

    def __len__(self) -> int:
        return len(self._waiting)


class Told:
    """Remembers of which blobs the operator was told: each read of a lost one meets it again."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._at_s: dict[bytes, float] = {}

    def is_time(self, blob_id: bytes) -> bool:
        """Say whether nobody was told of this blob in the last minute; now somebody is."""
        now_s = self._clock.monotonic_s()
        if now_s - self._at_s.get(blob_id, -TOLD_AGAIN_S) < TOLD_AGAIN_S:
            return False
        self._at_s.pop(blob_id, None)
        while len(self._at_s) >= _TOLD_MAX:
            del self._at_s[next(iter(self._at_s))]
        self._at_s[blob_id] = now_s
        return True
