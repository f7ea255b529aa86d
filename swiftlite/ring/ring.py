"""The ring: which device holds which fragment of a partition.

Pure: no clock, no IO.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import cached_property
from hashlib import blake2b
from typing import NamedTuple

import msgspec

NO_DEVICE = 0xFFFF  # never an id: it means "nobody" wherever 16 bits name a device
DEVICE_ID_MAX = NO_DEVICE - 1
PART_POWER_MAX = 20
HANDOFFS_REMEMBERED = 4096  # partitions


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """One disk, and where it stands.

    Units: weight is any measure of capacity, the same for all devices; 0 means that the device is
    being emptied: it is known, but nothing new goes there.
    """

    id: int
    uuid: str
    node: str
    zone: str
    weight: float


class Move(NamedTuple):
    """One fragment of every blob of a partition goes from one device to another."""

    partition: int
    fragment: int
    source: int
    target: int


class Ring(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """One epoch's answer to "which devices?".

    Shapes: table: 2**part_power rows of `fragments` device ids, uint16 little-endian.
    Law:    the same blob id gives the same devices in every process, for ever.
    """

    epoch: int
    part_power: int
    fragments: int
    devices: tuple[Device, ...]
    table: bytes

    @property
    def partitions(self) -> int:
        """How many partitions there are."""
        return 1 << self.part_power

    def partition(self, blob_id: bytes) -> int:
        """Return the blob's partition: the top bits of its id's last 4 bytes, which are random."""
        return int.from_bytes(blob_id[-4:], "big") >> (32 - self.part_power)

    def moved(self, blob_id: bytes, partition: int) -> bytes:
        """Return the id with its top bits of the last 4 bytes such that it is in `partition`."""
        low = 32 - self.part_power
        rest = int.from_bytes(blob_id[-4:], "big") & (1 << low) - 1
        return blob_id[:-4] + (partition << low | rest).to_bytes(4, "big")

    def row(self, partition: int) -> tuple[int, ...]:
        """Return the device of each fragment of a partition."""
        return self._row.unpack_from(self.table, partition * self._row.size)

    def rows(self) -> Iterator[tuple[int, ...]]:
        """Yield `row(0)`, `row(1)`, ..."""
        return self._row.iter_unpack(self.table)

    def devices_of(self, blob_id: bytes) -> tuple[int, ...]:
        """Return the device of each of the blob's fragments; a small ring repeats devices."""
        return self.row(self.partition(blob_id))

    def handoffs(self, blob_id: bytes) -> tuple[int, ...]:
        """Return the devices that hold none of the blob's fragments, in the order to try them.

        Law: each is in a zone, and there on a node, with the fewest of the partition's fragments,
        the handoffs before it counted; devices that are being emptied are not among them.
        """
        partition = self.partition(blob_id)
        known = self._handoffs.get(partition)
        if known is None:
            if len(self._handoffs) >= HANDOFFS_REMEMBERED:
                self._handoffs.clear()
            known = self._handoffs[partition] = self._order_handoffs(partition)
        return known

    def counts(self) -> dict[int, int]:
        """Return how many (partition, fragment) pairs each device holds; 0 for those with none."""
        counts = dict.fromkeys((device.id for device in self.devices), 0)
        for (device,) in struct.iter_unpack("<H", self.table):
            counts[device] += 1
        return counts

    @cached_property
    def by_id(self) -> dict[int, Device]:
        """The devices by id."""
        return {device.id: device for device in self.devices}

    @cached_property
    def _row(self) -> struct.Struct:
        return struct.Struct(f"<{self.fragments}H")

    @cached_property
    def _handoffs(self) -> dict[int, tuple[int, ...]]:
        return {}

    def _order_handoffs(self, partition: int) -> tuple[int, ...]:
        row = self.row(partition)
        free = [d for d in self.devices if d.weight > 0 and d.id not in row]
        # Heavier devices come first more often; division only, so every machine gets this order.
        free.sort(key=lambda d: (_draw(partition, d.id) / d.weight, d.id))
        in_zone: dict[str, int] = {}
        on_node: dict[tuple[str, str], int] = {}

        def count(device: Device) -> None:
            in_zone[device.zone] = in_zone.get(device.zone, 0) + 1
            place = (device.zone, device.node)
            on_node[place] = on_node.get(place, 0) + 1

        for id_ in row:
            count(self.by_id[id_])
        # Within a node the order never changes, so only each node's first device competes.
        waiting: dict[tuple[str, str], list[Device]] = {}
        for device in reversed(free):
            waiting.setdefault((device.zone, device.node), []).append(device)
        rank = {device.id: place for place, device in enumerate(free)}
        order: list[int] = []
        while waiting:
            place = min(
                waiting,
                key=lambda p: (in_zone.get(p[0], 0), on_node.get(p, 0), rank[waiting[p][-1].id]),
            )
            device = waiting[place].pop()
            if not waiting[place]:
                del waiting[place]
            count(device)
            order.append(device.id)
        return tuple(order)


def moves(old: Ring, new: Ring) -> list[Move]:
    """Return what must be copied so that `new` finds everything that `old` found."""
    assert (old.part_power, old.fragments) == (new.part_power, new.fragments)
    if old.table == new.table:
        return []
    return [
        Move(partition, fragment, source, target)
        for partition, (before, after) in enumerate(zip(old.rows(), new.rows(), strict=True))
        if before != after
        for fragment, (source, target) in enumerate(zip(before, after, strict=True))
        if source != target
    ]


def _draw(partition: int, device: int) -> int:
    """Return a number that partition and device fix, evenly spread over 32 bits."""
    name = partition.to_bytes(4, "big") + device.to_bytes(2, "big")
    return int.from_bytes(blake2b(name, digest_size=4).digest(), "big")
