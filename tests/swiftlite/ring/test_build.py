from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from math import ceil

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from swiftlite.ring.build import RingImpossible, build
from swiftlite.ring.ring import Device, Ring, moves
from swiftlite.ring.tolerance import balance, tolerance
from tests.swiftlite.ring.clusters import (
    FRAGMENTS,
    PART_POWERS,
    clusters,
    device,
    flat,
    grid,
    groups,
)


def smallest_cap(rooms: list[int], fragments: int) -> int:
    return next(c for c in range(1, fragments + 1) if sum(min(c, r) for r in rooms) >= fragments)


def most_allowed(devices: list[Device], fragments: int) -> dict[str, int]:
    """The most that a device, node, zone must hold of a partition: the spread law, by hand."""
    live = [d for d in devices if d.weight > 0]
    per_device = ceil(fragments / len(live))
    on_node = Counter((d.zone, d.node) for d in live)
    room_of_node = {place: per_device * count for place, count in on_node.items()}
    per_node = smallest_cap(list(room_of_node.values()), fragments)
    room_of_zone: Counter[str] = Counter()
    for (zone, _), room in room_of_node.items():
        room_of_zone[zone] += min(per_node, room)
    per_zone = smallest_cap(list(room_of_zone.values()), fragments)
    return {"device": per_device, "node": per_node, "zone": per_zone}


def assert_spread(ring: Ring) -> None:
    """No group has too much of a partition, nor much more of one partition than of another."""
    for level, most in most_allowed(list(ring.devices), ring.fragments).items():
        group = groups(ring.devices, level)
        rows = [Counter(group[id_] for id_ in row) for row in ring.rows()]
        for name in set(group.values()):
            held = [row[name] for row in rows]
            assert max(held) <= most, level
            assert max(held) - min(held) <= 1, level


def fewest_moves(old: Ring, new: Ring) -> int:
    """What no rebalancing to the new ring's counts can do without."""
    before = old.counts()
    return sum(max(0, count - before.get(id_, 0)) for id_, count in new.counts().items())


@given(clusters(), FRAGMENTS, PART_POWERS)
def test_no_device_node_or_zone_holds_more_of_a_partition_than_it_must(
    devices: list[Device], fragments: int, part_power: int
) -> None:
    ring = build(devices, fragments=fragments, part_power=part_power, epoch=1)
    assert len(ring.table) == 2 * fragments << part_power
    assert_spread(ring)


@given(st.integers(1, 14), FRAGMENTS, PART_POWERS)
def test_equal_devices_hold_equally_much_of_the_ring_and_of_each_partition(
    count: int, fragments: int, part_power: int
) -> None:
    ring = build(flat(count), fragments=fragments, part_power=part_power, epoch=1)
    held = ring.counts().values()
    assert max(held) - min(held) <= 1
    for row in ring.rows():
        of_partition = [row.count(id_) for id_ in range(count)]
        assert max(of_partition) - min(of_partition) <= 1


@given(st.lists(st.floats(1.0, 2.0), min_size=12, max_size=20), PART_POWERS)
def test_shares_follow_weights_where_spread_leaves_the_choice(
    weights: list[float], part_power: int
) -> None:
    devices = [device(id_, weight=weight) for id_, weight in enumerate(weights)]
    ring = build(devices, fragments=6, part_power=part_power, epoch=1)
    slots = 6 << part_power
    for id_, count in ring.counts().items():
        assert abs(count - slots * weights[id_] / sum(weights)) <= 1


def test_a_device_too_big_for_spread_is_full_and_the_rest_still_share_by_weight() -> None:
    devices = [device(0, weight=100), *[device(id_, weight=id_) for id_ in range(1, 9)]]
    ring = build(devices, fragments=3, part_power=8, epoch=1)
    counts = ring.counts()
    assert counts[0] == ring.partitions  # one of each partition, although 8/10 of all weight
    for id_ in range(1, 9):
        assert abs(counts[id_] - 2 * ring.partitions * id_ / 36) <= 1


