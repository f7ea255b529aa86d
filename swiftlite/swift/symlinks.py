"""Symbolic links: they are put here; reading follows them in `gateway.whole`.

Source: Swift's "Symlink" (2026-08).
"""

from __future__ import annotations

from urllib.parse import quote

from swiftlite.access import Action
from swiftlite.catalog.rows import Version
from swiftlite.errors import LinkChanged, NoSuchBucket, NoSuchKey
from swiftlite.gateway import whole
from swiftlite.gateway.body import Given
from swiftlite.http.replies import Reply
from swiftlite.swift.call import Call
from swiftlite.swift.errors import Declined
from swiftlite.swift.limits import ACCOUNT_NAME_MAX
from swiftlite.swift.links import (
    CONTENT_TYPE,
    LINK_ACCOUNT,
    LINK_BYTES,
    LINK_ETAG,
    LINK_WHOLE_ETAG,
    Link,
    link_of,
)
from swiftlite.swift.listings import DEFAULT_TYPE
from swiftlite.swift.objects import absent_of, check_name, described_of, written_headers
from swiftlite.swift.quotas import room_for
from swiftlite.swift.request import account_of, project_of
from swiftlite.swift.storing import store


async def put_link(call: Call) -> Reply:
    """Store a link. One that is for a certain version of its target is compared with it first."""
    incoming = call.incoming
    if incoming.length or (incoming.length is None and await incoming.read()):
        raise Declined(400, "Symlink requests require a zero byte body")
    check_name(call.name)
    link, is_named = link_of(
        call.request.headers,
        account=account_of(call.project_id),
        container=call.container,
        name=call.name,
    )
    check_name(link.name)
    if len(link.account.encode()) > ACCOUNT_NAME_MAX:
        raise Declined(412, "Account name too long")
    said = described_of(call)
    if is_named:
        said.headers[LINK_ACCOUNT] = quote(link.account)
    if link.etag is not None:
        target = await _target(call, link)
        said.headers[LINK_ETAG] = link.etag
        said.headers[LINK_BYTES] = str(target.size)
        said.headers.setdefault("content-type", target.headers.get("content-type", DEFAULT_TYPE))
        if target.kind == whole.STATIC:
            said.headers[LINK_WHOLE_ETAG] = target.etag
    said.headers.setdefault("content-type", CONTENT_TYPE)
    conditions = await absent_of(call)
    await room_for(call, call.bucket, 0)
    version = await store(
        call,
        call.bucket,
        call.name,
        Given(),
        said=said,
        conditions=conditions,
        kind=whole.LINK,
        target=link.target,
    )
    return Reply(201, written_headers(call.bucket, version))


async def _target(call: Call, link: Link) -> Version:
    """Return what a static link is for.

    Raises:  LinkChanged if it is not that, or not there; Denied.
    """
    try:
        bucket = await call.reach(project_of(link.account), link.container, Action.READ, link.name)
        own = await call.gateway.head_object(bucket, link.name)
        if own.kind == whole.LINK and whole.LINK_ETAG not in own.headers:
            # A link that may come to point elsewhere counts as what it is itself.
            version, found = own, own.etag
        else:
            at_end = await call.gateway.head_whole(bucket, link.name, check=call.check_elsewhere)
            version = at_end.version
            fixed = own.headers.get(whole.LINK_ETAG)
            found = fixed if fixed is not None else whole.etag_of_itself(version)
    except (NoSuchBucket, NoSuchKey):
        raise LinkChanged(reason="X-Symlink-Target does not exist", location=link.target) from None
    if found != link.etag:
        raise LinkChanged(
            reason=f"Object Etag {found!r} does not match X-Symlink-Target-Etag header "
            f"{link.etag!r}",
            location=link.target,
        )
    return version
