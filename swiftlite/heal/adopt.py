"""Adopt: give an empty folder the place of a lost device. Only ever because somebody asked.

1.  The folder is formatted, under a new uuid.
2.  device.replaced is committed: every process now opens the folder as this device, and repair
    fills it. After a crash between 1 and 2 the folder has a uuid that no event names; asked again,
    this goes on with it. The same holds for an older disk of this very device: it is taken as it
    is, its fragments count once they were verified.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from eventlog.clock import Clock, Ids
from eventlog.log import Actor
from eventlog.sqlite import SqliteLog
from swiftlite.catalog.rings import replace_device
from swiftlite.catalog.rows import DeviceRow
from swiftlite.node.device import format_device
from swiftlite.node.disk import Disk
from swiftlite.node.errors import DeviceEmpty
from swiftlite.node.identity import Watch


class Adoption(Enum):
    """What a folder was when it was to become a device."""

    KNOWN = "this device already"
    EMPTY = "empty"
    HELD = "this device as an earlier disk had it, with what it held"


class Adopted(NamedTuple):
    """What was done about devices that were not what they should be."""

    replaced: list[int]
    held: list[int]  # those of them that came back with what they held; the others were empty
    refused: dict[int, str]  # device -> why


async def adopt(
    log: SqliteLog,
    disk: Disk,
    row: DeviceRow,
    *,
    cloud_id: str,
    clock: Clock,
    ids: Ids,
    actor: Actor,
) -> Adoption:
    """Make the folder at a device's path that device; return what it was before.

    Raises:  DeviceMissing if there is no folder (an unmounted disk has none, or an empty one: who
             asks must know); DeviceForeign, DeviceDamaged if it holds anything else; OSError.
    """
    path = str(log.path.parent / row.path)
    try:
        watch = Watch(disk, path)
    except DeviceEmpty:
        uuid, found = ids.random(16).hex(), Adoption.EMPTY
        # 1.
        format_device(disk, path, cloud_id=cloud_id, device_id=row.id, uuid=uuid, clock=clock)
    else:
        uuid, found = watch.identity.uuid, Adoption.HELD
        watch.expect(path, cloud_id=cloud_id, device_id=row.id, uuid=uuid)
        if uuid == row.uuid:
            return Adoption.KNOWN
    # 2.
    await replace_device(log, device_id=row.id, uuid=uuid, path=row.path, actor=actor)
    return found
