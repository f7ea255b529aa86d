"""Rebuilding table views: beside the live ones, while the log runs, switched in one step."""

import asyncio
import time

import pytest

from eventlog.database import WriteLock, open_database, run
from eventlog.errors import LogFailed, ViewParked
from eventlog.layout import ViewsDiffer
from eventlog.log import Actor
from eventlog.rebuild import rebuild
from eventlog.sqlite import SqliteLog
from eventlog.testing import Counter, Noted
from eventlog.testing.laws import Total
from eventlog.verify import verify

ACTOR = Actor(id="tester")


class Doubled(Counter):
    """The next version, with another meaning."""

    version = 2

    def evolve(self, rows, rec):
        super().evolve(rows, rec)
        key = rec.event.name.encode()
        row = rows.get("total", key)
        if row is not None:
            rows.put("total", key, Total(row.amount * 2, row.position))


async def fill(log, count=50):
    await asyncio.gather(
        *(log.append("s", [Noted(name=f"n{n % 7}", amount=n)], actor=ACTOR) for n in range(count))
    )


@pytest.fixture
async def path(tmp_path):
    log = await SqliteLog.open(tmp_path / "log.db", views=[Counter()])
    await fill(log)
    await log.close()
    return tmp_path / "log.db"


def rows_of(path, table="v_counter_1_total"):
    connection = open_database(path, read_only=True)
    rows = run(connection, f"SELECT key, value FROM {table} ORDER BY key")
    connection.close()
    return rows


def tables_of(path):
    connection = open_database(path, read_only=True)
    names = run(connection, "SELECT name FROM sqlite_schema WHERE type = 'table'")
    connection.close()
    return {name for (name,) in names if "counter" in name}


def test_a_rebuild_gives_the_same_rows(path):
    before = rows_of(path)
    [rebuilt] = rebuild(path, [Counter()], compare=True)
    assert (rebuilt.position, rebuilt.compared, rebuilt.differences) == (50, True, [])
    assert rows_of(path) == before
    assert len(before) == 7
    assert tables_of(path) == {"v_counter_1_total"}


def test_a_rebuild_restores_rows_that_were_damaged_and_tells_which(path):
    before = rows_of(path)
    connection = open_database(path)
    run(connection, "DELETE FROM v_counter_1_total WHERE key = x'6e31'")
    run(connection, "UPDATE v_counter_1_total SET value = x'920101' WHERE key = x'6e32'")
    run(connection, "INSERT INTO v_counter_1_total VALUES (x'00', x'920101')")
    connection.close()
    [rebuilt] = rebuild(path, [Counter()], compare=True)
    told = {one.key: (one.stored is None, one.folded is None) for one in rebuilt.differences}
    assert told == {b"n1": (True, False), b"n2": (False, False), b"\x00": (False, True)}
    assert rows_of(path) == before
    assert verify(path, [Counter()]).faults == []


async def test_a_new_version_is_built_and_the_old_one_is_gone(path):
    with pytest.raises(ViewsDiffer):
        await SqliteLog.open(path, views=[Doubled()])
    rebuild(path, [Doubled()])
    assert tables_of(path) == {"v_counter_2_total"}
    log = await SqliteLog.open(path, views=[Doubled()])
    await log.append("s", [Noted(name="new", amount=4)], actor=ACTOR)
    assert (await log.get("total", b"new")).amount == 8
    await log.close()
    assert verify(path, [Doubled()]).faults == []
    with pytest.raises(ViewsDiffer):
        await SqliteLog.open(path, views=[Counter()])


async def test_a_writer_with_the_old_version_stops_at_the_switch(path):
    log = await SqliteLog.open(path, views=[Counter()])
    await asyncio.to_thread(rebuild, path, [Doubled()])
    with pytest.raises(LogFailed, match="views"):
        await log.append("s", [Noted(name="x")], actor=ACTOR)
    await log.close()
    assert verify(path, [Doubled()]).faults == []


