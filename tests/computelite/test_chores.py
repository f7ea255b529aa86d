"""What the keeper does by itself."""

from __future__ import annotations

import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from computelite.cloud import Cloud
from computelite.config import load_config
from computelite.credentials import Chosen
from computelite.first_start import prepare, settle_record
from computelite.folder import Folder, make_folder
from computelite.identity.commands.access_keys import create_access_key, draw_key
from computelite.identity.queries import project_named, user_named
from computelite.serve import chores
from computelite.serve.chores import Checkpoints, Mending, SlowScrub, sweep_once
from eventlog.clock import SystemClock, SystemIds
from eventlog.log import Actor
from swiftlite.catalog.rows import Bucket
from swiftlite.gateway.engine import Engine
from swiftlite.heal.pace import Pace
from swiftlite.heal.repair import Repaired
from swiftlite.heal.scrub import scrub
from swiftlite.node.format import Fragment

ME = Actor(id="test")


class Body:
    """Some bytes, as a client would send them."""

    algorithms: frozenset[str] = frozenset()

    def __init__(self, content: bytes) -> None:
        self.size = len(content)
        self._left = [content, b""]

    async def read(self) -> bytes:
        return self._left.pop(0)

    def check(self, digests: object) -> dict[str, str]:
        return {}


class AheadClock(SystemClock):
    """The host's clock, put forward."""

    ahead_s = 0.0

    def now_us(self) -> int:
        return super().now_us() + int(self.ahead_s * 1_000_000)

    def monotonic_s(self) -> float:
        return super().monotonic_s() + self.ahead_s


@pytest.fixture
async def cloud(tmp_path: Path) -> AsyncIterator[Cloud]:
    folder, ids = Folder(tmp_path / "data"), SystemIds()
    make_folder(folder)
    record = settle_record(folder, devices="3", code="2+1", log="", ids=ids)
    await prepare(folder, record, chosen=Chosen(), s3="", api="", clock=SystemClock(), ids=ids)
    config = load_config(None, {"log.checkpoint_bytes": 1 << 20, "storage.retention_s": 0})
    async with Cloud.open(folder, config) as cloud:
        yield cloud


async def put(cloud: Cloud, bucket: Bucket, key: str, content: bytes) -> None:
    gateway = cloud.store.gateway
    await gateway.put_object(bucket, key, Body(content), owner="me", actor=ME)


async def make_bucket(cloud: Cloud) -> Bucket:
    return await cloud.store.gateway.create_bucket(
        "chores", project_id="p", owner="me", region="r", actor=ME
    )


async def test_the_write_ahead_log_is_kept_short(cloud: Cloud) -> None:
    checkpoints = Checkpoints(cloud)
    user = await user_named(cloud.log, "default", "admin")
    project = await project_named(cloud.log, "default", "admin")
    assert user is not None
    assert project is not None
    wal = cloud.folder.log.with_name("log.db-wal")
    biggest = 0
    for _ in range(40):
        for _ in range(20):
            await create_access_key(
                cloud.log,
                cloud.keystore,
                draw_key(cloud.ids),
                user_id=user.id,
                project_id=project.id,
                description="d" * 250,
                actor=ME,
            )
        await checkpoints.look()
        biggest = max(biggest, wal.stat().st_size)
    assert 1 << 20 <= biggest < 3 << 20


async def test_bytes_whose_retention_is_over_are_swept(cloud: Cloud) -> None:
    bucket = await make_bucket(cloud)
    await put(cloud, bucket, "gone", b"x" * 100_000)
    await cloud.store.gateway.delete_object(bucket, "gone", actor=ME)
    before = await scrub(cloud.store.engine)
    await sweep_once(cloud)
    after = await scrub(cloud.store.engine)
    assert (before.versions, after.versions, after.orphans) == (1, 0, 0)


