"""Adopting empty folders in the place of known devices, which `repair` may and `serve` may not."""

from __future__ import annotations

import contextlib
from typing import NamedTuple

from computelite.cloud import Cloud
from eventlog.errors import CloudError
from eventlog.log import Actor
from swiftlite.catalog.rings import devices
from swiftlite.heal.adopt import Adoption, adopt


class Adopted(NamedTuple):
    """What was done about devices that were not what they should be."""

    replaced: list[int]
    held: list[int]  # those of them that came back with what they held; the others were empty
    refused: dict[int, str]  # device -> why


async def adopt_folders(cloud: Cloud, *, actor: Actor) -> Adopted:
    """Make every missing or empty folder of a known device that device again, to be filled.

    A folder that holds something else is refused, and left as it is.
    """
    replaced: list[int] = []
    held: list[int] = []
    refused: dict[int, str] = {}
    for row in await devices(cloud.log):
        if row.state != "in":
            continue
        try:
            # Whoever asks for repair says that the disk is gone, and not only unmounted.
            with contextlib.suppress(FileExistsError):
                cloud.store.disk.mkdir(str(cloud.folder.device(row.path)))
            found = await adopt(
                cloud.log,
                cloud.store.disk,
                row,
                cloud_id=cloud.record.cloud_id,
                clock=cloud.clock,
                ids=cloud.ids,
                actor=actor,
            )
        except (CloudError, OSError) as error:
            refused[row.id] = str(error)
        else:
            replaced += [row.id] if found is not Adoption.KNOWN else []
            held += [row.id] if found is Adoption.HELD else []
    await cloud.store.refresh()
    return Adopted(replaced, held, refused)
