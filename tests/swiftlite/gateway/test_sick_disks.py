"""Disks that are full, slow or read-only: writes go elsewhere, reads go on."""

from __future__ import annotations

import asyncio
import errno
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from swiftlite.errors import QuorumLost
from swiftlite.gateway.settings import Settings
from swiftlite.heal.sweep import sweep
from swiftlite.node.disk import Buffer, PosixDisk, Space
from swiftlite.node.format import Fragment
from tests.swiftlite.clouds import ACTOR, SETTINGS, cloud, pattern

STRIPE = SETTINGS.stripe
SIZES = [100, STRIPE - 7, 9 * STRIPE + 5]
HASTY = Settings(copies_max=256, stripe=STRIPE, write_deadline_s=0.3, read_deadline_s=0.2)


class SickDisk(PosixDisk):
    """A disk on which some device folders are slow, full or read-only."""

    def __init__(self) -> None:
        super().__init__()
        self.slow_s = 0.0
        self.slow: tuple[str, ...] = ()
        self.slow_to_sync: tuple[str, ...] = ()
        self.full: tuple[str, ...] = ()
        self.read_only: tuple[str, ...] = ()
        self._paths: dict[int, str] = {}

    def open(self, path: str, *, write: bool = False) -> int:
        fd = super().open(path, write=write)
        self._paths[fd] = path
        return fd

    def create(self, path: str) -> int:
        self._refuse(path)
        fd = super().create(path)
        self._paths[fd] = path
        return fd

    def pread(self, fd: int, size: int, offset: int) -> bytes:
        self._wait(fd)
        return super().pread(fd, size, offset)

    def preadv_nowait(self, fd: int, buffer: bytearray, offset: int) -> int | None:
        return (
            None
            if self._is(self.slow, self._paths[fd])
            else super().preadv_nowait(fd, buffer, offset)
        )

    def pwritev(self, fd: int, buffers: Sequence[Buffer], offset: int) -> int:
        self._refuse(self._paths[fd])
        self._wait(fd)
        return super().pwritev(fd, buffers, offset)

    def fdatasync(self, fd: int) -> None:
        if self._is(self.slow_to_sync, self._paths[fd]):
            time.sleep(self.slow_s)
        super().fdatasync(fd)

    def space(self, path: str) -> Space:
        found = super().space(path)
        return Space(0, found.total) if self._is(self.full, path + "/") else found

    def _refuse(self, path: str) -> None:
        if self._is(self.read_only, path):
            raise OSError(errno.EROFS, "Read-only file system")
        if self._is(self.full, path):
            raise OSError(errno.ENOSPC, "No space left on device")

    def _wait(self, fd: int) -> None:
        if self._is(self.slow, self._paths[fd]):
            time.sleep(self.slow_s)

    @staticmethod
    def _is(folders: tuple[str, ...], path: str) -> bool:
        return any(f"/{folder}/" in path for folder in folders)


@pytest.mark.parametrize("ill", ["full", "read_only"])
@pytest.mark.parametrize("size", SIZES)
async def test_two_full_or_read_only_disks_take_no_writes_and_are_still_read(
    tmp_path: Path, size: int, ill: str, caplog: pytest.LogCaptureFixture
) -> None:
    disk = SickDisk()
    async with cloud(tmp_path, disk=disk) as it:
        await it.put("before", pattern(size))
        setattr(disk, ill, ("d1", "d4"))
        for n in range(3):
            version = await it.put(f"o{n}", pattern(size, n))
            assert version.manifest
            assert not {hint.device for hint in version.manifest[0].hints} & {1, 4}
            assert await it.get(f"o{n}") == pattern(size, n)
        await it.engine.devices.reopen()
        if ill == "read_only":
            assert "device 1 is out: " in caplog.text
        it.destroy(0, 2)  # now the sick ones are needed
        assert await it.get("before") == pattern(size)


