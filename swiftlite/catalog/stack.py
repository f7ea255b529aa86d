"""One key's versions: a stack, of which `current` holds the top if it is an object.

    written                 an object on top       current
    written over            an object below        noncurrent, buried
    delete marker           wherever it lies       noncurrent, buried
    ended                   out of the stack       past, and ended until it is swept

`current` has no row for a key whose top is a delete marker. The null version is one of the stack:
the next null version ends it wherever it lies. A bucket's usage counts the objects in `current`,
which are also what can expire, and the bytes of all that is in the stacks.

Pure: no clock, no IO.
"""

from __future__ import annotations

from msgspec.structs import replace

from eventlog.view import Rows
from swiftlite.catalog import keys
from swiftlite.catalog.events import ObjectDescribed, ObjectWritten
from swiftlite.catalog.limits import INLINE_BLOBS_MAX
from swiftlite.catalog.rows import Begin, Ended, Past, Usage, Version, existing

NULL = ""


def version_of(event: ObjectWritten, position: int, committed_us: int) -> Version:
    """Return the version that an event makes when it is placed at `position`."""
    return Version(
        version_id=event.version_id,
        begin=position,
        modified_us=committed_us,
        size=event.size,
        etag=event.etag,
        owner=event.owner,
        checksums=event.checksums,
        checksum_type=event.checksum_type,
        headers=event.headers,
        meta=event.meta,
        tags=event.tags,
        parts=event.parts,
        manifest=event.manifest if len(event.manifest) <= INLINE_BLOBS_MAX else None,
        encryption=event.encryption,
        kind=event.kind,
        target=event.target,
        delete_at_s=event.delete_at_s,
    )


def push(
    rows: Rows, bucket_id: bytes, key: str, version: Version, *, never_versioned: bool
) -> None:
    """Put `version`, an object or a delete marker, on top of its key's stack.

    `never_versioned`: the bucket's stacks hold at most one version, the null version on top.
    """
    at = keys.object_key(bucket_id, key)
    before: Version | None = rows.get("current", at)
    top = before
    if version.is_null:
        if top is not None and top.is_null:
            _end(rows, bucket_id, key, top, version.begin)
            rows.delete("current", at)
            top = None
        elif not never_versioned:
            _end_buried(rows, bucket_id, key, NULL, version.begin)
    if top is not None:
        _bury(rows, bucket_id, key, top)
        rows.delete("current", at)
    if version.marker:
        _bury(rows, bucket_id, key, version)
        _account(rows, bucket_id, key, before, None)
    else:
        rows.put("current", at, version)
        _account(rows, bucket_id, key, before, version)


def remove(
    rows: Rows, bucket_id: bytes, key: str, version_id: str, end: int, *, never_versioned: bool
) -> None:
    """End one live version at position `end`; if it was the top, the next one is that now."""
    at = keys.object_key(bucket_id, key)
    before: Version | None = rows.get("current", at)
    top = before
    if top is not None and top.version_id == version_id:
        _end(rows, bucket_id, key, top, end)
        rows.delete("current", at)
        top = None
    else:
        _end_buried(rows, bucket_id, key, version_id, end)
    if top is None and not never_versioned:
        top = _surface(rows, bucket_id, key)
    if top is not before:
        _account(rows, bucket_id, key, before, top)


def describe(rows: Rows, event: ObjectDescribed, committed_us: int) -> None:
    """Give the version on top of its key's stack other headers and metadata."""
    at = keys.object_key(event.bucket_id, event.key)
    before: Version = existing(rows, "current", at)
    assert before.version_id == event.version_id, "another version is on top"
    after = replace(
        before,
        modified_us=committed_us,
        headers=event.headers,
        meta=event.meta,
        delete_at_s=event.delete_at_s,
        kind=event.kind,
        target=event.target,
    )
    rows.put("current", at, after)
    _account(rows, event.bucket_id, event.key, before, after)


def _account(
    rows: Rows, bucket_id: bytes, key: str, before: Version | None, after: Version | None
) -> None:
    """Keep usage and expiry true of what is on top of a key's stack, which was `before`."""
    objects = (after is not None) - (before is not None)
    size = (_counted(after) if after else 0) - (_counted(before) if before else 0)
    if objects or size:
        _count(rows, bucket_id, objects, size)
    if before is not None and before.delete_at_s:
        rows.delete("expiry", keys.expiry_key(before.delete_at_s, bucket_id, key))
    if after is not None and after.delete_at_s:
        expires = keys.expiry_key(after.delete_at_s, bucket_id, key)
        rows.put("expiry", expires, Begin(after.begin))


def _count(rows: Rows, bucket_id: bytes, objects: int, size: int) -> None:
    usage: Usage = rows.get("usage", bucket_id) or Usage()
    rows.put("usage", bucket_id, Usage(usage.objects + objects, usage.bytes + size))


def _counted(version: Version) -> int:
    if version.kind == "slo":
        # The segments are objects themselves, and count where they are.
        return sum(blob.size for blob in version.manifest or ())
    return version.size


def _bury(rows: Rows, bucket_id: bytes, key: str, version: Version) -> None:
    rows.put("noncurrent", keys.version_key(bucket_id, key, version.begin), version)
    rows.put("buried", keys.buried_key(bucket_id, key, version.version_id), Begin(version.begin))
    _count(rows, bucket_id, 0, _counted(version))


def _unbury(rows: Rows, bucket_id: bytes, key: str, version: Version) -> None:
    rows.delete("noncurrent", keys.version_key(bucket_id, key, version.begin))
    rows.delete("buried", keys.buried_key(bucket_id, key, version.version_id))
    _count(rows, bucket_id, 0, -_counted(version))


def _surface(rows: Rows, bucket_id: bytes, key: str) -> Version | None:
    stem = keys.of_key(bucket_id, key)
    found = rows.first("noncurrent", stem, keys.successor(stem))
    if found is None or found[1].marker:
        return None
    version: Version = found[1]
    _unbury(rows, bucket_id, key, version)
    rows.put("current", keys.object_key(bucket_id, key), version)
    return version


def _end_buried(rows: Rows, bucket_id: bytes, key: str, version_id: str, end: int) -> None:
    found: Begin | None = rows.get("buried", keys.buried_key(bucket_id, key, version_id))
    if found is not None:
        at = keys.version_key(bucket_id, key, found.begin)
        version = existing(rows, "noncurrent", at)
        _unbury(rows, bucket_id, key, version)
        _end(rows, bucket_id, key, version, end)


def _end(rows: Rows, bucket_id: bytes, key: str, version: Version, end: int) -> None:
    # A delete marker has no bytes: there is nothing to sweep.
    past = Past(version, end, swept=version.marker)
    rows.put("past", keys.version_key(bucket_id, key, version.begin), past)
    if not version.marker:
        rows.put("ended", keys.ended_key(keys.VERSION, end, version.begin), Ended(bucket_id, key))
