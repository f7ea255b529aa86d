"""A device in a temporary folder, opened as often as a test likes."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from swiftlite.node.device import Device, Fragment, Label, Limits, format_device
from swiftlite.node.disk import Disk, PosixDisk

IDENTITY = {"cloud_id": "cloud", "device_id": 3, "uuid": "u-3"}
LABEL = Label(b"b" * 16, "a/key", b"sealed")

Opener = Callable[..., Awaitable[Device]]


def fragment(number: int, index: int = 0) -> Fragment:
    """Return a fragment that is like no other."""
    return Fragment(number.to_bytes(8, "big") + b"blob" * 2, index)


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "d3")


@pytest.fixture
async def opened(path: str) -> AsyncIterator[Opener]:
    """Open the device at `path`, formatted the first time; closed when the test ends."""
    devices: list[Device] = []

    async def open_device(disk: Disk | None = None, **limits: int) -> Device:
        disk = disk or PosixDisk()
        if not Path(path, "device.json").exists():
            format_device(disk, path, **IDENTITY)
        device = await Device.open(disk, path, limits=Limits(**limits), **IDENTITY)
        devices.append(device)
        return device

    yield open_device
    for device in devices:
        await device.close()


@pytest.fixture
def fragments() -> itertools.count[int]:
    return itertools.count()
