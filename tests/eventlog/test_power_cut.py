"""The power goes at the N-th operation of the disk: nothing acknowledged is lost."""

import asyncio
import random

import pytest

from eventlog.errors import CloudError
from eventlog.log import Actor
from eventlog.sqlite import SqliteLog
from eventlog.testing import Counter, FaultyDisk, Noted
from eventlog.verify import verify

ACTOR = Actor(id="tester")


async def live(disk, folder):
    """Use a log on `disk` until the power goes; return what was acknowledged, by position."""
    acknowledged = {}
    try:
        log = await SqliteLog.open(folder / "log.db", views=[Counter()], vfs=disk.name)
    except CloudError:
        return acknowledged

    async def client(name):
        for number in range(4):
            events = [Noted(name=f"{name}-{number}", amount=n) for n in (1, 2)]
            placed = await log.append(f"client/{name}", events, actor=ACTOR)
            acknowledged[placed.first], acknowledged[placed.last] = events

    async def keeper():
        await asyncio.sleep(0.005)
        await log.checkpoint()
        await log.checkpoint(truncate=True)

    clients = (client(name) for name in "abc")
    await asyncio.gather(*clients, keeper(), return_exceptions=True)
    try:
        await log.close()
    except Exception:
        assert disk.dark, "only a log without power may fail to close"
    return acknowledged


async def what_is_lost(disk, tmp_path, chance=None):
    """Live until the cut, start again on what survived; return what is missing of it."""
    before, after = tmp_path / "before", tmp_path / "after"
    before.mkdir()
    after.mkdir()
    acknowledged = await live(disk, before)
    disk.survivors(after, chance)
    log = await SqliteLog.open(after / "log.db", views=[Counter()])
    found = {rec.position: rec.event async for rec in log.read()}
    await log.close()
    verified = verify(after / "log.db", [Counter()])
    assert verified.faults == []
    assert len(found) % 2 == 0, "half of an append is in the log"
    return {position for position, event in acknowledged.items() if found.get(position) != event}


async def operations_of_a_life(tmp_path):
    disk = FaultyDisk("dry")
    (tmp_path / "dry").mkdir()
    assert len(await live(disk, tmp_path / "dry")) == 24
    return disk.operations


async def cut_everywhere(tmp_path, step, seed):
    total = await operations_of_a_life(tmp_path)
    assert total > 60
    for cut in range(1, total, step):
        for torn in (False, True):
            folder = tmp_path / f"{cut}-{torn}"
            folder.mkdir()
            disk = FaultyDisk(f"cut-{cut}-{torn}")
            disk.cut_at = cut
            chance = random.Random(seed + cut).random if torn else None
            assert await what_is_lost(disk, folder, chance) == set(), f"cut at {cut}, {torn=}"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_nothing_acknowledged_is_lost_wherever_the_power_goes(tmp_path):
    await cut_everywhere(tmp_path, step=7, seed=1)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_nothing_acknowledged_is_lost_at_any_operation(tmp_path):
    for seed in range(5):
        (tmp_path / str(seed)).mkdir()
        await cut_everywhere(tmp_path / str(seed), step=1, seed=1000 * seed)


async def test_the_harness_sees_a_loss_when_syncs_do_nothing(tmp_path):
    disk = FaultyDisk("lying")
    disk.lose_syncs = True
    disk.cut_at = 10_000
    before = tmp_path / "before"
    before.mkdir()
    acknowledged = await live(disk, before)
    assert len(acknowledged) == 24
    after = tmp_path / "after"
    after.mkdir()
    disk.survivors(after)
    assert (after / "log.db").read_bytes() == b""


async def test_without_the_sync_at_commit_acknowledged_events_are_lost(tmp_path, monkeypatch):
    import eventlog.batch as batch

    opened = batch.open_database

    def without_sync(path, **options):
        connection = opened(path, **options)
        connection.pragma("synchronous", "off")
        return connection

    monkeypatch.setattr(batch, "open_database", without_sync)
    lost = set()
    for cut in range(60, 100, 10):
        disk = FaultyDisk(f"unsynced-{cut}")
        disk.cut_at = cut
        (tmp_path / str(cut)).mkdir()
        lost |= await what_is_lost(disk, tmp_path / str(cut))
    assert lost
