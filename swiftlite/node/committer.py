"""Group commit: one thread per device writes and syncs whatever queued during the last round.

The bytes of small fragments are laid out in the event loop, so that the thread has only system
calls to make: objects that both of them handle would travel between two processors' caches, and the
interpreter's lock with them.
"""

from __future__ import annotations

import asyncio
import errno
import logging
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from queue import SimpleQueue
from threading import Thread
from typing import NamedTuple

from eventlog.errors import CloudError
from swiftlite.manifest import Hint

from .disk import Disk, write_all
from .errors import DeviceBusy, DeviceFull, DeviceOut
from .format import Buffer
from .identity import Watch
from .index import Index
from .rounds import Rounds
from .volume import Entry, Tail, image

_BATCH_BYTES_MAX = 16 << 20  # what one sync may have to carry: bounds how long the others wait
# How long, and for what part of the reserve in bytes of ours, an answer about the room is believed.
_ROOM_LOOK_S = 0.25
_ROOM_LOOK_SHARE = 16
_LOOP_BYTES_MAX = 1 << 20  # more is laid out in the thread, so that the loop goes on
_log = logging.getLogger(__name__)
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


class _Waiting:
    """Entries, and who waits for all of them."""

    __slots__ = ("entries", "future", "length")

    def __init__(
        self, entries: Sequence[Entry], length: int, future: asyncio.Future[list[Hint]]
    ) -> None:
        self.entries, self.length, self.future = entries, length, future


class _Images(NamedTuple):
    """The bytes of some entries as they stand at one place of one volume."""

    buffers: list[Buffer]
    hints: list[Hint]
    end: int


class _Batch:
    """What one sync carries."""

    __slots__ = ("images", "size", "waiting")

    def __init__(self) -> None:
        self.waiting: list[_Waiting] = []
        self.size = 0
        self.images: _Images | None = None  # None: to be laid out in the thread

    @property
    def entries(self) -> Iterator[Entry]:
        return chain.from_iterable(waiting.entries for waiting in self.waiting)


_Settled = tuple[_Batch, "list[Hint] | CloudError"]


