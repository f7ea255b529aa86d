"""Operations on objects: put, get, head, describe, delete."""

from __future__ import annotations

import mimetypes
from collections.abc import Mapping
from urllib.parse import quote

from msgspec.structs import replace

from swiftlite.catalog.conditions import ANY, Conditions, check_write
from swiftlite.catalog.rows import Bucket, Version
from swiftlite.errors import NoSuchKey
from swiftlite.gateway.whole import DYNAMIC, STATIC
from swiftlite.gateway.whole import LINK as LINK_KIND
from swiftlite.http.replies import Reply
from swiftlite.swift import versions
from swiftlite.swift.body import Upload
from swiftlite.swift.call import Call
from swiftlite.swift.conditions import check_read, takes_range
from swiftlite.swift.errors import Declined
from swiftlite.swift.limits import FILE_MAX, OBJECT_NAME_MAX
from swiftlite.swift.links import (
    LINK,
    LINK_ETAG,
    LINK_HEADERS,
    LINK_WHOLE_ETAG,
    check_dynamic_manifest,
)
from swiftlite.swift.listings import DEFAULT_TYPE
from swiftlite.swift.metadata import object_headers, user_metadata
from swiftlite.swift.quotas import room_for
from swiftlite.swift.ranges import Multipart, Span, begun, byte_ranges
from swiftlite.swift.reading import Opened, looked_at, opened, part_of
from swiftlite.swift.storing import Described, remove, store, version_headers
from swiftlite.swift.times import modified, timestamp

META = "x-object-meta-"
_DELETE_AT_MAX = 9_999_999_999
_DIGITS_MAX = 10


async def put_object(call: Call) -> Reply:
    """Store an object."""
    check_name(call.name)
    said = described_of(call)
    if "content-type" not in said.headers or call.request.flag("x-detect-content-type"):
        said.headers["content-type"] = guessed_type(call.name)
    conditions = await absent_of(call)
    room = await room_for(call, call.bucket, call.incoming.length)
    body = Upload(
        call.incoming,
        etag=promised_etag(call.request.headers),
        limit=FILE_MAX if room is None else min(room, FILE_MAX),
    )
    kind, target = dynamic_of(call.request.headers)
    version = await store(
        call,
        call.bucket,
        call.name,
        body,
        said=said,
        conditions=conditions,
        kind=kind,
        target=target,
    )
    return Reply(201, written_headers(call.bucket, version))


async def get_object(call: Call) -> Reply:
    """Return an object, a range of it, or several."""
    found = await opened(call, call.bucket, call.name, versions.version_id_of(call))
    return await reply_of(call, found)


async def head_object(call: Call) -> Reply:
    """Return what `get_object` would, without the bytes."""
    version_id = versions.version_id_of(call)
    version, more = await looked_at(call, call.bucket, call.name, version_id)
    headers = shown_headers(version) | more
    if not is_wanted(call, version, headers):
        return Reply(304, headers)
    part = part_of(call, version, headers)
    if part is not None:
        start, end = part
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{version.size}"
        return Reply(206, headers, length=end - start)
    return Reply(200, headers, length=version.size)


async def post_object(call: Call) -> Reply:
    """Replace an object's metadata, and those of its headers that can be set."""
    if LINK in call.request.headers:
        raise Declined(400, "A PUT request is required to set a symlink target")
    if call.request.query.get("version-id"):
        raise Declined(400, "POST to a specific version is not allowed")
    said = described_of(call)
    kind, target = dynamic_of(call.request.headers)

    def described(found: Version) -> Version:
        kept = {*LINK_HEADERS, *({"content-type"} - said.headers.keys())}
        headers = {name: found.headers[name] for name in kept & found.headers.keys()}
        after = replace(
            found, headers=said.headers | headers, meta=said.meta, delete_at_s=said.delete_at_s
        )
        # Only what may be a dynamic manifest is one, or none, as the request says.
        return replace(after, kind=kind, target=target) if found.kind in ("", DYNAMIC) else after

    version = await call.gateway.describe_object(
        call.bucket, call.name, described, actor=call.actor
    )
    headers = {"X-Timestamp": timestamp(version.modified_us)}
    if version.kind == LINK_KIND:
        headers["Location"] = "/v1/" + quote(version.target)
        if LINK_ETAG in version.headers:
            headers[LINK_ETAG.title()] = version.headers[LINK_ETAG]
        return Reply(307, headers)
    return Reply(202, headers)


async def delete_object(call: Call) -> Reply:
    """Delete an object; one that is not there is refused.

    `X-If-Delete-At`: only if that is when it would have gone by itself.
    """
    seen: Version | None = None
    due = call.request.headers.get("x-if-delete-at")
    if due is not None:
        if not (due.isascii() and due.isdecimal()):
            raise Declined(400, "Bad X-If-Delete-At header value")
        seen = await call.gateway.head_object(call.bucket, call.name)
        if (due.lstrip("0") or "0") != str(seen.delete_at_s):
            raise Declined(412, "X-If-Delete-At and X-Delete-At do not match")
    done = await remove(call, call.bucket, call.name, seen=seen)
    return Reply(204, version_headers(call.bucket, done.version_id))