async def test_a_rebuild_of_the_same_version_disturbs_no_writer(path):
    log = await SqliteLog.open(path, views=[Counter()])
    placed = []

    async def writer():
        while True:
            placed.append(await log.append("s", [Noted(name="busy")], actor=ACTOR))

    task = asyncio.create_task(writer())
    for _ in range(3):
        [rebuilt] = await asyncio.to_thread(rebuild, path, [Counter()], compare=True)
        assert rebuilt.differences == []
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert len(placed) > 3
    assert (await log.get("total", b"busy")).amount >= len(placed)
    await log.close()
    assert verify(path, [Counter()]).faults == []


def test_a_rebuild_that_was_cut_short_changes_nothing_and_the_next_starts_again(path):
    before = rows_of(path)

    class Failing(Counter):
        def evolve(self, rows, rec):
            if rec.position == 40:
                raise ZeroDivisionError("a bug")
            super().evolve(rows, rec)

    with pytest.raises(ViewParked, match="ZeroDivisionError") as parked:
        rebuild(path, [Failing()])
    assert parked.value.position == 40
    assert rows_of(path) == before
    connection = open_database(path)
    run(connection, "CREATE TABLE old_v_counter_0_total (key BLOB PRIMARY KEY, value BLOB)")
    run(connection, "INSERT INTO old_v_counter_0_total VALUES (x'00', x'00')")
    connection.close()
    rebuild(path, [Counter()])
    assert rows_of(path) == before
    assert tables_of(path) == {"v_counter_1_total"}


def test_a_view_that_the_program_lost_is_dropped_only_when_all_are_rebuilt(path):
    rebuild(path, [], only=["other"])
    assert tables_of(path) == {"v_counter_1_total"}
    rebuild(path, [])
    assert tables_of(path) == set()
    assert verify(path).faults == []


def test_rows_beyond_memory_are_written_and_looked_up_again(path, monkeypatch):
    monkeypatch.setattr("eventlog.refold.CELLS_MAX", 3)
    monkeypatch.setattr("eventlog.reader.PAGE", 5)
    monkeypatch.setattr("eventlog.rebuild.TAIL", 10)
    monkeypatch.setattr("eventlog.rebuild.DROPPED_ROWS", 3)
    monkeypatch.setattr("eventlog.rebuild.DELETED_ROWS", 2)
    before = rows_of(path)
    seen = []
    rebuild(path, [Counter()], progress=lambda done, total: seen.append((done, total)))
    assert rows_of(path) == before
    assert seen == sorted(seen)
    assert seen[-1] == (50, 50)
    assert len(seen) > 3


def test_the_write_lock_is_free_between_batches(path):
    """A rebuild that held the lock throughout would never come back from this fold."""
    taken = []

    class Watching(Counter):
        def evolve(self, rows, rec):
            if rec.position == 1:
                lock = WriteLock(path)
                with lock:
                    taken.append(rec.position)
                lock.close()
            super().evolve(rows, rec)

    connection = open_database(path)
    connection.close()
    import eventlog.rebuild as module

    tail, module.TAIL = module.TAIL, 1
    try:
        rebuild(path, [Watching()])
    finally:
        module.TAIL = tail
    assert taken == [1]


async def test_a_second_rebuild_waits_for_the_first(path, monkeypatch):
    """Both fold into tables of the same names."""
    before = rows_of(path)
    seconds = []

    class Slow(Counter):
        def evolve(self, rows, rec):
            if rec.position == 25 and not seconds:
                seconds.append(asyncio.run_coroutine_threadsafe(second(), loop))
                time.sleep(0.3)
            super().evolve(rows, rec)

    async def second():
        return await asyncio.to_thread(rebuild, path, [Counter()])

    loop = asyncio.get_running_loop()
    monkeypatch.setattr("eventlog.refold.CELLS_MAX", 0)
    monkeypatch.setattr("eventlog.rebuild.TAIL", 0)
    monkeypatch.setattr("eventlog.reader.PAGE", 10)
    await asyncio.to_thread(rebuild, path, [Slow()])
    await asyncio.wrap_future(seconds[0])
    assert rows_of(path) == before
    assert verify(path, [Counter()]).faults == []
