"""Full disks, failing disks, full queues, other people's files."""

import asyncio
import sqlite3

import pytest

import eventlog.committer as module
from eventlog.database import Damaged, LogUnreadable, NotALog, WriteLock, open_database, run
from eventlog.errors import LogBusy, LogFailed, LogFull
from eventlog.framing import EventTooLarge
from eventlog.layout import ViewsDiffer
from eventlog.log import Actor, Appended
from eventlog.sqlite import SqliteLog
from eventlog.testing import Counter, FaultyDisk, Noted, SteppedClock
from eventlog.testing.laws import Total
from eventlog.verify import verify

ACTOR = Actor(id="tester")


def noted(number, name="x"):
    return [Noted(name=name, amount=number)]


async def test_a_full_disk_refuses_appends_and_the_log_goes_on_when_there_is_room(tmp_path):
    disk = FaultyDisk("full")
    log = await SqliteLog.open(tmp_path / "log.db", views=[Counter()], vfs=disk.name)
    await log.append("s", noted(1), actor=ACTOR)
    disk.size_max = (tmp_path / "log.db-wal").stat().st_size
    with pytest.raises(LogFull):
        await log.append("s", noted(2), actor=ACTOR)
    assert [rec.position async for rec in log.read()] == [1]
    disk.size_max = None
    assert (await log.append("s", noted(3), actor=ACTOR)).first == 2
    await log.close()
    assert verify(tmp_path / "log.db", [Counter()]).fault_count == 0


async def test_a_failed_sync_fails_the_log_for_good(tmp_path):
    disk = FaultyDisk("unsyncable")
    log = await SqliteLog.open(tmp_path / "log.db", views=[Counter()], vfs=disk.name)
    await log.append("s", noted(1), actor=ACTOR)
    disk.fail_syncs = True
    with pytest.raises(LogFailed):
        await log.append("s", noted(2), actor=ACTOR)
    disk.fail_syncs = False
    with pytest.raises(LogFailed):
        await log.append("s", noted(3), actor=ACTOR)
    assert log.failure is not None
    await log.close()
    assert verify(tmp_path / "log.db", [Counter()]).events <= 2


async def test_a_failed_write_fails_everything_that_waited(tmp_path):
    disk = FaultyDisk("unwritable")
    log = await SqliteLog.open(tmp_path / "log.db", vfs=disk.name)
    await log.append("s", noted(1), actor=ACTOR)
    disk.fail_at = disk.operations + 1
    answers = await asyncio.gather(
        *(log.append("s", noted(n), actor=ACTOR) for n in range(50)), return_exceptions=True
    )
    assert {type(answer) for answer in answers} == {LogFailed}
    await log.close()


async def test_a_full_queue_refuses_and_recovers(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "WAITING_MAX", 10)
    log = await SqliteLog.open(tmp_path / "log.db")
    answers = await asyncio.gather(
        *(log.append("s", noted(n), actor=ACTOR) for n in range(30)), return_exceptions=True
    )
    refused = [answer for answer in answers if isinstance(answer, LogBusy)]
    assert len(refused) == 20
    assert log.head() == 10
    await log.append("s", noted(1), actor=ACTOR)
    await log.close()


async def test_a_queue_of_large_appends_is_bounded_by_bytes(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "WAITING_BYTES_MAX", 100_000)
    log = await SqliteLog.open(tmp_path / "log.db")
    large = Noted(name="x" * 40_000)
    answers = await asyncio.gather(
        *(log.append("s", [large], actor=ACTOR) for _ in range(5)), return_exceptions=True
    )
    assert [type(answer) for answer in answers].count(LogBusy) == 3
    await log.close()


async def test_an_entry_over_the_tiles_limit_is_refused(tmp_path):
    log = await SqliteLog.open(tmp_path / "log.db")
    with pytest.raises(EventTooLarge):
        await log.append("s", noted(1), actor=Actor(id="x" * 70_000))
    assert log.head() == 0
    await log.close()


async def test_an_append_whose_caller_gave_up_harms_nobody(tmp_path):
    log = await SqliteLog.open(tmp_path / "log.db")
    task = asyncio.create_task(log.append("s", noted(1), actor=ACTOR))
    await asyncio.sleep(0)
    task.cancel()
    placed = await log.append("s", noted(2), actor=ACTOR)
    assert placed.last == log.head() == 2
    await log.close()