async def reply_of(call: Call, found: Opened) -> Reply:
    """Return an opened object as conditions and ranges want it.

    Raises:  Declined: 412, 416.
    """
    reader, version, request = found.reader, found.version, call.request
    headers = shown_headers(version) | found.headers
    if not is_wanted(call, version, headers):
        return Reply(304, headers)
    spans: list[Span] | None = None
    if "range" in request.headers and takes_range(
        request.headers, version.etag, version.modified_us
    ):
        spans = byte_ranges(request.headers["range"], version.size, version.etag)
        if spans is not None and len(spans) > 1 and version.kind == DYNAMIC:
            spans = None  # of those Swift answers one range, or all
    else:
        part = part_of(call, version, headers)
        spans = None if part is None else [part]
    if spans is not None and len(spans) > 1:
        boundary = call.world.ids.random(16).hex()
        parts = Multipart(spans, version.size, kind=headers["Content-Type"], boundary=boundary)
        headers["Content-Type"] = parts.content_type
        stream = await begun(parts.stream(reader.stream))
        return Reply(206, headers, stream=stream, length=parts.length)
    start, end = spans[0] if spans else (0, version.size)
    if spans:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{version.size}"
    reply = Reply(206 if spans else 200, headers, length=end - start)
    if end > start:
        small = reader.small()
        if small is not None:
            reply.body = small[start:end]
        else:
            reply.stream = await begun(reader.stream(start, end))
    return reply


def is_wanted(call: Call, version: Version, headers: Mapping[str, str]) -> bool:
    """Return whether the object is to be sent; if not, the client has it.

    Raises:  Declined: 412, which tells where a link led.
    """
    try:
        return check_read(call.request.headers, version.etag, version.modified_us)
    except Declined as error:
        place = headers.get("Content-Location")
        if place is None:
            raise
        told = {**error.headers, "Content-Location": place}
        named = {name.replace("-", "_"): value for name, value in told.items()}
        raise Declined(error.status, error.reason, **named) from None


# -- what requests say -----------------------------------------------------------------------------


def described_of(call: Call) -> Described:
    """Return what a request says of an object.

    Raises:  Declined 400.
    """
    headers = call.request.headers
    if "x-static-large-object" in headers:
        raise Declined(
            400,
            "X-Static-Large-Object is a reserved header. To create a static large object add query "
            "param multipart-manifest=put.",
        )
    return Described(
        object_headers(headers),
        user_metadata(headers, META, allow_empty=True),
        delete_at_of(headers, call.now_s),
    )


def delete_at_of(headers: Mapping[str, str], now_s: int) -> int:
    """Return when the object is to go, in seconds since 1970; 0: never.

    Raises:  Declined: 400 for what is no whole number, or in the past.
    """
    for name, since_s in (("X-Delete-After", now_s), ("X-Delete-At", 0)):
        text = headers.get(name.lower())
        if text is None or not text.strip():
            continue
        digits = text.strip()
        is_negative = digits.startswith("-")
        digits = digits.removeprefix("-").removeprefix("+")
        if not (digits.isascii() and digits.isdecimal()):
            raise Declined(400, f"Non-integer {name}")
        digits = digits.lstrip("0")
        size = _DELETE_AT_MAX if len(digits) > _DIGITS_MAX else int(digits or "0")
        at_s = since_s + (-size if is_negative else size)
        if at_s <= now_s:
            raise Declined(400, f"{name} in past")
        return min(at_s, _DELETE_AT_MAX)
    return 0


def dynamic_of(headers: Mapping[str, str]) -> tuple[str, str]:
    """Return kind and target of the dynamic manifest that a request makes; "" and "" for none.

    Raises:  Declined: 400 for a target that is none.
    """
    target = headers.get("x-object-manifest")
    if not target:
        return "", ""
    check_dynamic_manifest(target)
    return DYNAMIC, target


def promised_etag(headers: Mapping[str, str]) -> str:
    """Return the MD5 that the client promises, "" for none."""
    return headers.get("etag", "").strip().strip('"').lower()


async def absent_of(call: Call) -> Conditions | None:
    """Return the condition that there is no such object yet, where the client makes it.

    Raises:  Declined: 400 for another condition; PreconditionFailed, which saves the upload: it is
             decided again when the object is committed.
    """
    text = call.request.headers.get("if-none-match")
    if text is None:
        return None
    if text.strip() != ANY:
        raise Declined(400, "If-None-Match only supports *")
    conditions = Conditions(if_none_match=(ANY,))
    try:
        found = await call.gateway.head_object(call.bucket, call.name)
    except NoSuchKey:
        return conditions
    check_write(conditions, found, call.name)
    return conditions


def check_name(name: str) -> None:
    """Return if an object may have this name.

    Raises:  Declined 400.
    """
    size = len(name.encode())
    if size > OBJECT_NAME_MAX:
        raise Declined(400, f"Object name length of {size} longer than {OBJECT_NAME_MAX}")


def guessed_type(name: str) -> str:
    """Return the media type that a name's end tells of."""
    return mimetypes.guess_type(name.rpartition("/")[2], strict=False)[0] or DEFAULT_TYPE


# -- what replies say ------------------------------------------------------------------------------


def written_headers(bucket: Bucket, version: Version) -> dict[str, str]:
    """Return what a write answers about the version that it made."""
    return {
        "Etag": f'"{version.etag}"' if version.kind == STATIC else version.etag,
        "Last-Modified": modified(version.modified_us),
        "x-cumulog-position": str(version.begin),
        **version_headers(bucket, version.version_id),
    }


def shown_headers(version: Version) -> dict[str, str]:
    """Return what a GET or HEAD tells of an object."""
    headers = {
        "Content-Type": DEFAULT_TYPE,
        "Etag": version.etag,
        "Last-Modified": modified(version.modified_us),
        "X-Timestamp": timestamp(version.modified_us),
        "Accept-Ranges": "bytes",
        "x-cumulog-position": str(version.begin),
    }
    for name, value in version.headers.items():
        if name != LINK_WHOLE_ETAG:
            headers[name.title()] = value
    for name, value in version.meta.items():
        headers["X-Object-Meta-" + name.title()] = value
    if version.delete_at_s:
        headers["X-Delete-At"] = str(version.delete_at_s)
    return headers
