"""A folder is the device that was expected, or is not touched."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from swiftlite.node.device import Device, format_device
from swiftlite.node.disk import PosixDisk
from swiftlite.node.errors import (
    DeviceDamaged,
    DeviceEmpty,
    DeviceForeign,
    DeviceMissing,
    DeviceNotEmpty,
)
from swiftlite.node.identity import Identity, decode, encode
from swiftlite.testing import Fault, SimDisk

from .conftest import IDENTITY


async def test_a_missing_folder_is_not_made(path: str) -> None:
    with pytest.raises(DeviceMissing):
        await Device.open(PosixDisk(), path, **IDENTITY)
    assert not os.path.exists(path)


async def test_an_empty_folder_is_not_formatted(path: str) -> None:
    os.mkdir(path)
    with pytest.raises(DeviceEmpty):
        await Device.open(PosixDisk(), path, **IDENTITY)
    assert os.listdir(path) == []


async def test_a_folder_of_other_things_is_foreign(path: str) -> None:
    os.mkdir(path)
    Path(path, "holiday.jpg").write_bytes(b"")
    with pytest.raises(DeviceForeign, match="holiday"):
        await Device.open(PosixDisk(), path, **IDENTITY)


@pytest.mark.parametrize("field", sorted(IDENTITY))
async def test_another_device_is_foreign(path: str, field: str) -> None:
    format_device(PosixDisk(), path, **IDENTITY)
    other = {**IDENTITY, field: 9 if field == "device_id" else "other"}
    with pytest.raises(DeviceForeign, match=field):
        await Device.open(PosixDisk(), path, **other)


def test_formatting_refuses_a_folder_that_holds_anything(path: str) -> None:
    format_device(PosixDisk(), path, **IDENTITY)
    before = Path(path, "device.json").read_bytes()
    with pytest.raises(DeviceNotEmpty):
        format_device(PosixDisk(), path, **IDENTITY)
    assert Path(path, "device.json").read_bytes() == before


def test_a_file_systems_own_folder_does_not_count(path: str) -> None:
    os.makedirs(os.path.join(path, "lost+found"))
    format_device(PosixDisk(), path, **IDENTITY)


async def test_every_flipped_bit_in_device_json_is_damage(path: str) -> None:
    format_device(PosixDisk(), path, **IDENTITY)
    file = Path(path, "device.json")
    sound = file.read_bytes()
    for at in range(len(sound)):
        for bit in range(8):
            broken = bytearray(sound)
            broken[at] ^= 1 << bit
            with pytest.raises(ValueError):  # noqa: PT011 - json and unicode errors are its kinds
                decode(bytes(broken))
    file.write_bytes(sound[:40] + b"X" + sound[41:])
    with pytest.raises(DeviceDamaged):
        await Device.open(PosixDisk(), path, **IDENTITY)
    assert decode(sound).device_id == IDENTITY["device_id"]


def test_device_json_that_ends_early_is_damage() -> None:
    sound = encode(Identity("cloud", 3, "u-3", 1))
    for length in range(len(sound)):
        with pytest.raises(ValueError):  # noqa: PT011
            decode(sound[:length])


async def test_a_crash_while_formatting_leaves_a_device_or_a_folder_to_format(
    tmp_path: Path,
) -> None:
    devices = 0
    for nth in range(1, 40):
        root = tmp_path / str(nth)
        root.mkdir()
        disk = SimDisk(str(root), seed=nth)
        path = str(root / "d3")
        disk.faults = [Fault("any", nth, how="power")]
        try:
            format_device(disk, path, **IDENTITY)
            finished = not disk.faults[0].seen >= nth
        except OSError:
            finished = False
        disk.power_cut("none" if finished else "some")
        try:
            device = await Device.open(disk, path, **IDENTITY)
            devices += 1
        except (DeviceMissing, DeviceEmpty):
            assert not finished
            format_device(disk, path, **IDENTITY)
            device = await Device.open(disk, path, **IDENTITY)
        await device.close()
        if finished:
            break
    else:
        raise AssertionError("formatting never got through")
    assert devices
