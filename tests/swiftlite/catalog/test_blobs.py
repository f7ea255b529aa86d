"""The walk over all blobs, and whether one is needed."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest

from swiftlite.catalog import blobs
from swiftlite.catalog.blobs import referenced, walk
from swiftlite.catalog.buckets import set_versioning
from swiftlite.catalog.sweeping import due_parts, due_versions, sweep
from swiftlite.catalog.uploads import (
    PartClaim,
    PartDraft,
    abort_upload,
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
from tests.swiftlite.catalog.memory import ACTOR, collect, run
from tests.swiftlite.catalog.test_uploads import blob_named


@pytest.fixture
def versioned(log: Any, bucket: Any) -> Any:
    return run(set_versioning(log, bucket, "enabled", actor=ACTOR))


def name(text: str) -> bytes:
    return text.encode().ljust(16, b"_")


def put(log: Any, ids: Any, bucket: Any, key: str, *blobs_named: str, source: Any = None) -> Any:
    manifest = tuple(blob_named(name(one)) for one in blobs_named)
    draft = Draft(size=1, etag="e", manifest=manifest)
    return run(write_object(log, ids, bucket, key, draft, source=source, actor=ACTOR))


def part(log: Any, ids: Any, bucket: Any, key: str, blob: str, upload: Any = None) -> Any:
    upload = upload or run(start_upload(log, ids, bucket, key, owner="u", actor=ACTOR))
    draft = PartDraft(number=1, size=1, etag="0" * 32, manifest=(blob_named(name(blob)),))
    run(write_part(log, bucket, key, upload.id, draft, actor=ACTOR))
    return upload


def walked(log: Any, cursor: bytes = b"") -> list[Any]:
    return asyncio.run(collect(walk(log, cursor)))


def sweep_all(log: Any) -> None:
    for due in (due_versions, due_parts):
        run(sweep(log, run(due(log, until=log.head(), limit=100)), actor=ACTOR))


def needs(log: Any, bucket: Any, key: str, blob: str) -> bool:
    return run(referenced(log, bucket.id, key, name(blob)))


def test_every_blob_of_every_kind_is_met_with_its_key(log: Any, ids: Any, versioned: Any) -> None:
    put(log, ids, versioned, "k", "old")
    put(log, ids, versioned, "k", "top")
    gone = put(log, ids, versioned, "k", "gone")
    run(delete_version(log, versioned, "k", gone.version_id, actor=ACTOR))
    put(log, ids, versioned, "large", *(f"l{n}" for n in range(12)))
    part(log, ids, versioned, "up", "part")
    met = {(p.kind, p.bucket_id, p.key, p.blob.id.rstrip(b"_").decode()) for p in walked(log)}
    at = versioned.id
    assert met == {
        ("noncurrent", at, "k", "old"),
        ("current", at, "k", "top"),
        ("past", at, "k", "gone"),
        ("upload", at, "up", "part"),
    } | {("current", at, "large", f"l{n}") for n in range(12)}


def test_a_swept_version_is_not_met(log: Any, ids: Any, bucket: Any) -> None:
    put(log, ids, bucket, "k", "one")
    put(log, ids, bucket, "large", *(f"l{n}" for n in range(12)))
    run(delete_object(log, ids, bucket, "k", actor=ACTOR))
    run(delete_object(log, ids, bucket, "large", actor=ACTOR))
    assert len(walked(log)) == 13
    sweep_all(log)
    assert walked(log) == []
    assert log.rows.tables["manifest"] == {}


@pytest.mark.parametrize("page", [1, 2, 256])
def test_a_walk_goes_on_from_any_cursor(
    log: Any, ids: Any, versioned: Any, page: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blobs, "PAGE", page)
    for number in range(4):
        put(log, ids, versioned, f"k{number % 2}", f"b{number}", f"c{number}")
        part(log, ids, versioned, "up", f"p{number}")
    gone = put(log, ids, versioned, "k", "gone")
    run(delete_version(log, versioned, "k", gone.version_id, actor=ACTOR))
    places = walked(log)
    everything = Counter(place.blob.id for place in places)
    assert everything == Counter(
        [name(f"{letter}{n}") for letter in "bcp" for n in range(4)] + [name("gone")]
    )
    for at, place in enumerate(places):
        if at + 1 < len(places) and places[at + 1].cursor == place.cursor:
            continue  # a cursor goes on behind the whole version
        assert [p.blob.id for p in walked(log, place.cursor)] == [
            p.blob.id for p in places[at + 1 :]
        ]


def test_a_version_that_comes_to_the_top_behind_the_walk_is_met(
    log: Any, ids: Any, versioned: Any
) -> None:
    put(log, ids, versioned, "a", "below")
    marker = run(delete_object(log, ids, versioned, "a", actor=ACTOR))
    put(log, ids, versioned, "b", "b")

    async def walk_and_undelete() -> set[bytes]:
        met = set()
        async for place in walk(log):
            met.add(place.blob.id)
            if place.key == "b":  # `current` is past "a", `noncurrent` is still to come
                await delete_version(log, versioned, "a", marker.version_id, actor=ACTOR)
        return met

    assert asyncio.run(walk_and_undelete()) == {name("below"), name("b")}


def test_a_blob_is_needed_while_anything_that_has_its_bytes_is_made_of_it(
    log: Any, ids: Any, versioned: Any
) -> None:
    first = put(log, ids, versioned, "k", "one")
    put(log, ids, versioned, "k", "two", *(f"l{n}" for n in range(12)))
    assert needs(log, versioned, "k", "one")
    assert needs(log, versioned, "k", "l11")
    assert not needs(log, versioned, "k", "three")
    assert not needs(log, versioned, "other", "one")
    run(delete_version(log, versioned, "k", first.version_id, actor=ACTOR))
    assert needs(log, versioned, "k", "one")
    sweep_all(log)
    assert not needs(log, versioned, "k", "one")


def test_a_blob_whose_copy_outlived_its_first_key_is_needed(
    log: Any, ids: Any, bucket: Any
) -> None:
    first = put(log, ids, bucket, "k", "one")
    put(log, ids, bucket, "copy", "one", source=Source(bucket.id, "k", first.begin))
    run(delete_object(log, ids, bucket, "k", actor=ACTOR))
    sweep_all(log)
    assert needs(log, bucket, "k", "one")
    run(delete_object(log, ids, bucket, "copy", actor=ACTOR))
    sweep_all(log)
    assert not needs(log, bucket, "k", "one")
    assert log.rows.tables["shared"] == {}


def test_a_part_is_needed_until_its_upload_ends(log: Any, ids: Any, bucket: Any) -> None:
    upload = part(log, ids, bucket, "k", "one")
    assert needs(log, bucket, "k", "one")
    part(log, ids, bucket, "k", "two", upload)
    assert not needs(log, bucket, "k", "one")
    assert needs(log, bucket, "k", "two")
    run(abort_upload(log, bucket.id, "k", upload.id, actor=ACTOR))
    assert not needs(log, bucket, "k", "two")


class Meddled:
    """A log in which something else happens just before the n-th look at it."""

    def __init__(self, log: Any, nth: int, happens: Any) -> None:
        self._log, self._left, self._happens = log, nth, happens

    async def get(self, table: str, key: bytes) -> Any:
        await self._look()
        return await self._log.get(table, key)

    async def scan(self, *args: Any, **options: Any) -> Any:
        await self._look()
        return await self._log.scan(*args, **options)

    async def _look(self) -> None:
        self._left -= 1
        if self._left == 0:
            await self._happens()


@pytest.mark.parametrize("nth", range(1, 10))
def test_a_blob_is_found_wherever_it_moves_during_the_look(
    log: Any, ids: Any, bucket: Any, nth: int
) -> None:
    upload = part(log, ids, bucket, "o", "b")

    async def complete() -> None:
        claims = [PartClaim(1, "0" * 32)]
        await complete_upload(
            log, ids, bucket, "o", upload.id, claims, seal=lambda *_: ({}, ""), actor=ACTOR
        )

    assert run(referenced(Meddled(log, nth, complete), bucket.id, "o", name("b")))


@pytest.mark.parametrize("nth", range(1, 10))
def test_a_blob_is_found_when_its_version_comes_to_the_top_during_the_look(
    log: Any, ids: Any, bucket: Any, versioned: Any, nth: int
) -> None:
    put(log, ids, versioned, "o", "below")
    top = put(log, ids, versioned, "o", "top")

    async def uncover() -> None:
        await delete_version(log, versioned, "o", top.version_id, actor=ACTOR)

    assert run(referenced(Meddled(log, nth, uncover), bucket.id, "o", name("below")))
