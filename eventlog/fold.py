"""Memory views: state folded from events in order, kept in a process.

Law: resuming from any cut equals a full replay.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from eventlog.errors import ViewParked
from eventlog.event import Event
from eventlog.log import Recorded

if TYPE_CHECKING:
    from eventlog.sqlite import SqliteLog


class MemoryView(ABC):
    """A fold whose state is the instance itself. Pure: it sees events and nothing else."""

    handles: ClassVar[frozenset[type[Event]]]
    position: int = 0  # the last one folded, whether handled or not

    parked: ViewParked | None = None  # an event that could not be folded: it answers no more

    @abstractmethod
    def apply(self, rec: Recorded) -> None:
        """Fold one handled event. An erased event is not shown."""

    def fold(self, page: Iterable[Recorded]) -> None:
        """Fold handled events that come next.

        Raises: ViewParked, now and ever after, if one of them cannot be folded.
        """
        if self.parked is not None:
            raise self.parked
        apply = self.apply
        for rec in page:
            if rec.data is not None:
                try:
                    apply(rec)
                except Exception as error:  # the state may be half changed: stop, never skip
                    reason = f"{type(error).__name__}: {error}"
                    name = type(self).__name__
                    self.parked = ViewParked(view=name, position=rec.position, reason=reason)
                    raise self.parked from error
            self.position = rec.position


V = TypeVar("V", bound=MemoryView)


class Live(Generic[V]):
    """A memory view that catches up to the head before it answers."""

    def __init__(self, log: SqliteLog, view: V) -> None:
        self._log = log
        self._view = view
        self._folding = asyncio.Lock()

    async def current(self) -> V:
        """Return the view at a position not before the head at the time of the call."""
        head = self._log.head()
        if self._view.position < head:
            async with self._folding:
                if self._view.position < head:
                    await self._log.fold(self._view, as_of=head)
        return self._view
