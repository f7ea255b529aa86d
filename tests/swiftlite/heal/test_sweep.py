"""Bytes go after retention, on evidence, once nothing references them; and not before."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from pathlib import Path

import pytest

from eventlog.clock import SystemClock
from eventlog.log import Log
from swiftlite.catalog import buckets, listing, sweeping, uploads
from swiftlite.catalog.events import VersionSwept
from swiftlite.catalog.rows import Upload
from swiftlite.catalog.uploads import PartClaim
from swiftlite.errors import NoSuchUpload
from swiftlite.gateway.copy import CopySource
from swiftlite.gateway.engine import Engine
from swiftlite.gateway.fragments import Fragments
from swiftlite.heal.examine import Finding, examine
from swiftlite.heal.expire import expire_uploads
from swiftlite.heal.pace import Progress
from swiftlite.heal.repair import repair, repair_blob
from swiftlite.heal.scrub import scrub
from swiftlite.heal.sweep import PARTS_RETENTION_S, delete_freed, sweep
from swiftlite.manifest import Blob
from swiftlite.node.device import ScannedFragment
from swiftlite.node.format import Buffer, Fragment, Label
from tests.swiftlite.clouds import ACTOR, SETTINGS, Bytes, Cloud, cloud, pattern

DAY = 86_400
STRIPE = SETTINGS.stripe
SIZES = [100, STRIPE - 7, 3 * STRIPE + 5]


class Calendar(SystemClock):
    """A clock that can be set forward."""

    def __init__(self) -> None:
        self.ahead_s = 0.0

    def now_us(self) -> int:
        return super().now_us() + int(self.ahead_s * 1_000_000)


async def fragments(it: Cloud) -> int:
    count = 0
    for id_ in it.engine.devices.up():
        async for item in it.engine.devices[id_].scan():
            count += isinstance(item, ScannedFragment)
    return count


async def test_ended_versions_keep_their_bytes_for_the_retention_and_not_longer(
    tmp_path: Path,
) -> None:
    clock = Calendar()
    async with cloud(tmp_path, clock=clock) as it:
        for size in SIZES:
            await it.put(f"o{size}", pattern(size))
        for size in SIZES[:2]:
            await it.delete(f"o{size}")
        await it.put(f"o{SIZES[2]}", pattern(50))  # replaced
        clock.ahead_s = 7 * DAY - 60
        assert (await sweep(it.engine, actor=ACTOR)).entries == 0
        assert await fragments(it) == 3 + 6 + 6 + 3
        clock.ahead_s = 7 * DAY + 60
        done = await sweep(it.engine, actor=ACTOR)
        assert (done.entries, done.blobs, done.bytes) == (3, 3, sum(SIZES))
        assert await fragments(it) == 3
        assert await it.get(f"o{SIZES[2]}") == pattern(50)
        assert (await scrub(it.engine)).is_clean
        assert (await sweep(it.engine, actor=ACTOR)).entries == 0


async def test_each_bucket_has_its_own_retention(tmp_path: Path) -> None:
    clock = Calendar()
    async with cloud(tmp_path, clock=clock) as it:
        brief = await it.gateway.create_bucket(
            "brief", project_id="p", owner="t", region="", actor=ACTOR
        )
        brief = await buckets.set_retention(it.log, brief, 3600, actor=ACTOR)
        for bucket in (brief, it.bucket):
            await it.gateway.put_object(bucket, "o", Bytes(b"x"), owner="t", actor=ACTOR)
            await it.gateway.delete_object(bucket, "o", actor=ACTOR)
        clock.ahead_s = 3700
        assert (await sweep(it.engine, actor=ACTOR)).entries == 1
        assert await fragments(it) == 3
        clock.ahead_s = 8 * DAY
        assert (await sweep(it.engine, actor=ACTOR)).entries == 1
        assert await fragments(it) == 0


async def test_old_versions_of_a_versioned_bucket_are_kept_until_they_are_deleted(
    tmp_path: Path,
) -> None:
    async with cloud(tmp_path) as it:
        bucket = await it.gateway.set_versioning(it.bucket, "enabled", actor=ACTOR)
        versions = [
            await it.gateway.put_object(bucket, "o", Bytes(pattern(n)), owner="t", actor=ACTOR)
            for n in (10, 20, 30)
        ]
        await it.gateway.delete_object(bucket, "o", actor=ACTOR)  # a marker
        assert (await sweep(it.engine, retention_s=0, actor=ACTOR)).entries == 0
        await it.gateway.delete_object(bucket, "o", version_id=versions[1].version_id, actor=ACTOR)
        assert (await sweep(it.engine, retention_s=0, actor=ACTOR)).blobs == 1
        assert await fragments(it) == 6


async def test_a_crash_after_the_event_is_made_good_by_the_next_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with cloud(tmp_path) as it:
        for n in range(5):
            await it.put(f"o{n}", pattern(100, n))
            await it.delete(f"o{n}")
        dues = await sweeping.due_versions(it.log, until=it.log.head(), limit=10)
        await sweeping.sweep(it.log, dues, actor=ACTOR)
        assert await fragments(it) == 15
    async with cloud(tmp_path) as it:
        assert (await sweep(it.engine, retention_s=0, actor=ACTOR)).entries == 0
        assert await fragments(it) == 0


async def test_a_device_that_was_away_forgets_when_it_is_back(tmp_path: Path) -> None:
    async with cloud(tmp_path) as it:
        for size in SIZES:
            await it.put(f"o{size}", pattern(size))
            await it.delete(f"o{size}")
        away = it.device(1).rename(tmp_path / "away")
        await it.engine.devices.reopen()
        assert (await sweep(it.engine, retention_s=0, actor=ACTOR)).blobs == 3
        away.rename(it.device(1))
        await it.engine.devices.reopen()
        assert await fragments(it) > 0
        await it.put("alive", pattern(STRIPE))
        await delete_freed(it.engine)
        assert await fragments(it) == 6
        assert await it.get("alive") == pattern(STRIPE)


async def test_handoffs_are_deleted_too(tmp_path: Path) -> None:
    async with cloud(tmp_path, devices=8) as it:
        away = [it.device(id_).rename(tmp_path / f"away{id_}") for id_ in (0, 1)]
        for n in range(8):
            await it.put(f"o{n}", pattern(STRIPE, n))
        for id_, path in enumerate(away):
            path.rename(it.device(id_))
        await it.engine.devices.reopen()
        for n in range(8):
            await it.delete(f"o{n}")
        await sweep(it.engine, retention_s=0, actor=ACTOR)
        assert await fragments(it) == 0


async def test_nothing_is_swept_of_a_blob_that_a_copy_still_has(tmp_path: Path) -> None:
    async with cloud(tmp_path) as it:
        await it.put("a", pattern(STRIPE))
        source = CopySource(bucket=it.bucket, key="a")
        await it.gateway.copy_object(source, it.bucket, "b", owner="t", actor=ACTOR)
        await it.delete("a")
        done = await sweep(it.engine, retention_s=0, actor=ACTOR)
        assert (done.entries, done.blobs) == (1, 0)
        assert await it.get("b") == pattern(STRIPE)
        assert (await scrub(it.engine)).orphans == 0


async def test_copies_made_while_the_sweep_runs_never_lose_their_bytes(tmp_path: Path) -> None:
    async with cloud(tmp_path) as it:
        await it.put("k0", pattern(500))

        async def pass_on() -> None:
            for n in range(40):
                source = CopySource(bucket=it.bucket, key=f"k{n}")
                await it.gateway.copy_object(source, it.bucket, f"k{n + 1}", owner="t", actor=ACTOR)
                await it.delete(f"k{n}")

        async def sweep_on() -> None:
            while True:
                await sweep(it.engine, retention_s=0, actor=ACTOR)
                await asyncio.sleep(0)

        sweeping_ = asyncio.create_task(sweep_on())
        await pass_on()
        sweeping_.cancel()
        await asyncio.gather(sweeping_, return_exceptions=True)
        await sweep(it.engine, retention_s=0, actor=ACTOR)
        assert await it.get("k40") == pattern(500)
        await it.delete("k40")
        assert (await sweep(it.engine, retention_s=0, actor=ACTOR)).blobs == 1


async def test_parts_that_became_nothing_go_but_a_complete_can_be_repeated_for_an_hour(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "PART_BYTES_MIN", 1)
    clock = Calendar()
    async with cloud(tmp_path, clock=clock) as it:
        upload = await it.gateway.create_upload(it.bucket, "o", owner="t", actor=ACTOR)
        for number in (1, 2, 2, 3):  # 2 is replaced, 3 is not used
            part = await it.gateway.put_part(
                it.bucket, "o", upload.id, number, Bytes(pattern(300)), actor=ACTOR
            )
        claims = [PartClaim(1, part.etag), PartClaim(2, part.etag)]
        gateway = it.gateway
        first = await gateway.complete_upload(it.bucket, "o", upload.id, claims, actor=ACTOR)
        clock.ahead_s = PARTS_RETENTION_S - 60
        assert (await sweep(it.engine, retention_s=0, actor=ACTOR)).entries == 0
        again = await gateway.complete_upload(it.bucket, "o", upload.id, claims, actor=ACTOR)
        assert again.begin == first.begin
        clock.ahead_s = PARTS_RETENTION_S + 60
        assert (await sweep(it.engine, retention_s=0, actor=ACTOR)).blobs == 2
        assert await fragments(it) == 12
        assert await it.get("o") == pattern(300) * 2
        assert (await scrub(it.engine)).is_clean


async def test_stale_uploads_are_aborted_and_their_bytes_go(tmp_path: Path) -> None:
    clock = Calendar()
    async with cloud(tmp_path, clock=clock) as it:
        old = await it.gateway.create_upload(it.bucket, "old", owner="t", actor=ACTOR)
        await it.gateway.put_part(it.bucket, "old", old.id, 1, Bytes(b"x"), actor=ACTOR)
        used = await it.gateway.create_upload(it.bucket, "used", owner="t", actor=ACTOR)
        clock.ahead_s = 6 * DAY
        await it.gateway.put_part(it.bucket, "used", used.id, 1, Bytes(b"x"), actor=ACTOR)
        assert await expire_uploads(it.engine, actor=ACTOR) == 0
        clock.ahead_s = 7 * DAY + 60
        assert await expire_uploads(it.engine, actor=ACTOR) == 1
        with pytest.raises(NoSuchUpload):
            await it.gateway.upload(it.bucket, "old", old.id)
        await it.gateway.upload(it.bucket, "used", used.id)
        clock.ahead_s += PARTS_RETENTION_S
        assert (await sweep(it.engine, actor=ACTOR)).blobs == 1
        assert await fragments(it) == 3


async def test_an_upload_that_somebody_goes_on_with_at_the_last_moment_is_not_aborted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Calendar()
    async with cloud(tmp_path, clock=clock) as it:
        upload = await it.gateway.create_upload(it.bucket, "o", owner="t", actor=ACTOR)
        clock.ahead_s = 8 * DAY
        all_uploads = listing.all_uploads

        async def looked_too_early(log: Log) -> AsyncIterator[tuple[bytes, str, Upload]]:
            async for found in all_uploads(log):
                await it.gateway.put_part(it.bucket, "o", upload.id, 1, Bytes(b"x"), actor=ACTOR)
                yield found

        monkeypatch.setattr(listing, "all_uploads", looked_too_early)
        assert await expire_uploads(it.engine, actor=ACTOR) == 0
        assert await it.gateway.upload(it.bucket, "o", upload.id)


async def test_uploads_into_a_bucket_that_is_gone_are_aborted_at_once(tmp_path: Path) -> None:
    async with cloud(tmp_path) as it:
        await it.gateway.create_upload(it.bucket, "o", owner="t", actor=ACTOR)
        await it.gateway.delete_bucket(it.bucket, actor=ACTOR)
        assert await expire_uploads(it.engine, actor=ACTOR) == 1


async def test_a_device_that_is_half_up_at_start_costs_no_deletion(tmp_path: Path) -> None:
    async with cloud(tmp_path) as it:
        for size in SIZES:
            await it.put(f"o{size}", pattern(size))
        before = await fragments(it)
    away = [(tmp_path / f"d{id_}").rename(tmp_path / f"away{id_}") for id_ in (0, 1, 2)]
    async with cloud(tmp_path) as it:
        assert not (await scrub(it.engine)).is_clean
        await sweep(it.engine, retention_s=0, actor=ACTOR)
        events = [rec async for rec in it.log.read(types={VersionSwept})]
        assert not events
        for id_, path in enumerate(away):
            path.rename(it.device(id_))
        await it.engine.devices.reopen()
        assert await fragments(it) == before
        assert (await scrub(it.engine)).is_clean


@pytest.mark.parametrize("is_asked_for", [False, True])
async def test_a_blob_that_is_swept_while_it_is_repaired_stays_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_asked_for: bool
) -> None:
    async with cloud(tmp_path) as it:
        version = await it.put("o", pattern(STRIPE))
        assert version.manifest
        blob = version.manifest[0]
        lost = blob.hints[0]
        await it.engine.devices[lost.device].delete(Fragment(blob.id, lost.fragment), lost)
        cells = Fragments.cells

        async def then_it_goes(
            self: Fragments, stripe: int, wanted: Collection[int]
        ) -> dict[int, Buffer]:
            got = await cells(self, stripe, wanted)
            await it.delete("o")
            assert (await sweep(it.engine, retention_s=0, actor=ACTOR)).blobs == 1
            assert await fragments(it) == 0
            return got

        monkeypatch.setattr(Fragments, "cells", then_it_goes)
        if is_asked_for:
            done = await repair_blob(it.engine, blob, Label(it.bucket.id, "o"))
        else:
            done = await repair(it.engine)
        assert done.is_complete
        assert await fragments(it) == 0


async def test_what_is_swept_while_it_is_looked_at_is_not_reported_as_lost(tmp_path: Path) -> None:
    async with cloud(tmp_path) as it:
        for n in range(20):
            await it.put(f"o{n:02}", pattern(100, n))
        went = False

        def halfway(_: Progress) -> None:
            nonlocal went
            if not went:
                went = True
                it.engine.later(end())

        async def end() -> None:
            for n in range(5, 20):
                await it.delete(f"o{n:02}")
            await sweep(it.engine, retention_s=0, actor=ACTOR)

        async def slowly(engine: Engine, blob: Blob, *, deep: bool) -> Finding:
            if went:
                await it.engine.settled()
            return await examine(engine, blob, deep=deep)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("swiftlite.heal.examine.examine", slowly)
            found = await scrub(it.engine, report=halfway)
        assert went
        assert found.is_clean
        assert found.unreadable_count == 0
        assert found.versions < 20
