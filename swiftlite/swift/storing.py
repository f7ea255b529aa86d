"""Storing and removing: what every way to write an object, or to delete one, has in common.

A container that keeps old versions in another one has the present object kept there first.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from swiftlite.catalog.conditions import Conditions
from swiftlite.catalog.rows import Bucket, Version
from swiftlite.catalog.versions import Deleted
from swiftlite.errors import NoSuchKey, PreconditionFailed
from swiftlite.gateway.body import Body
from swiftlite.gateway.copy import CopySource
from swiftlite.gateway.whole import Check
from swiftlite.swift import archives
from swiftlite.swift.call import Call

ENABLED = "enabled"


class Described(msgspec.Struct, frozen=True):
    """What a request says of an object: shapes as in `catalog.rows.Version`."""

    headers: dict[str, str]
    meta: dict[str, str]
    delete_at_s: int = 0


async def store(
    call: Call,
    bucket: Bucket,
    name: str,
    body: Body,
    *,
    said: Described,
    conditions: Conditions | None = None,
    kind: str = "",
    target: str = "",
    size: int | None = None,
    etag: str | None = None,
) -> Version:
    """Store an object; see `gateway.put_object`."""
    await archives.check(call, bucket, name)
    return await call.gateway.put_object(
        bucket,
        name,
        body,
        headers=said.headers,
        meta=said.meta,
        delete_at_s=said.delete_at_s,
        conditions=conditions,
        kind=kind,
        target=target,
        size=size,
        etag=etag,
        keep=archives.keeper(call, bucket, name),
        owner=call.principal.user_id,
        actor=call.actor,
    )


async def store_copy(
    call: Call,
    source: CopySource,
    bucket: Bucket,
    name: str,
    *,
    said: Described,
    conditions: Conditions | None = None,
    check: Check | None = None,
) -> Version:
    """Store a copy by reference; see `gateway.copy_object`."""
    return await call.gateway.copy_object(
        source,
        bucket,
        name,
        headers=said.headers,
        meta=said.meta,
        delete_at_s=said.delete_at_s,
        conditions=conditions,
        check=check,
        keep=archives.keeper(call, bucket, name),
        owner=call.principal.user_id,
        actor=call.actor,
    )


async def remove(call: Call, bucket: Bucket, name: str, *, seen: Version | None = None) -> Deleted:
    """Delete an object as its container has it; with `seen`, only if it is still that version.

    Raises:  NoSuchKey; where versions are kept, a marker was made all the same.
             PreconditionFailed if it is another than was seen.
    """
    if archives.place_of(bucket) is not None:
        return await archives.remove(call, bucket, name, seen=seen)
    missing: NoSuchKey | None = None
    try:
        await call.gateway.head_object(bucket, name)
    except NoSuchKey as error:
        if bucket.versioning != ENABLED:
            raise
        missing = error
    done = await call.gateway.delete_object(
        bucket, name, seen=seen, owner=call.principal.user_id, actor=call.actor
    )
    if seen is not None and done.position is None:
        raise PreconditionFailed(condition="X-If-Delete-At")
    if missing is not None:
        raise NoSuchKey(key=name, delete_marker=True, version_id=done.version_id or "")
    return done


def version_headers(bucket: Bucket, version_id: str | None) -> dict[str, str]:
    """Return what tells which version was made, in a container that keeps versions now."""
    if bucket.versioning != ENABLED or version_id is None:
        return {}
    return {"X-Object-Version-Id": version_id or "null"}


def titled(meta: Mapping[str, str]) -> dict[str, str]:
    """Return an object's metadata as headers."""
    return {"X-Object-Meta-" + name.title(): value for name, value in meta.items()}
