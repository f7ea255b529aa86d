from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from swiftlite.ring.build import build
from swiftlite.ring.ring import HANDOFFS_REMEMBERED, Device, Move, Ring, moves
from tests.swiftlite.ring.clusters import FRAGMENTS, blob_in, clusters, device, flat, grid


@given(st.binary(min_size=16, max_size=16), st.integers(0, 20))
def test_the_partition_is_the_top_bits_of_the_last_four_bytes(blob: bytes, power: int) -> None:
    ring = Ring(epoch=1, part_power=power, fragments=1, devices=(), table=b"")
    bits = "".join(f"{byte:08b}" for byte in blob[12:])
    assert ring.partition(blob) == int(bits[:power] or "0", 2)


@given(st.binary(min_size=16, max_size=16), st.integers(0, 20), st.data())
def test_a_moved_id_is_in_its_partition_and_keeps_all_other_bits(
    blob: bytes, power: int, data: st.DataObject
) -> None:
    ring = Ring(epoch=1, part_power=power, fragments=1, devices=(), table=b"")
    partition = data.draw(st.integers(0, ring.partitions - 1))
    moved = ring.moved(blob, partition)
    assert ring.partition(moved) == partition
    assert ring.moved(moved, ring.partition(blob)) == blob


def test_the_table_is_little_endian_rows_of_device_ids() -> None:
    ring = Ring(
        epoch=1, part_power=1, fragments=2, devices=(), table=bytes.fromhex("01000201fffe0300")
    )
    assert ring.devices_of(blob_in(0, 1)) == (0x0001, 0x0102)
    assert ring.devices_of(blob_in(1, 1)) == (0xFEFF, 0x0003)
    assert list(ring.rows()) == [ring.row(0), ring.row(1)]


@given(clusters(), FRAGMENTS, st.integers(0, 7))
def test_handoffs_are_all_other_devices_in_the_order_of_best_spread(
    devices: list[Device], fragments: int, partition: int
) -> None:
    ring = build(devices, fragments=fragments, part_power=3, epoch=1)
    row = ring.row(partition)
    handoffs = ring.handoffs(blob_in(partition, 3))
    assert sorted(handoffs) == sorted({d.id for d in devices} - set(row))
    zones = Counter(ring.by_id[id_].zone for id_ in row)
    nodes = Counter((ring.by_id[id_].zone, ring.by_id[id_].node) for id_ in row)

    def crowding(id_: int) -> tuple[int, int]:
        d = ring.by_id[id_]
        return zones[d.zone], nodes[d.zone, d.node]

    for place, id_ in enumerate(handoffs):
        assert crowding(id_) == min(crowding(other) for other in handoffs[place:])
        zones[ring.by_id[id_].zone] += 1
        nodes[ring.by_id[id_].zone, ring.by_id[id_].node] += 1


def test_handoffs_differ_between_partitions_so_that_a_lost_device_burdens_no_single_other() -> None:
    ring = build(flat(12), fragments=6, part_power=8, epoch=1)
    first = Counter(ring.handoffs(blob_in(p, 8))[0] for p in range(256))
    assert len(first) == 12
    assert max(first.values()) < 3 * 256 / 12


def test_heavier_devices_are_handoffs_more_often() -> None:
    devices = [device(id_, weight=4 if id_ % 2 else 1) for id_ in range(12)]
    ring = build(devices, fragments=2, part_power=8, epoch=1)
    first = [ring.handoffs(blob_in(p, 8))[0] for p in range(256)]
    assert sum(id_ % 2 for id_ in first) > 0.6 * 256


def test_a_device_that_is_being_emptied_is_no_handoff() -> None:
    ring = build([*flat(8), device(9, weight=0)], fragments=6, part_power=3, epoch=1)
    assert all(9 not in ring.handoffs(blob_in(p, 3)) for p in range(8))


def test_remembered_handoffs_are_bounded_and_stay_right() -> None:
    power = HANDOFFS_REMEMBERED.bit_length()
    ring = build(flat(3), fragments=2, part_power=power, epoch=1)
    for partition in range(1 << power):
        (handoff,) = ring.handoffs(blob_in(partition, power))
        assert handoff not in ring.row(partition)
    assert len(ring._handoffs) <= HANDOFFS_REMEMBERED


def test_moves_turn_the_old_table_into_the_new_one() -> None:
    old = build(grid(2, 2, 2), fragments=6, part_power=5, epoch=1)
    new = build(grid(2, 2, 3), fragments=6, part_power=5, epoch=2, previous=old)
    rows = [list(row) for row in old.rows()]
    for move in moves(old, new):
        assert isinstance(move, Move)
        assert rows[move.partition][move.fragment] == move.source != move.target
        rows[move.partition][move.fragment] = move.target
    assert [tuple(row) for row in rows] == list(new.rows())


def test_counts_name_every_device_also_those_with_nothing() -> None:
    ring = build([*flat(3), device(9, weight=0)], fragments=3, part_power=4, epoch=1)
    assert ring.counts() == {0: 16, 1: 16, 2: 16, 9: 0}
