"""Reading selects by position, stream and type, through whatever index serves best."""

import asyncio

import pytest

from eventlog.database import LogUnreadable
from eventlog.event import Event, event
from eventlog.log import Actor
from eventlog.sqlite import SqliteLog
from eventlog.testing import Noted

ACTOR = Actor(id="tester")

NUMBERED = []
for number in range(10):

    @event(f"testing.numbered-{number}", v=1)
    class Numbered(Event):
        number: int

    NUMBERED.append(Numbered)


@pytest.fixture
async def log(tmp_path, monkeypatch):
    monkeypatch.setattr("eventlog.reader.PAGE", 7)
    monkeypatch.setattr("eventlog.reader.WINDOW", 11)
    log = await SqliteLog.open(tmp_path / "log.db")
    appends = []
    for position in range(1, 101):
        cls = Noted if position % 10 == 0 else NUMBERED[position % 10]
        values = {"name": "x"} if cls is Noted else {"number": position}
        appends.append(log.append(f"bucket/{position % 3}", [cls(**values)], actor=ACTOR))
    placed = await asyncio.gather(*appends)
    assert [one.first for one in placed] == list(range(1, 101))
    yield log
    await log.close()


async def test_a_follower_is_told_when_the_log_cannot_be_read_any_more(log, monkeypatch):
    follower = log.follow(after=100)
    waiting = asyncio.ensure_future(anext(follower))
    await asyncio.sleep(0.05)

    def unreadable():
        raise LogUnreadable(reason="of this test")

    monkeypatch.setattr(log, "head", unreadable)
    with pytest.raises(LogUnreadable):
        await asyncio.wait_for(waiting, 5)


async def positions(log, **selection):
    return [rec.position async for rec in log.read(**selection)]


@pytest.mark.parametrize("after", [0, 1, 49, 50, 99, 100, 500])
@pytest.mark.parametrize("until", [None, 0, 1, 50, 77, 100, 500])
async def test_a_range_is_open_below_and_closed_above(log, after, until):
    wanted = [p for p in range(1, 101) if after < p <= (100 if until is None else until)]
    assert await positions(log, after=after, until=until) == wanted
    own = [p for p in wanted if p % 3 == 1]
    assert await positions(log, after=after, until=until, streams="bucket/1") == own
    assert await positions(log, after=after, until=until, streams="*/1") == own
    noted = [p for p in wanted if p % 10 == 0]
    assert await positions(log, after=after, until=until, types={Noted}) == noted


@pytest.mark.parametrize("count", [1, 2, 8, 9, 10])
async def test_few_types_and_many_types_give_the_same_events(log, count):
    """Few go through the index by type, many through all events."""
    types = set(NUMBERED[1 : count + 1])
    wanted = [p for p in range(1, 101) if 1 <= p % 10 <= count]
    assert await positions(log, types=types) == wanted
    assert await positions(log, types=types, after=37, limit=5) == [p for p in wanted if p > 37][:5]
    both = [p for p in wanted if p % 3 == 2]
    assert await positions(log, types=types, streams="bucket/2") == both
    assert await positions(log, types=types, streams="bucket/[2]") == both


async def test_a_limit_is_kept(log):
    assert await positions(log, limit=3, after=20) == [21, 22, 23]
    assert await positions(log, limit=0) == []


async def test_every_read_of_a_long_log_uses_an_index(log):
    """A query that goes through all events, or sorts them, stops the process at ten million."""
    connection = log._connection
    asked = {}

    def trace(_, sql, bindings):
        asked[sql] = bindings
        return True

    connection.exec_trace = trace
    for selection in (
        {},
        {"streams": "bucket/1"},
        {"streams": "bucket/*"},
        {"types": {Noted}},
        {"types": set(NUMBERED)},
        {"types": {Noted, NUMBERED[1]}, "after": 5},
    ):
        assert await positions(log, **selection)
    await log.position_at(5)
    connection.exec_trace = None
    events = {sql: bindings for sql, bindings in asked.items() if "FROM event" in sql}
    assert len(events) >= 7
    for sql, bindings in events.items():
        plan = connection.execute(f"EXPLAIN QUERY PLAN {sql}", bindings).fetchall()
        steps = " / ".join(step for *_, step in plan)
        assert "SCAN event" not in steps, steps
        assert "TEMP B-TREE" not in steps, steps


@pytest.mark.parametrize("lag_s", [0, 0.01])
async def test_a_follower_of_one_stream_sees_what_comes_later_and_ends_with_the_log(
    tmp_path, lag_s
):
    log = await SqliteLog.open(tmp_path / "log.db")
    seen = []

    async def follow():
        async for rec in log.follow(after=0, streams="mine", types={Noted}, lag_s=lag_s):
            seen.append(rec.position)

    follower = asyncio.create_task(follow())
    await asyncio.sleep(0)
    for position in range(1, 8):
        await log.append("mine" if position % 2 else "other", [Noted(name="x")], actor=ACTOR)
    async with asyncio.timeout(5):
        while len(seen) < 4:
            await asyncio.sleep(0.01)
    await log.close()
    async with asyncio.timeout(5):
        await follower
    assert seen == [1, 3, 5, 7]
