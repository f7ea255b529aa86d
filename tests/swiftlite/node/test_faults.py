"""Disks that fail: the device says so, acknowledges nothing more, and is still read from."""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
from pathlib import Path

import pytest

from swiftlite.manifest import Hint
from swiftlite.node import committer
from swiftlite.node.device import Device, ScannedFragment, format_device
from swiftlite.node.disk import PosixDisk
from swiftlite.node.errors import DeviceFull, DeviceOut, FragmentMissing
from swiftlite.node.identity import Identity, encode
from swiftlite.testing import Fault, SimDisk

from .conftest import IDENTITY, LABEL, Opener, fragment


@pytest.fixture
def disk(tmp_path: Path) -> SimDisk:
    return SimDisk(str(tmp_path))


async def append(device: Device, number: int, size: int = 100) -> Hint:
    return await device.append(fragment(number), LABEL, size=size, payload=bytes(size))


async def write(device: Device, number: int) -> Hint:
    writer = await device.create(fragment(number), LABEL)
    try:
        await writer.write(bytes(100))
        return await writer.commit()
    finally:
        await writer.abort()


async def test_a_failed_sync_is_not_repeated_and_takes_the_device_out(
    opened: Opener, disk: SimDisk
) -> None:
    device = await opened(disk)
    kept = await append(device, 0)
    disk.log.clear()
    disk.faults = [Fault("fdatasync", 1)]
    outcomes = await asyncio.gather(
        *(append(device, n) for n in range(1, 10)), return_exceptions=True
    )
    assert {type(outcome) for outcome in outcomes} == {DeviceOut}
    assert disk.log.count("fdatasync") == 1
    assert (device.state, device.reason) == ("out", "Input/output error")
    for work in (append(device, 20), write(device, 21), device.delete(fragment(0), kept)):
        with pytest.raises(DeviceOut, match="Input/output"):
            await work
    assert disk.log.count("fdatasync") == 1
    assert bytes((await device.read(fragment(0), kept))[0]) == bytes(100)


