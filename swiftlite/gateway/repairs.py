"""Repairs: damage that reads met, remembered until it is made good."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from swiftlite.manifest import Blob
from swiftlite.node.format import Label


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
