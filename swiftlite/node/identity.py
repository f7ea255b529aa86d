"""device.json: which device a folder is, written once, and looked at before every sync."""

from __future__ import annotations

import errno
import json
import os
from typing import NamedTuple

from xxhash import xxh3_64_hexdigest

from eventlog.clock import Clock, SystemClock

from .disk import Disk, Handle, write_all
from .errors import (
    DeviceDamaged,
    DeviceEmpty,
    DeviceForeign,
    DeviceMissing,
    DeviceNotEmpty,
)

FORMAT = 1
NAME = "device.json"
FOLDERS = ("large", "tmp", "volumes")
_UNFINISHED = "device.json.new"
_OF_THE_FILE_SYSTEM = "lost+found"


class Identity(NamedTuple):
    """Which device this is, and since when (UTC microseconds)."""

    cloud_id: str
    device_id: int
    uuid: str
    created_us: int


def format_device(
    disk: Disk,
    path: str,
    *,
    cloud_id: str,
    device_id: int,
    uuid: str,
    clock: Clock | None = None,
) -> None:
    """Make an empty folder a device; the folder is made where there is none.

    It is a device once this returned, and after a crash either is one or may be formatted again.
    Raises: DeviceNotEmpty; OSError.
    """
    try:
        disk.mkdir(path)
        disk.fsync_dir(os.path.dirname(os.path.abspath(path)))
    except FileExistsError:
        if found := contents(disk, path):
            raise DeviceNotEmpty(path=path, found=found[0]) from None
    identity = Identity(cloud_id, device_id, uuid, (clock or SystemClock()).now_us())
    unfinished = os.path.join(path, _UNFINISHED)
    if _UNFINISHED in disk.listdir(path):
        disk.unlink(unfinished)
    for folder in FOLDERS:
        if folder not in disk.listdir(path):
            disk.mkdir(os.path.join(path, folder))
    handle = Handle(disk, disk.create(unfinished))
    write_all(disk, handle.fd, [encode(identity)], 0)
    disk.fdatasync(handle.fd)
    disk.fsync_dir(path)
    disk.rename(unfinished, os.path.join(path, NAME))
    disk.fsync_dir(path)


def encode(identity: Identity) -> bytes:
    """Return the bytes of device.json: every one of them is fixed by the identity."""
    fields: dict[str, object] = {"format": FORMAT, **identity._asdict()}
    plain = json.dumps(fields, indent=1, sort_keys=True)
    fields["check"] = xxh3_64_hexdigest(plain.encode())
    return json.dumps(fields, indent=1, sort_keys=True).encode() + b"\n"


def decode(data: bytes) -> Identity:
    """Return what device.json says. Raises: ValueError where any bit of it is not as written."""
    fields = json.loads(data)
    if not isinstance(fields, dict) or set(fields) != {"format", "check", *Identity._fields}:
        raise ValueError("its fields are not those of a device")
    if fields["format"] != FORMAT:
        raise ValueError(f"format {fields['format']} is unknown")
    identity = Identity(**{name: fields[name] for name in Identity._fields})
    if encode(identity) != data:
        raise ValueError("its checksum does not fit")
    return identity


class Watch:
    """Knows whether a path still leads to the device that was opened there."""

    def __init__(self, disk: Disk, path: str) -> None:
        """Look at the device.

        Raises: DeviceMissing, DeviceEmpty, DeviceForeign, DeviceDamaged; OSError.
        """
        self._disk, self._path = disk, os.path.join(path, NAME)
        try:
            handle = Handle(disk, disk.open(self._path))
        except (FileNotFoundError, NotADirectoryError):
            try:
                found = contents(disk, path)
            except (FileNotFoundError, NotADirectoryError):
                raise DeviceMissing(path=path) from None
            if found:
                raise DeviceForeign(
                    path=path, reason=f"it holds {found[0]} but no {NAME}"
                ) from None
            raise DeviceEmpty(path=path) from None
        # The descriptor stays open, so that the inode's number is not given to another file.
        self._handle = handle
        opened = disk.fstat(handle.fd)
        self._inode = (opened.device, opened.inode)
        try:
            self.identity = decode(disk.pread(handle.fd, _SIZE_MAX, 0))
        except ValueError as error:
            raise DeviceDamaged(path=path, reason=str(error)) from None

    def expect(self, path: str, *, cloud_id: str, device_id: int, uuid: str) -> None:
        """Raise DeviceForeign if it is another device than this."""
        wanted = {"cloud_id": cloud_id, "device_id": device_id, "uuid": uuid}
        for name, value in wanted.items():
            if (found := getattr(self.identity, name)) != value:
                raise DeviceForeign(path=path, reason=f"its {name} is {found}, not {value}")

    def check(self) -> None:
        """Raise OSError ESTALE if the path leads elsewhere now, or nowhere."""
        try:
            now = self._disk.stat(self._path)
        except (FileNotFoundError, NotADirectoryError):
            raise OSError(errno.ESTALE, "the device folder is gone", self._path) from None
        if (now.device, now.inode) != self._inode:
            raise OSError(errno.ESTALE, "another device took the folder's place", self._path)


_SIZE_MAX = 65536


def contents(disk: Disk, path: str) -> list[str]:
    """Return what is in a folder, but for what an unfinished format leaves behind."""
    found = []
    for name in disk.listdir(path):
        if name in (_UNFINISHED, _OF_THE_FILE_SYSTEM):
            continue
        if name in FOLDERS and not disk.listdir(os.path.join(path, name)):
            continue
        found.append(name)
    return found
