"""Operations on containers: make, describe, list, delete. A container is a bucket."""

from __future__ import annotations

from swiftlite.access import ACL_DOMAIN, READ_ACL, WRITE_ACL
from swiftlite.acl import DEFAULT_DOMAIN
from swiftlite.catalog.rows import Bucket
from swiftlite.errors import BucketAlreadyOwnedByYou, NoSuchBucket
from swiftlite.http.replies import Reply
from swiftlite.swift import archives, quotas, versions
from swiftlite.swift.call import Call
from swiftlite.swift.errors import Declined
from swiftlite.swift.formats import listing, wanted
from swiftlite.swift.limits import POLICY
from swiftlite.swift.listings import limit_of, object_entry, window_of
from swiftlite.swift.metadata import Said, container_place, said_of, shown_of
from swiftlite.swift.times import modified, timestamp

_TRIES = 10


async def put_container(call: Call) -> Reply:
    """Make a container, or say something of one that is there: 201 or 202."""
    policy = call.request.headers.get("x-storage-policy")
    if policy and policy.lower() != POLICY.lower():
        raise Declined(400, f"Invalid X-Storage-Policy {policy!a}")
    said = _said(call)
    found = call.bucket_or_none
    versions.check(call, found, said)
    for _ in range(_TRIES):
        try:
            if found is None:
                made = await call.gateway.create_container(
                    call.container,
                    project_id=call.project_id,
                    owner=call.principal.user_id,
                    region=call.settings.region,
                    said=said.set,
                    actor=call.actor,
                )
                await versions.switch(call, made)
                return Reply(201)
            await call.gateway.describe_bucket(found, said.set, said.removed, actor=call.actor)
            await versions.switch(call, found)
            return Reply(202)
        except (BucketAlreadyOwnedByYou, NoSuchBucket):
            # Somebody made or deleted it meanwhile, in this process or another one.
            found = await _present(call)
    raise Declined(409)


async def _present(call: Call) -> Bucket | None:
    try:
        return await call.gateway.container(call.project_id, call.container)
    except NoSuchBucket:
        return None


async def post_container(call: Call) -> Reply:
    """Say something of a container."""
    said = _said(call)
    versions.check(call, call.bucket, said)
    await call.gateway.describe_bucket(call.bucket, said.set, said.removed, actor=call.actor)
    await versions.switch(call, call.bucket)
    return Reply(204)


async def head_container(call: Call) -> Reply:
    """Return what a container holds, and what was said of it."""
    media = wanted(call.request)
    headers = await container_headers(call, call.bucket)
    return Reply(204, {"Content-Type": f"{media}; charset=utf-8", **headers})


async def get_container(call: Call) -> Reply:
    """Return a page of a container's objects."""
    media = wanted(call.request)
    limit = limit_of(call.request)
    window = window_of(call.request, has_path=True)
    found = await call.gateway.walk_objects(call.bucket, window, limit=limit)
    return listing(
        [object_entry(name, row) for name, row in found],
        media,
        root="container",
        element="object",
        name=call.container,
        fields=("name", "hash", "bytes", "content_type", "last_modified"),
        headers=await container_headers(call, call.bucket),
    )


async def delete_container(call: Call) -> Reply:
    """Delete an empty container."""
    await call.gateway.delete_bucket(call.bucket, actor=call.actor)
    return Reply(204)


async def container_headers(call: Call, bucket: Bucket) -> dict[str, str]:
    """Return what is told of a container, to the caller's rights."""
    usage = await call.gateway.usage(bucket)
    shown = shown_of(
        bucket,
        "container",
        sealer=call.world.sealer,
        place=container_place(bucket.project_id, bucket.name),
        is_owner=call.is_owner,
    )
    return {
        "X-Container-Object-Count": str(usage.objects),
        "X-Container-Bytes-Used": str(usage.bytes),
        "X-Timestamp": timestamp(bucket.created_us),
        "X-Put-Timestamp": timestamp(bucket.changed_us),
        "Last-Modified": modified(bucket.changed_us),
        "X-Storage-Policy": POLICY,
        "Accept-Ranges": "bytes",
        **versions.container_headers(bucket),
        **shown,
    }


def _said(call: Call) -> Said:
    headers = call.request.headers
    quotas.check_container_quotas(headers)
    said = said_of(
        headers,
        "container",
        sealer=call.world.sealer,
        place=container_place(call.project_id, call.container),
        is_owner=call.is_owner,
    )
    who = call.principal
    has_acl = not said.set.keys().isdisjoint((READ_ACL, WRITE_ACL))
    if has_acl and who.project_id == call.project_id and who.project_domain_id != DEFAULT_DOMAIN:
        # Remembered, since a bucket's row does not say which domain its project is in.
        said.set[ACL_DOMAIN] = who.project_domain_id
    return archives.settled(said, headers)