class Committer:
    """Appends entries to a device; each is acknowledged once it will survive a power cut."""

    def __init__(
        self,
        disk: Disk,
        path: str,
        *,
        tail: Tail,
        index: Index,
        watch: Watch,
        rounds: Rounds,
        home: int,
        device: int,
        reserve_bytes: int,
        queue_bytes: int,
    ) -> None:
        self._disk, self._path, self._tail, self._index = disk, path, tail, index
        self._watch, self._home, self._device = watch, home, device
        self._reserve_bytes, self._queue_bytes = reserve_bytes, queue_bytes
        self._rounds = rounds
        self._waiting: list[_Waiting] = []  # for the next round
        self._waiting_bytes = 0  # and in this one
        self._queue: SimpleQueue[list[_Batch] | None] = SimpleQueue()
        self._begun = 0  # rounds that have not ended; meanwhile the tail is the thread's
        self._loop = asyncio.get_running_loop()
        self._looked_s = 0.0  # when the room was looked at
        self._granted = 0  # bytes that may be written until it is looked at again
        self.out = ""  # why nothing can be written any more
        self._closed = False
        self._thread = Thread(target=self._run, name=f"device-{device}", daemon=True)
        self._thread.start()

    def put(self, entries: Sequence[Entry]) -> asyncio.Future[list[Hint]]:
        """Queue entries; the future is done when all are on the medium, or are not going to be.

        The payloads must not change before then. Raises: DeviceOut, DeviceBusy.
        """
        if self.out or self._closed:
            raise DeviceOut(device=self._device, reason=self.out or "it was closed")
        length = sum([entry.length for entry in entries])
        if self._waiting_bytes + length > self._queue_bytes and self._waiting_bytes:
            raise DeviceBusy(
                device=self._device, waiting=self._waiting_bytes, limit=self._queue_bytes
            )
        self._waiting_bytes += length
        future: asyncio.Future[list[Hint]] = self._loop.create_future()
        self._waiting.append(_Waiting(entries, length, future))
        self._rounds.ask(self)
        return future

    def begin(self) -> None:
        """Hand all that waits to the thread. For `Rounds`."""
        batches = _batches(self._waiting)
        self._waiting = []
        if len(batches) == 1 and not self._begun and self._tail.is_open:
            (batch,) = batches
            if batch.size <= _LOOP_BYTES_MAX:
                batch.images = self._laid_out(batch)
        self._begun += 1
        self._queue.put(batches)

    def fail(self, reason: str) -> None:
        """Take the device out: nothing is acknowledged after this."""
        self.out = self.out or reason

    async def close(self) -> None:
        """Write what is queued, and end the thread."""
        self._closed = True
        self.begin()
        self._queue.put(None)
        await self._loop.run_in_executor(None, self._thread.join)
        self._tail.abandon()

    def _run(self) -> None:
        while (batches := self._queue.get()) is not None:
            self._tell(self._settle, [(batch, self._finish(batch)) for batch in batches])

    def _finish(self, batch: _Batch) -> list[Hint] | CloudError:
        try:
            return self._commit(batch)
        except CloudError as error:
            return error
        except OSError as error:
            self.fail(f"{error.strerror or error}")
            return DeviceOut(device=self._device, reason=self.out)
        except Exception as error:
            # A bug. Whoever waits must not wait for ever, nor may the thread end while some come.
            _log.exception("device %s goes out", self._device)
            self.fail(repr(error))
            return DeviceOut(device=self._device, reason=self.out)

    def _tell(self, callback: Callable[..., object], *args: object) -> None:
        try:
            self._loop.call_soon_threadsafe(callback, *args)
        except RuntimeError:
            return  # the loop is closed: nobody waits

    def _laid_out(self, batch: _Batch) -> _Images:
        """Return the batch's bytes for the end of the tail."""
        buffers: list[Buffer] = []
        hints: list[Hint] = []
        number, at = self._tail.number, self._tail.end
        for entry in batch.entries:
            hints.append(Hint(entry.fragment.index, self._device, number, at, entry.length))
            parts = image(entry, home=self._home, device=self._device, volume=number, offset=at)
            buffers += parts
            at += sum(map(len, parts))
        return _Images(buffers, hints, at)

    def _commit(self, batch: _Batch) -> list[Hint]:
        """Write and sync; return only if all of it is on the medium of the right device."""
        if self.out:
            raise DeviceOut(device=self._device, reason=self.out)
        self._check_room(batch.size)
        try:
            if not self._tail.is_open:
                self._watch.check()  # no volume may be made in another device's folder
            handle = self._tail.ready(self._index.position)
        except OSError as error:
            if error.errno in _NO_ROOM:
                raise self._full() from error
            raise
        images = batch.images or self._laid_out(batch)
        try:
            write_all(self._disk, handle.fd, images.buffers, self._tail.end)
        except OSError as error:
            self._tail.abandon()
            if error.errno in _NO_ROOM:
                raise self._full() from error
            raise
        self._watch.check()
        if not self._tail.is_in_place():
            raise OSError(errno.ESTALE, "the volume was removed")
        # Never repeated when it fails: the kernel may have dropped the pages that it could not
        # write, and would report success the next time.
        self._disk.fdatasync(handle.fd)
        self._tail.end = images.end
        return images.hints

    def _check_room(self, size: int) -> None:
        """Raise DeviceFull if `size` bytes do not fit beside the reserve."""
        now = self._loop.time()
        if size > self._granted or now - self._looked_s >= _ROOM_LOOK_S:
            room = self._disk.space(self._path).free - self._reserve_bytes
            if room < size:
                self._granted = 0
                raise self._full()
            self._looked_s = now
            self._granted = max(size, min(room, self._reserve_bytes) // _ROOM_LOOK_SHARE)
        self._granted -= size

    def _full(self) -> DeviceFull:
        return DeviceFull(device=self._device, reserve=self._reserve_bytes)

    def _settle(self, settled: list[_Settled]) -> None:
        """Answer everyone who waited. Runs in the event loop."""
        self._begun -= 1
        for batch, outcome in settled:
            self._waiting_bytes -= batch.size
            at = 0
            for waiting in batch.waiting:
                end = at + len(waiting.entries)
                if waiting.future.done():
                    pass  # whoever waited gave up
                elif isinstance(outcome, CloudError):
                    waiting.future.set_exception(type(outcome)(**vars(outcome)))
                else:
                    waiting.future.set_result(outcome[at:end])
                at = end
        self._rounds.done(self)


def _batches(waiting: list[_Waiting]) -> list[_Batch]:
    """Return what waits, in order, in runs of about as many bytes as one sync should carry."""
    batches: list[_Batch] = []
    for one in waiting:
        if not batches or batches[-1].size >= _BATCH_BYTES_MAX:
            batches.append(_Batch())
        batches[-1].waiting.append(one)
        batches[-1].size += one.length
    return batches
