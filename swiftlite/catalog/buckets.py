"""Buckets: create, delete, describe, set their versioning and retention, list a project's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from eventlog.clock import Ids
from eventlog.event import Event
from eventlog.log import Actor, Guard, Log
from swiftlite.catalog import keys
from swiftlite.catalog.describing import NOTE, NotesFit, check_notes, described
from swiftlite.catalog.events import (
    BucketCreated,
    BucketDeleted,
    BucketDescribed,
    BucketRetentionSet,
    BucketVersioningSet,
    bucket_stream,
)
from swiftlite.catalog.guards import BucketExists, BucketIsEmpty, NameIsFree
from swiftlite.catalog.limits import BUCKETS_PER_PROJECT_MAX
from swiftlite.catalog.listing import Page
from swiftlite.catalog.names import check_bucket_name, check_container_name
from swiftlite.catalog.queries import bucket_by_id
from swiftlite.catalog.rows import Bucket
from swiftlite.errors import InvalidArgument, NoSuchBucket, TooManyBuckets

MODES = ("enabled", "suspended")
CLAIMS_MAX = BUCKETS_PER_PROJECT_MAX
_NOTHING: Mapping[str, str] = {}


async def create_bucket(
    log: Log,
    ids: Ids,
    name: str,
    *,
    project_id: str,
    owner: str,
    region: str,
    claimed: bool = True,
    said: Mapping[str, str] = _NOTHING,
    actor: Actor,
) -> Bucket:
    """Create a bucket; `claimed`, as S3 does it, its name is taken among all projects.

    `said` is what its owner says of it at once, as in `describe_bucket`.

    Raises:  InvalidBucketName, BucketAlreadyExists, BucketAlreadyOwnedByYou, TooManyBuckets,
             TooManyNotes, MetadataTooLarge.
    """
    if claimed:
        check_bucket_name(name)
    else:
        check_container_name(name)
    check_notes({key[len(NOTE) :]: said[key] for key in said if key.startswith(NOTE)})
    own = keys.bucket_of_key(project_id, "")
    held = await log.scan(
        "bucket_of", own, keys.successor(own), limit=BUCKETS_PER_PROJECT_MAX, reverse=True
    )
    if len(held) >= BUCKETS_PER_PROJECT_MAX:
        raise TooManyBuckets(limit=BUCKETS_PER_PROJECT_MAX)
    bucket_id = ids.uuid7()
    events: list[Event] = [
        BucketCreated(
            bucket_id=bucket_id,
            name=name,
            project_id=project_id,
            owner=owner,
            region=region,
            claimed=claimed,
        )
    ]
    if said:
        events.append(BucketDescribed(bucket_id=bucket_id, set=dict(said)))
    free = NameIsFree(name, project_id, claims=claimed)
    await log.append(bucket_stream(bucket_id), events, actor=actor, guards=[free])
    return await _reread(log, bucket_id, name)


async def delete_bucket(log: Log, bucket: Bucket, *, actor: Actor) -> None:
    """Delete a bucket that holds no versions and no delete markers.

    Uploads that are open in it do not keep it, as on AWS: nothing reaches them any more, and their
    expiry ends them. Ended versions keep their bytes for the cloud's retention.

    Raises:  NoSuchBucket, BucketNotEmpty.
    """
    event = BucketDeleted(bucket_id=bucket.id)
    guards: list[Guard] = [BucketExists(bucket), BucketIsEmpty(bucket)]
    await log.append(bucket_stream(bucket.id), [event], actor=actor, guards=guards)


async def describe_bucket(
    log: Log, bucket: Bucket, changed: Mapping[str, str], removed: Sequence[str], *, actor: Actor
) -> Bucket:
    """Say something of a bucket; nothing happens where all of it was said before.

    Shapes:  keys: see `describing`.
    Raises:  NoSuchBucket, TooManyNotes, MetadataTooLarge.
    """
    before = await _reread(log, bucket.id, bucket.name)
    if described(before, changed, removed) == before:
        return before
    event = BucketDescribed(bucket_id=bucket.id, set=dict(changed), removed=tuple(removed))
    guards: list[Guard] = [
        BucketExists(bucket),
        NotesFit("bucket", bucket.id, bucket, changed, removed),
    ]
    await log.append(bucket_stream(bucket.id), [event], actor=actor, guards=guards)
    return await _reread(log, bucket.id, bucket.name)


async def set_versioning(log: Log, bucket: Bucket, versioning: str, *, actor: Actor) -> Bucket:
    """Make a bucket "enabled" or "suspended"; nothing happens if it is that already.

    Raises:  NoSuchBucket, InvalidArgument.
    """
    if versioning not in MODES:
        raise InvalidArgument(
            reason="versioning is enabled or suspended", argument="versioning", value=versioning
        )
    now = await _reread(log, bucket.id, bucket.name)
    if now.versioning == versioning:
        return now
    event = BucketVersioningSet(bucket_id=bucket.id, versioning=versioning)
    guards = [BucketExists(bucket)]
    await log.append(bucket_stream(bucket.id), [event], actor=actor, guards=guards)
    return replace(now, versioning=versioning)


async def set_retention(
    log: Log, bucket: Bucket, retention_s: int | None, *, actor: Actor
) -> Bucket:
    """Say how long the bytes of ended versions stay; None: as long as the cloud's default.

    Raises:  NoSuchBucket, InvalidArgument.
    """
    if retention_s is not None and retention_s < 0:
        raise InvalidArgument(
            reason="retention is not negative", argument="retention", value=str(retention_s)
        )
    event = BucketRetentionSet(bucket_id=bucket.id, retention_s=retention_s)
    guards = [BucketExists(bucket)]
    await log.append(bucket_stream(bucket.id), [event], actor=actor, guards=guards)
    return replace(bucket, retention_s=retention_s)


async def list_buckets(
    log: Log, project_id: str, *, prefix: str = "", after: str = "", limit: int = 10_000
) -> Page[Bucket]:
    """Return a project's own buckets, in the order of their names."""
    stem = keys.bucket_of_key(project_id, "")
    lo = max(stem + prefix.encode(), stem + after.encode() + b"\0" if after else stem)
    hi = keys.successor(stem + prefix.encode())
    claims = await log.scan("bucket_of", lo, hi, limit=limit + 1)
    found = await log.get_many("bucket", [claim.bucket_id for _, claim in claims[:limit]])
    buckets = [bucket for bucket in found if bucket is not None]
    truncated = len(claims) > limit
    return Page(buckets, [], truncated, buckets[-1].name if truncated and buckets else "")


async def _reread(log: Log, bucket_id: bytes, name: str) -> Bucket:
    bucket = await bucket_by_id(log, bucket_id)
    if bucket is None:
        raise NoSuchBucket(bucket=name)
    return bucket
