"""Engine: what every verb works with."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from eventlog.clock import Clock, Ids
from eventlog.sqlite import SqliteLog
from swiftlite.coding.codec import Codec, codec_for
from swiftlite.gateway.devices import Devices
from swiftlite.gateway.readers import FOLDER, Readers
from swiftlite.gateway.repairs import Repairs
from swiftlite.gateway.rings import Rings
from swiftlite.gateway.settings import Settings
from swiftlite.gateway.together import Together
from swiftlite.manifest import Blob
from swiftlite.node.rounds import Rounds

T = TypeVar("T")


class Late(Exception):
    """A call missed its deadline; it goes on, and nobody waits for it any more."""


class Engine:
    """The log, the rings, the devices and the code, with the bounds on what may be under way."""

    def __init__(
        self,
        *,
        log: SqliteLog,
        rings: Rings,
        devices: Devices,
        rounds: Rounds,
        k: int,
        m: int,
        clock: Clock,
        ids: Ids,
        settings: Settings,
    ) -> None:
        self.log = log
        self.rings = rings
        self.devices = devices
        self.k = k
        self.m = m
        self.codec: Codec = codec_for(k, m)
        self.clock = clock
        self.ids = ids
        self.together = Together(self, rounds)
        self.settings = settings
        self.repairs = Repairs(settings.repairs_waiting, log.head)
        self.readers = Readers(log.path.parent / FOLDER, ids, log.head())
        self.stripes = asyncio.Semaphore(settings.stripes_in_memory)
        self._turn = 0
        self._threads = ThreadPoolExecutor(max_workers=4, thread_name_prefix="bytes")
        self._background: set[asyncio.Task[None]] = set()

    def codec_of(self, blob: Blob) -> Codec:
        """Return the codec that a blob was written with."""
        return codec_for(blob.k, blob.m)

    def turn(self) -> int:
        """Return a number that goes up each time: whose turn it is among equals."""
        self._turn += 1
        return self._turn

    async def in_thread(self, work: Callable[..., T], *args: Any) -> T:
        """Run what would hold up the loop: hashing and coding of large runs of bytes."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *args)

    async def within(self, deadline_s: float, device: int, call: Awaitable[T]) -> T:
        """Wait for a device's answer, but not for ever.

        The call is never cancelled, since a write that was cancelled may happen all the same.

        Raises:  Late after `deadline_s`; the device is left alone until the call has come back.
        """
        task = asyncio.ensure_future(call)
        try:
            await asyncio.wait((task,), timeout=deadline_s)
        finally:
            if not task.done():
                task.add_done_callback(_forget)
        if not task.done():
            self.devices.late(device, task)
            raise Late
        return task.result()

    def later(self, work: Coroutine[Any, Any, None]) -> None:
        """Do this in the background; `close` waits for it."""
        task = asyncio.get_running_loop().create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def settled(self, timeout_s: float | None = None) -> None:
        """Return when nothing goes on in the background, or `timeout_s` have passed."""
        async with asyncio.timeout(timeout_s):
            while self._background:
                await asyncio.wait(self._background)

    async def close(self) -> None:
        """Finish what is under way in the background, but do not wait for ever for a sick disk."""
        with contextlib.suppress(TimeoutError):
            await self.settled(self.settings.write_deadline_s)
        self._threads.shutdown()
        self.readers.close()


def _forget(call: asyncio.Future[Any]) -> None:
    """Look at what a call that nobody waits for came to, so that asyncio does not complain."""
    if not call.cancelled():
        call.exception()
