"""What a scrub counts, and that it changes nothing."""

from __future__ import annotations

from pathlib import Path

from eventlog.clock import SystemIds
from swiftlite.heal.pace import Progress
from swiftlite.heal.scrub import scrub
from swiftlite.manifest import Blob
from swiftlite.node.format import Fragment, Label
from tests.swiftlite.clouds import ACTOR, SETTINGS, Cloud, cloud, pattern

STRIPE = SETTINGS.stripe
OLD = bytes(6) + SystemIds().uuid7()[6:]  # an id drawn in 1970


async def blob_of(it: Cloud, key: str) -> Blob:
    version = await it.gateway.head_object(it.bucket, key)
    assert version.manifest
    return version.manifest[0]


async def test_a_clean_store_counts_all_its_fragments_once(tmp_path: Path) -> None:
    async with cloud(tmp_path) as it:
        await it.put("empty", b"")
        await it.put("copies", pattern(10))
        await it.put("coded", pattern(STRIPE))
        await it.put("large", pattern(9 * STRIPE))
        await it.put("ended", pattern(11))
        await it.delete("ended")
        for deep in (False, True):
            found = await scrub(it.engine, deep=deep)
            assert (found.versions, found.blobs) == (4, 4), "an empty object has no blob"
            assert found.fragments == found.ok == 3 + 6 + 6 + 3
            assert found.bytes == 10 + STRIPE + 9 * STRIPE + 11
            assert found.is_clean
            assert found.orphans == found.missing == found.damaged == found.misplaced == 0


async def test_missing_misplaced_and_out_are_told_apart(tmp_path: Path) -> None:
    async with cloud(tmp_path) as it:
        await it.put("o", pattern(STRIPE))
        blob = await blob_of(it, "o")
        gone, moved, away = blob.hints[:3]
        devices = it.engine.devices
        await devices[gone.device].delete(Fragment(blob.id, 0), gone)
        (cell,) = await devices[moved.device].read(Fragment(blob.id, 1), moved)
        await devices[gone.device].append(
            Fragment(blob.id, 1), Label(it.bucket.id, "o"), size=STRIPE, payload=bytes(cell)
        )
        await devices[moved.device].delete(Fragment(blob.id, 1), moved)
        it.destroy(away.device)
        await devices.reopen()
        found = await scrub(it.engine)
        assert (found.ok, found.missing, found.misplaced, found.out) == (4, 1, 1, 1)
        assert found.devices_out == [away.device]
        assert not found.is_clean


async def test_fragments_that_no_event_names_are_reported_and_kept(tmp_path: Path) -> None:
    async with cloud(tmp_path) as it:
        await it.put("o", b"x")
        label = Label(it.bucket.id, "o")
        await it.engine.devices[0].append(Fragment(OLD, 0), label, size=3, payload=b"old")
        young = it.engine.ids.uuid7()
        await it.engine.devices[0].append(Fragment(young, 0), label, size=3, payload=b"new")
        for _ in range(2):
            found = await scrub(it.engine)
            assert (found.orphans, found.orphan_bytes) == (1, 3), "a young one may be in flight"
            assert found.is_clean
        assert await it.engine.devices[0].find(Fragment(OLD, 0)) is not None


async def test_an_interrupted_scrub_goes_on_where_it_stopped(tmp_path: Path) -> None:
    async with cloud(tmp_path) as it:
        for n in range(20):
            await it.put(f"o{n:02}", pattern(n + 1))
        told: list[Progress] = []
        whole = await scrub(it.engine, report=told.append)
        assert [progress.done for progress in told] == list(range(1, 21))
        rest = await scrub(it.engine, cursor=told[11].cursor)
        assert (whole.versions, rest.versions) == (20, 8)


async def test_a_scrub_keeps_to_its_rate(tmp_path: Path) -> None:
    async with cloud(tmp_path) as it:
        for n in range(10):
            await it.put(f"o{n}", pattern(STRIPE, n))
        began = it.engine.clock.monotonic_s()
        await scrub(it.engine, orphans=False, bytes_per_s=50 * STRIPE)
        assert it.engine.clock.monotonic_s() - began >= 0.2 * 0.95


async def test_copies_are_looked_at_under_each_of_their_names(tmp_path: Path) -> None:
    from swiftlite.gateway.copy import CopySource

    async with cloud(tmp_path) as it:
        await it.put("a", pattern(STRIPE))
        source = CopySource(bucket=it.bucket, key="a")
        await it.gateway.copy_object(source, it.bucket, "b", owner="t", actor=ACTOR)
        await it.delete("a")
        found = await scrub(it.engine)
        assert (found.versions, found.fragments, found.ok) == (2, 12, 12)
