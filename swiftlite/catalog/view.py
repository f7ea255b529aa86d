"""The catalog: every table of what exists, as one fold of the events of storage.

    bucket        bucket id                          Bucket
    bucket_claim  name                               Claim: whose the name is, among all projects
    bucket_of     project NUL name                   Claim: a project's own buckets
    account       project                            Account: what it says of itself
    usage         bucket id                          Usage: objects in `current`, live bytes
    expiry        time, bucket id, key               Begin: those in `current` that will expire
    current       bucket id, key                     Version: the latest, unless a delete marker is
    noncurrent    bucket id, key NUL newest first    Version: live, but not in `current`
    buried        bucket id, key NUL version id      Begin: where in `noncurrent`
    past          bucket id, key NUL newest first    Past: ended versions
    manifest      bucket id, key NUL newest first    Manifest: of versions with many blobs
    shared        blob id                            Shared: blobs with several references
    ended         kind, end, begin                   Ended: the sweeper's queue
    upload        bucket id, key NUL upload id       Upload: in progress
    part          upload id, number                  Part: of uploads, until they are swept
    completed     upload id                          Completed: what an upload became
    device        number                             DeviceRow
    ring          epoch                              RingRow

Pure: no clock, no IO.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

import msgspec
from msgspec.structs import replace

from eventlog.event import Event
from eventlog.log import Recorded
from eventlog.view import Rows, TableView
from swiftlite.catalog import events as e
from swiftlite.catalog import keys
from swiftlite.catalog import rows as r
from swiftlite.catalog.describing import described
from swiftlite.catalog.rows import existing
from swiftlite.catalog.sharing import release, share
from swiftlite.catalog.stack import describe, push, remove, version_of


class CatalogView(TableView):
    """What exists, in storage."""

    name = "catalog"
    version = 2
    tables: ClassVar[Mapping[str, type[msgspec.Struct]]] = {
        "bucket": r.Bucket,
        "bucket_claim": r.Claim,
        "bucket_of": r.Claim,
        "account": r.Account,
        "usage": r.Usage,
        "expiry": r.Begin,
        "current": r.Version,
        "noncurrent": r.Version,
        "buried": r.Begin,
        "past": r.Past,
        "manifest": r.Manifest,
        "shared": r.Shared,
        "ended": r.Ended,
        "upload": r.Upload,
        "part": r.Part,
        "completed": r.Completed,
        "device": r.DeviceRow,
        "ring": r.RingRow,
    }

    def keys(self, event: Event) -> Iterable[tuple[str, bytes]]:
        if isinstance(event, e.ObjectWritten | e.ObjectDeleted | e.VersionDeleted):
            return (
                ("bucket", event.bucket_id),
                ("usage", event.bucket_id),
                ("current", keys.object_key(event.bucket_id, event.key)),
            )
        if isinstance(event, e.PartWritten):
            return (
                ("upload", keys.upload_key(event.bucket_id, event.key, event.upload_id)),
                ("part", keys.part_key(event.upload_id, event.number)),
            )
        if isinstance(event, e.VersionSwept):
            return (("past", keys.version_key(event.bucket_id, event.key, event.begin)),)
        return ()

    def evolve(self, rows: Rows, rec: Recorded) -> None:
        event = rec.event
        _FOLDS[type(event)](rows, event, rec)


# -- buckets -------------------------------------------------------------------------------------


def _bucket_created(rows: Rows, event: e.BucketCreated, rec: Recorded) -> None:
    bucket = r.Bucket(
        id=event.bucket_id,
        project_id=event.project_id,
        name=event.name,
        owner=event.owner,
        created_us=rec.committed_us,
        region=event.region,
        claimed=event.claimed,
        changed_us=rec.committed_us,
    )
    rows.put("bucket", event.bucket_id, bucket)
    if event.claimed:
        rows.put("bucket_claim", keys.claim_key(event.name), r.Claim(event.bucket_id))
    own = keys.bucket_of_key(event.project_id, event.name)
    rows.put("bucket_of", own, r.Claim(event.bucket_id))


def _bucket_deleted(rows: Rows, event: e.BucketDeleted, rec: Recorded) -> None:
    bucket = existing(rows, "bucket", event.bucket_id)
    rows.delete("bucket", event.bucket_id)
    rows.delete("usage", event.bucket_id)
    if bucket.claimed:
        rows.delete("bucket_claim", keys.claim_key(bucket.name))
    rows.delete("bucket_of", keys.bucket_of_key(bucket.project_id, bucket.name))


def _bucket_versioning_set(rows: Rows, event: e.BucketVersioningSet, rec: Recorded) -> None:
    bucket = existing(rows, "bucket", event.bucket_id)
    rows.put("bucket", event.bucket_id, replace(bucket, versioning=event.versioning))


def _bucket_retention_set(rows: Rows, event: e.BucketRetentionSet, rec: Recorded) -> None:
    bucket = existing(rows, "bucket", event.bucket_id)
    rows.put("bucket", event.bucket_id, replace(bucket, retention_s=event.retention_s))


def _bucket_described(rows: Rows, event: e.BucketDescribed, rec: Recorded) -> None:
    bucket = existing(rows, "bucket", event.bucket_id)
    after = replace(described(bucket, event.set, event.removed), changed_us=rec.committed_us)
    rows.put("bucket", event.bucket_id, after)


def _account_described(rows: Rows, event: e.AccountDescribed, rec: Recorded) -> None:
    at = keys.account_key(event.project_id)
    account = rows.get("account", at) or r.Account(event.project_id, rec.committed_us)
    rows.put("account", at, described(account, event.set, event.removed))


# -- versions ------------------------------------------------------------------------------------


def _object_written(rows: Rows, event: e.ObjectWritten, rec: Recorded) -> None:
    version = version_of(event, rec.position, rec.committed_us)
    unversioned = _never_versioned(rows, event.bucket_id)
    push(rows, event.bucket_id, event.key, version, never_versioned=unversioned)
    if version.manifest is None:
        at = keys.version_key(event.bucket_id, event.key, rec.position)
        rows.put("manifest", at, r.Manifest(event.manifest))
    share(rows, event.shares)
    if event.upload_id:
        became = r.Completed(event.bucket_id, event.key, replace(version, manifest=()))
        rows.put("completed", event.upload_id, became)


def _object_described(rows: Rows, event: e.ObjectDescribed, rec: Recorded) -> None:
    describe(rows, event, rec.committed_us)


def _object_deleted(rows: Rows, event: e.ObjectDeleted, rec: Recorded) -> None:
    unversioned = _never_versioned(rows, event.bucket_id)
    if event.marker:
        marker = r.Version(
            version_id=event.version_id,
            begin=rec.position,
            modified_us=rec.committed_us,
            owner=event.owner,
            marker=True,
        )
        push(rows, event.bucket_id, event.key, marker, never_versioned=unversioned)
    else:
        end = rec.position
        remove(rows, event.bucket_id, event.key, "", end, never_versioned=unversioned)


def _version_deleted(rows: Rows, event: e.VersionDeleted, rec: Recorded) -> None:
    remove(
        rows,
        event.bucket_id,
        event.key,
        event.version_id,
        rec.position,
        never_versioned=_never_versioned(rows, event.bucket_id),
    )


def _version_swept(rows: Rows, event: e.VersionSwept, rec: Recorded) -> None:
    at = keys.version_key(event.bucket_id, event.key, event.begin)
    past = existing(rows, "past", at)
    blobs = past.version.manifest
    if blobs is None:
        blobs = existing(rows, "manifest", at).blobs
        rows.delete("manifest", at)
    release(rows, blobs)
    rows.put("past", at, r.Past(replace(past.version, manifest=()), past.end, swept=True))
    rows.delete("ended", keys.ended_key(keys.VERSION, past.end, event.begin))


def _never_versioned(rows: Rows, bucket_id: bytes) -> bool:
    return not existing(rows, "bucket", bucket_id).versioning


# -- multipart uploads ---------------------------------------------------------------------------


def _upload_started(rows: Rows, event: e.UploadStarted, rec: Recorded) -> None:
    upload = r.Upload(
        id=event.upload_id,
        begin=rec.position,
        started_us=rec.committed_us,
        changed=rec.position,
        owner=event.owner,
        headers=event.headers,
        meta=event.meta,
        tags=event.tags,
        checksum_algorithm=event.checksum_algorithm,
        checksum_type=event.checksum_type,
    )
    rows.put("upload", keys.upload_key(event.bucket_id, event.key, event.upload_id), upload)


def _part_written(rows: Rows, event: e.PartWritten, rec: Recorded) -> None:
    at = keys.upload_key(event.bucket_id, event.key, event.upload_id)
    rows.put("upload", at, replace(existing(rows, "upload", at), changed=rec.position))
    at = keys.part_key(event.upload_id, event.number)
    before = rows.get("part", at)
    if before is not None:
        entry = r.Ended(event.bucket_id, event.key, event.upload_id, event.number, before.manifest)
        rows.put("ended", keys.ended_key(keys.PARTS, rec.position, before.begin), entry)
    part = r.Part(
        number=event.number,
        begin=rec.position,
        modified_us=rec.committed_us,
        size=event.size,
        etag=event.etag,
        checksums=event.checksums,
        manifest=event.manifest,
    )
    rows.put("part", at, part)
    share(rows, event.shares)


def _upload_completed(rows: Rows, event: e.UploadCompleted, rec: Recorded) -> None:
    for number in event.numbers:
        rows.delete("part", keys.part_key(event.upload_id, number))
    _finish(rows, event, rec)


def _upload_aborted(rows: Rows, event: e.UploadAborted, rec: Recorded) -> None:
    _finish(rows, event, rec)


def _finish(rows: Rows, event: e.UploadCompleted | e.UploadAborted, rec: Recorded) -> None:
    at = keys.upload_key(event.bucket_id, event.key, event.upload_id)
    begin = existing(rows, "upload", at).begin
    rows.delete("upload", at)
    entry = r.Ended(event.bucket_id, event.key, event.upload_id)
    rows.put("ended", keys.ended_key(keys.PARTS, rec.position, begin), entry)


def _parts_swept(rows: Rows, event: e.PartsSwept, rec: Recorded) -> None:
    at = keys.ended_key(keys.PARTS, event.ended, event.begin)
    entry = existing(rows, "ended", at)
    if entry.number:
        release(rows, entry.manifest)
        rows.delete("ended", at)
        return
    for number in event.numbers:
        part = keys.part_key(event.upload_id, number)
        release(rows, existing(rows, "part", part).manifest)
        rows.delete("part", part)
    if rows.first("part", event.upload_id, keys.successor(event.upload_id)) is None:
        rows.delete("ended", at)
        rows.delete("completed", event.upload_id)


# -- devices and rings ---------------------------------------------------------------------------


def _device_added(rows: Rows, event: e.DeviceAdded, rec: Recorded) -> None:
    device = r.DeviceRow(
        id=event.device_id,
        uuid=event.uuid,
        node=event.node,
        zone=event.zone,
        weight=event.weight,
        path=event.path,
        state="in",
    )
    rows.put("device", keys.device_key(event.device_id), device)


def _device_replaced(rows: Rows, event: e.DeviceReplaced, rec: Recorded) -> None:
    at = keys.device_key(event.device_id)
    rows.put("device", at, replace(existing(rows, "device", at), uuid=event.uuid, path=event.path))


def _device_removed(rows: Rows, event: e.DeviceRemoved, rec: Recorded) -> None:
    at = keys.device_key(event.device_id)
    rows.put("device", at, replace(existing(rows, "device", at), state="removed"))


def _ring_built(rows: Rows, event: e.RingBuilt, rec: Recorded) -> None:
    ring = r.RingRow(
        epoch=event.epoch,
        part_power=event.part_power,
        fragments=event.fragments,
        devices=event.devices,
        table=event.table,
    )
    rows.put("ring", keys.ring_key(event.epoch), ring)


_FOLDS: Mapping[type[Event] | type[None], Callable[[Rows, Any, Recorded], None]] = {
    e.BucketCreated: _bucket_created,
    e.BucketDeleted: _bucket_deleted,
    e.BucketVersioningSet: _bucket_versioning_set,
    e.BucketRetentionSet: _bucket_retention_set,
    e.BucketDescribed: _bucket_described,
    e.AccountDescribed: _account_described,
    e.ObjectWritten: _object_written,
    e.ObjectDescribed: _object_described,
    e.ObjectDeleted: _object_deleted,
    e.VersionDeleted: _version_deleted,
    e.VersionSwept: _version_swept,
    e.UploadStarted: _upload_started,
    e.PartWritten: _part_written,
    e.UploadCompleted: _upload_completed,
    e.UploadAborted: _upload_aborted,
    e.PartsSwept: _parts_swept,
    e.DeviceAdded: _device_added,
    e.DeviceReplaced: _device_replaced,
    e.DeviceRemoved: _device_removed,
    e.RingBuilt: _ring_built,
}
CatalogView.handles = frozenset(cls for cls in _FOLDS if issubclass(cls, Event))