def test_every_device_meets_every_other_one_so_that_all_help_to_rebuild_a_lost_one() -> None:
    ring = build(flat(30), fragments=6, part_power=10, epoch=1)
    partners = {other for row in ring.rows() if 0 in row for other in row} - {0}
    assert partners == set(range(1, 30))


@pytest.mark.parametrize("data", [1, 2, 4])
def test_the_data_fragments_which_are_read_most_are_on_all_devices_about_alike(data: int) -> None:
    ring = build(flat(6), fragments=6, part_power=12, epoch=1)
    reads = Counter(id_ for row in ring.rows() for id_ in row[:data])
    even = data * ring.partitions / 6
    assert all(abs(reads[id_] - even) < 0.1 * even for id_ in range(6))


def test_where_devices_double_up_the_first_fragments_are_on_different_ones() -> None:
    ring = build(flat(4), fragments=6, part_power=8, epoch=1)
    assert all(len(set(row[:4])) == 4 for row in ring.rows())


def test_one_device_holds_everything() -> None:
    ring = build([device(7)], fragments=6, part_power=3, epoch=1)
    assert set(ring.rows()) == {(7,) * 6}


@settings(max_examples=60)
@given(clusters(), clusters(), FRAGMENTS, PART_POWERS, st.data())
def test_after_any_change_of_devices_spread_and_shares_are_those_of_a_fresh_ring(
    devices: list[Device],
    others: list[Device],
    fragments: int,
    part_power: int,
    data: st.DataObject,
) -> None:
    old = build(devices, fragments=fragments, part_power=part_power, epoch=1)
    kept = data.draw(st.lists(st.sampled_from(devices), unique_by=lambda d: d.id))
    added = [d for d in others if d.id not in {k.id for k in kept}]
    changed = [*kept, *added] or devices
    new = build(changed, fragments=fragments, part_power=part_power, epoch=2, previous=old)
    assert_spread(new)
    fresh = build(changed, fragments=fragments, part_power=part_power, epoch=2)
    assert new.counts() == fresh.counts()
    for before, after in zip(old.rows(), new.rows(), strict=True):
        stayed = sum(b == a for b, a in zip(before, after, strict=True))
        assert stayed == (Counter(before) & Counter(after)).total(), "fragments traded places"


@given(clusters(), FRAGMENTS, PART_POWERS)
def test_the_same_devices_again_move_nothing(
    devices: list[Device], fragments: int, part_power: int
) -> None:
    old = build(devices, fragments=fragments, part_power=part_power, epoch=1)
    again = build(devices[::-1], fragments=fragments, part_power=part_power, epoch=2, previous=old)
    assert again == msgspec.structs.replace(old, epoch=2)


@given(clusters(), FRAGMENTS, PART_POWERS)
def test_a_changed_ring_is_at_rest_too(
    devices: list[Device], fragments: int, part_power: int
) -> None:
    old = build(flat(5), fragments=fragments, part_power=part_power, epoch=1)
    new = build(devices, fragments=fragments, part_power=part_power, epoch=2, previous=old)
    again = build(devices, fragments=fragments, part_power=part_power, epoch=3, previous=new)
    assert moves(new, again) == []


@pytest.mark.parametrize(
    ("fragments", "before", "after"),
    [(6, 6, 7), (6, 7, 6), (6, 6, 12), (6, 12, 11), (6, 4, 5), (6, 9, 3), (2, 8, 7), (3, 8, 7)],
)
def test_growing_and_shrinking_moves_exactly_what_balance_needs(
    fragments: int, before: int, after: int
) -> None:
    old = build(flat(before), fragments=fragments, part_power=8, epoch=1)
    new = build(flat(after), fragments=fragments, part_power=8, epoch=2, previous=old)
    assert len(moves(old, new)) == fewest_moves(old, new)


def test_adding_a_node_to_each_zone_moves_only_onto_the_new_nodes() -> None:
    old = build(grid(3, 2, 3), fragments=6, part_power=8, epoch=1)
    more = [device(100 + z, f"n{z}.new", f"z{z}") for z in range(3)]
    new = build([*old.devices, *more], fragments=6, part_power=8, epoch=2, previous=old)
    assert {move.target for move in moves(old, new)} == {100, 101, 102}
    assert len(moves(old, new)) == fewest_moves(old, new)


