"""Small blobs of one round: the same devices, one sync of each, and nobody pays for a neighbour."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from eventlog.clock import SystemIds
from swiftlite.errors import QuorumLost
from swiftlite.gateway.settings import Settings
from swiftlite.gateway.together import TOGETHER_MAX, ids_of_group
from swiftlite.gateway.write import write_whole
from swiftlite.node.device import ScannedFragment
from swiftlite.node.errors import LabelTooLong
from swiftlite.node.format import Label
from swiftlite.ring.build import build
from swiftlite.ring.ring import Device, Ring
from tests.swiftlite.clouds import cloud, pattern


def ring_of(devices: int) -> Ring:
    return build(
        [Device(id=n, uuid=str(n), node="", zone="", weight=1.0) for n in range(devices)],
        fragments=3,
        part_power=8,
        epoch=1,
    )


def test_blobs_of_one_group_share_their_devices_and_no_id() -> None:
    ring, ids = ring_of(12), SystemIds()
    for _ in range(20):
        drawn = ids_of_group(ids, ring, 50)
        assert len({ring.devices_of(blob_id) for blob_id in drawn}) == 1
        assert len(set(drawn)) == 50
        assert drawn == sorted(drawn), "ids grow, whatever their partition"


def test_groups_spread_evenly_over_devices() -> None:
    ring, ids = ring_of(12), SystemIds()
    held: Counter[int] = Counter()
    for _ in range(4000):
        held.update(ring.devices_of(ids_of_group(ids, ring, 1)[0]))
    assert len(held) == 12
    assert max(held.values()) < 1.3 * min(held.values())


async def test_what_comes_at_once_is_one_group_and_everyone_gets_a_blob_that_reads(
    tmp_path: Path,
) -> None:
    async with cloud(tmp_path) as it:
        written = await asyncio.gather(*(it.put(f"k{n}", pattern(200, n)) for n in range(40)))
        blobs = [blob for version in written for blob in version.manifest or ()]
        assert len({blob.id for blob in blobs}) == 40
        places = {tuple(hint.device for hint in blob.hints) for blob in blobs}
        assert len(places) < 10, "many share their devices"
        for n in range(40):
            assert await it.get(f"k{n}") == pattern(200, n)


async def test_more_bytes_than_a_sync_should_carry_are_several_groups(tmp_path: Path) -> None:
    size = TOGETHER_MAX // 4
    async with cloud(tmp_path, settings=Settings(copies_max=size, stripe=size)) as it:
        label = Label(it.bucket.id, "k")
        writes = [it.engine.together.write(label, pattern(size, n)) for n in range(40)]
        blobs = await asyncio.gather(*writes)
        partitions = [it.engine.rings.current.partition(blob.id) for blob in blobs]
        assert all(len(set(partitions[n : n + 4])) == 1 for n in range(0, 40, 4))
        assert len(set(partitions)) > 5


@pytest.mark.parametrize("turns", range(8))
async def test_whoever_gives_up_waiting_leaves_no_fragment_and_the_others_their_blobs(
    tmp_path: Path, turns: int
) -> None:
    async with cloud(tmp_path) as it:
        label = Label(it.bucket.id, "k")
        gives_up = asyncio.ensure_future(write_whole(it.engine, label, b"gives up"))
        stays = asyncio.ensure_future(write_whole(it.engine, label, b"stays"))
        for _ in range(turns):  # of the loop: not sent yet, being written, and in between
            await asyncio.sleep(0)
        gives_up.cancel()
        blob = await stays
        await it.engine.settled(5)
        assert {
            found.fragment.blob
            for id_ in range(6)
            async for found in it.engine.devices[id_].scan()
            if isinstance(found, ScannedFragment)
        } == {blob.id}


async def test_a_label_that_is_too_long_fails_its_own_write_alone(tmp_path: Path) -> None:
    async with cloud(tmp_path) as it:
        good = it.engine.together.write(Label(it.bucket.id, "k"), b"good")
        with pytest.raises(LabelTooLong):
            it.engine.together.write(Label(it.bucket.id, "k", b"x" * 70_000), b"bad")
        assert (await good).size == 4


async def test_without_a_quorum_everyone_of_the_group_is_refused_for_himself(
    tmp_path: Path,
) -> None:
    async with cloud(tmp_path, devices=3) as it:
        it.destroy(0, 1, 2)
        done = await asyncio.gather(
            *(it.put(f"k{n}", b"x" * 99) for n in range(5)), return_exceptions=True
        )
        assert all(isinstance(error, QuorumLost) for error in done)
        assert len({id(error) for error in done}) == 5
