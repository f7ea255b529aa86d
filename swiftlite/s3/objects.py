"""Operations on one object: put, get, head, delete; and the deletion of many."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator

from eventlog.errors import CloudError
from swiftlite.access import Action
from swiftlite.catalog.conditions import Conditions, check_write
from swiftlite.catalog.limits import PART_NUMBER_MAX
from swiftlite.catalog.rows import Version
from swiftlite.errors import InvalidArgument, InvalidRequest, NoSuchKey, NotImplementedHere
from swiftlite.gateway.whole import Reader
from swiftlite.http.replies import Buffer, Reply
from swiftlite.http.times import http_from_us
from swiftlite.s3 import documents
from swiftlite.s3.call import Call, version_id_from
from swiftlite.s3.checksums import DEFAULT, response_headers
from swiftlite.s3.codes import code_of
from swiftlite.s3.conditions import check_read, takes_range
from swiftlite.s3.documents import Doomed
from swiftlite.s3.headers import (
    DEFAULT_CONTENT_TYPE,
    conditions_of,
    etag,
    etag_of,
    system_headers,
    user_metadata,
)
from swiftlite.s3.names import META
from swiftlite.s3.payload import payload_of
from swiftlite.s3.ranges import byte_range, part_range
from swiftlite.s3.request import check_header
from swiftlite.s3.xml import document, leaf, xml_reply

log = logging.getLogger(__name__)

_OVERRIDES = {
    "response-cache-control": "Cache-Control",
    "response-content-disposition": "Content-Disposition",
    "response-content-encoding": "Content-Encoding",
    "response-content-language": "Content-Language",
    "response-content-type": "Content-Type",
    "response-expires": "Expires",
}
_TITLES = {
    "cache-control": "Cache-Control",
    "content-disposition": "Content-Disposition",
    "content-encoding": "Content-Encoding",
    "content-language": "Content-Language",
    "content-type": "Content-Type",
    "expires": "Expires",
}
_CONDITIONS = ("if-match", "if-none-match", "if-modified-since", "if-unmodified-since")
_DELETIONS_AT_ONCE = 64


async def put_object(call: Call) -> Reply:
    """Store an object."""
    request = call.request
    conditions = conditions_of(request)
    headers = system_headers(request)
    meta = user_metadata(request)
    body = payload_of(request, call.incoming, call.caller, default_checksum=DEFAULT)
    if conditions:
        # Decided again when the version is committed; here it saves the client the upload.
        check_write(conditions, await _current(call), call.key)
    await call.check_room(body.size)
    version = await call.gateway.put_object(
        call.bucket,
        call.key,
        body,
        headers=headers,
        meta=meta,
        conditions=conditions or None,
        owner=call.principal.user_id,
        actor=call.actor,
    )
    return Reply(200, call.version_headers(version))


async def get_object(call: Call) -> Reply:
    """Return an object, or a range of it."""
    _, reader = await call.gateway.open_whole(
        call.bucket, call.key, version_id=call.version_id(), check=call.check_elsewhere
    )
    reply, start, end = _described(call, reader.version)
    if end > start:
        small = reader.small()
        if small is not None:
            reply.body = small[start:end]
        else:
            reply.stream = await _begun(reader, start, end)
    return reply


async def head_object(call: Call) -> Reply:
    """Return what `get_object` would, without the bytes."""
    whole = await call.gateway.head_whole(
        call.bucket, call.key, version_id=call.version_id(), check=call.check_elsewhere
    )
    return _described(call, whole.version)[0]


async def get_attributes(call: Call) -> Reply:
    """Return those facts of an object that the client names."""
    whole = await call.gateway.head_whole(
        call.bucket, call.key, version_id=call.version_id(), check=call.check_elsewhere
    )
    version = whole.version
    asked = call.request.headers.get("x-amz-object-attributes", "")
    wanted = {name.strip() for name in asked.split(",") if name.strip()}
    known = {"ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"}
    if not wanted or wanted - known:
        raise InvalidArgument(
            argument="x-amz-object-attributes",
            value=asked[:128],
            reason="Invalid attribute name specified",
        )
    content = ""
    if "ETag" in wanted:
        content += leaf("ETag", etag_of(version))
    if "Checksum" in wanted and version.checksums:
        values = "".join(leaf(f"Checksum{name}", v) for name, v in version.checksums.items())
        kind = leaf("ChecksumType", version.checksum_type or None)
        content += f"<Checksum>{values}{kind}</Checksum>"
    if "ObjectParts" in wanted and version.parts:
        content += f"<ObjectParts>{leaf('PartsCount', len(version.parts))}</ObjectParts>"
    if "StorageClass" in wanted:
        content += leaf("StorageClass", "STANDARD")
    if "ObjectSize" in wanted:
        content += leaf("ObjectSize", version.size)
    headers = {"Last-Modified": http_from_us(version.modified_us)}
    if call.bucket.versioning:
        headers["x-amz-version-id"] = version.version_id or "null"
    return xml_reply(document("GetObjectAttributesResponse", content), headers)


async def delete_object(call: Call) -> Reply:
    """Delete the object, or one version of it."""
    conditions = conditions_of(call.request)
    if conditions.if_none_match is not None:
        raise NotImplementedHere(feature="If-None-Match on a DELETE")
    version_id = call.version_id()
    done = await call.gateway.delete_object(
        call.bucket,
        call.key,
        version_id=version_id,
        conditions=conditions or None,
        owner=call.principal.user_id,
        actor=call.actor,
    )
    headers = {}
    if done.position is not None:
        headers["x-cumulog-position"] = str(done.position)
    if done.version_id is not None and (call.bucket.versioning or version_id is not None):
        headers["x-amz-version-id"] = done.version_id or "null"
    if done.marker:
        headers["x-amz-delete-marker"] = "true"
    return Reply(204, headers)


async def delete_objects(call: Call) -> Reply:
    """Delete what a document names; each entry succeeds or fails for itself."""
    content = await call.document(limit=2 << 20, must_promise=True)
    doomed, is_quiet = documents.deletion(content)
    rows: list[str] = []
    for first in range(0, len(doomed), _DELETIONS_AT_ONCE):
        some = doomed[first : first + _DELETIONS_AT_ONCE]
        rows += await asyncio.gather(*(_delete_one(call, one, is_quiet) for one in some))
    return xml_reply(document("DeleteResult", *rows))


async def _delete_one(call: Call, doomed: Doomed, is_quiet: bool) -> str:
    named = leaf("Key", doomed.key) + leaf("VersionId", doomed.version_id)
    try:
        version_id = None
        if doomed.version_id is not None:
            call.check_access(Action.DELETE_VERSION)
            version_id = version_id_from(doomed.version_id)
        conditions = None
        if doomed.etag is not None:
            conditions = Conditions(if_match=(etag(doomed.etag),))
        done = await call.gateway.delete_object(
            call.bucket,
            doomed.key,
            version_id=version_id,
            conditions=conditions,
            owner=call.principal.user_id,
            actor=call.actor,
        )
    except CloudError as error:
        call.note_refusal(error, doomed.key)
        code = code_of(error)
        if code.status >= 500:
            log.warning("request %s: %s of a batch: %s", call.request_id, code.name, error)
        message = code.message if code.message is not None else str(error)
        return f"<Error>{named}{leaf('Code', code.name)}{leaf('Message', message)}</Error>"
    if is_quiet:
        return ""
    marker = ""
    if done.marker:
        marker = leaf("DeleteMarker", True) + leaf(
            "DeleteMarkerVersionId", done.version_id or "null"
        )
    return f"<Deleted>{named}{marker}</Deleted>"


def _described(call: Call, version: Version) -> tuple[Reply, int, int]:
    """Return the reply to a GET or HEAD without its bytes, and which bytes they are.

    Raises:  NotModified, PreconditionFailed, InvalidRange, InvalidPartNumberHere, InvalidArgument.
    """
    request = call.request
    headers = request.headers
    for name in _CONDITIONS:
        if name in headers:
            check_read(headers, version)
            break
    start, end, status = 0, version.size, 200
    answer = _object_headers(call, version)
    if "range" in headers and "partNumber" in request.query:
        raise InvalidRequest(
            reason="Cannot specify both Range header and partNumber query parameter"
        )
    if "range" in headers:
        counts = takes_range(headers, version)
        wanted = byte_range(headers["range"], version.size) if counts else None
        if wanted is not None:
            (start, end), status = wanted, 206
    elif "partNumber" in request.query:
        number = call.number_of("partNumber", high=PART_NUMBER_MAX)
        start, end = part_range(number, version.parts, version.size)
        if version.parts:
            answer["x-amz-mp-parts-count"] = str(len(version.parts))
        if version.size:
            status = 206
    if status == 206:
        answer["Content-Range"] = f"bytes {start}-{end - 1}/{version.size}"
    is_whole = end - start == version.size
    if is_whole and headers.get("x-amz-checksum-mode", "").upper() == "ENABLED":
        answer.update(response_headers(version.checksums, version.checksum_type))
    return Reply(status, answer, length=end - start), start, end


def _object_headers(call: Call, version: Version) -> dict[str, str]:
    answer = {
        "Last-Modified": http_from_us(version.modified_us),
        "ETag": f'"{etag_of(version)}"',
        "Accept-Ranges": "bytes",
        "Content-Type": DEFAULT_CONTENT_TYPE,
        "x-cumulog-position": str(version.begin),
    }
    for name, value in version.headers.items():
        answer[_TITLES.get(name, name)] = value
    for name, value in version.meta.items():
        answer[META + name] = value
    if call.bucket.versioning:
        answer["x-amz-version-id"] = version.version_id or "null"
    for name, value in call.request.query.items():
        if name in _OVERRIDES:
            if call.principal.kind == "anonymous":
                # Else anyone could make a public object look like what its owner never said.
                raise InvalidRequest(
                    reason="Request specific response headers cannot be used for anonymous "
                    "GET requests."
                )
            check_header(name, value)
            answer[_OVERRIDES[name]] = value
    return answer


async def _begun(reader: Reader, start: int, end: int) -> AsyncGenerator[Buffer, None]:
    """Return the stream with its first piece read, while an error can still be told as one."""
    pieces = reader.stream(start, end)
    first = await anext(pieces)
    return _all(first, pieces)


async def _all(first: Buffer, rest: AsyncIterator[Buffer]) -> AsyncGenerator[Buffer, None]:
    try:
        yield first
        async for piece in rest:
            yield piece
    finally:
        if isinstance(rest, AsyncGenerator):
            await rest.aclose()


async def _current(call: Call) -> Version | None:
    try:
        return await call.gateway.head_object(call.bucket, call.key)
    except NoSuchKey:
        return None
