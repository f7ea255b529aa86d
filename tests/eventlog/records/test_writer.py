"""Writing and reading access records: several processes at once, crashes, bounds, retention."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
from pathlib import Path

import pytest

from eventlog.clock import SystemClock, SystemIds
from eventlog.records import writer as writing
from eventlog.records.record import Kind, Record
from eventlog.records.segments import SEGMENT_BYTES, Follower, Lines, prune, segments
from eventlog.records.writer import RecordWriter
from eventlog.testing import SteppedClock

START = 1_800_000_000_000_000  # 2027-01-15T08:00:00Z
HOUR_US = 3_600_000_000


def open_writer(folder: Path, name: str = "w1", **options: object) -> RecordWriter:
    known = {"kinds": frozenset(Kind), "clock": SteppedClock(START), "ids": SystemIds()}
    return RecordWriter.open(folder, name, **(known | options))  # type: ignore[return-value]


def note(at_us: int = START, **facts: object) -> Record:
    return Record(at_us=at_us, **({"kind": Kind.REFUSED} | facts))  # type: ignore[arg-type]


def read(folder: Path, **bounds: int) -> list[Record]:
    lines = Lines()
    found = list(lines.read(folder, **bounds))
    assert lines.damaged == 0
    return found


async def test_what_was_added_is_there_when_the_writer_ends(tmp_path: Path) -> None:
    folder = tmp_path / "access"
    sent = [note(START + i, key=str(i)) for i in range(100)]
    async with open_writer(folder) as records:
        for record in sent:
            records.add(record)
    assert read(folder) == sent
    assert folder.stat().st_mode & 0o777 == 0o700
    assert [s.path.stat().st_mode & 0o777 for s in segments(folder)] == [0o600]


async def test_what_was_added_is_there_soon(tmp_path: Path) -> None:
    async with open_writer(tmp_path) as records:
        records.add(note())
        async with asyncio.timeout(10):
            while not read(tmp_path):
                await asyncio.sleep(0.02)


async def test_only_the_kinds_that_are_wanted_are_kept(tmp_path: Path) -> None:
    async with open_writer(tmp_path, kinds={Kind.LOGIN}) as records:
        assert records.wants(Kind.LOGIN)
        assert not records.wants(Kind.READ)
        for kind in Kind:
            records.add(note(kind=kind))
    assert [record.kind for record in read(tmp_path)] == [Kind.LOGIN]


async def test_without_a_record_there_is_no_file(tmp_path: Path) -> None:
    async with open_writer(tmp_path / "access"):
        pass
    assert not (tmp_path / "access").exists()


async def test_each_hour_has_a_segment_of_its_own(tmp_path: Path) -> None:
    sent = [note(START + i * HOUR_US // 2) for i in range(6)]
    async with open_writer(tmp_path) as records:
        for record in sent:
            records.add(record)
    assert [s.hour for s in segments(tmp_path)] == ["2027011508", "2027011509", "2027011510"]
    assert read(tmp_path) == sent
    assert read(tmp_path, since_us=sent[1].at_us, until_us=sent[4].at_us) == sent[1:5]
    assert list(Lines().read_back(tmp_path)) == sent[::-1]


async def test_more_than_there_is_room_for_is_counted_and_nobody_waits(tmp_path: Path) -> None:
    count = 3 * writing.PENDING_BYTES // 1000
    async with open_writer(tmp_path) as records:
        for number in range(count):
            records.add(note(START + number, key="x" * 1000))
    found = read(tmp_path)
    (lost,) = [record for record in found if record.kind is Kind.LOST]
    assert lost.count + len(found) - 1 == count
    assert sum(s.size for s in segments(tmp_path)) < 1.1 * writing.PENDING_BYTES


async def test_a_folder_that_cannot_be_written_fails_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(writing, "FLUSH_S", 0.01)
    monkeypatch.setattr(writing, "RETRY_S", 0.05)
    folder = tmp_path / "access"
    folder.write_text("in the way")
    async with open_writer(folder) as records:
        for _ in range(3):
            records.add(note())
            await asyncio.sleep(0.1)
        assert caplog.text.count("cannot be written") == 1
        folder.unlink()
    (lost,) = read(folder)
    assert (lost.kind, lost.count) == (Kind.LOST, 3)


async def test_a_disk_that_fills_up_tears_one_line_and_the_rest_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "FLUSH_S", 0.01)
    monkeypatch.setattr(writing, "RETRY_S", 0.01)
    write, left = os.write, [50]

    def full(fd: int, data: memoryview) -> int:
        if left[0] <= 0:
            raise OSError(28, "No space left on device")
        done = write(fd, data[: left[0]])
        left[0] -= done
        return done

    async with open_writer(tmp_path) as records:
        with monkeypatch.context() as patch:
            patch.setattr(os, "write", full)
            records.add(note(key="torn" * 100))
            await asyncio.sleep(0.2)
        assert len(segments(tmp_path)) == 1  # no empty ones beside the torn one
        records.add(note(key="whole"))
    found = read(tmp_path)
    assert [record.key for record in found if record.kind is Kind.REFUSED] == ["whole"]
    assert sum(record.count for record in found) == 1


def test_a_damaged_line_is_counted_and_a_torn_one_at_the_end_is_not(tmp_path: Path) -> None:
    good = b'{"at_us":1800000000000000,"kind":"read"}\n'
    (tmp_path / "2027011508-w1-00.jsonl").write_bytes(good + b"dam\xffage\n" + good + b'{"at_us"')
    (tmp_path / "2027011508-w1-00.txt").write_bytes(b"not a segment")
    lines = Lines()
    assert len(list(lines.read(tmp_path))) == 2
    assert lines.damaged == 1


def _write_until_killed(folder: Path, name: str) -> None:
    async def work() -> None:
        clock = SystemClock()
        async with open_writer(folder, name, clock=clock) as records:
            number = 0
            while True:
                records.add(note(clock.now_us(), user=name, count=number))
                number += 1
                await asyncio.sleep(0.001)

    asyncio.run(work())


def test_processes_that_write_at_once_and_are_killed_leave_one_ordered_log(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    names = ["w1", "w2", "w3"]
    writers = [context.Process(target=_write_until_killed, args=(tmp_path, name)) for name in names]
    for process in writers:
        process.start()
    clock = SystemClock()
    deadline = clock.monotonic_s() + 60
    while {record.user for record in read(tmp_path)} != set(names):
        assert clock.monotonic_s() < deadline
    for process in writers:
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        process.join()
    found = read(tmp_path)
    assert [r.at_us for r in found] == sorted(r.at_us for r in found)
    for name in names:
        numbers = [record.count for record in found if record.user == name]
        assert numbers == list(range(len(numbers)))


async def test_a_follower_sees_whole_lines_of_old_and_new_segments_once(tmp_path: Path) -> None:
    async with open_writer(tmp_path) as records:
        records.add(note(key="before"))
    first = tmp_path / "2027011508-w1-00.jsonl"
    first.write_bytes(b"")
    follower = Follower(tmp_path)
    assert follower.newer() == []
    with first.open("ab", buffering=0) as file:
        file.write(b'{"at_us":5,"kind":"read"}\n{"at_us":6,')
        assert [r.at_us for r in follower.newer()] == [5]
        file.write(b'"kind":"read"}\n')
    (tmp_path / "2027011509-w1-00.jsonl").write_bytes(b'{"at_us":4,"kind":"read"}\n')
    assert [r.at_us for r in follower.newer()] == [4, 6]
    assert follower.newer() == []


def _segment(folder: Path, hour: int, size: int, name: str = "w1") -> str:
    path = folder / f"20270115{hour:02}-{name}-00.jsonl"
    with path.open("wb") as file:
        file.truncate(size)
    return path.name


def test_segments_go_when_their_time_is_over(tmp_path: Path) -> None:
    names = [_segment(tmp_path, hour, 10) for hour in range(5, 9)]
    # at 08:00 an hour of retention: of hour 6 the last record may be an hour and a moment old
    assert prune(tmp_path, now_us=START, retention_s=3600, bytes_max=1 << 30) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == names[2:]


def test_the_oldest_segments_go_when_all_are_too_large(tmp_path: Path) -> None:
    names = [_segment(tmp_path, hour, 100) for hour in range(1, 8)]
    now = _segment(tmp_path, 8, 100)
    assert prune(tmp_path, now_us=START, retention_s=1e9, bytes_max=350) == 5
    assert sorted(path.name for path in tmp_path.iterdir()) == [*names[5:], now]


def test_of_this_hour_only_full_segments_go(tmp_path: Path) -> None:
    open_ = _segment(tmp_path, 8, 1000, "w1")
    _segment(tmp_path, 8, SEGMENT_BYTES, "w2")
    assert prune(tmp_path, now_us=START, retention_s=1e9, bytes_max=100) == 1
    assert [path.name for path in tmp_path.iterdir()] == [open_]


def test_where_nothing_was_recorded_there_is_nothing_to_read_or_prune(tmp_path: Path) -> None:
    gone = tmp_path / "none"
    assert read(gone) == []
    assert prune(gone, now_us=START, retention_s=1, bytes_max=1) == 0
