"""Make a ring from devices, keeping of the previous one all that balance lets it keep.

Pure: no clock, no IO.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from hashlib import blake2b
from math import isfinite

from eventlog.errors import Refused
from swiftlite.ring.level import level_out
from swiftlite.ring.ring import DEVICE_ID_MAX, PART_POWER_MAX, Device, Ring
from swiftlite.ring.rows import Row, Shape
from swiftlite.ring.targets import counts, plan

FRAGMENTS_MAX = 256
NOWHERE = -1  # instead of a leaf: a fragment that was on no device of the new ring


class RingImpossible(Refused):
    """No ring can be built: {reason}."""


def build(
    devices: Sequence[Device],
    *,
    fragments: int,
    part_power: int,
    epoch: int,
    previous: Ring | None = None,
) -> Ring:
    """Return a ring over the devices: spread first, then by weight.

    Law:    the same arguments give the same ring; the previous ring's devices again give its table
            again; no fragment is on a device that is not named or has weight 0; spread and shares
            are those of `targets.plan`; what moves is what balance and spread need, or little
            more.
    Raises: RingImpossible if there is no device to use, or devices contradict one another.
    """
    _check(devices, fragments, part_power, previous)
    partitions = 1 << part_power
    shape = Shape(*plan([d for d in devices if d.weight > 0], fragments))
    wanted = counts(shape.root, shape.leaves, partitions)
    if previous is None:
        home = [[NOWHERE] * fragments] * partitions
        table = _fresh(shape, wanted, partitions, fragments)
    else:
        leaf_of = {id_: leaf for leaf, id_ in enumerate(shape.ids)}
        home = [[leaf_of.get(id_, NOWHERE) for id_ in row] for row in previous.rows()]
        table = _kept(shape, wanted, home)
    level_out(shape, wanted, table, home)
    pack = struct.Struct(f"<{fragments}H").pack
    ids = shape.ids
    return Ring(
        epoch=epoch,
        part_power=part_power,
        fragments=fragments,
        devices=tuple(sorted(devices, key=lambda d: d.id)),
        table=b"".join(pack(*[ids[leaf] for leaf in row]) for row in table),
    )


def _fresh(shape: Shape, wanted: Sequence[int], partitions: int, fragments: int) -> list[list[int]]:
    """Return rows in which each device holds about what it should at every moment."""
    table: list[list[int]] = []
    owed = [0] * len(wanted)  # of wanted * partitions
    for partition in range(partitions):
        draw = _draws(shape, partition)
        for leaf, count in enumerate(wanted):
            owed[leaf] += count
        # Whole fragments owed come first; hashes decide among equals, so that over the partitions
        # every device meets every other one.
        order = sorted(
            range(len(wanted)), key=lambda leaf: (-(owed[leaf] // partitions), draw[leaf])
        )
        row = Row(shape)
        row.fill(order, fragments)
        for leaf in row.leaves:
            owed[leaf] -= partitions
        # Fragment numbers by hash too, so that every device gets its part of the data fragments,
        # which are read most; a device's second fragment after all first ones, so that the first
        # m + 1, which hold the copies of small objects, are on as many devices as there are.
        table.append(_arranged(row.leaves, draw))
    return table


def _arranged(leaves: Sequence[int], draw: Sequence[int]) -> list[int]:
    seen: dict[int, int] = {}
    keys = []
    for leaf in leaves:
        seen[leaf] = nth = seen.get(leaf, 0) + 1
        keys.append((nth, draw[leaf] & 0xFFFF, leaf))
    return [leaf for _, _, leaf in sorted(keys)]


def _kept(shape: Shape, wanted: Sequence[int], home: Sequence[Sequence[int]]) -> list[list[int]]:
    """Return the rows with what cannot stay replaced, where devices lack most."""
    lacks = list(wanted)
    for before in home:
        for leaf in before:
            if leaf != NOWHERE:
                lacks[leaf] -= 1
    table: list[list[int]] = []
    for partition, before in enumerate(home):
        if shape.admits(before):
            table.append(list(before))
            continue
        # Which of its fragments stay matters where not all can: first those on devices that lack.
        draw = _draws(shape, partition)
        stay = sorted(
            (slot for slot, leaf in enumerate(before) if leaf != NOWHERE),
            key=lambda slot: (-lacks[before[slot]], draw[before[slot]]),
        )
        row = Row(shape)
        after = [NOWHERE] * len(before)
        for slot in stay:
            if row.add(before[slot]):
                after[slot] = before[slot]
            else:
                lacks[before[slot]] += 1
        order = sorted(range(len(wanted)), key=lambda leaf: (-lacks[leaf], draw[leaf]))
        for slot, leaf in zip(
            (slot for slot, leaf in enumerate(after) if leaf == NOWHERE),
            row.fill(order, len(before)),
            strict=True,
        ):
            after[slot] = leaf
            lacks[leaf] -= 1
        table.append(after)
    return table


def _draws(shape: Shape, partition: int) -> list[int]:
    """Return 32 bits for each leaf, fixed by partition and device."""
    seed = int.from_bytes(blake2b(partition.to_bytes(4, "big"), digest_size=8).digest(), "big")
    return [((seed ^ salt) * 0x9E3779B97F4A7C15 >> 24) & 0xFFFFFFFF for salt in shape.salts]


def _check(
    devices: Sequence[Device], fragments: int, part_power: int, previous: Ring | None
) -> None:
    assert 1 <= fragments <= FRAGMENTS_MAX
    assert 0 <= part_power <= PART_POWER_MAX
    assert previous is None or (previous.part_power, previous.fragments) == (part_power, fragments)
    if not any(d.weight > 0 for d in devices):
        raise RingImpossible(reason="no device has a weight above 0")
    for device in devices:
        if not 0 <= device.id <= DEVICE_ID_MAX:
            raise RingImpossible(reason=f"device id {device.id} is not in 0..{DEVICE_ID_MAX}")
        if not (isfinite(device.weight) and device.weight >= 0):
            raise RingImpossible(reason=f"device {device.id} has weight {device.weight}")
    if len({d.id for d in devices}) < len(devices):
        raise RingImpossible(reason="two devices have the same id")
