"""Multipart uploads: create, upload a part, complete, abort, list parts."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import quote

from swiftlite.catalog.limits import PART_NUMBER_MAX
from swiftlite.errors import InvalidArgument, NoSuchUpload
from swiftlite.http.replies import Reply
from swiftlite.http.times import iso_from_us
from swiftlite.s3 import documents
from swiftlite.s3.buckets import owner
from swiftlite.s3.call import Call
from swiftlite.s3.checksums import (
    DEFAULT,
    checksum_type,
    known_algorithm,
    response_headers,
)
from swiftlite.s3.errors import MissingRequestBody
from swiftlite.s3.headers import conditions_of, system_headers, user_metadata
from swiftlite.s3.payload import payload_of
from swiftlite.s3.request import number
from swiftlite.s3.xml import document, leaf, text, url_text, xml_reply

_COMPLETION_SIZE_MAX = 2 << 20
_SIZE_MAX = 10**19


async def create_upload(call: Call) -> Reply:
    """Open an upload."""
    request = call.request
    await call.document(has_checksum=False)
    asked = request.headers.get("x-amz-checksum-algorithm")
    kind = request.headers.get("x-amz-checksum-type")
    algorithm = DEFAULT if asked is None else known_algorithm(asked, "x-amz-checksum-algorithm")
    upload = await call.gateway.create_upload(
        call.bucket,
        call.key,
        headers=system_headers(request),
        meta=user_metadata(request),
        owner=call.principal.user_id,
        checksum_algorithm=algorithm,
        checksum_type=None if kind is None else checksum_type(kind),
        actor=call.actor,
    )
    headers = {}
    if asked is not None:
        headers["x-amz-checksum-algorithm"] = upload.checksum_algorithm
        headers["x-amz-checksum-type"] = upload.checksum_type
    return xml_reply(
        document(
            "InitiateMultipartUploadResult",
            leaf("Bucket", call.target.bucket),
            leaf("Key", call.key),
            leaf("UploadId", upload.id.hex()),
        ),
        headers,
    )


async def put_part(call: Call) -> Reply:
    """Store a part."""
    part_number = call.number_of("partNumber", high=PART_NUMBER_MAX)
    # Asked before the body, so that nobody uploads in vain.
    upload = await call.gateway.upload(call.bucket, call.key, call.upload_id())
    body = payload_of(
        call.request,
        call.incoming,
        call.caller,
        default_checksum=upload.checksum_algorithm or DEFAULT,
    )
    await call.check_room(body.size)
    part = await call.gateway.put_part(
        call.bucket, call.key, upload.id, part_number, body, actor=call.actor
    )
    return Reply(200, {"ETag": f'"{part.etag}"', **response_headers(part.checksums, "")})


async def complete_upload(call: Call) -> Reply:
    """Make the named parts an object."""
    request = call.request
    conditions = conditions_of(request)
    upload_id = call.upload_id()
    content = await call.document(limit=_COMPLETION_SIZE_MAX, has_checksum=False)
    if not content:
        raise MissingRequestBody()
    parts = documents.completion(content)
    size = await _size(call, upload_id, {part.number for part in parts})
    if size is not None:
        await call.check_room(size)
    version = await call.gateway.complete_upload(
        call.bucket,
        call.key,
        upload_id,
        parts,
        conditions=conditions or None,
        checksums=_claimed(call),
        size=_claimed_size(call),
        actor=call.actor,
    )
    place = f"/{quote(call.target.bucket)}/{quote(call.key)}"
    headers = call.version_headers(version)
    return xml_reply(
        document(
            "CompleteMultipartUploadResult",
            leaf("Location", f"{_origin(call)}{place}"),
            leaf("Bucket", call.target.bucket),
            leaf("Key", call.key),
            leaf("ETag", f'"{version.etag}"'),
            *(leaf(f"Checksum{name}", value) for name, value in version.checksums.items()),
            leaf("ChecksumType", version.checksum_type or None),
        ),
        {
            name: headers[name]
            for name in ("x-cumulog-position", "x-amz-version-id")
            if name in headers
        },
    )


async def _size(call: Call, upload_id: bytes, numbers: Collection[int]) -> int | None:
    """Return how many bytes the parts of these numbers have; None for an upload that is over.

    One that was completed answers again what it became, whatever the quotas are by then.
    """
    try:
        page = await call.gateway.list_parts(
            call.bucket, call.key, upload_id, limit=PART_NUMBER_MAX
        )
    except NoSuchUpload:
        return None
    return sum(part.size for part in page.entries if part.number in numbers)


async def abort_upload(call: Call) -> Reply:
    """Give an upload up."""
    await call.gateway.abort_upload(call.bucket, call.key, call.upload_id(), actor=call.actor)
    return Reply(204)


async def list_parts(call: Call) -> Reply:
    """Return a page of an upload's parts."""
    query = call.request.query
    limit = call.page_size("max-parts")
    marker = query.get("part-number-marker") or "0"
    after = number(marker, low=0, high=2**31 - 1)
    if after is None:
        raise InvalidArgument(
            argument="part-number-marker",
            value=marker[:64],
            reason="Argument part-number-marker must be an integer between 0 and 2147483647",
        )
    upload = await call.gateway.upload(call.bucket, call.key, call.upload_id())
    page = await call.gateway.list_parts(
        call.bucket, call.key, upload.id, after=min(after, PART_NUMBER_MAX), limit=limit
    )
    spelled = url_text if query.get("encoding-type") == "url" else text
    rows = "".join(
        f"<Part><PartNumber>{part.number}</PartNumber>"
        f"<LastModified>{iso_from_us(part.modified_us)}</LastModified>"
        f"<ETag>&quot;{part.etag}&quot;</ETag><Size>{part.size}</Size>"
        + "".join(leaf(f"Checksum{name}", value) for name, value in part.checksums.items())
        + "</Part>"
        for part in page.entries
    )
    last = page.entries[-1].number if page.entries else after
    return xml_reply(
        document(
            "ListPartsResult",
            leaf("Bucket", call.target.bucket),
            f"<Key>{spelled(call.key)}</Key>",
            leaf("UploadId", upload.id.hex()),
            leaf("PartNumberMarker", after),
            leaf("NextPartNumberMarker", last),
            leaf("MaxParts", limit),
            leaf("IsTruncated", page.truncated),
            leaf("ChecksumAlgorithm", upload.checksum_algorithm or None),
            leaf("ChecksumType", upload.checksum_type or None),
            rows,
            owner(upload.owner, "Initiator"),
            owner(upload.owner),
            leaf("StorageClass", "STANDARD"),
        )
    )


def _claimed(call: Call) -> dict[str, str]:
    """Return what the client says the whole object's checksum is."""
    headers = call.request.headers
    found = {name: value for name, value in headers.items() if name.startswith("x-amz-checksum-")}
    found.pop("x-amz-checksum-type", None)
    if not found:
        return {}
    name, value = next(iter(found.items()))
    return {known_algorithm(name.removeprefix("x-amz-checksum-"), name): value}


def _claimed_size(call: Call) -> int | None:
    stated = call.request.headers.get("x-amz-mp-object-size")
    if stated is None:
        return None
    size = number(stated, low=0, high=_SIZE_MAX)
    if size is None:
        raise InvalidArgument(
            argument="x-amz-mp-object-size",
            value=stated[:64],
            reason="x-amz-mp-object-size must be a number",
        )
    return size


def _origin(call: Call) -> str:
    scheme = "https" if call.request.secure else "http"
    return f"{scheme}://{call.request.headers.get('host', '')}"
