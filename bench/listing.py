"""A page of a listing at growing numbers of keys: the CPU that finding its rows takes.

The bucket's rows are written as random PUTs leave them, without the log's events: those are
another benchmark. Measured is the catalog's own work for a page of 1,000 keys from random places,
and for a page of 1,000 common prefixes; the XML is not in it. Bare is reading the same rows with
SQLite alone; flatness is the time at 10,000 keys over the time at N. Over HTTP it is all that a
whole cloud's processes spend on a ListObjectsV2, from the signature to the last byte of XML.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import random
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import quote

import apsw

from bench.cloud import cloud
from bench.limits import cpu_seconds
from bench.report import Result
from bench.wrk import drive, signed_heads
from eventlog.database import open_database, sql_tables
from eventlog.database import run as run_sql
from eventlog.sqlite import SqliteLog
from eventlog.view import encode_row
from swiftlite.catalog import keys
from swiftlite.catalog.listing import list_objects
from swiftlite.catalog.rows import Version
from swiftlite.catalog.view import CatalogView
from swiftlite.manifest import Blob, Hint, Layout

BUCKET = "bench-listing"
SMALL = 10_000  # keys in the bucket that others are compared with
PAGE = 1000
PREFIXES = 2 * PAGE  # common prefixes of a bucket: the larger it is, the more lies beneath each
BATCH = 50_000  # rows in a transaction while the bucket is filled
BUDGET_MS = 5.0  # what the design allows a page of a million keys


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--keys", type=int, nargs="+", default=[100_000], help="keys; 1000000 needs 0.6 GB of disk"
    )
    parser.add_argument("--pages", type=int, default=100, help="the median of so many is reported")
    parser.add_argument("--dir", type=Path, help="where the database goes")


def run(args: argparse.Namespace) -> list[Result]:
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 50, 50)
    results: list[Result] = []
    for count in args.keys:
        with tempfile.TemporaryDirectory(dir=args.dir) as folder:
            measured = asyncio.run(_measure(Path(folder), (SMALL, count), args.pages))
        (small, small_rolled, _), (flat, rolled, bare) = measured
        name = f"page of {PAGE:,} keys of {count:,}"
        budget = f"a budget of {BUDGET_MS:g} ms"
        less = f"the same of {SMALL:,}"
        results += [
            Result(name, flat, "ms CPU", BUDGET_MS / flat, budget, 1.0),
            Result(f"{name}, flatness", flat, "ms CPU", small / flat, less),
            Result(f"{name}, bare", bare, "ms CPU", bare / flat, "the page"),
            Result(
                f"page of {PAGE:,} prefixes of {count:,} keys, flatness",
                rolled,
                "ms CPU",
                small_rolled / rolled,
                less,
            ),
        ]
        with tempfile.TemporaryDirectory(prefix="bench-", dir=args.dir or ".") as folder:
            whole = _over_http(Path(folder).resolve() / "data", count, args.pages)
        results.append(
            Result(f"{name}, over HTTP", whole, "ms CPU", BUDGET_MS / whole, budget, 1.0)
        )
    return results


def _over_http(data: Path, count: int, pages: int) -> float:
    """Return CPU milliseconds, of all processes of a cloud, for a page from a random place."""
    with cloud(data) as empty:
        head = signed_heads(empty.target, "PUT", [f"/{BUCKET}"], now=_now(), body=b"")
        drive(empty.target.endpoint, head, body=b"", clients=1, seconds=1)
    draw = random.Random(count)
    connection = open_database(data / "log.db", read_only=True)
    [(bucket_id,)] = connection.execute(
        f'SELECT key FROM "{sql_tables([CatalogView()])["bucket"]}"'
    )
    connection.close()
    _fill(data / "log.db", bucket_id, count, draw)
    with cloud(data) as filled:
        starts = (_key(draw.randrange(count // 2), count) for _ in range(10 * pages))
        paths = [f"/{BUCKET}?list-type=2&start-after={quote(key, safe='')}" for key in starts]
        heads = signed_heads(filled.target, "GET", paths, now=_now(), body=b"")
        drive(filled.target.endpoint, heads, body=b"", clients=2, seconds=1)  # pages from the disk
        before = cpu_seconds(filled.pid)
        load = drive(filled.target.endpoint, heads, body=b"", clients=2, seconds=4)
        spent = cpu_seconds(filled.pid) - before
        if load.failed:
            raise RuntimeError(f"{load.failed} of {load.requests} listings failed")
    return spent / load.requests * 1000


def _now() -> str:
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())


class _Filled:
    """A log with one bucket of `count` keys."""

    def __init__(self, log: SqliteLog, path: Path, bucket_id: bytes, count: int) -> None:
        self._log = log
        self._bucket_id = bucket_id
        self._connection = open_database(path)
        table = sql_tables([CatalogView()])["current"]
        self._select = (
            f'SELECT key, value FROM "{table}" WHERE key > ? ORDER BY key LIMIT {PAGE + 1}'
        )
        # From the first half, so that every page is full.
        draw = random.Random(count)
        self._starts = (_key(draw.randrange(count // 2), count) for _ in iter(int, 1))

    async def flat(self) -> None:
        """Find a page of keys."""
        page = await list_objects(self._log, self._bucket_id, after=next(self._starts), limit=PAGE)
        assert len(page.entries) == PAGE

    async def rolled(self) -> None:
        """Find a page of common prefixes."""
        page = await list_objects(
            self._log, self._bucket_id, after=next(self._starts), delimiter="/", limit=PAGE - 1
        )
        assert len(page.prefixes) == PAGE - 1

    async def bare(self) -> None:
        """Read the rows of a page of keys."""
        start = keys.object_key(self._bucket_id, next(self._starts))
        assert len(self._connection.execute(self._select, (start,)).fetchall()) == PAGE + 1

    async def close(self) -> None:
        self._connection.close()
        await self._log.close()


async def _measure(
    folder: Path, counts: tuple[int, ...], pages: int
) -> list[tuple[float, float, float]]:
    """Return CPU milliseconds of a page of keys, of one of prefixes, and of the first's rows.

    The buckets take turns, so that a noisy machine is noisy for all of them alike.
    """
    buckets = [await _filled(folder / f"{n}.db", count) for n, count in enumerate(counts)]
    works = [(bucket.flat, bucket.rolled, bucket.bare) for bucket in buckets]
    times: dict[Callable[[], Awaitable[None]], list[float]] = {
        work: [] for three in works for work in three
    }
    for _ in range(pages):
        for work, spent in times.items():
            before = time.thread_time()
            await work()
            spent.append(time.thread_time() - before)
    for bucket in buckets:
        await bucket.close()
    median = {work: statistics.median(spent) * 1000 for work, spent in times.items()}
    return [(median[flat], median[rolled], median[bare]) for flat, rolled, bare in works]


async def _filled(path: Path, count: int) -> _Filled:
    draw = random.Random(count)
    bucket_id = draw.randbytes(16)
    log = await SqliteLog.open(path, views=[CatalogView()])
    _fill(path, bucket_id, count, draw)
    return _Filled(log, path, bucket_id, count)


def _fill(path: Path, bucket_id: bytes, count: int, draw: random.Random) -> None:
    """Write the bucket's rows in random order, as clients' PUTs would."""
    connection = open_database(path)
    connection.pragma("synchronous", "OFF")
    table = sql_tables([CatalogView()])["current"]
    insert = f'INSERT INTO "{table}" (key, value) VALUES (?, ?)'
    order = list(range(count))
    draw.shuffle(order)
    for first in range(0, count, BATCH):
        run_sql(connection, "BEGIN IMMEDIATE")
        connection.executemany(
            insert,
            (
                (keys.object_key(bucket_id, _key(n, count)), encode_row(_version(n, draw)))
                for n in order[first : first + BATCH]
            ),
        )
        run_sql(connection, "COMMIT")
        connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
    connection.close()


def _key(number: int, count: int) -> str:
    return f"{number * PREFIXES // count:08}/object-{number:010}.bin"


def _version(number: int, draw: random.Random) -> Version:
    blob = Blob(
        id=draw.randbytes(16),
        size=4096,
        layout=Layout.COPIES,
        k=4,
        m=2,
        stripe=1 << 20,
        epoch=1,
        hints=tuple(Hint(n, n + 1, 3, draw.randrange(1 << 32), 4300) for n in range(3)),
    )
    return Version(
        version_id="",
        begin=number + 1,
        modified_us=1_795_000_000_000_000 + number,
        size=4096,
        etag=draw.randbytes(16).hex(),
        owner="0190b4a2c3d4e5f6",
        checksums={"CRC32": "DUoRhQ=="},
        checksum_type="FULL_OBJECT",
        headers={"content-type": "application/octet-stream"},
        manifest=(blob,),
    )
