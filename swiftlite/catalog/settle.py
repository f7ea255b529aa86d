"""Settle: decide, append, and decide anew when what was found has changed by then."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from eventlog.log import Log
from swiftlite.catalog.guards import Stale
from swiftlite.catalog.queries import bucket_by_id
from swiftlite.catalog.rows import Bucket
from swiftlite.errors import ConditionalConflict, NoSuchBucket

ATTEMPTS = 16

T = TypeVar("T")


async def settle(
    log: Log, bucket: Bucket, attempt: Callable[[Bucket], Awaitable[T]], *, key: str
) -> T:
    """Return what `attempt` returns; while a guard of it finds its facts stale, call it again.

    It is given the bucket as the caller knew it first, then as it is.

    Raises:  NoSuchBucket; ConditionalConflict if its facts were stale 16 times in a row.
    """
    for _ in range(ATTEMPTS):
        try:
            return await attempt(bucket)
        except Stale:
            now = await bucket_by_id(log, bucket.id)
        if now is None:
            raise NoSuchBucket(bucket=bucket.name)
        bucket = now
    raise ConditionalConflict(key=key)
