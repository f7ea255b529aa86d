"""Expiry's queue: the latest versions whose time is over."""

from __future__ import annotations

from eventlog.log import Log
from swiftlite.catalog import keys
from swiftlite.catalog.queries import bucket_by_id, current
from swiftlite.catalog.rows import Bucket, Version

PAGE = 500


async def due_objects(log: Log, *, until_s: int, limit: int) -> list[tuple[Bucket, str, Version]]:
    """Return bucket, key and version of objects due at or before a time, the first ones first."""
    found: list[tuple[Bucket, str, Version]] = []
    rows = await log.scan("expiry", b"", keys.position_key(until_s + 1), limit=limit)
    for at, _ in rows:
        _, bucket_id, key = keys.split_expiry_key(at)
        bucket = await bucket_by_id(log, bucket_id)
        version = await current(log, bucket_id, key)
        # Either may have gone since the scan.
        if bucket is not None and version is not None and version.is_due(until_s):
            found.append((bucket, key, version))
    return found
