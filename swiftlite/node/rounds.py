"""Rounds: the devices of a process begin their syncs together, so that each sync carries more.

Without them a device would sync each fragment as it comes, and while many clients write, most of
the work would be waking threads. There is no timer that anyone waits for: a round begins as soon as
the one before has ended, at the end of the loop's turn, with all that queued until then.

    idle --ask--> planned --turn ends--> under way --all done, or PATIENCE_S--> idle, or planned
"""

from __future__ import annotations

import asyncio
from typing import Protocol

PATIENCE_S = 0.02  # a device that takes longer no longer holds up the others


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
        self._is_planned = False
        self.number = 0  # how many rounds have begun
        self._patience: asyncio.TimerHandle | None = None

    def ask(self, member: Member) -> None:
        """Have `member` begin in the next round; it may have asked before."""
        self._asking[member] = None
        self._plan()

    def done(self, member: Member) -> None:
        """Note that what `member` began has ended, well or not."""
        self._busy.discard(member)
        self._round.discard(member)
        self._plan()

    def _plan(self) -> None:
        if self._is_planned or self._round or self._busy.issuperset(self._asking):
            return
        self._is_planned = True
        self._loop.call_soon(self._start)

    def _start(self) -> None:
        self._is_planned = False
        self.number += 1
        self._round = {member for member in self._asking if member not in self._busy}
        self._busy |= self._round
        for member in self._round:
            del self._asking[member]
        if self._patience is not None:
            self._patience.cancel()
        self._patience = self._loop.call_later(PATIENCE_S, self._give_up)
        for member in tuple(self._round):
            member.begin()

    def _give_up(self) -> None:
        self._patience = None
        self._round.clear()
        self._plan()
