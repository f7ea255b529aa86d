"""What the keeper does all the time: checkpoints, expiry, sweeping, mending, the slow scrub."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial

import msgspec

from computelite.cloud import Cloud
from computelite.files import write_new
from computelite.image.upkeep import drop_waste, fail_lost_transfers
from eventlog.errors import CloudError
from eventlog.log import Actor
from eventlog.records.segments import prune
from swiftlite.gateway.expiry import expire_objects
from swiftlite.heal.expire import expire_uploads
from swiftlite.heal.pace import Progress
from swiftlite.heal.repair import repair
from swiftlite.heal.scrub import scrub
from swiftlite.heal.sweep import sweep

log = logging.getLogger(__name__)

KEEPER = Actor(id="keeper")

CHECKPOINT_LOOK_S = 1.0
EXPIRY_LOOK_S = 1.0
MENDING_LOOK_S = 5.0
SCRUB_LOOK_S = 60.0
PRUNE_LOOK_S = 30.0
IMAGES_LOOK_S = 5.0
# Beyond this the write-ahead log is emptied even if writers must wait for it.
CHECKPOINT_OVERDUE = 8
# A device that went or came back is believed after this long; disks are often only restarted.
SETTLED_S = 600.0
SCRUB_SAVE_S = 30.0
SCRUB_BYTES_PER_S_MIN = 4 << 20


async def chores(cloud: Cloud) -> None:
    """Do all of them, for ever."""
    async with asyncio.TaskGroup() as tasks:
        for name, every_s, chore in (
            ("checkpoint", CHECKPOINT_LOOK_S, Checkpoints(cloud).look),
            ("expiry", EXPIRY_LOOK_S, partial(expire_once, cloud)),
            ("sweep", cloud.config.storage.sweep_s, partial(sweep_once, cloud)),
            ("mending", MENDING_LOOK_S, Mending(cloud).look),
            ("slow scrub", SCRUB_LOOK_S, SlowScrub(cloud).look),
            ("images", IMAGES_LOOK_S, partial(keep_images, cloud)),
            ("access records", PRUNE_LOOK_S, partial(prune_records, cloud)),
        ):
            tasks.create_task(_again_and_again(name, every_s, chore), name=name)


async def _again_and_again(name: str, every_s: float, chore: Callable[[], Awaitable[None]]) -> None:
    while True:
        await asyncio.sleep(every_s)
        try:
            await chore()
        except (CloudError, OSError) as error:
            # The next turn tries again; a failed log ends the process elsewhere.
            log.warning("%s: %s", name, error)


async def expire_once(cloud: Cloud) -> None:
    """Delete the objects whose time is over."""
    count = await expire_objects(cloud.store.engine)
    if count:
        log.info("expired %d objects", count)


async def sweep_once(cloud: Cloud) -> None:
    """Abort stale uploads, then give up the bytes whose time is over."""
    storage, engine = cloud.config.storage, cloud.store.engine
    await expire_uploads(engine, age_s=storage.stale_upload_s, actor=KEEPER)
    done = await sweep(engine, retention_s=storage.retention_s, actor=KEEPER)
    if done.entries:
        log.info("swept %d blobs, %d bytes", done.blobs, done.bytes)


async def prune_records(cloud: Cloud) -> None:
    """Delete the access records whose time is over, or for which there is no room."""
    access = cloud.config.access
    await asyncio.to_thread(
        prune,
        cloud.folder.access,
        now_us=cloud.clock.now_us(),
        retention_s=access.retention_s,
        bytes_max=access.bytes,
    )


async def keep_images(cloud: Cloud) -> None:
    """Give up the uploads whose process is gone, and the bytes that no image has."""
    await fail_lost_transfers(cloud.log, cloud.clock, actor=KEEPER)
    await drop_waste(cloud.log, cloud.images.vault, actor=KEEPER)


class Checkpoints:
    """Moves the write-ahead log into the database before it grows long."""

    def __init__(self, cloud: Cloud) -> None:
        self._log = cloud.log
        self._wal = cloud.folder.log.with_name(cloud.folder.log.name + "-wal")
        self._limit = cloud.config.log.checkpoint_bytes
        self._done_at = 0  # the log's head at the last checkpoint

    async def look(self) -> None:
        """Checkpoint if it is time."""
        head = self._log.head()
        size = self._wal.stat().st_size if self._wal.exists() else 0
        # The file keeps its size after a checkpoint; only new events make another one worth it.
        if size < self._limit or head == self._done_at:
            return
        await self._log.checkpoint(truncate=size >= CHECKPOINT_OVERDUE * self._limit)
        self._done_at = head


class Mending:
    """Brings objects back to full strength after the set of live devices changed for good."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._mended: frozenset[int] | None = None
        self._seen: frozenset[int] = frozenset()
        self._since_s = cloud.clock.monotonic_s()

    async def look(self) -> None:
        """Repair if the devices have been as they are for a while, and differ from last time."""
        up = frozenset(self._cloud.store.devices.up())
        now_s = self._cloud.clock.monotonic_s()
        if up != self._seen:
            self._seen, self._since_s = up, now_s
        if up == self._mended or now_s - self._since_s < SETTLED_S:
            return
        done = await repair(self._cloud.store.engine)
        if done.failed:
            self._since_s = now_s  # again after a while
        else:
            self._mended = up
        if done.repaired or done.failed or done.unreadable:
            log.warning("mended: %s", done)


class ScrubState(msgspec.Struct, frozen=True):
    """How far the slow scrub is, in scrub.json; without the file it begins anew."""

    began_us: int
    cursor: bytes = b""
    done: bool = False
    hurt: bool = False  # something that it met before the cursor is to be repaired


class SlowScrub:
    """Reads everything once in `storage.scrub_s`, and has repaired what it finds hurt."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._file = cloud.folder.root / "scrub.json"
        self._saved_s = 0.0

    async def look(self) -> None:
        """Go on with the pass that is under way, or begin one if the last began long enough ago."""
        cloud, state = self._cloud, self._load()
        period_s = cloud.config.storage.scrub_s
        if state.done and cloud.clock.now_us() - state.began_us < period_s * 1_000_000:
            return
        if state.done:
            state = ScrubState(cloud.clock.now_us())
        used = sum(d.total - d.free for d in await cloud.store.devices.conditions())
        found = await scrub(
            cloud.store.engine,
            report=partial(self._report, state),
            # Half of the period is for what is written meanwhile, and for restarts.
            bytes_per_s=max(SCRUB_BYTES_PER_S_MIN, 2 * used / period_s),
            cursor=state.cursor,
        )
        if state.hurt or found.damaged or found.missing:
            log.warning("scrub: %d damaged, %d missing; repair", found.damaged, found.missing)
            await repair(cloud.store.engine, deep=True)
        self._save(msgspec.structs.replace(state, done=True, hurt=False))
        if found.unreadable_count:
            log.error(
                "scrub: %d blobs cannot be read: `cumulog scrub` names them", found.unreadable_count
            )

    def _report(self, state: ScrubState, progress: Progress) -> None:
        now_s = self._cloud.clock.monotonic_s()
        if now_s - self._saved_s >= SCRUB_SAVE_S:
            self._saved_s = now_s
            hurt = state.hurt or progress.hurt > 0
            self._save(msgspec.structs.replace(state, cursor=progress.cursor, hurt=hurt))

    def _load(self) -> ScrubState:
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=ScrubState)
        except (FileNotFoundError, msgspec.DecodeError):
            return ScrubState(self._cloud.clock.now_us())

    def _save(self, state: ScrubState) -> None:
        write_new(self._file, msgspec.json.encode(state), mode=0o600)
