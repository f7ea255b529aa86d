from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swiftlite.ring.build import build
from swiftlite.ring.placement import survives_one_loss
from swiftlite.ring.ring import Device, Ring
from swiftlite.ring.tolerance import Tolerance, tolerance, tolerance_without
from tests.swiftlite.ring.clusters import clusters, flat, grid, groups


def losses_by_trying_all(ring: Ring, k: int, level: str) -> int:
    group = groups(ring.devices, level)
    names = sorted(set(group.values()), key=str)
    for count in range(len(names) + 1):
        for lost in combinations(names, count):
            if any(sum(group[id_] not in lost for id_ in row) < k for row in ring.rows()):
                return count - 1
    raise AssertionError("no fragment is left, and yet all is readable")


@given(clusters(most=7), st.integers(1, 6), st.integers(0, 4))
def test_tolerance_is_what_trying_every_loss_finds(
    devices: list[Device], k: int, part_power: int
) -> None:
    ring = build(devices, fragments=6, part_power=part_power, epoch=1)
    found = tolerance(ring, k)
    assert found.devices == losses_by_trying_all(ring, k, "device")
    assert found.nodes == losses_by_trying_all(ring, k, "node")
    assert found.zones == losses_by_trying_all(ring, k, "zone")


@pytest.mark.parametrize(
    ("devices", "words"),
    [
        (flat(1), "no device; no node; no zone"),
        (flat(3), "any 1 device; no node; no zone"),
        (flat(6), "any 2 devices; no node; no zone"),
        (grid(1, 3, 2), "any 2 devices; any 1 node; no zone"),
        (grid(3, 2, 1), "any 2 devices; any 2 nodes; any 1 zone"),
        (grid(6, 1, 1), "any 2 devices; any 2 nodes; any 2 zones"),
    ],
)
def test_what_4_and_2_survives_is_said_in_words(devices: list[Device], words: str) -> None:
    assert str(tolerance(build(devices, fragments=6, part_power=6, epoch=1), 4)) == words


def test_a_tolerance_counts_devices_nodes_and_zones_apart() -> None:
    ring = build(grid(3, 2, 2), fragments=6, part_power=6, epoch=1)
    assert tolerance(ring, 4) == Tolerance(devices=2, nodes=2, zones=1)


@given(st.dictionaries(st.integers(0, 11), st.integers(0, 5), max_size=12), st.integers(1, 8))
def test_survives_one_loss_is_what_losing_each_device_shows(
    synced: dict[int, int], needed: int
) -> None:
    left = [
        sum(device != lost for device in synced.values()) for lost in set(synced.values()) or {0}
    ]
    assert survives_one_loss(synced, needed) == (min(left) >= needed)


@pytest.mark.parametrize(
    ("synced", "needed", "safe"),
    [
        ({0: 1, 1: 2, 2: 3, 3: 4, 4: 5}, 4, True),  # 4+2, one fragment missing
        ({0: 1, 1: 2, 2: 3, 3: 4}, 4, False),  # exactly k
        ({0: 1, 1: 2, 2: 3, 3: 4, 4: 1}, 4, False),  # k + 1, but two on one device
        ({0: 1, 1: 2, 2: 3, 3: 1, 4: 2, 5: 3}, 4, True),  # doubled up on three
        ({0: 1, 1: 2}, 1, True),  # two copies
        ({0: 1, 1: 1, 2: 1}, 1, False),  # three copies on one device
        ({}, 1, False),
    ],
)
def test_a_write_is_safe_only_if_one_further_loss_leaves_enough(
    synced: dict[int, int], needed: int, safe: bool
) -> None:
    assert survives_one_loss(synced, needed) is safe


@given(clusters(most=6), st.integers(1, 5), st.sets(st.integers(0, 5), max_size=3))
def test_what_is_survived_beside_a_loss_is_what_trying_every_further_one_finds(
    devices: list[Device], k: int, lost: set[int]
) -> None:
    ring = build(devices, fragments=6, part_power=3, epoch=1)
    gone = {d.id for d in devices} & lost
    found = tolerance_without(ring, k, gone)
    rows = [[id_ for id_ in row if id_ not in gone] for row in ring.rows()]
    if any(len(row) < k for row in rows):
        assert found is None
        return
    left = [d.id for d in devices if d.id not in gone]
    assert found is not None
    for count in (found.devices, found.devices + 1):
        worst = min(
            min(sum(id_ not in more for id_ in row) for row in rows)
            for more in combinations(left, min(count, len(left)))
        )
        assert (worst >= k) == (count == found.devices)
