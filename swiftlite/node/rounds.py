"""Rounds: the devices of a process begin their syncs together, so that each sync carries more.

Without them a device would sync each fragment as it comes, and while many clients write, most of
the work would be waking threads. There is no timer that anyone waits for: a round begins when the
one before has ended and a turn of the loop brought nothing more. While turns bring more, the
processor is what everyone waits for, and a larger round costs it less; when they bring nothing, all
who could have joined are waiting already.

    idle --ask--> planned --a quiet turn--> under way --all done, or PATIENCE_S--> idle, or planned
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

PATIENCE_S = 0.02  # a device that takes longer no longer holds up the others
TURNS_MAX = 32  # of the loop, that a planned round waits for a quiet one


class Member(Protocol):
    """Someone who has something to sync."""

    def begin(self) -> None:
        """Sync what has queued; `Rounds.done` is called when that has ended."""


class Rounds:
    """Whose turn it is. Used in one event loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._asking: dict[Member, None] = {}
        self._busy: set[Member] = set()
        self._round: set[Member] = set()  # those of the busy that the next round waits for
        self._feeders: dict[Callable[[], None], None] = {}
        self._is_planned = False
        self._queued = 0  # so many things ever; what is compared from turn to turn
        self._seen = 0
        self._turns = 0  # that the planned round has waited
        self._patience: asyncio.TimerHandle | None = None

    def feed(self, feeder: Callable[[], None]) -> None:
        """Have `feeder` called before the next round begins: it gives devices what they ask for."""
        self._queued += 1
        if feeder not in self._feeders:
            self._feeders[feeder] = None
            self._plan()

    def ask(self, member: Member) -> None:
        """Have `member` begin in the next round; asking again says that it has more for it."""
        self._queued += 1
        if member not in self._asking:
            self._asking[member] = None
            self._plan()

    def done(self, member: Member) -> None:
        """Note that what `member` began has ended, well or not."""
        self._busy.discard(member)
        self._round.discard(member)
        self._plan()

    def _plan(self) -> None:
        if self._is_planned or self._round:
            return
        if not self._feeders and self._busy.issuperset(self._asking):
            return
        self._is_planned = True
        self._turns = 0
        self._await_quiet()

    def _await_quiet(self) -> None:
        self._seen = self._queued
        self._loop.call_soon(self._look)

    def _look(self) -> None:
        self._turns += 1
        if self._queued != self._seen and self._turns < TURNS_MAX:
            self._await_quiet()
        else:
            self._start()

    def _start(self) -> None:
        feeders, self._feeders = self._feeders, {}
        for feeder in feeders:
            feeder()
        self._is_planned = False
        self._round = {member for member in self._asking if member not in self._busy}
        self._busy |= self._round
        for member in self._round:
            del self._asking[member]
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
        if not self._round:
            return
        self._patience = self._loop.call_later(PATIENCE_S, self._give_up)
        for member in tuple(self._round):
            member.begin()

    def _give_up(self) -> None:
        self._patience = None
        self._round.clear()
        self._plan()