@pytest.mark.parametrize("size", SIZES)
async def test_when_all_disks_are_full_writes_are_refused_and_deleting_works(
    tmp_path: Path, size: int
) -> None:
    disk = SickDisk()
    async with cloud(tmp_path, disk=disk) as it:
        await it.put("o", pattern(size))
        disk.full = tuple(f"d{id_}" for id_ in range(6))
        with pytest.raises(QuorumLost):
            await it.put("new", pattern(size))
        assert await it.get("o") == pattern(size)
        await it.delete("o")
        disk.full = ()
        await it.put("new", pattern(size))


@pytest.mark.parametrize("size", SIZES)
async def test_a_disk_that_hangs_costs_one_deadline_and_is_then_left_alone(
    tmp_path: Path, size: int
) -> None:
    disk = SickDisk()
    async with cloud(tmp_path, disk=disk, settings=HASTY) as it:
        for n in range(6):
            await it.put(f"before{n}", pattern(size, n))
        disk.slow_s, disk.slow = 1.5, ("d3",)
        deadline_s = asyncio.get_running_loop().time() + 1.4
        for n in range(12):
            await it.put(f"o{n}", pattern(size, n))
        assert asyncio.get_running_loop().time() < deadline_s, "each write waited for it"
        disk.slow_s = 0.0
        for n in range(12):
            assert await it.get(f"o{n}") == pattern(size, n)
        async with asyncio.timeout(5):
            while it.engine.devices.out():
                await asyncio.sleep(0.02)
        version = await it.put("after", pattern(9 * STRIPE))
        assert version.manifest
        assert 3 in {hint.device for hint in version.manifest[0].hints}


@pytest.mark.parametrize("size", SIZES)
async def test_a_disk_that_hangs_does_not_keep_readers_waiting(tmp_path: Path, size: int) -> None:
    disk = SickDisk()
    async with cloud(tmp_path, disk=disk, settings=HASTY) as it:
        for n in range(6):
            await it.put(f"o{n}", pattern(size, n))
    async with cloud(tmp_path, disk=disk, settings=HASTY) as it:
        disk.slow_s, disk.slow = 1.5, ("d3",)
        deadline_s = asyncio.get_running_loop().time() + 1.4
        for n in range(6):
            assert await it.get(f"o{n}") == pattern(size, n)
        assert asyncio.get_running_loop().time() < deadline_s
        disk.slow_s = 0.0


@pytest.mark.parametrize("size", SIZES)
async def test_what_a_slow_disk_wrote_too_late_is_taken_back_when_the_write_failed(
    tmp_path: Path, size: int
) -> None:
    disk = SickDisk()
    async with cloud(tmp_path, disk=disk, settings=HASTY) as it:
        disk.slow_s, disk.slow = 1.0, tuple(f"d{id_}" for id_ in range(6))
        with pytest.raises(QuorumLost):
            await it.put("o", pattern(size))
        await it.engine.settled(10)
        disk.slow_s = 0.0
        async with asyncio.timeout(5):
            while it.engine.devices.out():
                await asyncio.sleep(0.02)
        for id_ in range(6):
            assert [item async for item in it.engine.devices[id_].scan()] == []


@pytest.mark.parametrize("slow", [1, 4])
async def test_a_sync_that_comes_late_is_no_failure_of_the_disk_and_leaves_nothing_behind(
    tmp_path: Path, slow: int
) -> None:
    disk = SickDisk()
    async with cloud(tmp_path, disk=disk, settings=HASTY) as it:
        disk.slow_s, disk.slow_to_sync = 1.0, tuple(f"d{id_}" for id_ in range(slow))
        if slow == 1:
            await it.put("o", pattern(9 * STRIPE))
        else:
            with pytest.raises(QuorumLost):
                await it.put("o", pattern(9 * STRIPE))
        await it.engine.settled(10)
        async with asyncio.timeout(5):
            while it.engine.devices.out():
                await asyncio.sleep(0.02)
        found = [item for id_ in range(6) async for item in it.engine.devices[id_].scan()]
        assert len(found) == (6 if slow == 1 else 0)
        assert not [path for id_ in range(6) for path in (it.device(id_) / "tmp").iterdir()]


