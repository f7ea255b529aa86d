"""What may become a device at the first start: looked at before anything is made."""

from __future__ import annotations

import os
from pathlib import Path

from computelite.errors import WrongUsage
from computelite.folder import Folder, Record
from eventlog.errors import CloudError
from swiftlite.node.disk import PosixDisk
from swiftlite.node.errors import DeviceDamaged, DeviceEmpty, DeviceForeign, DeviceMissing
from swiftlite.node.identity import Watch, contents

_GIVE = "give an empty folder"


def check_new_devices(folder: Folder, record: Record) -> None:
    """Find out whether every folder can become a device of the cloud; change nothing.

    They are absent, empty, or this very cloud's, which an interrupted first start leaves; none
    holds another or the data folder.
    Raises:  WrongUsage that says which one is not, and what it is.
    """
    paths = [folder.device(path) for path in record.devices]
    _check_apart(folder.root, paths)
    for path in paths:
        # What is below a data folder that is to be made can be made, or that cannot.
        if folder.root.exists() or not path.is_relative_to(folder.root):
            _check_one(path, record.cloud_id)


def is_of_cloud(path: Path, cloud_id: str) -> bool:
    """Say whether the folder is a device of this cloud."""
    try:
        return Watch(PosixDisk(), str(path)).identity.cloud_id == cloud_id
    except (CloudError, OSError):
        return False


def _check_apart(data: Path, paths: list[Path]) -> None:
    # Two names of one disk, too: what is counted as two fragments would be lost as one.
    real = {path: path.resolve() for path in paths}
    for path, here in real.items():
        if data.resolve().is_relative_to(here):
            raise WrongUsage(reason=f"--devices: {path} holds the data folder; {_GIVE}")
        for other, there in real.items():
            if path is not other and there == here:
                raise WrongUsage(reason=f"--devices: {path} and {other} are the same folder")
            if path is not other and there.is_relative_to(here):
                raise WrongUsage(reason=f"--devices: {other} is inside {path}; {_GIVE}")


def _check_one(path: Path, cloud_id: str) -> None:
    try:
        identity = Watch(PosixDisk(), str(path)).identity
    except DeviceMissing:
        _check_can_be_made(path)
        return
    except DeviceEmpty:
        if not os.access(path, os.W_OK | os.X_OK):
            raise WrongUsage(reason=f"--devices: {path} cannot be written") from None
        return
    except DeviceForeign:
        found = contents(PosixDisk(), str(path))
        raise WrongUsage(reason=f"--devices: {path} holds {found[0]}; {_GIVE}") from None
    except DeviceDamaged as error:
        reason = f"it holds a device that cannot be read ({error.reason})"
        raise WrongUsage(reason=f"--devices: {path}: {reason}; {_GIVE}") from None
    except OSError as error:
        raise WrongUsage(reason=f"--devices: {path}: {error.strerror}") from None
    if (owner := identity.cloud_id) != cloud_id:
        raise WrongUsage(reason=f"--devices: {path} belongs to cloud {owner}; {_GIVE}")


def _check_can_be_made(path: Path) -> None:
    nearest = next(place for place in (path, *path.parents) if os.path.lexists(place))
    if not nearest.is_dir():
        raise WrongUsage(reason=f"--devices: {path} cannot be made: {nearest} is no folder")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise WrongUsage(reason=f"--devices: {path} cannot be made: {nearest} cannot be written")
