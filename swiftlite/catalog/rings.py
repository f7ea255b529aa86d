"""Devices and rings: how the cloud's disks come, are replaced, and go."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from eventlog.errors import Refused
from eventlog.event import Event
from eventlog.log import Actor, Guard, Log
from eventlog.view import Rows
from swiftlite.catalog import keys
from swiftlite.catalog.events import (
    RING_STREAM,
    DeviceAdded,
    DeviceRemoved,
    DeviceReplaced,
    RingBuilt,
)
from swiftlite.catalog.rows import DeviceRow, RingRow
from swiftlite.ring.ring import Device, Ring

DEVICES_MAX = 0xFFFF  # ids are 16 bits, and 0xFFFF is nobody's


class RingSuperseded(Refused):
    """Ring {epoch} does not follow ring {latest}, the latest."""


class DeviceKnown(Refused):
    """The number {device_id} was given to a device before."""


class NoSuchDevice(Refused):
    """There is no device {device_id} in the cloud."""


async def change_ring(
    log: Log,
    ring: Ring,
    *,
    added: Sequence[DeviceRow] = (),
    removed: Sequence[int] = (),
    actor: Actor,
) -> None:
    """Install a ring, together with the devices that come and go with it: all of it or nothing.

    Raises:  RingSuperseded, DeviceKnown, NoSuchDevice.
    """
    events: list[Event] = [
        DeviceAdded(
            device_id=device.id,
            uuid=device.uuid,
            node=device.node,
            zone=device.zone,
            weight=device.weight,
            path=device.path,
        )
        for device in added
    ]
    events += [DeviceRemoved(device_id=device_id) for device_id in removed]
    events.append(
        RingBuilt(
            epoch=ring.epoch,
            part_power=ring.part_power,
            fragments=ring.fragments,
            devices=tuple((d.id, d.uuid, d.node, d.zone, d.weight) for d in ring.devices),
            table=ring.table,
        )
    )
    guards: list[Guard] = [_EpochFollows(ring.epoch)]
    guards += [_DeviceState(device.id, known=False) for device in added]
    guards += [_DeviceState(device_id, known=True) for device_id in removed]
    await log.append(RING_STREAM, events, actor=actor, guards=guards)


async def replace_device(log: Log, *, device_id: int, uuid: str, path: str, actor: Actor) -> None:
    """Give an empty device the place of one that was lost.

    Raises:  NoSuchDevice.
    """
    event = DeviceReplaced(device_id=device_id, uuid=uuid, path=path)
    guards = [_DeviceState(device_id, known=True)]
    await log.append(RING_STREAM, [event], actor=actor, guards=guards)


async def devices(log: Log) -> list[DeviceRow]:
    """Return every device there ever was, by number; see `state`."""
    return [row for _, row in await log.scan("device", b"", None, limit=DEVICES_MAX)]


async def latest_ring(log: Log) -> Ring | None:
    """Return the ring that places new blobs, or None before the first."""
    for _, row in await log.scan("ring", b"", None, limit=1, reverse=True):
        return _ring(row)
    return None


async def ring_at(log: Log, epoch: int) -> Ring | None:
    """Return the ring of an epoch."""
    row: RingRow | None = await log.get("ring", keys.ring_key(epoch))
    return None if row is None else _ring(row)


def _ring(row: RingRow) -> Ring:
    known = tuple(
        Device(id=device_id, uuid=uuid, node=node, zone=zone, weight=weight)
        for device_id, uuid, node, zone, weight in row.devices
    )
    return Ring(
        epoch=row.epoch,
        part_power=row.part_power,
        fragments=row.fragments,
        devices=known,
        table=row.table,
    )


class _EpochFollows:
    """A ring's epoch is the one after the latest."""

    def __init__(self, epoch: int) -> None:
        self._epoch = epoch

    def keys(self) -> Iterable[tuple[str, bytes]]:
        return ()

    def check(self, rows: Rows) -> None:
        latest = rows.first("ring", b"", None, reverse=True)
        if latest is not None and latest[1].epoch + 1 != self._epoch:
            raise RingSuperseded(epoch=self._epoch, latest=latest[1].epoch)


class _DeviceState:
    """A number belongs to a device of the cloud, or never did."""

    def __init__(self, device_id: int, *, known: bool) -> None:
        self._device_id = device_id
        self._known = known

    def keys(self) -> Iterable[tuple[str, bytes]]:
        return (("device", keys.device_key(self._device_id)),)

    def check(self, rows: Rows) -> None:
        row: DeviceRow | None = rows.get("device", keys.device_key(self._device_id))
        if self._known and (row is None or row.state != "in"):
            raise NoSuchDevice(device_id=self._device_id)
        if not self._known and row is not None:
            raise DeviceKnown(device_id=self._device_id)