async def test_close_places_what_was_accepted(tmp_path):
    log = await SqliteLog.open(tmp_path / "log.db")
    tasks = [asyncio.create_task(log.append("s", noted(n), actor=ACTOR)) for n in range(100)]
    await asyncio.sleep(0)
    await log.close()
    assert [(await task).first for task in tasks] == list(range(1, 101))
    with pytest.raises(LogFailed):
        await log.append("s", noted(1), actor=ACTOR)


async def test_a_foreign_database_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "other.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE mine (a)")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(NotALog):
        await SqliteLog.open(path, read_only=True)
    with pytest.raises(NotALog):
        await SqliteLog.open(path)
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT name FROM sqlite_schema").fetchall() == [("mine",)]
    connection.close()
    (tmp_path / "text.db").write_text("no database at all, but a text of some length" * 100)
    with pytest.raises(NotALog):
        await SqliteLog.open(tmp_path / "text.db")
    with pytest.raises(NotALog):
        await SqliteLog.open(tmp_path / "absent.db", read_only=True)
    assert not (tmp_path / "absent.db").exists()
    assert before[:16] == path.read_bytes()[:16]


async def test_a_log_of_another_format_is_refused(tmp_path):
    await (await SqliteLog.open(tmp_path / "log.db")).close()
    connection = open_database(tmp_path / "log.db")
    connection.pragma("user_version", 99)
    connection.close()
    with pytest.raises(NotALog, match="99"):
        await SqliteLog.open(tmp_path / "log.db")


async def test_a_program_without_all_views_cannot_write(tmp_path):
    log = await SqliteLog.open(tmp_path / "log.db", views=[Counter()])
    await log.append("s", noted(1), actor=ACTOR)
    await log.close()

    class Newer(Counter):
        version = 2

    for views in ([], [Newer()]):
        with pytest.raises(ViewsDiffer):
            await SqliteLog.open(tmp_path / "log.db", views=views)
    with pytest.raises(ViewsDiffer):
        await SqliteLog.open(tmp_path / "log.db", views=[Newer()], read_only=True)


async def test_damage_under_a_reader_is_told_as_damage(tmp_path):
    log = await SqliteLog.open(tmp_path / "log.db", views=[Counter()])
    await log.append("s", noted(1), actor=ACTOR)
    await log.close()
    content = bytearray((tmp_path / "log.db").read_bytes())
    content[8192:] = bytes(len(content) - 8192)
    (tmp_path / "log.db").write_bytes(content)
    with pytest.raises((Damaged, LogUnreadable)):
        await SqliteLog.open(tmp_path / "log.db", views=[Counter()])


async def test_the_database_is_set_up_for_durability(tmp_path):
    log = await SqliteLog.open(tmp_path / "log.db")
    connection = log._committer._writer.connection  # what the writer really uses
    found = {name: connection.pragma(name) for name in ("journal_mode", "synchronous", "page_size")}
    assert found == {"journal_mode": "wal", "synchronous": 2, "page_size": 8192}
    assert connection.pragma("mmap_size") == 0
    assert connection.pragma("wal_autocheckpoint") == 0
    await log.close()


async def test_only_a_checkpoint_moves_pages_into_the_database(tmp_path):
    log = await SqliteLog.open(tmp_path / "log.db")
    before = (tmp_path / "log.db").stat().st_size
    for number in range(20):
        await log.append("s", [Noted(name="x" * 10_000, amount=number)] * 50, actor=ACTOR)
    assert (tmp_path / "log.db").stat().st_size == before
    in_wal, copied = await log.checkpoint(truncate=True)
    assert in_wal == copied > 1000
    assert (tmp_path / "log.db").stat().st_size > before
    assert (tmp_path / "log.db-wal").stat().st_size == 0
    await log.append("s", noted(1), actor=ACTOR)
    await log.close()


async def test_a_reader_does_not_stop_a_truncating_checkpoint_for_long(tmp_path):
    log = await SqliteLog.open(tmp_path / "log.db")
    await log.append("s", noted(1), actor=ACTOR)
    reader = open_database(tmp_path / "log.db", read_only=True)
    run(reader, "BEGIN")
    run(reader, "SELECT * FROM event")
    await log.append("s", noted(2), actor=ACTOR)
    await log.checkpoint(truncate=True)
    assert (await log.append("s", noted(3), actor=ACTOR)).first == 3
    reader.close()
    await log.close()