def test_a_lost_zone_moves_only_what_it_held() -> None:
    old = build(grid(4, 2, 2), fragments=6, part_power=8, epoch=1)
    left = [d for d in old.devices if d.zone != "z2"]
    new = build(left, fragments=6, part_power=8, epoch=2, previous=old)
    gone = {d.id for d in old.devices} - {d.id for d in left}
    assert len(moves(old, new)) <= 1.01 * sum(old.counts()[id_] for id_ in gone)


@settings(max_examples=150)
@given(
    st.lists(st.sampled_from([0.3, 1.0, 2.0, 4.0]), min_size=2, max_size=12),
    st.sampled_from(["add", "remove", "reweight"]),
    st.sampled_from([0.5, 1.0, 3.0]),
    FRAGMENTS,
    st.integers(3, 6),
)
def test_any_one_change_moves_little_more_than_balance_needs(
    weights: list[float], change: str, weight: float, fragments: int, part_power: int
) -> None:
    devices = [device(id_, weight=w) for id_, w in enumerate(weights)]
    old = build(devices, fragments=fragments, part_power=part_power, epoch=1)
    changed = {
        "add": [*devices, device(len(devices), weight=weight)],
        "remove": devices[1:],
        "reweight": [msgspec.structs.replace(devices[0], weight=weight), *devices[1:]],
    }[change]
    new = build(changed, fragments=fragments, part_power=part_power, epoch=2, previous=old)
    # Of 53,000 such changes, 54 moved more than the first bound and one for each device.
    assert len(moves(old, new)) <= 1.25 * fewest_moves(old, new) + len(changed)


