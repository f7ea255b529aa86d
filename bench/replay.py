"""Folding what is in the log: a memory view, and a table view rebuilt beside the live one.

The memory view reads, decodes and applies typed events to a dict. The table view writes a row per
event; bare is an upsert of those very rows into an empty table of the same shape, in the events'
order, with as many rows in a transaction as the rebuild has, and the same sync.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

import apsw
import msgspec
import uvloop

from bench.events import ObjectStored, Piece, stored
from bench.report import Result, interleaved
from eventlog.database import create_table, open_database, sql_tables
from eventlog.database import run as run_sql
from eventlog.event import Event
from eventlog.fold import MemoryView
from eventlog.log import Actor, Recorded
from eventlog.rebuild import rebuild
from eventlog.refold import CELLS_MAX
from eventlog.sqlite import SqliteLog
from eventlog.view import Rows, TableView

FOLDED = 200_000  # typed events per second, what the design holds the memory view to


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--events", type=int, default=100_000, help="events in the log")
    parser.add_argument("--rounds", type=int, default=5, help="the median of so many is reported")
    parser.add_argument("--dir", type=Path, help="where the database goes; on the disk to measure")


class Known(msgspec.Struct, frozen=True, array_like=True):
    """A row of the size of an object's."""

    size: int
    etag: str
    position: int
    modified_us: int
    headers: dict[str, str]
    pieces: tuple[Piece, ...]


class Objects(TableView):
    """The last stored object of each key."""

    name = "objects"
    version = 1
    tables: ClassVar = {"object": Known}
    handles = frozenset({ObjectStored})

    def keys(self, event: Event) -> Iterable[tuple[str, bytes]]:
        assert isinstance(event, ObjectStored)
        return (("object", f"{event.bucket}{event.key}".encode()),)

    def evolve(self, rows: Rows, rec: Recorded) -> None:
        event = rec.event
        assert isinstance(event, ObjectStored)
        key = f"{event.bucket}{event.key}".encode()
        rows.get("object", key)
        row = Known(
            event.size, event.etag, rec.position, rec.committed_us, event.headers, event.pieces
        )
        rows.put("object", key, row)


class Sizes(MemoryView):
    """How much is stored under each key."""

    handles = frozenset({ObjectStored})

    def __init__(self) -> None:
        self.sizes: dict[str, int] = {}

    def apply(self, rec: Recorded) -> None:
        event = rec.event
        assert isinstance(event, ObjectStored)
        self.sizes[event.key] = event.size


def run(args: argparse.Namespace) -> list[Result]:
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 50, 50)
    with tempfile.TemporaryDirectory(dir=args.dir) as folder:
        path = Path(folder) / "log.db"
        uvloop.run(_fill(path, args.events))
        rows = _rows(path)

        def fold() -> float:
            return float(args.events) / uvloop.run(_fold(path, args.events))

        def again() -> float:
            before = time.perf_counter()
            rebuild(path, [Objects()])
            return float(args.events) / (time.perf_counter() - before)

        def bare() -> float:
            return len(rows) / _upsert(Path(folder) / "bare.db", rows)

        folded, rebuilt, limit = interleaved(args.rounds, [fold, again, bare])
    return [
        Result(
            "memory view", folded, "events/s",
            ratio=folded / FOLDED, limit="200,000 events/s", held_to=1.0,
        ),
        Result("bare upsert of the view's rows", limit, "rows/s"),
        Result(
            "rebuild of the table view", rebuilt, "rows/s",
            ratio=rebuilt / limit, limit="bare upsert", held_to=0.3,
        ),
    ]  # fmt: skip


async def _fill(path: Path, events: int) -> None:
    log = await SqliteLog.open(path, views=[Objects()])
    actor = Actor(id="user-7f3a", request_id="req-000000000001", source="192.0.2.7", agent="aws")
    for start in range(0, events, 2000):
        numbers = range(start, min(start + 2000, events))
        await asyncio.gather(
            *(log.append(f"bucket/{n % 16}", [stored(n)], actor=actor) for n in numbers)
        )
    await log.close()


async def _fold(path: Path, events: int) -> float:
    log = await SqliteLog.open(path, read_only=True)
    before = time.perf_counter()
    view = await log.fold(Sizes())
    took = time.perf_counter() - before
    assert len(view.sizes) == events
    await log.close()
    return took


def _rows(path: Path) -> list[tuple[object, ...]]:
    """Return the view's rows in the order in which the events wrote them."""
    connection = open_database(path, read_only=True)
    table = sql_tables([Objects()])["object"]
    rows = run_sql(connection, f"SELECT key, value FROM {table}")
    connection.close()
    decode = msgspec.msgpack.Decoder(Known).decode
    return sorted(rows, key=lambda row: decode(row[1]).position)


def _upsert(path: Path, rows: list[tuple[object, ...]]) -> float:
    path.unlink(missing_ok=True)
    connection = open_database(path)
    create_table(connection, "bare")
    connection.pragma("synchronous", "normal")
    upsert = "INSERT INTO bare VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value"
    before = time.perf_counter()
    for start in range(0, len(rows), CELLS_MAX):
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(upsert, rows[start : start + CELLS_MAX])
        connection.execute("COMMIT")
    took = time.perf_counter() - before
    assert isinstance(connection, apsw.Connection)
    connection.close()
    return took
