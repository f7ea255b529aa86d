"""Blobs: walk over all that the catalog knows, and ask whether one of them is still needed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import NamedTuple

import msgspec

from eventlog.log import Log
from swiftlite.catalog import keys
from swiftlite.catalog.events import VersionDeleted
from swiftlite.catalog.queries import blobs_of
from swiftlite.catalog.rows import Part, Past, Upload, Version
from swiftlite.manifest import Blob

PAGE = 256
TABLES = ("upload", "current", "noncurrent", "past")


class Place(NamedTuple):
    """A blob, and one version or part that references it.

    `kind` is the table: upload, current, noncurrent, past. `cursor` goes on behind that version, or
    behind all parts of that upload. `row` is the key of the part, or of the version in `past`.
    """

    kind: str
    bucket_id: bytes
    key: str
    begin: int
    blob: Blob
    cursor: bytes
    row: bytes


class _Cursor(msgspec.Struct, array_like=True):
    """How far a walk has come: since which position, in which table, behind which key."""

    since: int
    table: int
    behind: bytes


async def walk(log: Log, cursor: bytes = b"") -> AsyncIterator[Place]:
    """Yield every blob of every version and part that has its bytes, once for each reference.

    A blob that was referenced when the walk began, and is still when it ends, is yielded: tables
    come in the order in which a version moves through them, and at the end it looks again at keys
    where a version moved back. A walk that goes on from a place's cursor keeps that promise.
    """
    at = msgspec.msgpack.decode(cursor, type=_Cursor) if cursor else _Cursor(log.head(), 0, b"")
    while at.table < len(TABLES):
        table = TABLES[at.table]
        while rows := await log.scan(table, at.behind, None, limit=PAGE):
            for key, row in rows:
                at = _Cursor(at.since, at.table, key + b"\0")
                mark = msgspec.msgpack.encode(at)
                for place in await _places(log, table, key, row, mark):
                    yield place
        at = _Cursor(at.since, at.table + 1, b"")
    mark = msgspec.msgpack.encode(at)
    async for rec in log.read(after=at.since, types={VersionDeleted}):
        event = rec.event
        if isinstance(event, VersionDeleted):
            for place in await _of_key(log, event.bucket_id, event.key, mark):
                yield place


async def referenced(log: Log, bucket_id: bytes, key: str, blob_id: bytes) -> bool:
    """Return whether a version that has its bytes, or a part in progress, is made of this blob.

    `bucket_id` and `key` are those it was written under, as its fragments' labels say. A part that
    was replaced does not count.
    """
    # The tables in the order in which a blob moves through them, since others write meanwhile;
    # `current` again, where a version may move back, and `shared`, once it is under other keys.
    stem = keys.of_key(bucket_id, key)
    lo = stem
    while rows := await log.scan("upload", lo, keys.successor(stem), limit=PAGE):
        for at, upload in rows:
            for place in await _places(log, "upload", at, upload, b""):
                if place.blob.id == blob_id:
                    return True
            lo = at + b"\0"
    for _ in range(2):
        for place in await _of_key(log, bucket_id, key, b""):
            if place.blob.id == blob_id:
                return True
    return await log.get("shared", blob_id) is not None


async def has_bytes(log: Log, place: Place) -> bool:
    """Return whether what a walk met still has its bytes: it may have been swept since."""
    if place.kind == "upload":
        part: Part | None = await log.get("part", place.row)
        if part is not None and part.begin == place.begin:
            return True
        return await referenced(log, place.bucket_id, place.key, place.blob.id)
    for _ in range(2):  # it may move back to `current` between the looks
        top: Version | None = await log.get("current", keys.object_key(place.bucket_id, place.key))
        if top is not None and top.begin == place.begin:
            return True
        if await log.get("noncurrent", place.row) is not None:
            return True
        past: Past | None = await log.get("past", place.row)
        if past is not None:
            return not past.swept
    return False


async def _of_key(log: Log, bucket_id: bytes, key: str, mark: bytes) -> list[Place]:
    """Return the blobs of all versions of one key that have their bytes."""
    places: list[Place] = []
    at = keys.object_key(bucket_id, key)
    top = await log.get("current", at)
    if top is not None:
        places += await _places(log, "current", at, top, mark)
    stem = keys.of_key(bucket_id, key)
    for table in ("noncurrent", "past"):
        lo = stem
        while rows := await log.scan(table, lo, keys.successor(stem), limit=PAGE):
            for at, row in rows:
                places += await _places(log, table, at, row, mark)
                lo = at + b"\0"
    return places


async def _places(
    log: Log, table: str, at: bytes, row: Upload | Version | Past, mark: bytes
) -> list[Place]:
    if isinstance(row, Upload):
        bucket_id, key, _ = keys.split_upload_key(at)
        return await _of_parts(log, bucket_id, key, row.id, mark)
    if table == "current":
        bucket_id, key = at[: keys.ID_BYTES], at[keys.ID_BYTES :].decode()
    else:
        bucket_id, key, _ = keys.split_version_key(at)
    version = row.version if isinstance(row, Past) else row
    blobs = await blobs_of(log, bucket_id, key, version)
    row_key = keys.version_key(bucket_id, key, version.begin)
    return [Place(table, bucket_id, key, version.begin, blob, mark, row_key) for blob in blobs]


async def _of_parts(
    log: Log, bucket_id: bytes, key: str, upload_id: bytes, mark: bytes
) -> list[Place]:
    places: list[Place] = []
    lo = upload_id
    while rows := await log.scan("part", lo, keys.successor(upload_id), limit=PAGE):
        for at, part in rows:
            for blob in part.manifest:
                places.append(Place("upload", bucket_id, key, part.begin, blob, mark, at))
            lo = at + b"\0"
    return places
