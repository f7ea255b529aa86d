"""The catalog on the real log: many at once, and equal to its own rebuild."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from eventlog.clock import SystemIds
from eventlog.sqlite import SqliteLog
from swiftlite.catalog import queries
from swiftlite.catalog.buckets import create_bucket, set_versioning
from swiftlite.catalog.conditions import Conditions
from swiftlite.catalog.listing import list_objects, list_versions
from swiftlite.catalog.rows import Bucket
from swiftlite.catalog.sweeping import due_parts, due_versions, sweep
from swiftlite.catalog.uploads import (
    PartClaim,
    PartDraft,
    complete_upload,
    start_upload,
    write_part,
)
from swiftlite.catalog.versions import (
    Draft,
    Source,
    delete_object,
    delete_version,
    write_object,
)
from swiftlite.catalog.view import CatalogView
from swiftlite.errors import PreconditionFailed
from tests.swiftlite.catalog.memory import ACTOR, DictRows
from tests.swiftlite.catalog.test_uploads import blob_named

IDS = SystemIds()


@pytest.fixture
async def sqlite(tmp_path: Path) -> AsyncIterator[SqliteLog]:
    log = await SqliteLog.open(tmp_path / "log.db", views=[CatalogView()])
    yield log
    await log.close()


async def new_bucket(log: SqliteLog, name: str = "photos") -> Bucket:
    return await create_bucket(
        log, IDS, name, project_id="p1", owner="u1", region="r1", actor=ACTOR
    )


async def stored(log: SqliteLog) -> dict[str, dict[bytes, Any]]:
    tables = CatalogView.tables
    return {name: dict(await log.scan(name, b"", None, limit=100_000)) for name in tables}


async def test_of_many_conditional_creations_exactly_one_succeeds(sqlite: SqliteLog) -> None:
    bucket = await new_bucket(sqlite)
    absent = Conditions(if_none_match=("*",))
    answers = await asyncio.gather(
        *(
            write_object(
                sqlite,
                IDS,
                bucket,
                "k",
                Draft(size=0, etag=f"e{n}"),
                conditions=absent,
                actor=ACTOR,
            )
            for n in range(40)
        ),
        return_exceptions=True,
    )
    won = [answer for answer in answers if not isinstance(answer, Exception)]
    assert len(won) == 1
    assert all(isinstance(a, PreconditionFailed) for a in answers if isinstance(a, Exception))
    assert await queries.current(sqlite, bucket.id, "k") == won[0]


async def test_compare_and_set_counts_every_success(sqlite: SqliteLog) -> None:
    bucket = await new_bucket(sqlite)
    await write_object(sqlite, IDS, bucket, "k", Draft(size=0, etag="0"), actor=ACTOR)

    async def increment() -> None:
        while True:
            seen = await queries.current(sqlite, bucket.id, "k")
            assert seen is not None
            match = Conditions(if_match=(seen.etag,))
            draft = Draft(size=0, etag=str(int(seen.etag) + 1))
            try:
                await write_object(sqlite, IDS, bucket, "k", draft, conditions=match, actor=ACTOR)
            except PreconditionFailed:
                continue
            return

    await asyncio.gather(*(increment() for _ in range(12)))
    found = await queries.current(sqlite, bucket.id, "k")
    assert found is not None
    assert found.etag == "12"


async def test_a_busy_history_leaves_what_a_rebuild_makes_of_it(sqlite: SqliteLog) -> None:
    bucket = await new_bucket(sqlite)

    async def client(number: int) -> None:
        for turn in range(8):
            key = f"k{(number + turn) % 3}"
            blobs = tuple(blob_named(IDS.uuid7()) for _ in range(10 if turn == 3 else 1))
            draft = Draft(size=1, etag="e", manifest=blobs)
            version = await write_object(sqlite, IDS, bucket, key, draft, actor=ACTOR)
            if turn == 2 and number == 0:
                await set_versioning(sqlite, bucket, "enabled", actor=ACTOR)
            if turn == 5 and number == 1:
                await set_versioning(sqlite, bucket, "suspended", actor=ACTOR)
            source = Source(bucket.id, key, version.begin)
            await write_object(sqlite, IDS, bucket, "copy", draft, source=source, actor=ACTOR)
            await delete_object(sqlite, IDS, bucket, f"k{turn % 3}", actor=ACTOR)
            await delete_version(sqlite, bucket, key, version.version_id, actor=ACTOR)
        upload = await start_upload(sqlite, IDS, bucket, "up", owner="u", actor=ACTOR)
        claims = []
        for part in (1, 2):
            etag = f"{number * 2 + part:032x}"
            part_draft = PartDraft(
                number=part,
                size=5 << 20,
                etag=etag,
                manifest=(blob_named(IDS.uuid7()),),
            )
            await write_part(sqlite, bucket, "up", upload.id, part_draft, actor=ACTOR)
            claims.append(PartClaim(part, etag))
        await complete_upload(
            sqlite,
            IDS,
            bucket,
            "up",
            upload.id,
            claims[:1] if number % 2 else claims,
            seal=lambda upload, parts: ({}, ""),
            actor=ACTOR,
        )

    await asyncio.gather(*(client(number) for number in range(6)))
    for due in (due_versions, due_parts):
        found = await due(sqlite, until=sqlite.head(), limit=30)
        await sweep(sqlite, found, actor=ACTOR)
    rows = DictRows(CatalogView())
    view = CatalogView()
    async for rec in sqlite.read():
        view.evolve(rows, rec)  # type: ignore[arg-type]  # the same five methods
    rebuilt = {
        name: {key: rows.get(name, key) for key in rows.tables[name]} for name in rows.tables
    }
    assert rebuilt == await stored(sqlite)
    assert all(rebuilt[name] for name in ("current", "noncurrent", "past", "shared", "ended"))
    page = await list_versions(sqlite, bucket.id)
    objects = await list_objects(sqlite, bucket.id)
    assert [e.key for e in page.entries if e.is_latest and not e.version.marker] == [
        key for key, _ in objects.entries
    ]


async def test_ten_thousand_parts_become_one_version(sqlite: SqliteLog) -> None:
    bucket = await new_bucket(sqlite)
    upload = await start_upload(sqlite, IDS, bucket, "up", owner="u", actor=ACTOR)

    async def part(number: int) -> PartClaim:
        etag = f"{number:032x}"
        draft = PartDraft(
            number=number, size=5 << 20, etag=etag, manifest=(blob_named(IDS.uuid7()),)
        )
        await write_part(sqlite, bucket, "up", upload.id, draft, actor=ACTOR)
        return PartClaim(number, etag)

    claims: list[PartClaim] = []
    for first in range(1, 10_001, 1000):
        claims += await asyncio.gather(*(part(n) for n in range(first, first + 1000)))
    version = await complete_upload(
        sqlite,
        IDS,
        bucket,
        "up",
        upload.id,
        claims,
        seal=lambda upload, parts: ({}, ""),
        actor=ACTOR,
    )
    assert version.size == 10_000 * (5 << 20)
    assert len(await queries.blobs_of(sqlite, bucket.id, "up", version)) == 10_000
    assert await sqlite.scan("part", b"", None, limit=1) == []


async def test_more_than_an_append_holds_is_swept_in_several(sqlite: SqliteLog) -> None:
    bucket = await new_bucket(sqlite)

    async def come_and_go(number: int) -> None:
        draft = Draft(size=1, etag="e", manifest=(blob_named(IDS.uuid7()),))
        await write_object(sqlite, IDS, bucket, f"k{number}", draft, actor=ACTOR)
        await delete_object(sqlite, IDS, bucket, f"k{number}", actor=ACTOR)

    await asyncio.gather(*(come_and_go(number) for number in range(1100)))
    dues = await due_versions(sqlite, until=sqlite.head(), limit=2000)
    freed = await sweep(sqlite, dues, actor=ACTOR)
    assert len({blob.id for blob in freed}) == len(freed) == 1100
    assert await due_versions(sqlite, until=sqlite.head(), limit=1) == []
