"""Write a large blob: fragments as files of their own, stripe by stripe in bounded memory."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import TypeVar

import msgspec

from eventlog.errors import CloudError
from swiftlite.coding.stripe import Buffer, split
from swiftlite.errors import ObjectDamaged, ObjectUnreachable, QuorumLost
from swiftlite.gateway.attempt import Attempt, discard
from swiftlite.gateway.engine import Engine, Late
from swiftlite.gateway.quorum import Quorum
from swiftlite.gateway.rebuild import rebuild
from swiftlite.manifest import Blob, Hint, Layout
from swiftlite.node.device import Device, FragmentWriter
from swiftlite.node.format import Fragment, Label

T = TypeVar("T")


async def write_large(engine: Engine, label: Label, stripes: AsyncIterator[bytes]) -> Blob:
    """Return a blob whose fragments are on devices, synced: more than one stripe of data.

    A device that fails on the way loses its fragment; if too few are left for the quorum, lost ones
    are rebuilt from the others on other devices before this returns.

    Shapes:  stripes: every one but the last has the settings' length.
    Raises:  QuorumLost, and what `stripes` raises, with what was written taken back.
    """
    ring = engine.rings.current
    blob = Blob(
        id=engine.ids.uuid7(),
        size=0,
        layout=Layout.CODED,
        k=engine.k,
        m=engine.m,
        stripe=engine.settings.stripe,
        epoch=ring.epoch,
        hints=(),
    )
    home = ring.devices_of(blob.id)
    spares = ring.handoffs(blob.id)
    quorum = Quorum(home, spares, needed=blob.needed, out=engine.devices.out())
    opening: Attempt[FragmentWriter] = Attempt(engine, quorum)

    def create(fragment: int, device: Device) -> Awaitable[FragmentWriter]:
        return device.create(Fragment(blob.id, fragment), label)

    try:
        await opening.run(create)
        if not quorum.is_durable:
            raise QuorumLost(needed=blob.needed + 1, reached=len(quorum.written))
    except BaseException:
        opening.take_back(_abort)
        raise
    lanes = {
        fragment: _Lane(engine, Fragment(blob.id, fragment), quorum.written[fragment], writer)
        for fragment, writer in sorted(opening.results.items())
    }
    try:
        size = await _feed(engine, lanes, stripes)
        found = await asyncio.gather(*(lane.finish() for lane in lanes.values()))
        blob = msgspec.structs.replace(
            blob, size=size, hints=tuple(hint for hint in found if hint is not None)
        )
        return await _make_good(engine, label, blob, quorum)
    except BaseException:
        for lane in lanes.values():
            engine.later(lane.take_back())
        raise


async def _feed(engine: Engine, lanes: Mapping[int, _Lane], stripes: AsyncIterator[bytes]) -> int:
    """Send every stripe down the lanes, a few at a time; return how many bytes they were."""
    window = asyncio.Semaphore(engine.settings.stripes_per_upload)

    def release() -> None:
        window.release()
        engine.stripes.release()

    size = 0
    async for data in stripes:
        await window.acquire()
        await engine.stripes.acquire()
        stripe = _Stripe(len(lanes), release)
        try:
            cells = split(data, engine.k)
            parity = await engine.in_thread(engine.codec.encode, cells)
        except BaseException:
            release()
            raise
        coded = (*cells, *parity)
        for fragment, lane in lanes.items():
            lane.put(coded[fragment], stripe)
        size += len(data)
        alive = sum(not lane.is_failed for lane in lanes.values())
        if alive < engine.k:
            raise QuorumLost(needed=engine.k + 1, reached=alive)
    return size


async def _make_good(engine: Engine, label: Label, blob: Blob, quorum: Quorum) -> Blob:
    """Return the blob with enough fragments synced, rebuilding some elsewhere if need be."""
    held = {hint.fragment: hint for hint in blob.hints}
    lost = [fragment for fragment in range(blob.fragments) if fragment not in held]
    targets = {f: device for f in lost if (device := quorum.failed(f)) is not None}
    if quorum.is_durable:
        if lost:
            engine.repairs.add(blob, label)
        return blob
    while targets and not quorum.is_durable:
        if len(held) < blob.needed:
            break
        try:
            made = await rebuild(engine, blob, label, targets)
        except (ObjectDamaged, ObjectUnreachable):
            break  # more devices went meanwhile
        for hint in made:
            held[hint.fragment] = hint
            quorum.wrote(hint.fragment)
        failed = [fragment for fragment in targets if fragment not in held]
        targets = {f: device for f in failed if (device := quorum.failed(f)) is not None}
        hints = tuple(hint for _, hint in sorted(held.items()))
        blob = msgspec.structs.replace(blob, hints=hints)
    if not quorum.is_durable:
        engine.later(discard(engine, blob.id, blob.hints))
        raise QuorumLost(needed=blob.needed + 1, reached=len(held))
    return blob


async def _abort(fragment: int, device: Device, writer: FragmentWriter) -> None:
    await writer.abort()


class _Stripe:
    """One stripe on its way: gives its place back when every lane is through with it."""

    def __init__(self, lanes: int, release: Callable[[], None]) -> None:
        self._left = lanes
        self._release = release

    def passed(self) -> None:
        self._left -= 1
        if not self._left:
            self._release()


class _Lane:
    """One fragment's cells, in order, on their way to one device."""

    def __init__(
        self, engine: Engine, fragment: Fragment, device: int, writer: FragmentWriter
    ) -> None:
        self.is_failed = False  # this fragment will not be on this device
        self._engine = engine
        self._fragment = fragment
        self._device = device
        self._writer = writer
        self._queue: asyncio.Queue[tuple[Buffer, _Stripe] | None] = asyncio.Queue()
        self._task = asyncio.get_running_loop().create_task(self._run())

    def put(self, cell: Buffer, stripe: _Stripe) -> None:
        """Send a cell; the window of stripes bounds how many wait."""
        self._queue.put_nowait((cell, stripe))

    async def finish(self) -> Hint | None:
        """Return where the fragment is, synced; None if the device failed."""
        self._queue.put_nowait(None)
        return await asyncio.shield(self._task)

    async def take_back(self) -> None:
        """Leave nothing behind: for when the blob comes to nothing."""
        self.is_failed = True
        self._queue.put_nowait(None)
        if (hint := await self._task) is None:
            await self._abort()
            hint = self._writer.hint  # of a commit that was late
        if hint is not None:
            await discard(self._engine, self._fragment.blob, (hint,))

    async def _run(self) -> Hint | None:
        while (item := await self._queue.get()) is not None:
            cell, stripe = item
            await self._attempt(self._writer.write, cell)
            stripe.passed()
        hint = await self._attempt(self._writer.commit)
        if hint is None:
            self.is_failed = True
            self._engine.later(self._abort())
        return hint

    async def _attempt(self, call: Callable[..., Awaitable[T]], *args: Buffer) -> T | None:
        if self.is_failed:
            return None
        deadline_s = self._engine.settings.write_deadline_s
        try:
            return await self._engine.within(deadline_s, self._device, call(*args))
        except (CloudError, OSError, Late):
            self.is_failed = True
            return None

    async def _abort(self) -> None:
        with contextlib.suppress(CloudError, OSError):
            await self._writer.abort()
