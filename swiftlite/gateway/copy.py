"""Copy: a new version that shares the blobs of another; no byte is moved."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import aclosing

import msgspec

from eventlog.log import Actor
from swiftlite.catalog import queries, versions
from swiftlite.catalog.conditions import Conditions
from swiftlite.catalog.keys import check_key
from swiftlite.catalog.rows import Bucket, Version
from swiftlite.errors import SourceGone
from swiftlite.gateway.body import Copied
from swiftlite.gateway.engine import Engine
from swiftlite.gateway.get import ObjectReader, readable
from swiftlite.gateway.put import put_object
from swiftlite.gateway.whole import LARGE, LINK, Check, Reader, open_whole
from swiftlite.node.format import Label


class CopySource(msgspec.Struct, frozen=True, kw_only=True):
    """What is copied: a version that was looked up already, a named one, or the latest."""

    bucket: Bucket
    key: str
    version_id: str | None = None
    version: Version | None = None


async def source_version(engine: Engine, source: CopySource) -> Version:
    """Return the version that is copied.

    Raises:  NoSuchKey, NoSuchVersion, MethodNotAllowed.
    """
    if source.version is not None:
        return source.version
    return await readable(engine, source.bucket, source.key, source.version_id)


async def open_source(engine: Engine, source: CopySource, check: Check) -> Reader:
    """Return a reader of all that the source stands for.

    Raises:  as `whole.open_whole`; SourceGone where what was looked up before is no more.
    """
    found = await source_version(engine, source)
    if found.kind in (*LARGE, LINK):
        _, reader = await open_whole(engine, source.bucket, source.key, source.version_id, check)
        if source.version is not None and reader.version.etag != source.version.etag:
            raise SourceGone(key=source.key, version_id=found.version_id or "null")
        return reader
    lease = engine.readers.lease()
    manifest = await queries.blobs_of(engine.log, source.bucket.id, source.key, found)
    return ObjectReader(engine, Label(source.bucket.id, source.key), found, manifest, lease)


async def copy_object(
    engine: Engine,
    source: CopySource,
    bucket: Bucket,
    key: str,
    *,
    headers: Mapping[str, str] | None,
    meta: Mapping[str, str] | None,
    tags: Mapping[str, str] | None,
    conditions: Conditions | None,
    delete_at_s: int,
    check: Check | None,
    keep: versions.Keep | None = None,
    owner: str,
    actor: Actor,
) -> Version:
    """Return the new version. What is None of headers, meta and tags is the source's.

    Its kind is the source's: a copied list of segments stands for the same segments. With `check`,
    what a large object stands for is read and written instead, as far as it may be read. `keep`:
    see `versions.write_object`.

    The blobs gain a reference in the event itself, decided under the log's lock: they stay when the
    source is deleted and swept.

    Raises:  NoSuchKey, NoSuchVersion, SourceGone, PreconditionFailed, NoSuchBucket.
    """
    check_key(key)
    found = await source_version(engine, source)
    if check is not None and found.kind in LARGE:
        reader = await open_source(engine, source, check)
        async with aclosing(reader.stream()) as pieces:
            return await put_object(
                engine,
                bucket,
                key,
                Copied(pieces),
                headers=found.headers if headers is None else headers,
                meta=found.meta if meta is None else meta,
                tags=found.tags if tags is None else tags,
                conditions=conditions,
                kind="",
                target="",
                size=None,
                etag=None,
                delete_at_s=delete_at_s,
                keep=keep,
                owner=owner,
                actor=actor,
            )
    draft = versions.Draft(
        size=found.size,
        etag=found.etag,
        owner=owner,
        checksums=found.checksums,
        checksum_type=found.checksum_type,
        headers=found.headers if headers is None else dict(headers),
        meta=found.meta if meta is None else dict(meta),
        tags=found.tags if tags is None else dict(tags),
        parts=found.parts,
        manifest=await queries.blobs_of(engine.log, source.bucket.id, source.key, found),
        encryption=found.encryption,
        kind=found.kind,
        target=found.target,
        delete_at_s=delete_at_s,
    )
    return await versions.write_object(
        engine.log,
        engine.ids,
        bucket,
        key,
        draft,
        conditions=conditions,
        source=versions.Source(source.bucket.id, source.key, found.begin),
        keep=keep,
        actor=actor,
    )
