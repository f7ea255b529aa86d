"""Attempt: what goes to several devices; where one fails, to another, until all have answered."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Generic, TypeVar

from eventlog.errors import CloudError
from swiftlite.gateway.quorum import Quorum
from swiftlite.manifest import Hint
from swiftlite.node.device import Device
from swiftlite.node.format import Fragment

if TYPE_CHECKING:
    from swiftlite.gateway.engine import Engine

T = TypeVar("T")


class Attempt(Generic[T]):
    """What is to be on several devices, sent to each; where one fails, to another.

    Every call ever made is remembered: when it comes to nothing, also those that answer late are
    taken back.
    """

    def __init__(self, engine: Engine, quorum: Quorum) -> None:
        self.quorum = quorum
        self.results: dict[int, T] = {}  # by fragment
        self._engine = engine
        self._calls: list[tuple[int, int, asyncio.Future[T]]] = []
        self._asked: list[tuple[int, int, asyncio.Future[T]]] = []  # and not answered

    def start(self, send: Callable[[int, Device], Awaitable[T]]) -> None:
        """Send every fragment to its first device."""
        self._send = send
        self._ask(self.quorum.start())

    async def finish(self) -> None:
        """Return when all have answered; what succeeded is in `results` and in the quorum."""
        while calls := self._asked:
            await _all_done([call for _, _, call in calls], self._engine.settings.write_deadline_s)
            again = []
            for fragment, device, call in calls:
                if call.done() and call.exception() is None:
                    self.results[fragment] = call.result()
                    self.quorum.wrote(fragment)
                    continue
                if not call.done():
                    self._engine.devices.late(device, call)
                elif not isinstance(call.exception(), CloudError | OSError):
                    call.result()  # a bug: raise it
                if (another := self.quorum.failed(fragment)) is not None:
                    again.append((fragment, another))
            self._ask(again)

    async def run(self, send: Callable[[int, Device], Awaitable[T]]) -> None:
        """Start and finish."""
        self.start(send)
        await self.finish()

    def take_back(self, undo: Callable[[int, Device, T], Awaitable[None]]) -> None:
        """Undo every call that succeeded or still will, in the background."""
        for fragment, device, call in self._calls:
            self._engine.later(self._undo(undo, fragment, device, call))

    def _ask(self, asked: list[tuple[int, int]]) -> None:
        self._asked = [
            (fragment, device, self._call(fragment, device)) for fragment, device in asked
        ]
        self._calls += self._asked

    def _call(self, fragment: int, device: int) -> asyncio.Future[T]:
        try:
            return asyncio.ensure_future(self._send(fragment, self._engine.devices[device]))
        except (CloudError, OSError) as error:
            refused: asyncio.Future[T] = asyncio.get_running_loop().create_future()
            refused.set_exception(error)
            return refused

    async def _undo(
        self,
        undo: Callable[[int, Device, T], Awaitable[None]],
        fragment: int,
        device: int,
        call: asyncio.Future[T],
    ) -> None:
        # An error: nothing was written, or the device is out and scrub will report an orphan.
        with contextlib.suppress(CloudError, OSError):
            result = await call
            # Looked up now, since it may have been late until then, and may be with other calls.
            if (live := self._engine.devices.even_late(device)) is not None:
                await undo(fragment, live, result)


async def discard(engine: Engine, blob_id: bytes, hints: Iterable[Hint]) -> None:
    """Remove fragments that no event names and none will.

    Best effort: what stays on a device that is out now, scrub reports as an orphan.
    """
    for hint in hints:
        with contextlib.suppress(CloudError, OSError):
            if (device := engine.devices.even_late(hint.device)) is not None:
                await device.delete(Fragment(blob_id, hint.fragment), hint)


async def _all_done(calls: Sequence[asyncio.Future[T]], deadline_s: float) -> None:
    """Wait for all calls, but not beyond the deadline; `asyncio.wait` at a third of its cost."""
    loop = asyncio.get_running_loop()
    waiter: asyncio.Future[None] = loop.create_future()
    left = len(calls)

    def expire() -> None:
        if not waiter.done():
            waiter.set_result(None)

    def one(_: asyncio.Future[T]) -> None:
        nonlocal left
        left -= 1
        if not left:
            expire()

    for call in calls:
        call.add_done_callback(one)
    timer = loop.call_later(deadline_s, expire)
    try:
        await waiter
    finally:
        timer.cancel()
