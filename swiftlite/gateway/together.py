"""Together: the small blobs of one round, written to the same devices with one quorum for all.

Small blobs are m+1 whole copies. Were each placed for itself, a round would wake and sync all the
devices, each for a copy or two, and every blob would pay for a quorum of its own. So those that
come while a round is under way are a group of the next, and go where the group's first one goes.
Rounds are many and their places random: in the end all devices have their share.

    waiting --round begins--> with m+1 devices --quorum--> done, each with hints of its own
                                       '-----no quorum--> taken back, QuorumLost for each
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from eventlog.clock import Ids
from swiftlite.errors import QuorumLost
from swiftlite.gateway.attempt import Attempt, discard
from swiftlite.gateway.quorum import Quorum
from swiftlite.manifest import Blob, Hint, Layout
from swiftlite.node.device import Device, packed_label
from swiftlite.node.format import Fragment, Label
from swiftlite.node.rounds import Rounds
from swiftlite.node.volume import Entry
from swiftlite.ring.ring import Ring

if TYPE_CHECKING:
    from swiftlite.gateway.engine import Engine

TOGETHER_MAX = 256 << 10  # bytes of data; more take longer to write than further devices to sync


class _Small:
    """A blob on its way, and who waits for it."""

    __slots__ = ("data", "future", "id", "label")

    def __init__(self, label: bytes, data: bytes, future: asyncio.Future[Blob]) -> None:
        self.label, self.data, self.future = label, data, future
        self.id = b""


class Together:
    """Writes small blobs. Used in one event loop; takes its turn among its process's devices."""

    def __init__(self, engine: Engine, rounds: Rounds) -> None:
        self._engine, self._rounds = engine, rounds
        self._loop = asyncio.get_running_loop()
        self._waiting: list[_Small] = []

    def write(self, label: Label, data: bytes) -> asyncio.Future[Blob]:
        """Store a blob of at most `copies_max` bytes; once awaited its copies are synced.

        Whoever gives up waiting leaves nothing behind.
        Raises:  QuorumLost when awaited; LabelTooLong at once.
        """
        future: asyncio.Future[Blob] = self._loop.create_future()
        small = _Small(packed_label(label), data, future)
        if not self._waiting:
            self._rounds.ask(self)
        self._waiting.append(small)
        return future

    def begin(self) -> None:
        """Send what waits to its devices, whose round it is next. For `Rounds`."""
        waiting, self._waiting = self._waiting, []
        group: list[_Small] = []
        size = 0
        for small in waiting:
            if small.future.done():
                continue  # nobody waits any more, and nothing was written yet
            group.append(small)
            size += len(small.data)
            if size >= TOGETHER_MAX:
                self._engine.later(self._write(group))
                group, size = [], 0
        if group:
            self._engine.later(self._write(group))
        self._rounds.done(self)

    async def _write(self, group: list[_Small]) -> None:
        engine = self._engine
        ring = engine.rings.current
        drawn = ids_of_group(engine.ids, ring, len(group))
        for small, blob_id in zip(group, drawn, strict=True):
            small.id = blob_id
        home = ring.devices_of(group[0].id)
        spares = (*home[engine.m + 1 :], *ring.handoffs(group[0].id))
        quorum = Quorum(home[: engine.m + 1], spares, needed=1)

        def send(fragment: int, device: Device) -> asyncio.Future[list[Hint]]:
            return device.append_all(
                [
                    Entry(Fragment(small.id, fragment), small.label, len(small.data), small.data)
                    for small in group
                ]
            )

        async def undo(fragment: int, device: Device, hints: list[Hint]) -> None:
            for small, hint in zip(group, hints, strict=True):
                await device.delete(Fragment(small.id, fragment), hint)

        attempt: Attempt[list[Hint]] = Attempt(engine, quorum)
        try:
            await attempt.run(send)
        except BaseException as error:  # a bug, or the end of the loop: nobody may wait for ever
            attempt.take_back(undo)
            _fail(group, error)
            raise
        if not quorum.is_durable:
            attempt.take_back(undo)
            _fail(group, QuorumLost(needed=2, reached=len(quorum.written)))
            return
        columns = [hints for _, hints in sorted(attempt.results.items())]
        k, m, stripe, epoch = engine.k, engine.m, engine.settings.stripe, ring.epoch
        for small, hints in zip(group, zip(*columns, strict=True), strict=True):
            if small.future.done():
                engine.later(discard(engine, small.id, hints))
                continue
            blob = Blob(small.id, len(small.data), Layout.COPIES, k, m, stripe, epoch, hints)
            small.future.set_result(blob)


def ids_of_group(ids: Ids, ring: Ring, count: int) -> list[bytes]:
    """Return so many new blob ids, growing, all of one partition."""
    drawn = [ids.uuid7() for _ in range(count)]
    partition = ring.partition(drawn[0])
    return [drawn[0], *(ring.moved(blob_id, partition) for blob_id in drawn[1:])]


def _fail(group: list[_Small], error: BaseException) -> None:
    for small in group:
        if small.future.done():
            continue
        if isinstance(error, QuorumLost):  # one each: a traceback belongs to whoever raises it
            small.future.set_exception(QuorumLost(needed=error.needed, reached=error.reached))
        elif isinstance(error, Exception):
            small.future.set_exception(error)
        else:
            small.future.cancel()
