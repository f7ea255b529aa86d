"""Several processes on one log: in order, without gaps, whoever is killed."""

import subprocess
import sys
from pathlib import Path

import pytest

from eventlog.log import Actor
from eventlog.sqlite import SqliteLog
from eventlog.testing import Counter, Noted
from eventlog.verify import verify

ROOT = Path(__file__).parents[2]


def start(*words):
    return subprocess.Popen(
        [sys.executable, "-m", "tests.eventlog.worker", *map(str, words)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )


def lines_of(process, timeout=120):
    out, _ = process.communicate(timeout=timeout)
    return [tuple(line.split()) for line in out.splitlines()]


@pytest.fixture
async def path(tmp_path):
    await (await SqliteLog.open(tmp_path / "log.db", views=[Counter()])).close()
    return tmp_path / "log.db"


async def events_of(path):
    log = await SqliteLog.open(path, read_only=True)
    events = [rec async for rec in log.read()]
    await log.close()
    return events


async def check_writers_and_follower(path, writers, count):
    total = 2 * writers * count
    follower = start("follow", path, total)
    appending = [start("append", path, f"w{number}", count) for number in range(writers)]
    placed = {}
    for number, process in enumerate(appending):
        for own, first, last in lines_of(process):
            assert int(last) == int(first) + 1, "the events of an append are not neighbours"
            placed[int(first)] = f"w{number}-{own}"
        assert process.returncode == 0
    seen = lines_of(follower)
    assert [int(position) for position, *_ in seen] == list(range(1, total + 1))
    events = await events_of(path)
    assert len(placed) == writers * count
    for first, name in placed.items():
        assert events[first].event.name == name
    last_versions = {}
    for _, stream, version in seen:
        assert int(version) == last_versions.get(stream, 0) + 1
        last_versions[stream] = int(version)
    assert verify(path, [Counter()]).faults == []


async def test_two_writers_leave_no_gap_and_a_follower_skips_nothing(path):
    await check_writers_and_follower(path, writers=2, count=300)


@pytest.mark.slow
async def test_four_writers_leave_no_gap_for_long(path):
    await check_writers_and_follower(path, writers=4, count=20_000)


async def test_a_writer_killed_in_the_middle_loses_nothing_acknowledged_and_stops_nobody(path):
    victim = start("append", path, "victim", 100_000)
    survivor = start("append", path, "survivor", 300)
    acknowledged = [victim.stdout.readline().split() for _ in range(100)]
    victim.kill()
    rest, _ = victim.communicate()
    # A line that was cut short by the kill says nothing.
    whole = rest[: rest.rfind("\n") + 1].splitlines()
    acknowledged += [line.split() for line in whole]
    assert len(lines_of(survivor)) == 300
    events = await events_of(path)
    for number, first, last in acknowledged:
        assert events[int(first) - 1].stream == "worker/victim"
        assert events[int(last) - 1].event.name == f"victim-{number}"
    assert verify(path, [Counter()]).faults == []
    log = await SqliteLog.open(path, views=[Counter()])
    again = await log.append("s", [Noted(name="x")], actor=Actor(id="tester"))
    assert again.first == len(events) + 1
    await log.close()


async def test_a_retry_after_a_kill_is_placed_once(path):
    victim = start("retry", path, "r", 100_000)
    before = [victim.stdout.readline().split() for _ in range(200)]
    victim.kill()
    victim.communicate()
    head = len(await events_of(path))
    again = {number: rest for number, *rest in lines_of(start("retry", path, "r", 400))}
    assert len(again) == 400
    for number, *rest in before:
        if int(number) < 400:
            assert again[number] == rest
    events = await events_of(path)
    names = [rec.event.name for rec in events if rec.event.name != "r"]
    assert len(names) == len(set(names)), "a retried append is in the log twice"
    assert len(events) < head + 800
    assert verify(path, [Counter()]).faults == []


async def test_a_commit_of_another_process_wakes_a_follower(path):
    log = await SqliteLog.open(path, views=[Counter()])
    follower = log.follow(after=0)
    process = start("append", path, "other", 1)
    seen = [await anext(follower), await anext(follower)]
    assert [rec.stream for rec in seen] == ["worker/other"] * 2
    await follower.aclose()
    process.communicate()
    await log.close()


async def test_what_another_process_committed_is_seen_in_the_next_turn_of_the_loop(path):
    """The gets of a turn share a snapshot; it must not outlive the turn."""
    mine = await SqliteLog.open(path, views=[Counter()])
    other = await SqliteLog.open(path, views=[Counter()])
    for count in range(1, 30):
        assert (await total(mine)) == count - 1
        await other.append("s", [Noted(name="a", amount=1)], actor=Actor(id="x"))
        assert (await total(mine)) == count
        assert mine.head() == count
    await mine.close()
    await other.close()


async def total(log):
    row = await log.get("total", b"a")
    return 0 if row is None else row.amount
