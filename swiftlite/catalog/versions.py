"""Versions: write an object, delete it, delete one version of it.

What a client wants to be true of the key is decided when the event is placed, under the log's lock.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

import msgspec
from msgspec.structs import replace

from eventlog.clock import Ids
from eventlog.log import Actor, Guard, Log
from swiftlite.catalog import queries
from swiftlite.catalog.conditions import Conditions, check_delete, check_write
from swiftlite.catalog.events import (
    ObjectDeleted,
    ObjectDescribed,
    ObjectWritten,
    VersionDeleted,
    bucket_stream,
)
from swiftlite.catalog.guards import (
    BucketExists,
    BytesRemain,
    ConditionsHold,
    HasObject,
    IsCurrent,
    VersionLives,
)
from swiftlite.catalog.keys import check_key
from swiftlite.catalog.limits import OBJECT_BYTES_MAX
from swiftlite.catalog.rows import Bucket, Version
from swiftlite.catalog.settle import settle
from swiftlite.catalog.stack import version_of
from swiftlite.errors import EntityTooLarge, NoSuchKey
from swiftlite.manifest import Blob

Keep: TypeAlias = Callable[[Version | None], Awaitable[None]]
"""Awaited with the object on top of a key, None for none, before it is written over: that one and
no other is. It is called again where somebody was faster."""


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """All that makes a version but its place in the log; shapes as in `rows.Version`."""

    size: int
    etag: str
    owner: str = ""
    checksums: dict[str, str] = {}
    checksum_type: str = ""
    headers: dict[str, str] = {}
    meta: dict[str, str] = {}
    tags: dict[str, str] = {}
    parts: tuple[int, ...] = ()
    manifest: tuple[Blob, ...] = ()
    encryption: dict[str, str] | None = None
    kind: str = ""
    target: str = ""
    delete_at_s: int = 0


class Source(msgspec.Struct, frozen=True):
    """The version that began at `begin`, whose blobs a copy shares."""

    bucket_id: bytes
    key: str
    begin: int


class Deleted(msgspec.Struct, frozen=True, kw_only=True):
    """What a delete did. `position` is None if there was nothing to delete, and nothing happened.

    `marker`: a delete marker was made, or the named version was one; `version_id` is its id, or the
    named version's; None where the bucket has no versions.
    """

    version_id: str | None = None
    marker: bool = False
    position: int | None = None


async def write_object(
    log: Log,
    ids: Ids,
    bucket: Bucket,
    key: str,
    draft: Draft,
    *,
    conditions: Conditions | None = None,
    source: Source | None = None,
    keep: Keep | None = None,
    actor: Actor,
) -> Version:
    """Make a version whose bytes are durable the latest of its key, and return it as committed.

    With `source`, every blob of the draft is shared with that version. What `keep` raises is
    raised, and nothing is written.

    Raises:  InvalidKey, KeyTooLong, EntityTooLarge, NoSuchBucket, NoSuchKey, PreconditionFailed,
             ConditionalConflict, SourceGone.
    """
    check_key(key)
    if draft.size > OBJECT_BYTES_MAX:
        raise EntityTooLarge(size=draft.size, limit=OBJECT_BYTES_MAX)
    shares = tuple(blob.id for blob in draft.manifest) if source else ()

    async def attempt(now: Bucket) -> Version:
        event = written(now, ids, key, draft, shares=shares)
        guards = write_guards(now, key, conditions)
        if keep is not None:
            found = await queries.current(log, now.id, key)
            if conditions:
                check_write(conditions, found, key)
            await keep(found)
            guards.append(IsCurrent(now.id, key, found))
        if source is not None:
            guards.append(BytesRemain(source.bucket_id, source.key, source.begin))
        done = await log.append(bucket_stream(now.id), [event], actor=actor, guards=guards)
        return version_of(event, done.last, done.committed_us)

    return await settle(log, bucket, attempt, key=key)


async def describe_object(
    log: Log, bucket: Bucket, key: str, describe: Callable[[Version], Version], *, actor: Actor
) -> Version:
    """Give the latest version other headers and metadata, and return it as it is then.

    `describe` returns the version as it is to be, of the one that it is given, and is called again
    where somebody was faster; what counts of it are `headers`, `meta`, `delete_at_s`, and `kind`
    with `target`: "dlo" and where its segments are, or "" for none.

    Raises:  InvalidKey, KeyTooLong, NoSuchBucket, NoSuchKey, ConditionalConflict.
    """
    check_key(key)

    async def attempt(now: Bucket) -> Version:
        found = await queries.current(log, now.id, key)
        if found is None:
            raise NoSuchKey(key=key)
        wanted = describe(found)
        event = ObjectDescribed(
            bucket_id=now.id,
            key=key,
            version_id=found.version_id,
            headers=wanted.headers,
            meta=wanted.meta,
            delete_at_s=wanted.delete_at_s,
            kind=wanted.kind,
            target=wanted.target,
        )
        guards: list[Guard] = [BucketExists(now), IsCurrent(now.id, key, found)]
        done = await log.append(bucket_stream(now.id), [event], actor=actor, guards=guards)
        return replace(
            found,
            modified_us=done.committed_us,
            headers=event.headers,
            meta=event.meta,
            delete_at_s=event.delete_at_s,
            kind=event.kind,
            target=event.target,
        )

    return await settle(log, bucket, attempt, key=key)


async def delete_object(
    log: Log,
    ids: Ids,
    bucket: Bucket,
    key: str,
    *,
    conditions: Conditions | None = None,
    owner: str = "",
    seen: Version | None = None,
    actor: Actor,
) -> Deleted:
    """Delete a key without naming a version, as the bucket's versioning has it.

    Unversioned: the object ends; if there is none, nothing happens. Enabled: a delete marker comes
    on top, of an absent key too. Suspended: a null delete marker, which ends the null version.
    With `seen`, only if that version, as it was seen, is still the latest: else nothing happens.

    Raises:  InvalidKey, KeyTooLong, NoSuchBucket, NoSuchKey, PreconditionFailed,
             ConditionalConflict.
    """
    check_key(key)

    async def attempt(now: Bucket) -> Deleted:
        guards: list[Guard] = [BucketExists(now, same_versioning=True)]
        if conditions:
            guards.append(ConditionsHold(now.id, key, conditions, check_delete))
        if seen is not None:
            if await queries.current(log, now.id, key) != seen:
                return Deleted()
            guards.append(IsCurrent(now.id, key, seen))
        elif not now.versioning:
            if await queries.current(log, now.id, key) is None:
                if conditions:
                    check_delete(conditions, None, key)
                return Deleted()
            guards.append(HasObject(now.id, key))
        version_id = ids.uuid7().hex() if now.versioning == "enabled" else ""
        marker = bool(now.versioning)
        event = ObjectDeleted(
            bucket_id=now.id, key=key, marker=marker, version_id=version_id, owner=owner
        )
        done = await log.append(bucket_stream(now.id), [event], actor=actor, guards=guards)
        return Deleted(version_id=version_id if marker else None, marker=marker, position=done.last)

    return await settle(log, bucket, attempt, key=key)


async def delete_version(
    log: Log,
    bucket: Bucket,
    key: str,
    version_id: str,
    *,
    conditions: Conditions | None = None,
    actor: Actor,
) -> Deleted:
    """End one version, or delete marker; "" is the null version. If it is absent, nothing happens.

    Conditions are about the version that is named.

    Raises:  InvalidKey, KeyTooLong, NoSuchBucket, PreconditionFailed, ConditionalConflict.
    """
    check_key(key)

    async def attempt(now: Bucket) -> Deleted:
        found = await queries.version(log, now.id, key, version_id)
        if found is None:
            return Deleted(version_id=version_id)
        if conditions:
            check_delete(conditions, found, key)
        event = VersionDeleted(
            bucket_id=now.id, key=key, version_id=version_id, marker=found.marker
        )
        guards: list[Guard] = [BucketExists(now), VersionLives(now.id, key, found)]
        done = await log.append(bucket_stream(now.id), [event], actor=actor, guards=guards)
        return Deleted(version_id=version_id, marker=found.marker, position=done.last)

    return await settle(log, bucket, attempt, key=key)


def written(
    bucket: Bucket,
    ids: Ids,
    key: str,
    draft: Draft,
    *,
    shares: Sequence[bytes] = (),
    upload_id: bytes = b"",
) -> ObjectWritten:
    """Return the event that makes `draft` the latest version, in the bucket's versioning."""
    return ObjectWritten(
        bucket_id=bucket.id,
        key=key,
        version_id=ids.uuid7().hex() if bucket.versioning == "enabled" else "",
        size=draft.size,
        etag=draft.etag,
        owner=draft.owner,
        checksums=draft.checksums,
        checksum_type=draft.checksum_type,
        headers=draft.headers,
        meta=draft.meta,
        tags=draft.tags,
        parts=draft.parts,
        manifest=draft.manifest,
        shares=tuple(shares),
        encryption=draft.encryption,
        upload_id=upload_id,
        kind=draft.kind,
        target=draft.target,
        delete_at_s=draft.delete_at_s,
    )


def write_guards(bucket: Bucket, key: str, conditions: Conditions | None) -> list[Guard]:
    """Return what must hold when a version is placed."""
    guards: list[Guard] = [BucketExists(bucket, same_versioning=True)]
    if conditions:
        guards.append(ConditionsHold(bucket.id, key, conditions, check_write))
    return guards