async def test_after_a_device_was_out_for_long_its_fragments_are_elsewhere(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = await make_bucket(cloud)
    for number in range(10):
        await put(cloud, bucket, str(number), b"y" * 50_000)
    clock = AheadClock()
    monkeypatch.setattr(cloud, "clock", clock)
    mending = Mending(cloud)
    lost = cloud.folder.root / "devices" / "d2"
    shutil.rmtree(lost)
    await cloud.store.devices.reopen()
    await mending.look()
    clock.ahead_s += chores.SETTLED_S - 1
    await mending.look()
    assert (await scrub(cloud.store.engine)).ok < 30
    clock.ahead_s += 2
    await mending.look()
    found = await scrub(cloud.store.engine)
    assert (found.ok, found.fragments, lost.exists()) == (30, 30, False)


async def test_the_slow_scrub_reads_everything_once_in_its_period_and_mends(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = await make_bucket(cloud)
    await put(cloud, bucket, "k", b"z" * 3_000_000)
    clock = AheadClock()
    monkeypatch.setattr(cloud, "clock", clock)
    slow = SlowScrub(cloud)
    await slow.look()
    assert json.loads((cloud.folder.root / "scrub.json").read_text())["done"]
    large = next((cloud.folder.root / "devices" / "d1").glob("large/*/*"))
    content = bytearray(large.read_bytes())
    content[len(content) // 2] ^= 1
    large.write_bytes(content)
    await slow.look()
    assert (await scrub(cloud.store.engine)).damaged == 1
    clock.ahead_s += cloud.config.storage.scrub_s + 1
    await slow.look()
    assert (await scrub(cloud.store.engine)).is_clean


async def test_a_scrub_that_was_interrupted_goes_on_where_it_was(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bytes] = []
    bucket = await make_bucket(cloud)
    for number in range(20):
        await put(cloud, bucket, f"{number:02}", b"w" * 1000)
    monkeypatch.setattr(chores, "SCRUB_SAVE_S", 0.0)
    real = chores.scrub

    async def broken(*args: object, **named: object) -> object:
        seen.append(named["cursor"])  # type: ignore[arg-type]
        if len(seen) > 1:
            return await real(*args, **named)  # type: ignore[arg-type]
        report = named["report"]
        assert callable(report)
        count = 0

        def dying(progress: object) -> None:
            nonlocal count
            report(progress)
            count += 1
            if count == 10:
                raise OSError("the keeper was killed")

        return await real(*args, **(named | {"report": dying}))  # type: ignore[arg-type]

    monkeypatch.setattr(chores, "scrub", broken)
    with pytest.raises(OSError, match="killed"):
        await SlowScrub(cloud).look()
    await SlowScrub(cloud).look()
    assert seen[0] == b""
    assert seen[1] != b""


async def test_what_a_scrub_found_before_it_was_interrupted_is_repaired_all_the_same(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = await make_bucket(cloud)
    for number in range(20):
        await put(cloud, bucket, f"{number:02}", b"w" * 40_000)
    version = await cloud.store.gateway.head_object(bucket, "02")
    assert version.manifest
    blob = version.manifest[0]
    lost = blob.hints[0]
    await cloud.store.devices[lost.device].delete(Fragment(blob.id, lost.fragment), lost)
    monkeypatch.setattr(chores, "SCRUB_SAVE_S", 0.0)
    step = Pace.step

    async def killed(self: Pace, size_bytes: int, cursor: bytes = b"") -> None:
        await step(self, size_bytes, cursor)
        if self.done == 10:
            raise OSError("the keeper was killed")

    with monkeypatch.context() as patch:
        patch.setattr(Pace, "step", killed)
        with pytest.raises(OSError, match="killed"):
            await SlowScrub(cloud).look()
    await SlowScrub(cloud).look()
    assert (await scrub(cloud.store.engine)).is_clean


async def test_mending_that_failed_is_tried_again(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = [Repaired(failed=1), Repaired(), Repaired()]

    async def repair(_: Engine) -> Repaired:
        return answers.pop(0)

    monkeypatch.setattr(chores, "repair", repair)
    clock = AheadClock()
    monkeypatch.setattr(cloud, "clock", clock)
    mending = Mending(cloud)
    await mending.look()
    for left in (2, 1, 1):
        clock.ahead_s += chores.SETTLED_S
        await mending.look()
        await mending.look()
        assert len(answers) == left