class Hasty(Counter):
    """A view with bugs: in its hints, and in what it stores."""

    def keys(self, event):
        if event.name == "no-hint":
            raise KeyError("a bug in a hint")
        return super().keys(event)

    def evolve(self, rows, rec):
        if rec.event.name == "no-row":
            rows.put("total", b"no-row", Total(1 << 70, rec.position))
        super().evolve(rows, rec)


async def test_a_hint_that_fails_and_a_row_that_cannot_be_stored_harm_nobody_else(tmp_path):
    log = await SqliteLog.open(tmp_path / "log.db", views=[Hasty()])
    names = ["first", "no-hint", "no-row", "last"]
    answers = await asyncio.gather(
        *(log.append("s", noted(1, name), actor=ACTOR) for name in names), return_exceptions=True
    )
    assert [type(answer) for answer in answers] == [Appended, Appended, OverflowError, Appended]
    assert log.failure is None
    assert await log.get("total", b"no-row") is None
    assert (await log.get("total", b"no-hint")).amount == 1
    await log.close()
    assert verify(tmp_path / "log.db", [Hasty()]).faults == []


async def test_a_type_that_only_refused_appends_used_is_stored_when_one_is_placed(tmp_path):
    """What a rolled-back batch had stored must not be taken as stored by the next."""
    log = await SqliteLog.open(tmp_path / "log.db", views=[Counter()])
    with pytest.raises(ValueError, match="poison"):
        await log.append("s", [Noted(name="x"), Noted(name="y", poison=True)], actor=ACTOR)
    await log.append("s", noted(1), actor=ACTOR)
    assert [rec.type async for rec in log.read()] == ["testing.noted"]
    await log.close()
    assert verify(tmp_path / "log.db", [Counter()]).faults == []


async def test_an_answer_says_when_it_was_committed_also_to_a_retry(tmp_path):
    clock = SteppedClock()
    log = await SqliteLog.open(tmp_path / "log.db", clock=clock)
    placed = await log.append("s", noted(1), actor=ACTOR, key="k")
    clock.us += 1_000_000
    assert (await log.append("s", noted(1), actor=ACTOR, key="k")) == placed
    [rec] = [rec async for rec in log.read()]
    assert rec.committed_us == placed.committed_us == clock.us - 1_000_000
    await log.close()


async def test_appends_wait_for_the_lock_without_stopping_the_loop(tmp_path):
    """Another process may hold the lock for long; this one goes on with everything else."""
    log = await SqliteLog.open(tmp_path / "log.db", views=[Counter()])
    lock = WriteLock(tmp_path / "log.db")
    lock.acquire()
    appends = [asyncio.create_task(log.append("s", noted(n), actor=ACTOR)) for n in range(5)]
    for _ in range(20):
        await asyncio.sleep(0.005)
        assert await log.get("total", b"x") is None
    assert not any(append.done() for append in appends)
    lock.release()
    async with asyncio.timeout(5):
        assert [(await append).first for append in appends] == [1, 2, 3, 4, 5]
    lock.close()
    await log.close()


async def test_a_reader_from_another_process_never_blocks_the_writer(tmp_path):
    log = await SqliteLog.open(tmp_path / "log.db")
    await log.append("s", noted(1), actor=ACTOR)
    reader = open_database(tmp_path / "log.db", read_only=True)
    run(reader, "BEGIN")
    assert run(reader, "SELECT pos FROM log_head") == [(1,)]
    await log.append("s", noted(2), actor=ACTOR)
    assert run(reader, "SELECT pos FROM log_head") == [(1,)]
    reader.close()
    assert log.head() == 2
    await log.close()


async def test_a_checkpoint_that_fails_is_told_as_the_logs_own_error_and_loses_nothing(tmp_path):
    disk = FaultyDisk("uncopyable")
    log = await SqliteLog.open(tmp_path / "log.db", views=[Counter()], vfs=disk.name)
    await log.append("s", noted(1), actor=ACTOR)
    disk.fail_at = disk.operations + 2
    with pytest.raises(LogUnreadable):
        await log.checkpoint()
    await log.append("s", noted(2), actor=ACTOR)
    await log.checkpoint()
    await log.close()
    assert verify(tmp_path / "log.db", [Counter()])[:2] == (2, 2)
