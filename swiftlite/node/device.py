"""A device: a folder on one disk that keeps fragments, and says so only once they are safe."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from typing import Literal, TypeVar

from eventlog.clock import Ids, SystemIds
from swiftlite.manifest import Hint

from . import format as fmt
from .committer import Committer
from .disk import Disk
from .errors import DeviceFull, DeviceOut, FragmentDamaged, FragmentMissing, LabelTooLong
from .format import Buffer, Fragment, Label
from .identity import Watch, format_device
from .large import LargeWriter, clear_leftovers
from .rounds import Rounds
from .store import Limits, ScannedDamage, ScannedFragment, Store
from .volume import Entry, Tail

__all__ = [
    "Device",
    "Fragment",
    "FragmentWriter",
    "Label",
    "Limits",
    "ScannedDamage",
    "ScannedFragment",
    "format_device",
]

_T = TypeVar("_T")
_SCAN_BATCH = 256
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
_FILES_IDLE_S = 10.0  # large files stay open this long: an open file keeps its space when deleted


class Device:
    """One device. Its coroutines belong to the event loop in which it was opened.

    What `append` and `FragmentWriter.commit` returned for is there after a power cut. A device goes
    out, for good, when a write or a sync fails or when its folder is no longer there; it is still
    read from, as far as that goes.
    """

    def __init__(self, store: Store, *, writer: bool, ids: Ids, rounds: Rounds | None) -> None:
        """Not for callers: see `open`."""
        self.id, self.path, self.identity = store.device, store.path, store.watch.identity
        self._store, self._ids = store, ids
        self._loop = asyncio.get_running_loop()
        self._pool = ThreadPoolExecutor(store.limits.threads, f"device-{self.id}-io")
        # Searching may read whole volumes: apart, so that ordinary reads do not wait for it.
        self._search = ThreadPoolExecutor(1, f"device-{self.id}-search")
        self._idle: asyncio.TimerHandle | None = None
        self._reason = ""
        self._committer: Committer | None = None
        if writer:
            limits = store.limits
            self._committer = Committer(
                store.disk,
                store.path,
                tail=Tail(
                    store.disk,
                    store.folder,
                    store.volumes,
                    device=self.id,
                    ids=ids,
                    roll_bytes=limits.volume_bytes,
                ),
                index=store.index,
                watch=store.watch,
                rounds=rounds or Rounds(),
                home=store.home,
                device=self.id,
                reserve_bytes=store.reserve,
                queue_bytes=limits.queue_bytes,
            )

    @classmethod
    async def open(
        cls,
        disk: Disk,
        path: str,
        *,
        cloud_id: str,
        device_id: int,
        uuid: str,
        writer: bool = True,
        limits: Limits | None = None,
        ids: Ids | None = None,
        rounds: Rounds | None = None,
    ) -> Device:
        """Open the device that this folder is expected to be; never makes it one.

        Devices that are written to side by side sync in the same `rounds`.

        Raises: DeviceMissing, DeviceEmpty, DeviceForeign, DeviceDamaged; OSError.
        """

        def look() -> Store:
            watch = Watch(disk, path)
            watch.expect(path, cloud_id=cloud_id, device_id=device_id, uuid=uuid)
            store = Store(disk, path, watch, limits or Limits())
            if writer:
                clear_leftovers(disk, store.tmp)
            return store

        store = await asyncio.get_running_loop().run_in_executor(None, look)
        return cls(store, writer=writer, ids=ids or SystemIds(), rounds=rounds)

    @property
    def state(self) -> Literal["ok", "out"]:
        """`ok`, or `out`: then `reason` says why nothing is written any more."""
        return "out" if self.reason else "ok"

    @property
    def reason(self) -> str:
        """Why the device is out; empty while it is not."""
        return self._reason or (self._committer.out if self._committer else "")

    async def append(self, fragment: Fragment, label: Label, *, size: int, payload: Buffer) -> Hint:
        """Store a fragment of one block among the others; it survives a power cut from then on.

        `size` is that of the whole blob. The payload must not change meanwhile.
        Raises: DeviceOut, DeviceFull, DeviceBusy, LabelTooLong.
        """
        entry = Entry(fragment, packed_label(label), size, payload)
        (hint,) = await self.append_all((entry,))
        return hint

    def append_all(self, entries: Sequence[Entry]) -> asyncio.Future[list[Hint]]:
        """Store several fragments by one write; once awaited all of them survive a power cut.

        Raises: DeviceOut, DeviceBusy; DeviceFull when awaited.
        """
        assert self._committer is not None, "opened for reading"
        return self._committer.put(entries)

    async def create(self, fragment: Fragment, label: Label) -> FragmentWriter:
        """Begin a fragment of many blocks; nobody finds it before it is committed.

        Raises: DeviceOut, DeviceFull, LabelTooLong.
        """
        assert self._committer is not None, "opened for reading"
        packed, store = packed_label(label), self._store

        def begin() -> LargeWriter:
            store.watch.check()
            while True:
                name = f"{fragment.blob.hex()}.{fragment.index}.{self._ids.random(4).hex()}"
                tmp = os.path.join(store.tmp, name)
                try:
                    return LargeWriter(
                        store.disk, tmp, fragment, packed, home=store.home, device=self.id
                    )
                except FileExistsError:
                    continue

        return FragmentWriter(self, await self.run(begin, writes=True))

    async def read(
        self, fragment: Fragment, hint: Hint | None, *, first: int = 0, count: int = 1
    ) -> list[memoryview]:
        """Return blocks `first` to `first + count - 1`, each verified; a small fragment has one.

        The hint may be stale: then the device looks for itself.
        Raises: FragmentMissing, FragmentDamaged (also where the disk reports an error).
        """
        if hint is not None and hint.volume:
            view = self._store.read_cached(fragment, hint)
            if view is not None:
                return [view]
        read = partial(self._store.read, fragment, hint, first, count)
        try:
            blocks = await self.run(partial(read, search=False))
        except (FragmentMissing, FragmentDamaged):
            blocks = await self.run(partial(read, search=True), search=True)
        if self._idle is None:
            self._idle = self._loop.call_later(_FILES_IDLE_S, self._close_idle)
        return blocks

    def read_cached(self, fragment: Fragment, hint: Hint) -> memoryview | None:
        """Return a small fragment, verified, if it is in memory; for the event loop: never blocks.

        None says nothing about whether the fragment is there.
        """
        return self._store.read_cached(fragment, hint)

    async def find(self, fragment: Fragment) -> Hint | None:
        """Return where the fragment is, damaged or not; None if it is not on this device.

        Raises: DeviceOut.
        """
        return await self.run(partial(self._store.find, fragment), search=True)

    async def delete(self, fragment: Fragment, hint: Hint | None) -> None:
        """Take the fragment off the device and give its space back; one that is gone is no error.

        Not synced: after a power cut it may be there again, an orphan as before.
        Raises: DeviceOut.
        """
        work = partial(self._store.delete, fragment, hint)
        await self.run(work, writes=True, frees=True, search=True)

    async def retire(self, damage: ScannedDamage) -> None:
        """Give up a damaged place: its space is freed, and scans no longer report it.

        The caller has evidence that nothing is lost by it: its fragment was written again, is not
        wanted any more, or never was acknowledged.
        Raises: DeviceOut.
        """
        work = partial(self._store.retire, damage)
        await self.run(work, writes=True, frees=True, search=True)

    async def scan(self, *, deep: bool = False) -> AsyncIterator[ScannedFragment | ScannedDamage]:
        """Yield everything that is on the device, read from the disk and not from the index.

        Small fragments are verified to the last byte; of large ones header and footer, with `deep`
        every block. What cannot be verified is yielded as damage, and never hides a neighbour.
        Raises: DeviceOut.
        """
        await self.run(self._store.watch.check)
        items = self._store.scan(deep=deep)
        while batch := await self.run(lambda: list(islice(items, _SCAN_BATCH)), search=True):
            for item in batch:
                yield item

    async def check(self, fragment: Fragment, hint: Hint | None) -> None:
        """Read every byte of the fragment and verify it.

        Raises: FragmentMissing, FragmentDamaged.
        """
        await self.run(partial(self._store.check, fragment, hint), search=True)

    async def free_bytes(self) -> tuple[int, int]:
        """Return how many bytes may still be written, and how many the file system has in all.

        Raises: DeviceOut.
        """
        return await self.run(self._store.space)

    async def probe(self, *, sync: bool = True) -> None:
        """Write something small, with `sync` to the disk itself; goes out if that fails.

        One that is out stays so: returning then means that it could be opened again.
        Raises: DeviceOut.
        """
        work = partial(self._store.probe, self._ids.random(8).hex(), sync=sync)
        await self.run(work, writes=not self.reason, frees=True)

    async def close(self) -> None:
        """Finish what is queued, and let go of everything."""
        if self._committer is not None:
            await self._committer.close()
        if self._idle is not None:
            self._idle.cancel()
        for pool in (self._pool, self._search):
            await self._loop.run_in_executor(None, pool.shutdown)
        self._store.close()

    async def run(
        self,
        work: Callable[[], _T],
        *,
        writes: bool = False,
        frees: bool = False,
        search: bool = False,
    ) -> _T:
        """Run something that blocks in one of the device's threads.

        Raises: DeviceOut if the folder is gone, and for what writes on every failure; DeviceFull.
        """
        store = self._store

        def guarded() -> _T:
            if writes and self.reason:
                raise DeviceOut(device=self.id, reason=self.reason)
            try:
                if writes and not frees and store.disk.space(store.path).free < store.reserve:
                    raise OSError(errno.ENOSPC, "only the reserve is left")
                return work()
            except OSError as error:
                if writes and error.errno in _NO_ROOM:
                    raise DeviceFull(device=self.id, reserve=store.reserve) from error
                reason = error.strerror or str(error)
                if writes or error.errno == errno.ESTALE:
                    self._reason = self._reason or reason
                    if self._committer is not None:
                        self._committer.fail(reason)
                raise DeviceOut(device=self.id, reason=reason) from error

        try:
            working = self._loop.run_in_executor(self._search if search else self._pool, guarded)
        except RuntimeError:  # its threads have ended: whoever held on to it must look elsewhere
            raise DeviceOut(device=self.id, reason=self.reason or "it was closed") from None
        return await working

    def publish(self, writer: LargeWriter) -> Hint:
        """Make a large fragment safe and give it its name. Blocks. Raises: OSError."""
        return self._store.publish(writer)

    def _close_idle(self) -> None:
        self._idle = None
        self._store.large.close()


class FragmentWriter:
    """A large fragment under way: `write` each block, then `commit`, or `abort`."""

    def __init__(self, device: Device, writer: LargeWriter) -> None:
        """Not for callers: see `Device.create`."""
        self.hint: Hint | None = None  # once it is committed
        self._device = device
        self._writer: LargeWriter | None = writer
        self._turn = asyncio.Lock()

    async def write(self, cell: Buffer) -> None:
        """Append one block; all but the last are equally long. The cell must not change meanwhile.

        Raises: DeviceOut, DeviceFull; nothing but `abort` is left to do then.
        """
        assert self._writer is not None, "it was finished"
        async with self._turn:
            await self._device.run(partial(self._writer.write, cell), writes=True)

    async def commit(self) -> Hint:
        """Return when the whole fragment will survive a power cut.

        Raises: DeviceOut, DeviceFull; then it may be there, whole, or not.
        """
        assert self._writer is not None, "it was finished"
        async with self._turn:
            publish = partial(self._device.publish, self._writer)
            self.hint = await self._device.run(publish, writes=True)
            self._writer = None  # its descriptor goes with it
        return self.hint

    async def abort(self) -> None:
        """Forget what was written; does nothing after a commit, or a second time.

        Waits for a call that is under way: a commit that lost its file in the middle would look
        like a disk that fails.
        """
        async with self._turn:
            # A cancelled write may still be under way in its thread, and keeps the descriptor that
            # long: it then ends in a file without a name.
            writer, self._writer = self._writer, None
            if writer is not None:
                await self._device.run(writer.discard)


def packed_label(label: Label) -> bytes:
    """Return a label's bytes.

    Raises: LabelTooLong.
    """
    packed = fmt.pack_label(label)
    if len(packed) > fmt.LABEL_MAX:
        raise LabelTooLong(size=len(packed), limit=fmt.LABEL_MAX)
    return packed
