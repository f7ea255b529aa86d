"""The keeper: the one process that looks after what nobody asked for."""

from __future__ import annotations

import logging
from collections.abc import Callable

from computelite.cloud import Cloud
from computelite.config import Config
from computelite.control.server import ControlServer
from computelite.folder import Folder
from computelite.serve.chores import chores
from computelite.serve.stop import duty, wait_for_end

log = logging.getLogger(__name__)


async def keep(folder: Folder, config: Config, say_ready: Callable[[], None]) -> None:
    """Do the chores and answer operators until SIGTERM.

    Raises:  what opening the cloud raises; LogFailed if the log fails.
    """
    async with (
        Cloud.open(folder, config) as cloud,
        duty("upkeep of devices", cloud.store.run(syncs=True)) as upkeep,
        duty("chores", chores(cloud)) as doing,
    ):
        log.info(
            "code %s on %d devices: with every device up, it survives the loss of %s",
            cloud.record.code,
            len(cloud.store.rings.current.devices),
            cloud.store.tolerance(),
        )
        if not cloud.store.tolerance().devices:
            log.warning("NO DEVICE MAY BE LOST: whichever it is, objects are lost with it")
        control = ControlServer(cloud)
        await control.open(folder.control)
        try:
            say_ready()
            await wait_for_end(cloud.log, upkeep, doing)
        finally:
            await control.close()
