"""Devices and rings as events."""

from __future__ import annotations

from typing import Any

import pytest

from swiftlite.catalog.rings import (
    DeviceKnown,
    NoSuchDevice,
    RingSuperseded,
    change_ring,
    devices,
    latest_ring,
    replace_device,
    ring_at,
)
from swiftlite.catalog.rows import DeviceRow
from swiftlite.ring.ring import Device, Ring
from tests.swiftlite.catalog.memory import ACTOR, run


def row(number: int) -> DeviceRow:
    return DeviceRow(number, f"uuid{number}", "node1", "zone1", 1.0, f"devices/{number}", "in")


def ring(epoch: int, *numbers: int) -> Ring:
    known = tuple(
        Device(id=n, uuid=f"uuid{n}", node="node1", zone="zone1", weight=1.0) for n in numbers
    )
    table = numbers[0].to_bytes(2, "little") * 6
    return Ring(epoch=epoch, part_power=1, fragments=3, devices=known, table=table)


def test_devices_come_with_the_ring_that_uses_them_or_not_at_all(log: Any) -> None:
    run(change_ring(log, ring(1, 0, 1), added=[row(0), row(1)], actor=ACTOR))
    assert run(devices(log)) == [row(0), row(1)]
    assert run(latest_ring(log)) == ring(1, 0, 1)
    with pytest.raises(DeviceKnown):
        run(change_ring(log, ring(2, 0, 1, 2), added=[row(2), row(1)], actor=ACTOR))
    assert len(run(devices(log))) == 2
    assert run(ring_at(log, 2)) is None


def test_of_two_rings_that_follow_the_same_one_is_installed(log: Any) -> None:
    run(change_ring(log, ring(1, 0), added=[row(0)], actor=ACTOR))
    run(change_ring(log, ring(2, 0, 1), added=[row(1)], actor=ACTOR))
    with pytest.raises(RingSuperseded):
        run(change_ring(log, ring(2, 0, 2), added=[row(2)], actor=ACTOR))
    assert run(latest_ring(log)).epoch == 2
    assert run(ring_at(log, 1)) == ring(1, 0)


def test_a_device_that_left_does_not_come_back_under_its_number(log: Any) -> None:
    run(change_ring(log, ring(1, 0, 1), added=[row(0), row(1)], actor=ACTOR))
    run(change_ring(log, ring(2, 0), removed=[1], actor=ACTOR))
    assert [device.state for device in run(devices(log))] == ["in", "removed"]
    with pytest.raises(DeviceKnown):
        run(change_ring(log, ring(3, 0, 1), added=[row(1)], actor=ACTOR))
    with pytest.raises(NoSuchDevice):
        run(change_ring(log, ring(3, 0), removed=[1], actor=ACTOR))
    with pytest.raises(NoSuchDevice):
        run(replace_device(log, device_id=1, uuid="u", path="p", actor=ACTOR))


def test_an_empty_device_takes_the_place_of_a_lost_one(log: Any) -> None:
    run(change_ring(log, ring(1, 0), added=[row(0)], actor=ACTOR))
    run(replace_device(log, device_id=0, uuid="new", path="elsewhere", actor=ACTOR))
    [device] = run(devices(log))
    assert (device.uuid, device.path, device.node, device.state) == (
        "new",
        "elsewhere",
        "node1",
        "in",
    )
