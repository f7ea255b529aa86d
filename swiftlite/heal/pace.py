"""Pace: how much has been done, and how fast it may go on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec

from eventlog.clock import Clock


class Progress(msgspec.Struct, frozen=True):
    """How far a long piece of work has come. `total` and `bytes_total` are 0 while unknown."""

    what: str
    done: int
    total: int
    bytes_done: int
    bytes_total: int
    seconds: float
    cursor: bytes = b""  # where to go on after an interruption
    hurt: int = 0  # things that a repair should look at


Report = Callable[[Progress], None]


class Pace:
    """Counts work, tells about it, and slows it down to a rate."""

    def __init__(
        self,
        clock: Clock,
        what: str,
        *,
        report: Report | None = None,
        bytes_per_s: float | None = None,
        total: int = 0,
        bytes_total: int = 0,
    ) -> None:
        self.done = 0
        self.bytes_done = 0
        self.hurt = 0
        self._clock = clock
        self._what = what
        self._report = report
        self._bytes_per_s = bytes_per_s
        self._total = total
        self._bytes_total = bytes_total
        self._began_s = clock.monotonic_s()

    async def step(self, size_bytes: int, cursor: bytes = b"") -> None:
        """Count one thing of this size; wait if it was faster than it may be."""
        self.done += 1
        self.bytes_done += size_bytes
        seconds = self._clock.monotonic_s() - self._began_s
        if self._report is not None:
            self._report(
                Progress(
                    self._what,
                    self.done,
                    self._total,
                    self.bytes_done,
                    self._bytes_total,
                    seconds,
                    cursor,
                    self.hurt,
                )
            )
        if self._bytes_per_s:
            ahead_s = self.bytes_done / self._bytes_per_s - seconds
            if ahead_s > 0:
                await asyncio.sleep(ahead_s)
