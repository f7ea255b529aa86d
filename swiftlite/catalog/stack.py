"""One key's versions: a stack, of which `current` holds the top if it is an object.

    written                 an object on top       current
    written over            an object below        noncurrent, buried
    delete marker           wherever it lies       noncurrent, buried
    ended                   out of the stack       past, and ended until it is swept

`current` has no row for a key whose top is a delete marker. The null version is one of the stack:
the next null version ends it wherever it lies.

Pure: no clock, no IO.
"""

from __future__ import annotations

from eventlog.view import Rows
from swiftlite.catalog import keys
from swiftlite.catalog.events import ObjectWritten
from swiftlite.catalog.limits import INLINE_BLOBS_MAX
from swiftlite.catalog.rows import Begin, Ended, Past, Version, existing

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
    )


def push(
    rows: Rows, bucket_id: bytes, key: str, version: Version, *, never_versioned: bool
) -> None:
    """Put `version`, an object or a delete marker, on top of its key's stack.

    `never_versioned`: the bucket's stacks hold at most one version, the null version on top.
    """
    at = keys.object_key(bucket_id, key)
    top: Version | None = rows.get("current", at)
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
    else:
        rows.put("current", at, version)


def remove(
    rows: Rows, bucket_id: bytes, key: str, version_id: str, end: int, *, never_versioned: bool
) -> None:
    """End one live version at position `end`; if it was the top, the next one is that now."""
    at = keys.object_key(bucket_id, key)
    top: Version | None = rows.get("current", at)
    if top is not None and top.version_id == version_id:
        _end(rows, bucket_id, key, top, end)
        rows.delete("current", at)
        top = None
    else:
        _end_buried(rows, bucket_id, key, version_id, end)
    if top is None and not never_versioned:
        _surface(rows, bucket_id, key)


def _bury(rows: Rows, bucket_id: bytes, key: str, version: Version) -> None:
    rows.put("noncurrent", keys.version_key(bucket_id, key, version.begin), version)
    rows.put("buried", keys.buried_key(bucket_id, key, version.version_id), Begin(version.begin))


def _unbury(rows: Rows, bucket_id: bytes, key: str, version: Version) -> None:
    rows.delete("noncurrent", keys.version_key(bucket_id, key, version.begin))
    rows.delete("buried", keys.buried_key(bucket_id, key, version.version_id))


def _surface(rows: Rows, bucket_id: bytes, key: str) -> None:
    stem = keys.of_key(bucket_id, key)
    found = rows.first("noncurrent", stem, keys.successor(stem))
    if found is not None and not found[1].marker:
        _unbury(rows, bucket_id, key, found[1])
        rows.put("current", keys.object_key(bucket_id, key), found[1])


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