async def test_what_queued_behind_a_sync_that_fails_is_not_written(
    opened: Opener, disk: SimDisk
) -> None:
    device = await opened(disk)
    await append(device, 0)
    disk.faults, disk.latency_s = [Fault("fdatasync")], {"fdatasync": 0.2}
    disk.log.clear()
    first = asyncio.ensure_future(append(device, 1))
    await asyncio.sleep(0.1)  # it is being synced now
    behind = [asyncio.ensure_future(append(device, n)) for n in range(2, 9)]
    outcomes = await asyncio.gather(first, *behind, return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {DeviceOut}
    assert disk.log == ["pwritev", "fdatasync"]


@pytest.mark.parametrize("error", [errno.EIO, errno.EROFS])
@pytest.mark.parametrize("op", ["pwritev", "fdatasync"])
async def test_a_failed_write_takes_the_device_out(
    opened: Opener, disk: SimDisk, op: str, error: int
) -> None:
    device = await opened(disk)
    kept = await append(device, 0)
    disk.faults = [Fault(op, error=error)]
    with pytest.raises(DeviceOut, match=os.strerror(error)):
        await append(device, 1)
    assert device.state == "out"
    await device.check(fragment(0), kept)


@pytest.mark.parametrize("op", ["create", "pwritev", "fdatasync", "rename", "fsync_dir"])
async def test_a_large_write_that_fails_takes_the_device_out(
    opened: Opener, disk: SimDisk, op: str
) -> None:
    device = await opened(disk)
    kept = await append(device, 0)
    disk.faults = [Fault(op, error=errno.EROFS)]
    with pytest.raises(DeviceOut, match="Read-only"):
        await write(device, 1)
    assert device.state == "out"
    with pytest.raises(DeviceOut):
        await append(device, 2)
    await device.check(fragment(0), kept)


async def test_a_full_disk_is_full_not_out(opened: Opener, disk: SimDisk) -> None:
    device = await opened(disk)
    kept = await append(device, 0)
    for _ in range(3):
        disk.faults = [Fault("pwritev", error=errno.ENOSPC)]
        with pytest.raises(DeviceFull):
            await append(device, 1)
        disk.faults = [Fault("pwritev", 2, error=errno.ENOSPC)]
        with pytest.raises(DeviceFull):
            await write(device, 2)
    assert device.state == "ok"
    await device.check(fragment(0), kept)
    await device.delete(fragment(0), kept)
    disk.faults = []
    await device.check(fragment(3), await append(device, 3))
    assert await device.find(fragment(2)) is None


async def test_a_disk_that_is_full_in_the_middle_of_a_write_keeps_what_it_had(
    opened: Opener, disk: SimDisk
) -> None:
    device = await opened(disk)
    kept = await append(device, 0)
    disk.faults = [Fault("pwritev", how="short"), Fault("pwritev", 2, error=errno.ENOSPC)]
    with pytest.raises(DeviceFull):
        await append(device, 1, 5000)
    after = await append(device, 2)
    for number, hint in ((0, kept), (2, after)):
        await device.check(fragment(number), hint)
        assert await device.find(fragment(number)) == hint
    assert await device.find(fragment(1)) is None


async def test_a_batch_that_was_written_in_part_is_not_written_over(
    opened: Opener, disk: SimDisk
) -> None:
    device = await opened(disk)
    await append(device, 0)
    disk.faults = [Fault("pwritev", how="short"), Fault("pwritev", error=errno.ENOSPC, nth=2)]
    outcomes = await asyncio.gather(
        *(append(device, n, 1000) for n in range(1, 20)), return_exceptions=True
    )
    assert DeviceFull in {type(outcome) for outcome in outcomes}
    assert await device.find(fragment(99)) is None  # some of the batch is in the index now
    hints = {n: await append(device, n, 300) for n in range(100, 120)}
    for n, hint in hints.items():
        assert await device.find(fragment(n)) == hint


async def test_the_reserve_is_left_alone(
    opened: Opener, disk: SimDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(committer, "_ROOM_LOOK_S", 0)
    device = await opened(disk, reserve_bytes=1 << 20)
    kept = await append(device, 0)
    disk.free = (1 << 20) + 50
    for work in (append(device, 1), append(device, 2, 100_000)):
        with pytest.raises(DeviceFull):
            await work
    disk.free = (1 << 20) - 1
    with pytest.raises(DeviceFull):
        await write(device, 3)
    assert (await device.free_bytes())[0] == 0
    await device.delete(fragment(0), kept)
    disk.free = 1 << 30
    await append(device, 1)
    await write(device, 3)


async def remove(path: str) -> None:
    await asyncio.to_thread(shutil.rmtree, path)


async def replace_by_empty(path: str) -> None:
    await remove(path)
    os.mkdir(path)


async def replace_by_anothers(path: str) -> None:
    await remove(path)
    format_device(PosixDisk(), path, cloud_id="other", device_id=3, uuid="x")


async def replace_by_its_like(path: str) -> None:
    await remove(path)
    format_device(PosixDisk(), path, **IDENTITY)


async def move_away(path: str) -> None:
    os.rename(path, path + ".moved")


@pytest.mark.parametrize(
    "harm", [remove, replace_by_empty, replace_by_anothers, replace_by_its_like, move_away]
)
async def test_a_folder_that_goes_while_it_is_written_takes_the_device_out(
    opened: Opener, path: str, harm: object
) -> None:
    device = await opened()
    hints: dict[int, Hint] = {}
    stopped = asyncio.Event()

    async def write_on(lane: int) -> None:
        for number in range(lane, 1_000_000, 8):
            try:
                hints[number] = await append(device, number)
            except DeviceOut:
                stopped.set()
                return

    lanes = [asyncio.create_task(write_on(lane)) for lane in range(8)]
    while len(hints) < 50:
        await asyncio.sleep(0.001)
    await harm(path)  # type: ignore[operator]
    left = sorted(os.listdir(path)) if os.path.exists(path) else None
    await asyncio.sleep(0.05)
    last = len(hints)
    await asyncio.wait_for(asyncio.gather(*lanes), 10)
    assert stopped.is_set()
    assert device.state == "out"
    assert len(hints) == last, "nothing is acknowledged afterwards"
    for work in (
        append(device, 1),
        write(device, 2),
        device.delete(fragment(0), None),
        device.find(fragment(3)),
        device.free_bytes(),
    ):
        with pytest.raises(DeviceOut):
            await work
    with pytest.raises((DeviceOut, FragmentMissing)):
        await device.read(fragment(4_000_000), None)
    with pytest.raises(DeviceOut):
        _ = [item async for item in device.scan()]
    now = sorted(os.listdir(path)) if os.path.exists(path) else None
    assert now == left, "a folder that is not the device's is not touched"


async def test_a_folder_that_goes_takes_even_an_idle_device_out(opened: Opener, path: str) -> None:
    device = await opened()
    await remove(path)
    with pytest.raises(DeviceOut):
        await device.find(fragment(1))
    assert device.state == "out"


async def test_another_identity_in_the_folder_takes_the_device_out(
    opened: Opener, path: str
) -> None:
    device = await opened()
    kept = await append(device, 0)
    other = encode(Identity("other", 3, "x", 1))
    Path(path, "device.json").rename(path + ".json")
    Path(path, "device.json").write_bytes(other)
    with pytest.raises(DeviceOut, match="another device"):
        await append(device, 1)
    await device.check(fragment(0), kept)


async def test_a_volume_that_is_removed_takes_the_device_out(opened: Opener, path: str) -> None:
    device = await opened()
    await append(device, 0)
    os.unlink(os.path.join(path, "volumes", "00000001.vol"))
    with pytest.raises(DeviceOut):
        await append(device, 1)


async def test_a_large_file_is_not_committed_into_a_folder_that_was_replaced(
    opened: Opener, path: str
) -> None:
    device = await opened()
    writer = await device.create(fragment(1), LABEL)
    await writer.write(b"x")
    await replace_by_its_like(path)
    with pytest.raises(DeviceOut):
        await writer.commit()
    await writer.abort()
    assert not list(Path(path, "large").rglob("*"))


async def test_a_read_only_device_answers_without_its_index(
    opened: Opener, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = await opened()
    hints = [await append(device, n) for n in range(5)]
    await device.close()
    for name in ("index.db", "index.db-wal", "index.db-shm"):
        Path(path, name).unlink(missing_ok=True)
    os.mkdir(os.path.join(path, "index.db"))  # so that SQLite cannot make it
    device = await opened()
    for n, hint in enumerate(hints):
        assert await device.find(fragment(n)) == hint
    fresh = await append(device, 9)
    assert await device.find(fragment(9)) == fresh


async def test_a_disk_without_holes_still_deletes(opened: Opener, disk: SimDisk) -> None:
    device = await opened(disk)
    hints = [await append(device, n, 9000) for n in range(3)]
    disk.faults = [Fault("punch_hole", error=errno.EOPNOTSUPP, sticky=True)]
    await device.delete(fragment(1), hints[1])
    assert await device.find(fragment(1)) is None
    for n in (0, 2):
        await device.check(fragment(n), hints[n])


async def test_a_bug_in_the_writing_thread_leaves_nobody_waiting(
    opened: Opener, disk: SimDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = await opened(disk)

    def broken(_path: str) -> object:
        raise ZeroDivisionError

    monkeypatch.setattr(disk, "space", broken)
    for _ in range(2):
        with pytest.raises(DeviceOut, match="ZeroDivisionError"):
            await asyncio.wait_for(append(device, 1), 5)


async def test_a_bad_sector_under_a_fragment_does_not_keep_it_or_others_from_being_deleted(
    opened: Opener,
) -> None:
    class Scratched(PosixDisk):
        bad = range(0)

        def pread(self, fd: int, size: int, offset: int) -> bytes:
            if size and self.bad and offset < self.bad.stop and self.bad.start < offset + size:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            return super().pread(fd, size, offset)

    disk = Scratched()
    device = await opened(disk)
    hints = [
        await device.append(fragment(n), LABEL, size=8000, payload=bytes(8000)) for n in range(4)
    ]
    assert await device.find(fragment(3)) == hints[3]
    disk.bad = range(hints[1].offset, hints[1].offset + 4096)
    for n in (1, 0, 2):  # itself, and its neighbours
        await device.delete(fragment(n), hints[n])
        assert device.state == "ok"
    disk.bad = range(0)
    left = [item.fragment async for item in device.scan() if isinstance(item, ScannedFragment)]
    assert set(left) <= {fragment(1), fragment(3)}
    assert fragment(3) in left


class TidiedDisk(PosixDisk):
    """A disk whose tmp/ another process tidies just when something new appears there."""

    def create(self, path: str) -> int:
        opened = super().create(path)
        if "probe" in path:
            os.unlink(path)
        return opened


async def test_a_probe_that_another_process_tidies_away_does_not_take_the_device_out(
    tmp_path: Path,
) -> None:
    path = str(tmp_path / "d3")
    identity = {name: value for name, value in IDENTITY.items() if name != "writer"}
    format_device(PosixDisk(), path, **identity)
    device = await Device.open(TidiedDisk(), path, **IDENTITY)
    await device.probe()
    assert device.state == "ok"
    await device.close()
