"""What was acknowledged is there after a power cut at any disk operation; the rest is whole or not.

The power goes off at the first, second, third ... change that the work below makes, until it gets
through; each time the medium keeps of what was not synced nothing, some sectors and names, or all.
"""

from __future__ import annotations

import asyncio
import errno
import gc
from pathlib import Path
from typing import Literal

import pytest

from swiftlite.manifest import Hint
from swiftlite.node.device import Device, Fragment, Limits, ScannedFragment, format_device
from swiftlite.node.errors import DeviceFull, DeviceOut, FragmentDamaged, FragmentMissing
from swiftlite.testing import Fault, SimDisk

from .conftest import IDENTITY, LABEL, fragment

Keep = Literal["none", "some", "all"]
LIMITS = Limits(volume_bytes=9000)  # so that the work meets several volumes


class Work:
    """Fragments on their way to a device, and what the device said about each."""

    def __init__(self, root: Path, *, seed: int, lies: frozenset[str] = frozenset()) -> None:
        root.mkdir()
        self.disk = SimDisk(str(root), seed=seed)
        self.path = str(root / "d3")
        format_device(self.disk, self.path, **IDENTITY)
        self.disk.lies = lies
        self.sent: dict[Fragment, list[bytes]] = {}
        self.acknowledged: dict[Fragment, Hint] = {}
        self.deleted: set[Fragment] = set()

    async def open(self) -> Device:
        return await Device.open(self.disk, self.path, limits=LIMITS, **IDENTITY)

    async def append(self, device: Device, number: int, size: int) -> None:
        which = fragment(number)
        payload = bytes([number]) * size
        self.sent[which] = [payload]
        self.acknowledged[which] = await device.append(which, LABEL, size=1, payload=payload)

    async def write(self, device: Device, number: int) -> None:
        which = fragment(number, index=1)
        cells = [bytes([number, n]) * 700 for n in range(3)]
        self.sent[which] = cells
        writer = await device.create(which, LABEL)
        for cell in cells:
            await writer.write(cell)
        self.acknowledged[which] = await writer.commit()

    async def delete(self, device: Device, number: int) -> None:
        which = fragment(number)
        self.deleted.add(which)
        await device.delete(which, self.acknowledged.pop(which, None))

    async def do_all(self, device: Device) -> None:
        for number in range(3):
            await self.append(device, number, 700 * number)
        await asyncio.gather(*(self.append(device, n, 1200) for n in range(3, 9)))
        await self.write(device, 20)
        await self.delete(device, 1)
        await self.delete(device, 2)
        await asyncio.gather(self.write(device, 21), self.append(device, 10, 5000))

    async def losses(self) -> list[str]:
        """Return what is wrong with a device that was found after a power cut."""
        device = await self.open()
        wrong = []
        for which, cells in self.sent.items():
            hint = self.acknowledged.get(which)
            for asked in {hint, None}:
                try:
                    got = [bytes(b) for b in await device.read(which, asked, count=len(cells))]
                except (FragmentMissing, FragmentDamaged) as error:
                    if hint is not None:
                        wrong.append(f"acknowledged, and lost: {error}")
                    continue
                if got != cells:
                    wrong.append(f"other bytes than were written: {which}")
        found = {
            item.fragment async for item in device.scan(deep=True)
            if isinstance(item, ScannedFragment)
        }  # fmt: skip
        wrong += [f"a scan misses {which}" for which in self.acknowledged.keys() - found]
        if strangers := found - self.sent.keys():
            wrong.append(f"a scan found {strangers}")
        await device.close()
        return wrong


async def crash(
    root: Path, nth: int, keep: Keep, *, lies: frozenset[str] = frozenset()
) -> tuple[bool, list[str]]:
    """Cut the power at the n-th change; say whether the work got through, and what was lost."""
    work = Work(root, seed=nth, lies=lies)
    work.disk.log.clear()
    work.disk.faults = [Fault("any", nth, how="power")]
    try:
        device = await work.open()
        try:
            await work.do_all(device)
            through = work.disk.faults[0].seen < nth
        except DeviceOut:
            through = False
            await asyncio.gather(
                *(t for t in asyncio.all_tasks() if t is not asyncio.current_task()),
                return_exceptions=True,
            )
        await device.close()
    except OSError:
        through = False
    work.disk.power_cut(keep, index=bool(nth % 2))
    wrong = await work.losses()

    # What comes afterwards is as safe, and does not disturb what was found.
    device = await work.open()
    await asyncio.gather(*(work.append(device, n, 900) for n in range(100, 103)))
    await work.write(device, 103)
    await device.close()
    work.disk.power_cut("none", index=bool(nth % 3))
    wrong += await work.losses()
    return through, wrong


@pytest.mark.parametrize("keep", ["none", "some", "all"])
async def test_nothing_acknowledged_is_lost_wherever_the_power_goes_off(
    tmp_path: Path, keep: Keep
) -> None:
    for nth in range(1, 200):
        through, wrong = await crash(tmp_path / str(nth), nth, keep)
        assert not wrong, f"power off at change {nth}, seed {nth}: {wrong}"
        if through:
            assert nth > 30, "the work has more steps than that"
            return
    raise AssertionError("the work never got through")


@pytest.mark.parametrize("sync", ["fdatasync", "fsync_dir"])
async def test_the_test_above_fails_without_this_sync(tmp_path: Path, sync: str) -> None:
    lost = []
    for nth in (25, 40, 200):
        lost += (await crash(tmp_path / str(nth), nth, "none", lies=frozenset([sync])))[1]
    assert any("acknowledged, and lost" in wrong for wrong in lost)


async def test_the_file_is_synced_before_and_its_folder_after_it_gets_its_name(
    tmp_path: Path,
) -> None:
    work = Work(tmp_path / "r", seed=0)
    device = await work.open()
    work.disk.log.clear()
    await work.write(device, 1)
    log = [op for op in work.disk.log if op not in ("create", "pwritev", "mkdir")]
    assert log == ["fdatasync", "rename", "rename", "fsync_dir", "fsync_dir"]
    work.disk.log.clear()
    await work.append(device, 2, 10)
    changes = [op for op in work.disk.log if op != "create"]
    assert changes == ["pwritev", "fsync_dir", "pwritev", "fdatasync"]
    work.disk.log.clear()
    await work.append(device, 3, 10)
    assert work.disk.log == ["pwritev", "fdatasync"]
    await device.close()


async def test_requests_share_syncs(tmp_path: Path) -> None:
    work = Work(tmp_path / "r", seed=0)
    device = await work.open()
    await work.append(device, 0, 10)
    work.disk.log.clear()
    await asyncio.gather(*(work.append(device, n, 10) for n in range(1, 101)))
    assert work.disk.log.count("fdatasync") < 20
    await device.close()


async def test_a_volume_whose_name_was_not_synced_is_synced_before_it_is_appended_to(
    tmp_path: Path,
) -> None:
    """Its maker ran out of room, or was killed, after it had made the file."""
    work = Work(tmp_path / "disk", seed=1)
    device = await work.open()
    work.disk.faults = [Fault("pwritev", error=errno.ENOSPC)]
    with pytest.raises(DeviceFull):
        await work.append(device, 1, 100)
    await device.close()
    gc.collect()  # the error held on to the file, and to its lock
    work.disk.faults = []
    device = await work.open()
    await work.append(device, 2, 100)
    await device.close()
    work.disk.power_cut("none")
    assert await work.losses() == []
