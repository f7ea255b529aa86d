"""Durable appends by many clients at once, beside a bare batched insert of the same rows.

Bare: one thread, the same table, indexes, sync and rows (the stream's row and the head included),
`executemany` of as many rows in a transaction as there are clients. Ours: that many coroutines on
uvloop, each with one append under way at a time: encoding, hashing, conditions, group commit.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import tempfile
import time
from pathlib import Path

import apsw
import uvloop

from bench.events import ObjectStored, stored
from bench.report import Result, interleaved
from eventlog.database import open_database
from eventlog.database import run as run_sql
from eventlog.log import Actor
from eventlog.sqlite import SqliteLog

STREAMS = 16  # buckets that are written to at once


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--clients", type=int, default=256, help="appends under way at once")
    parser.add_argument("--events", type=int, default=40_000, help="appends of a round")
    parser.add_argument("--rounds", type=int, default=5, help="the median of so many is reported")
    parser.add_argument("--dir", type=Path, help="where the databases go; on the disk to measure")


def run(args: argparse.Namespace) -> list[Result]:
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 50, 50)
    with tempfile.TemporaryDirectory(dir=args.dir) as folder:
        numbers = iter(range(10**9))

        def ours() -> float:
            path = Path(folder) / f"{next(numbers)}.db"
            return uvloop.run(_append(path, args.clients, args.events))

        sample = _rows(Path(folder), args.events)

        def bare() -> float:
            path = Path(folder) / f"{next(numbers)}.db"
            return _insert(path, sample, args.clients)

        rate, limit = interleaved(args.rounds, [ours, bare])
    return [
        Result(f"bare insert, batches of {args.clients}", limit, "events/s"),
        Result(
            f"append, {args.clients} clients", rate, "events/s",
            ratio=rate / limit, limit="bare insert", held_to=0.5,
        ),
    ]  # fmt: skip


async def _append(path: Path, clients: int, events: int) -> float:
    log = await SqliteLog.open(path)
    todo: list[ObjectStored] = [stored(number) for number in range(events)]
    actor = Actor(id="user-7f3a", request_id="req-000000000001", source="192.0.2.7", agent="aws")

    async def client(number: int) -> None:
        stream = f"bucket/{number % STREAMS}"
        for event in todo[number::clients]:
            await log.append(stream, (event,), actor=actor)

    before = time.perf_counter()
    await asyncio.gather(*(client(number) for number in range(clients)))
    took = time.perf_counter() - before
    assert log.head() == events
    await log.close()
    return events / took


def _rows(folder: Path, events: int) -> list[tuple[object, ...]]:
    """Return the rows that an append of these events leaves in the log."""
    path = folder / "sample.db"
    uvloop.run(_append(path, 256, events))
    connection = open_database(path, read_only=True)
    rows = run_sql(connection, "SELECT * FROM event ORDER BY pos")
    connection.close()
    return rows


def _insert(path: Path, rows: list[tuple[object, ...]], batch: int) -> float:
    uvloop.run(_create(path))
    connection = open_database(path)
    insert = f"INSERT INTO event VALUES ({','.join('?' * len(rows[0]))})"
    before = time.perf_counter()
    for start in range(0, len(rows), batch):
        part = rows[start : start + batch]
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(insert, part)
        connection.executemany(
            "INSERT INTO stream VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET ver = excluded.ver",
            {row[1]: (row[1], f"bucket/{row[1]}", row[2]) for row in part}.values(),
        )
        connection.execute("UPDATE log_head SET pos = ?", (part[-1][0],))
        connection.execute("COMMIT")
    took = time.perf_counter() - before
    assert connection.execute("SELECT count(*) FROM event").get == len(rows)
    assert isinstance(connection, apsw.Connection)
    connection.close()
    return len(rows) / took


async def _create(path: Path) -> None:
    await (await SqliteLog.open(path)).close()
