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
        self._waiting.append(small)
        self._rounds.feed(self._send)
        return future

    def _send(self) -> None:
        """Give what waits to its devices, whose round is about to begin."""
        waiting, self._waiting = self._waiting, []
        group: list[_Small] = []
        size = 0
        for small in waiting:
            if small.future.done():
                continue  # nobody waits any more, and nothing was written yet
            group.append(small)
            size += len(small.data)
            if size >= TOGETHER_MAX:
                _Group(self._engine, group).start()
                group, size = [], 0
        if group:
            _Group(self._engine, group).start()


class _Group:
    """Blobs that share their devices and their quorum."""

    def __init__(self, engine: Engine, members: list[_Small]) -> None:
        self._engine, self._members = engine, members
        self._ring = engine.rings.current
        drawn = ids_of_group(engine.ids, self._ring, len(members))
        for small, blob_id in zip(members, drawn, strict=True):
            small.id = blob_id
        home, copies = self._ring.devices_of(drawn[0]), engine.m + 1
        spares = (*home[copies:], *self._ring.handoffs(drawn[0]))
        self._attempt: Attempt[list[Hint]] = Attempt(
            engine, Quorum(home[:copies], spares, needed=1)
        )

    def start(self) -> None:
        """Send the group; it finishes in the background."""
        self._attempt.start(self._append)
        self._engine.later(self._finish())

    def _append(self, fragment: int, device: Device) -> asyncio.Future[list[Hint]]:
        return device.append_all(
            [
                Entry(Fragment(small.id, fragment), small.label, len(small.data), small.data)
                for small in self._members
            ]
        )

    async def _undo(self, fragment: int, device: Device, hints: list[Hint]) -> None:
        for small, hint in zip(self._members, hints, strict=True):
            await device.delete(Fragment(small.id, fragment), hint)

    async def _finish(self) -> None:
        try:
            await self._attempt.finish()
        except BaseException as error:  # a bug, or the end of the loop: nobody may wait for ever
            self._attempt.take_back(self._undo)
            self._fail(error)
            raise
        if self._attempt.quorum.is_durable:
            self._succeed()
        else:
            self._attempt.take_back(self._undo)
            self._fail(QuorumLost(needed=2, reached=len(self._attempt.quorum.written)))

    def _succeed(self) -> None:
        engine, epoch = self._engine, self._ring.epoch
        k, m, stripe = engine.k, engine.m, engine.settings.stripe
        columns = [hints for _, hints in sorted(self._attempt.results.items())]
        for small, hints in zip(self._members, zip(*columns, strict=True), strict=True):
            if small.future.done():
                engine.later(discard(engine, small.id, hints))
                continue
            blob = Blob(small.id, len(small.data), Layout.COPIES, k, m, stripe, epoch, hints)
            small.future.set_result(blob)

    def _fail(self, error: BaseException) -> None:
        for small in self._members:
            if small.future.done():
                continue
            if isinstance(error, QuorumLost):  # one each: its traceback belongs to its raiser
                small.future.set_exception(QuorumLost(needed=error.needed, reached=error.reached))
            elif isinstance(error, Exception):
                small.future.set_exception(error)
            else:
                small.future.cancel()


def ids_of_group(ids: Ids, ring: Ring, count: int) -> list[bytes]:
    """Return so many new blob ids, growing, all of one partition."""
    drawn = [ids.uuid7() for _ in range(count)]
    partition = ring.partition(drawn[0])
    return [drawn[0], *(ring.moved(blob_id, partition) for blob_id in drawn[1:])]
