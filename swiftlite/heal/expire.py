"""Expire: abort uploads that nobody goes on with."""

from __future__ import annotations

from eventlog.log import Actor
from swiftlite.catalog import listing, queries, uploads
from swiftlite.catalog.guards import Stale
from swiftlite.errors import NoSuchUpload
from swiftlite.gateway.engine import Engine

UPLOAD_AGE_S = 7 * 86_400


async def expire_uploads(engine: Engine, *, age_s: int = UPLOAD_AGE_S, actor: Actor) -> int:
    """Abort uploads without an event for `age_s`, and those whose bucket is gone.

    Returns how many. Their parts' bytes go with a later sweep.
    """
    still = await engine.log.position_at(engine.clock.now_us() - age_s * 1_000_000)
    aborted = 0
    async for bucket_id, key, upload in listing.all_uploads(engine.log):
        if upload.changed > still and await queries.bucket_by_id(engine.log, bucket_id):
            continue
        try:
            await uploads.abort_upload(
                engine.log, bucket_id, key, upload.id, seen=upload, actor=actor
            )
        except (NoSuchUpload, Stale):
            continue  # its owner was quicker
        aborted += 1
    return aborted