async def test_a_disk_that_hangs_as_it_is_opened_does_not_keep_another_from_coming_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("swiftlite.gateway.devices.LOOK_S", 0.2)
    disk = SickDisk()
    async with cloud(tmp_path, disk=disk, settings=HASTY) as it:
        away = [(id_, it.device(id_).rename(tmp_path / f"away{id_}")) for id_ in (3, 4)]
        await it.engine.devices.reopen()
        for id_, path in away:
            path.rename(it.device(id_))
        disk.slow_s, disk.slow = 2.0, ("d3",)
        async with asyncio.timeout(1.5):
            await it.engine.devices.reopen()
        assert it.engine.devices.out() == {3}
        disk.slow_s = 0.0
        async with asyncio.timeout(5):
            while it.engine.devices.out():
                await it.engine.devices.reopen()


async def test_a_disk_that_hangs_as_it_is_closed_does_not_keep_others_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("swiftlite.gateway.devices.LOOK_S", 0.2)
    disk = SickDisk()
    async with cloud(tmp_path, disk=disk, settings=HASTY) as it:
        version = await it.put("o", pattern(9 * STRIPE))
        assert version.manifest
        blob = version.manifest[0]
        hint = next(hint for hint in blob.hints if hint.device == 3)
        disk.slow_s, disk.slow = 2.0, ("d3",)
        call = it.engine.devices[3].read(Fragment(blob.id, hint.fragment), hint)
        reading = asyncio.ensure_future(call)
        await asyncio.sleep(0.05)
        away = it.device(3).rename(tmp_path / "away")
        async with asyncio.timeout(1.5):
            await it.engine.devices.reopen()
        assert it.engine.devices.out() == {3}
        disk.slow_s = 0.0
        away.rename(it.device(3))
        await it.engine.devices.reopen()
        assert not it.engine.devices.out()
        await asyncio.gather(reading, return_exceptions=True)


async def test_a_disk_that_hangs_does_not_keep_others_from_being_swept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("swiftlite.heal.sweep.DELETE_S", 0.2)
    disk = SickDisk()
    async with cloud(tmp_path, disk=disk, settings=HASTY) as it:
        for n in range(3):
            await it.put(f"o{n}", pattern(STRIPE, n))
            await it.delete(f"o{n}")
        disk.slow_s, disk.slow = 3.0, ("d3",)
        async with asyncio.timeout(2.5):
            await sweep(it.engine, retention_s=0, actor=ACTOR)
        devices = it.engine.devices
        for id_ in devices.up():
            assert [item async for item in devices[id_].scan()] == []
        disk.slow_s = 0.0
        async with asyncio.timeout(8):
            while devices.out():
                await asyncio.sleep(0.02)
        await sweep(it.engine, retention_s=0, actor=ACTOR)
        assert [item async for item in devices[3].scan()] == []


async def test_a_disk_that_turns_read_only_is_out_without_a_write_and_is_read_from_till_it_is_back(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    disk = SickDisk()
    async with cloud(tmp_path, disk=disk, settings=HASTY) as it:
        await it.put("o", pattern(9 * STRIPE))
        disk.read_only = ("d0", "d1", "d2")
        for _ in range(3):
            await it.engine.devices.reopen()
            assert it.engine.devices.out() == {0, 1, 2}
        assert await it.get("o") == pattern(9 * STRIPE)
        assert [r.getMessage().startswith("device 1 is out") for r in caplog.records].count(
            True
        ) == 1
        assert {c.id for c in await it.engine.devices.conditions() if c.state == "out"} == {0, 1, 2}
        disk.read_only = ()
        await it.engine.devices.reopen()
        assert not it.engine.devices.out()
        assert [r.getMessage() == "device 1 is back" for r in caplog.records].count(True) == 1