# Found by search: balance needs exchanges that bounds of nodes forbid, and chains of exchanges of
# which one fails midway. (id, node, zone, weight)
HARD_CHANGES = {
    "lower bounds": (
        [
            (0, "n1", "z1", 1), (1, "n1", "z2", 2), (2, "n2", "z2", 0.3), (3, "n2", "z2", 1),
            (4, "n2", "z2", 1), (5, "n2", "z0", 0.3), (6, "n2", "z2", 1), (7, "n1", "z0", 1),
            (8, "n2", "z1", 4),
        ],
        [6],
        [(20, "n0", "z1", 0.3), (21, "n2", "z0", 4), (22, "n0", "z1", 1)],
    ),
    "broken chains": (
        [
            (0, "n0", "z0", 4), (1, "n1", "z0", 0.3), (2, "n2", "z2", 0.3), (3, "n0", "z2", 1),
            (4, "n1", "z1", 4), (5, "n2", "z0", 2), (6, "n1", "z2", 2), (7, "n2", "z1", 0.3),
            (8, "n2", "z1", 0.3),
        ],
        [6, 8],
        [(20, "n2", "z0", 0.3), (21, "n1", "z2", 2), (22, "n2", "z2", 4)],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", HARD_CHANGES)
def test_hard_changes_end_in_spread_and_balance_too(name: str) -> None:
    before, gone, added = HARD_CHANGES[name]
    after = [*(place for place in before if place[0] not in gone), *added]
    old = build([device(*place) for place in before], fragments=4, part_power=6, epoch=1)
    changed = [device(*place) for place in after]
    new = build(changed, fragments=4, part_power=6, epoch=2, previous=old)
    assert_spread(new)
    assert new.counts() == build(changed, fragments=4, part_power=6, epoch=2).counts()


@pytest.mark.parametrize("fragments", [2, 3, 6])
def test_a_lost_device_moves_exactly_what_it_held(fragments: int) -> None:
    old = build(flat(8), fragments=fragments, part_power=8, epoch=1)
    new = build(flat(8)[1:], fragments=fragments, part_power=8, epoch=2, previous=old)
    assert len(moves(old, new)) == old.counts()[0]


def test_a_fragment_that_can_come_home_does() -> None:
    """Found by search: some fragments leave the small device before it is seen which may stay."""
    small = [device(id_, weight=0.3 if id_ == 0 else 1) for id_ in range(4)]
    old = build(small, fragments=12, part_power=4, epoch=1)
    grown = [*small, device(4, weight=3)]
    new = build(grown, fragments=12, part_power=4, epoch=2, previous=old)
    assert len(moves(old, new)) == fewest_moves(old, new)


def test_rebuilding_keeps_a_fragment_at_its_number() -> None:
    old = build(flat(6), fragments=6, part_power=8, epoch=1)
    new = build(flat(5), fragments=6, part_power=8, epoch=2, previous=old)
    for before, after in zip(old.rows(), new.rows(), strict=True):
        assert [a for b, a in zip(before, after, strict=True) if b != 5] == [
            b for b in before if b != 5
        ]


def test_the_old_ring_still_answers_after_a_new_one_was_built_from_it() -> None:
    old = build(flat(6), fragments=6, part_power=4, epoch=1)
    table = bytes(old.table)
    build(flat(6)[1:], fragments=6, part_power=4, epoch=2, previous=old)
    assert old.table == table
    assert 0 in old.devices_of(bytes(16))


def test_a_device_of_weight_0_is_emptied_but_known() -> None:
    old = build(flat(7), fragments=6, part_power=6, epoch=1)
    emptied = [device(0, weight=0), *flat(7)[1:]]
    new = build(emptied, fragments=6, part_power=6, epoch=2, previous=old)
    assert new.counts()[0] == 0
    assert new.by_id[0].weight == 0
    assert all(move.source == 0 for move in moves(old, new))


def test_devices_come_before_nodes_and_zones() -> None:
    """A lone device in its zone gets one fragment, not the two that even zones would ask for."""
    devices = [*grid(2, 1, 4), device(20, "lone", "lone")]
    ring = build(devices, fragments=6, part_power=6, epoch=1)
    assert tolerance(ring, 4).devices == 2
    assert max(row.count(20) for row in ring.rows()) == 1


def test_the_ring_is_the_same_in_every_process() -> None:
    script = (
        "from tests.swiftlite.ring.clusters import grid\n"
        "from swiftlite.ring.build import build\n"
        "old = build(grid(3, 2, 2), fragments=6, part_power=6, epoch=1)\n"
        "new = build(grid(3, 2, 2)[1:], fragments=6, part_power=6, epoch=2, previous=old)\n"
        "print(new.table.hex(), new.handoffs(bytes(16)))"
    )

    def printed(seed: str) -> str:
        environment = os.environ | {"PYTHONHASHSEED": seed}
        command = [sys.executable, "-c", script]
        return subprocess.run(
            command, env=environment, check=True, capture_output=True, text=True
        ).stdout

    assert printed("1") == printed("2")


def test_balance_says_how_far_the_fullest_and_emptiest_are_from_their_weight() -> None:
    devices = [device(id_, weight=3 if id_ == 0 else 1) for id_ in range(6)]
    found = balance(build(devices, fragments=6, part_power=4, epoch=1))
    assert found.fullest == pytest.approx(1 / 6 / (1 / 8) - 1)
    assert found.emptiest == pytest.approx(1 / 6 / (3 / 8) - 1)


@pytest.mark.parametrize(
    ("devices", "reason"),
    [
        ([], "no device has a weight above 0"),
        ([device(1, weight=0)], "no device has a weight above 0"),
        ([device(0xFFFF)], "65535 is not in"),
        ([device(-1)], "-1 is not in"),
        ([device(1), device(1, node="other")], "same id"),
        ([device(1), device(2, weight=-1)], "weight -1"),
        ([device(1), device(2, weight=float("nan"))], "weight nan"),
        ([device(1), device(2, weight=float("inf"))], "weight inf"),
    ],
)
def test_devices_that_make_no_ring_are_refused(devices: list[Device], reason: str) -> None:
    with pytest.raises(RingImpossible, match=reason):
        build(devices, fragments=6, part_power=4, epoch=1)
