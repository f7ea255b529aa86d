"""Where new blobs go: together within a round, evenly over many."""

from __future__ import annotations

from collections import Counter

from eventlog.clock import SystemIds
from swiftlite.gateway.places import TOGETHER_MAX, Places
from swiftlite.node.rounds import Rounds
from swiftlite.ring.build import build
from swiftlite.ring.ring import Device, Ring


def ring_of(devices: int, epoch: int = 1) -> Ring:
    return build(
        [Device(id=n, uuid=str(n), node="", zone="", weight=1.0) for n in range(devices)],
        fragments=3,
        part_power=8,
        epoch=epoch,
    )


async def test_blobs_of_one_round_share_their_devices_and_no_id() -> None:
    rounds, ring = Rounds(), ring_of(12)
    places = Places(SystemIds(), rounds)
    for rounds.number in range(20):
        ids = [places.blob_id(ring, 4096) for _ in range(50)]
        assert len({ring.devices_of(blob_id) for blob_id in ids}) == 1
        assert len(set(ids)) == 50
        assert ids == sorted(ids), "ids grow, whatever their partition"


async def test_rounds_spread_evenly_over_devices() -> None:
    rounds, ring = Rounds(), ring_of(12)
    places = Places(SystemIds(), rounds)
    held: Counter[int] = Counter()
    for rounds.number in range(4000):
        held.update(ring.devices_of(places.blob_id(ring, 4096)))
    assert len(held) == 12
    assert max(held.values()) < 1.3 * min(held.values())


async def test_more_bytes_than_a_sync_should_carry_go_to_several_places() -> None:
    ring = ring_of(12)
    places = Places(SystemIds(), Rounds())
    size = TOGETHER_MAX // 4
    found = [ring.partition(places.blob_id(ring, size)) for _ in range(80)]
    assert all(len(set(found[n : n + 4])) == 1 for n in range(0, 80, 4))
    assert len(set(found)) > 10


async def test_a_new_ring_draws_anew() -> None:
    places, old = Places(SystemIds(), Rounds()), ring_of(12)
    places.blob_id(old, 1)
    fine = build(list(ring_of(12).devices), fragments=3, part_power=2, epoch=2)
    assert 0 <= fine.partition(places.blob_id(fine, 1)) < 4
