"""Put: an object's bytes onto devices, then its event into the log.

The numbers are those of "Life of a PUT" in DESIGN.md. Whatever the crash, a version is there whole
or not at all:

1.  Some fragments are written. No event names them: orphans, which scrub reports.
2.  A quorum is synced. Still orphans.
3.  The event is committed and synced: the object exists, and the bytes were there before it did.
4.  The caller answers 200. A crash between 3 and 4 leaves an object that was not acknowledged.
"""

from __future__ import annotations

from collections.abc import Mapping

from eventlog.errors import LogBusy, LogFull, Refused
from eventlog.log import Actor
from swiftlite.catalog import versions
from swiftlite.catalog.conditions import Conditions
from swiftlite.catalog.keys import check_key
from swiftlite.catalog.rows import Bucket, Version
from swiftlite.errors import SourceGone
from swiftlite.gateway.body import Body
from swiftlite.gateway.engine import Engine
from swiftlite.gateway.intake import forget, store_body
from swiftlite.node.format import Label

# After these nothing was placed in the log, for certain; after any other error it may have been,
# and then the bytes stay.
NOT_PLACED = (Refused, LogBusy, LogFull, SourceGone)


async def put_object(
    engine: Engine,
    bucket: Bucket,
    key: str,
    body: Body,
    *,
    headers: Mapping[str, str],
    meta: Mapping[str, str],
    tags: Mapping[str, str],
    conditions: Conditions | None,
    kind: str,
    target: str,
    size: int | None,
    etag: str | None,
    delete_at_s: int,
    keep: versions.Keep | None = None,
    owner: str,
    actor: Actor,
) -> Version:
    """Return the version, when its bytes and its event will survive the loss of any one device.

    `kind` and `target` are as in `events.ObjectWritten`; `size` and `etag`, where they are given,
    are those of what the object stands for, and not of its own bytes. `keep`: see
    `versions.write_object`.

    Raises:  PreconditionFailed, NoSuchBucket, QuorumLost and others: then nothing changed.
    """
    check_key(key)
    # 1. and 2. happen in here.
    stored = await store_body(engine, Label(bucket.id, key), body)
    draft = versions.Draft(
        size=stored.size if size is None else size,
        etag=stored.etag if etag is None else etag,
        owner=owner,
        checksums=dict(stored.checksums),
        checksum_type="FULL_OBJECT" if stored.checksums else "",
        headers=dict(headers),
        meta=dict(meta),
        tags=dict(tags),
        manifest=stored.manifest,
        kind=kind,
        target=target,
        delete_at_s=delete_at_s,
    )
    try:
        # 3.
        version = await versions.write_object(
            engine.log,
            engine.ids,
            bucket,
            key,
            draft,
            conditions=conditions,
            keep=keep,
            actor=actor,
        )
    except NOT_PLACED:
        engine.later(forget(engine, stored))
        raise
    # 4. is the caller's.
    return version
