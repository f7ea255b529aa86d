"""Object versioning: X-Versions-Enabled, which is S3's versioning of the same bucket.

    ?version-id=ID     GET, HEAD, COPY and DELETE mean that version; PUT makes it the latest again

Ids are those that S3 shows; `null` is the version from before, or from while it was suspended.
Source: Swift's "Object Versioning" (2026-08).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from swiftlite.access import Action
from swiftlite.catalog.rows import Bucket
from swiftlite.errors import NoSuchKey, NoSuchVersion
from swiftlite.gateway.copy import CopySource
from swiftlite.http.replies import Reply
from swiftlite.swift.archives import HISTORY, STACK
from swiftlite.swift.call import Call
from swiftlite.swift.errors import Declined
from swiftlite.swift.metadata import Said
from swiftlite.swift.request import is_true
from swiftlite.swift.storing import ENABLED, remove

SUSPENDED = "suspended"

_HEADER = "x-versions-enabled"
ID = re.compile(r"[0-9a-f]{32}", re.ASCII)
_FOREIGN = re.compile(r"[0-9]{1,10}(\.[0-9]{1,10})?", re.ASCII)  # ids of other Swifts: times
_NO_ID = "-"  # no version has it


def check(call: Call, bucket: Bucket | None, said: Said) -> None:
    """Return if a container may have its versions switched as the request says.

    Raises:  Declined: 400 where it keeps old versions in another container.
    """
    legacy = {STACK, HISTORY} & said.set.keys()
    before = set() if bucket is None else {STACK, HISTORY} & bucket.settings.keys()
    if _HEADER in call.request.headers and (legacy or before - set(said.removed)):
        raise Declined(
            400,
            "Cannot enable object versioning on a container that is already using the legacy "
            "versioned writes feature.",
        )
    if legacy and bucket is not None and bucket.versioning:
        raise Declined(
            400,
            "Cannot enable legacy versioned writes on a container that has object versioning.",
        )


async def switch(call: Call, bucket: Bucket) -> None:
    """Switch a container's versions on or off, as the request says; both for the future only."""
    text = call.request.headers.get(_HEADER, "")
    if not text:
        return
    if is_true(text):
        await call.gateway.set_versioning(bucket, ENABLED, actor=call.actor)
    elif bucket.versioning:
        await call.gateway.set_versioning(bucket, SUSPENDED, actor=call.actor)


def container_headers(bucket: Bucket) -> dict[str, str]:
    """Return what tells whether a container has versions."""
    return {"X-Versions-Enabled": str(bucket.versioning == ENABLED)} if bucket.versioning else {}


def version_id_of(call: Call) -> str | None:
    """Return the version of the request's own object that its query names, as `version_id_in`."""
    return version_id_in(call.request.query, call.bucket)


def version_id_in(query: Mapping[str, str], bucket: Bucket) -> str | None:
    """Return the version that a query names, "" for `null`; None for none.

    Raises:  Declined: 400 for what can be no id, and where the container never had versions.
    """
    text = query.get("version-id")
    if not text:
        return None
    if text == "null":
        return ""
    if not bucket.versioning:
        raise Declined(400, "version-aware operations require that the container is versioned")
    if ID.fullmatch(text):
        return text
    if _FOREIGN.fullmatch(text):
        return _NO_ID
    raise Declined(400, "Invalid version parameter")


async def delete_version(call: Call) -> Reply:
    """Delete one version, and tell which is the latest then."""
    version_id = version_id_of(call)
    if not call.bucket.versioning:
        await remove(call, call.bucket, call.name)  # there is only the null version
        return Reply(204)
    if version_id == _NO_ID:
        raise NoSuchVersion(key=call.name, version_id=_NO_ID)
    done = await call.gateway.delete_object(
        call.bucket, call.name, version_id=version_id, actor=call.actor
    )
    if done.position is None:
        raise NoSuchVersion(key=call.name, version_id=version_id or "null")
    try:
        latest = (await call.gateway.head_object(call.bucket, call.name)).version_id
    except NoSuchKey:
        latest = ""
    return Reply(
        204,
        {
            "X-Object-Version-Id": version_id or "null",
            "X-Object-Current-Version-Id": latest or "null",
        },
    )


async def put_version(call: Call) -> Reply:
    """Make a version the latest again: a copy of it, which shares its bytes, comes on top."""
    version_id = version_id_of(call)
    if not version_id:
        raise Declined(400, "Invalid version parameter")
    if call.incoming.length is None and not call.incoming.is_chunked:
        raise Declined(411)
    if call.incoming.length or (call.incoming.is_chunked and await call.incoming.read()):
        raise Declined(400, "PUT version-id requests require a zero byte body")
    call.check_elsewhere(Action.READ_VERSION, call.bucket)
    source = CopySource(bucket=call.bucket, key=call.name, version_id=version_id)
    made = await call.gateway.copy_object(
        source, call.bucket, call.name, owner=call.principal.user_id, actor=call.actor
    )
    headers = {"Etag": made.etag, "X-Object-Version-Id": made.version_id or "null"}
    return Reply(201, headers)
