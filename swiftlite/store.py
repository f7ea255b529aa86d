"""Store: one process's hold of the storage of a cloud: log, rings, devices, gateway."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Collection, Sequence
from hashlib import blake2b
from pathlib import Path

import msgspec

from eventlog.clock import Clock, Ids
from eventlog.errors import CloudError
from eventlog.log import Actor
from eventlog.sqlite import SqliteLog
from swiftlite.catalog import rings as catalog
from swiftlite.catalog.events import RING_STREAM
from swiftlite.catalog.queries import bucket_by_id
from swiftlite.catalog.rows import DeviceRow
from swiftlite.gateway.devices import Condition, Devices
from swiftlite.gateway.engine import Engine
from swiftlite.gateway.gateway import Gateway
from swiftlite.gateway.repairs import Told
from swiftlite.gateway.rings import Rings
from swiftlite.gateway.settings import Settings
from swiftlite.heal.adopt import Adopted, Adoption, adopt
from swiftlite.heal.repair import repair_blob
from swiftlite.node.device import Device, Limits, format_device
from swiftlite.node.disk import Disk, PosixDisk
from swiftlite.node.errors import DeviceNotEmpty
from swiftlite.node.rounds import Rounds
from swiftlite.ring import ring as rings
from swiftlite.ring.build import build
from swiftlite.ring.tolerance import Tolerance, tolerance, tolerance_without

log_ = logging.getLogger(__name__)

REOPEN_S = 2.0  # how often devices are looked at: those that are out may be back
RINGS_S = 0.25  # how late a process may learn of a new ring or device
PUBLISH_S = 1.0  # how often sweep learns what this process has read to the end
PART_POWER = 12  # 4,096 partitions: even shares up to some hundreds of devices


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """How the storage is, for people."""

    devices: list[Condition]
    epoch: int
    code: str  # "4+2"
    survives: str  # which losses, with every device up
    repairs_waiting: int  # of this process


class Store:
    """Opened once per process and event loop; `run` beside it does what must go on all the time."""

    def __init__(self, engine: Engine, cloud_id: str, disk: Disk, actor: Actor) -> None:
        """Not for callers: see `open`."""
        self.engine = engine
        self.gateway = Gateway(engine)
        self.log = engine.log
        self.devices = engine.devices
        self.rings = engine.rings
        self.cloud_id = cloud_id
        self.disk = disk
        self.actor = actor
        self._seen = 0  # a position of the log before which every ring and device is known

    @staticmethod
    async def found(
        log: SqliteLog,
        *,
        cloud_id: str,
        paths: Sequence[Path],
        k: int,
        m: int,
        actor: Actor,
        clock: Clock,
        ids: Ids,
        node: str = "",
        zone: str = "",
        disk: Disk | None = None,
    ) -> None:
        """Make these folders the devices of a new cloud, and its first ring.

        May be repeated after an interruption: what was done is left as it is.

        Raises:  DeviceNotEmpty if a folder holds something else; OSError.
        """
        disk = disk or PosixDisk()
        if await catalog.latest_ring(log) is not None:
            return
        members = []
        for id_, path in enumerate(paths):
            uuid = _first_uuid(cloud_id, id_)
            try:
                format_device(
                    disk, str(path), cloud_id=cloud_id, device_id=id_, uuid=uuid, clock=clock
                )
            except DeviceNotEmpty:
                # Formatted before an interruption, or somebody's folder: opening it tells.
                found = await Device.open(
                    disk, str(path), cloud_id=cloud_id, device_id=id_, uuid=uuid, writer=False
                )
                await found.close()
            members.append(
                DeviceRow(
                    id=id_,
                    uuid=uuid,
                    node=node,
                    zone=zone,
                    weight=1.0,
                    path=recorded_path(log, path),
                    state="in",
                )
            )
        ring = build(
            [
                rings.Device(id=d.id, uuid=d.uuid, node=d.node, zone=d.zone, weight=d.weight)
                for d in members
            ],
            fragments=k + m,
            part_power=PART_POWER,
            epoch=1,
        )
        await catalog.change_ring(log, ring, added=members, actor=actor)

    @classmethod
    async def open(
        cls,
        log: SqliteLog,
        *,
        cloud_id: str,
        k: int,
        m: int,
        clock: Clock,
        ids: Ids,
        disk: Disk | None = None,
        settings: Settings | None = None,
        limits: Limits | None = None,
        actor: Actor | None = None,
    ) -> Store:
        """Return the store as the log has it. Formats nothing.

        Devices that are missing, empty or another's are out, each with its reason; `run` looks for
        them again and again.
        """
        disk = disk or PosixDisk()
        rounds = Rounds()

        async def open_device(row: DeviceRow) -> Device:
            return await Device.open(
                disk,
                str(log.path.parent / row.path),
                cloud_id=cloud_id,
                device_id=row.id,
                uuid=row.uuid,
                limits=limits,
                ids=ids,
                rounds=rounds,
            )

        seen = log.head()
        engine = Engine(
            log=log,
            rings=Rings(await _rings(log)),
            devices=Devices(open_device),
            rounds=rounds,
            k=k,
            m=m,
            clock=clock,
            ids=ids,
            settings=settings or Settings(),
        )
        await engine.devices.adopt(await catalog.devices(log))
        store = cls(engine, cloud_id, disk, actor or Actor(id="store"))
        store._seen = seen
        return store

    async def run(self, *, syncs: bool = False) -> None:
        """Do what every process must: follow ring and device events, look for devices that are out,
        repair what reads found damaged. Goes on until it is cancelled.

        With `syncs` devices are probed by a write to the disk itself, which one process may do for
        all: what it costs each disk is the same however many workers there are.
        """
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._follow_rings())
            tasks.create_task(self._reopen_devices(syncs))
            tasks.create_task(self._repair_reads())
            tasks.create_task(self._publish_readers())

    async def refresh(self) -> None:
        """Take in every device and ring that the log has by now."""
        for ring in await _rings(self.log, known=self.rings.epochs()):
            self.rings.add(ring)
        await self.devices.adopt(await catalog.devices(self.log))

    async def adopt(self, *, actor: Actor) -> Adopted:
        """Make every missing or empty folder of a device that device again, to be filled.

        `heal.repair` fills it. A folder that holds something else is refused, and left as it is.
        """
        replaced: list[int] = []
        held: list[int] = []
        refused: dict[int, str] = {}
        for row in await catalog.devices(self.log):
            if row.state != "in":
                continue
            try:
                # Whoever asks says that the disk is gone, and not only unmounted.
                with contextlib.suppress(FileExistsError):
                    self.disk.mkdir(str(self.log.path.parent / row.path))
                found = await adopt(
                    self.log,
                    self.disk,
                    row,
                    cloud_id=self.cloud_id,
                    clock=self.engine.clock,
                    ids=self.engine.ids,
                    actor=actor,
                )
            except (CloudError, OSError) as error:
                refused[row.id] = str(error)
            else:
                replaced += [row.id] if found is not Adoption.KNOWN else []
                held += [row.id] if found is Adoption.HELD else []
        await self.refresh()
        return Adopted(replaced, held, refused)

    async def health(self) -> Health:
        """Return how the devices are, and which losses the ring survives when all are up."""
        ring = self.rings.current
        return Health(
            devices=await self.devices.conditions(),
            epoch=ring.epoch,
            code=f"{self.engine.k}+{self.engine.m}",
            survives=str(self.tolerance()),
            repairs_waiting=len(self.engine.repairs),
        )

    def tolerance(self) -> Tolerance:
        """Return which losses the ring in force survives."""
        return tolerance(self.rings.current, self.engine.k)

    def tolerance_now(self) -> Tolerance | None:
        """Return which further losses it survives with what is out; None: that is too much."""
        return tolerance_without(self.rings.current, self.engine.k, self.devices.out())

    async def close(self) -> None:
        """Finish what is under way, and let go of the devices. The log is its opener's to close."""
        await self.engine.close()
        await self.devices.close()

    async def _follow_rings(self) -> None:
        async for _ in self.log.follow(after=self._seen, streams=RING_STREAM, lag_s=RINGS_S):
            await self.refresh()

    async def _reopen_devices(self, syncs: bool) -> None:
        while True:
            await asyncio.sleep(REOPEN_S)
            await self.devices.reopen(sync=syncs)

    async def _publish_readers(self) -> None:
        while True:
            await asyncio.sleep(PUBLISH_S)
            self.engine.readers.publish(self.log.head())

    async def _repair_reads(self) -> None:
        told = Told(self.engine.clock)
        while True:
            damaged = await self.engine.repairs.next()
            done = await repair_blob(self.engine, damaged.blob, damaged.label, since=damaged.since)
            if not done.is_complete and told.is_time(damaged.blob.id):
                label = damaged.label
                bucket = await bucket_by_id(self.log, label.bucket_id)
                name = f"{bucket.name if bucket else '(deleted bucket)'}/{label.key}"
                log_.warning("damage in %r could not be repaired: %s", name, done)


def recorded_path(log: SqliteLog, path: Path) -> str:
    """Return a device's path as events name it: relative where the data folder may move with it."""
    base, path = log.path.parent.resolve(), path.resolve()
    return str(path.relative_to(base) if path.is_relative_to(base) else path)


async def _rings(log: SqliteLog, known: Collection[int] = ()) -> list[rings.Ring]:
    """Return every ring of the log whose epoch is not known yet."""
    latest = await catalog.latest_ring(log)
    if latest is None:
        return []
    earlier = [epoch for epoch in range(1, latest.epoch) if epoch not in known]
    found = [await catalog.ring_at(log, epoch) for epoch in earlier]
    return [ring for ring in (*found, latest) if ring is not None]


def _first_uuid(cloud_id: str, device_id: int) -> str:
    """Return the same uuid each time, so that an interrupted first start can go on."""
    return blake2b(f"{cloud_id}/{device_id}".encode(), digest_size=16).hexdigest()
