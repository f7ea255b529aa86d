"""Adopting empty folders in the place of known devices, which `repair` may and `serve` may not.

The event comes first: interrupted before the format, the folder is still empty, and the next repair
adopts it again.
"""

from __future__ import annotations

from typing import NamedTuple

from computelite.cloud import Cloud
from eventlog.errors import CloudError
from eventlog.log import Actor
from swiftlite.catalog.rings import devices, replace_device
from swiftlite.catalog.rows import DeviceRow
from swiftlite.node.device import format_device
from swiftlite.node.errors import DeviceEmpty, DeviceMissing
from swiftlite.node.identity import Watch


class Adopted(NamedTuple):
    """What was done about devices that were not what they should be."""

    replaced: list[int]
    refused: dict[int, str]  # device -> why


async def adopt_folders(cloud: Cloud, *, actor: Actor) -> Adopted:
    """Make every missing or empty folder of a known device that device again, to be filled.

    A folder that holds something else is refused, and left as it is.
    """
    replaced: list[int] = []
    refused: dict[int, str] = {}
    for row in await devices(cloud.log):
        if row.state != "in":
            continue
        try:
            _look(cloud, row)
        except (DeviceMissing, DeviceEmpty):
            try:
                await _replace(cloud, row, actor)
            except (CloudError, OSError) as error:
                refused[row.id] = str(error)
            else:
                replaced.append(row.id)
        except (CloudError, OSError) as error:
            refused[row.id] = str(error)
    await cloud.store.refresh()
    return Adopted(replaced, refused)


def _look(cloud: Cloud, row: DeviceRow) -> None:
    path = str(cloud.folder.device(row.path))
    Watch(cloud.store.disk, path).expect(
        path, cloud_id=cloud.record.cloud_id, device_id=row.id, uuid=row.uuid
    )


async def _replace(cloud: Cloud, row: DeviceRow, actor: Actor) -> None:
    uuid = cloud.ids.uuid7().hex()
    await replace_device(cloud.log, device_id=row.id, uuid=uuid, path=row.path, actor=actor)
    format_device(
        cloud.store.disk,
        str(cloud.folder.device(row.path)),
        cloud_id=cloud.record.cloud_id,
        device_id=row.id,
        uuid=uuid,
        clock=cloud.clock,
    )
