"""Copies: of an object, and into a part of an upload."""

from __future__ import annotations

from swiftlite.catalog.keys import check_key
from swiftlite.catalog.limits import PART_NUMBER_MAX
from swiftlite.catalog.rows import Version
from swiftlite.errors import (
    InvalidArgument,
    InvalidKey,
    InvalidRequest,
    KeyTooLong,
    NotImplementedHere,
)
from swiftlite.gateway.copy import CopySource
from swiftlite.http.replies import Reply
from swiftlite.http.times import iso_from_us
from swiftlite.s3.call import Call, version_id_from
from swiftlite.s3.checksums import known_algorithm
from swiftlite.s3.conditions import check_source
from swiftlite.s3.errors import InvalidURI
from swiftlite.s3.headers import check_owner, conditions_of, system_headers, user_metadata
from swiftlite.s3.ranges import source_range
from swiftlite.s3.request import decoded
from swiftlite.s3.xml import document, leaf, xml_reply

_SOURCE_SIZE_MAX = 8 << 10
_DIRECTIVES = ("COPY", "REPLACE")


async def copy_object(call: Call) -> Reply:
    """Make a copy of an object, by reference."""
    request = call.request
    conditions = conditions_of(request)
    directive = request.headers.get("x-amz-metadata-directive", "COPY")
    if directive not in _DIRECTIVES:
        raise InvalidArgument(
            argument="x-amz-metadata-directive",
            value=directive[:64],
            reason="Unknown metadata directive",
        )
    is_replaced = directive == "REPLACE"
    source, version = await _source(call)
    if (
        not is_replaced
        and source.version_id is None
        and (source.bucket.id, source.key) == (call.bucket.id, call.key)
    ):
        raise InvalidRequest(
            reason="This copy request is illegal because it is trying to copy an object to itself "
            "without changing the object's metadata, storage class, website redirect location or "
            "encryption attributes"
        )
    _check_checksum(call, version)
    await call.check_room(version.size)
    made = await call.gateway.copy_object(
        source,
        call.bucket,
        call.key,
        headers=system_headers(request) if is_replaced else None,
        meta=user_metadata(request) if is_replaced else None,
        conditions=conditions or None,
        check=call.check_elsewhere,
        owner=call.principal.user_id,
        actor=call.actor,
    )
    headers = _source_headers(source, version) | call.version_headers(made)
    return xml_reply(
        document(
            "CopyObjectResult",
            leaf("LastModified", iso_from_us(made.modified_us)),
            leaf("ETag", f'"{made.etag}"'),
            *(leaf(f"Checksum{name}", value) for name, value in made.checksums.items()),
            leaf("ChecksumType", made.checksum_type or None),
        ),
        headers,
    )


async def copy_part(call: Call) -> Reply:
    """Make a part of an upload from another object's bytes."""
    number = call.number_of("partNumber", high=PART_NUMBER_MAX)
    source, version = await _source(call)
    start, end = 0, version.size
    text = call.request.headers.get("x-amz-copy-source-range")
    if text is not None:
        wanted = source_range(text, version.size)
        if wanted is None:
            raise InvalidArgument(
                argument="x-amz-copy-source-range",
                value=text[:64],
                reason="The x-amz-copy-source-range value must be of the form bytes=first-last "
                "where first and last are the zero-based offsets of the first and last bytes to "
                "copy",
            )
        start, end = wanted
    await call.check_room(end - start)
    part = await call.gateway.copy_part(
        call.bucket,
        call.key,
        call.upload_id(),
        number,
        source,
        start=start,
        end=end,
        check=call.check_elsewhere,
        actor=call.actor,
    )
    return xml_reply(
        document(
            "CopyPartResult",
            leaf("LastModified", iso_from_us(part.modified_us)),
            leaf("ETag", f'"{part.etag}"'),
            *(leaf(f"Checksum{name}", value) for name, value in part.checksums.items()),
        ),
        _source_headers(source, version),
    )


def parse_source(text: str) -> tuple[str, str, str | None]:
    """Return bucket, key and version id that x-amz-copy-source names.

    Raises:  InvalidArgument, NotImplementedHere for access points.
    """
    path, mark, version = text.partition("?versionId=")
    if path.startswith("arn:"):
        raise NotImplementedHere(feature="A copy from an access point")
    try:
        bucket, _, key = decoded(path).removeprefix("/").partition("/")
        if not bucket or len(text) > _SOURCE_SIZE_MAX or "?" in path:
            raise InvalidURI()
        check_key(key)
    except (InvalidURI, InvalidKey, KeyTooLong):
        raise InvalidArgument(
            argument="x-amz-copy-source",
            value=text[:128],
            reason="Copy Source must mention the source bucket and key: sourcebucket/sourcekey",
        ) from None
    return bucket, key, version_id_from(version) if mark else None


async def _source(call: Call) -> tuple[CopySource, Version]:
    headers = call.request.headers
    name, key, version_id = parse_source(headers["x-amz-copy-source"])
    bucket = await call.readable_bucket(name, key, version_id)
    check_owner(headers, "x-amz-source-expected-bucket-owner", bucket)
    whole = await call.gateway.head_whole(
        bucket, key, version_id=version_id, check=call.check_elsewhere
    )
    check_source(headers, whole.version)
    if whole.location:
        # A link is copied as what it points at.
        bucket, key, version_id = whole.bucket, whole.key, None
    source = CopySource(bucket=bucket, key=key, version_id=version_id, version=whole.version)
    return source, whole.version


def _source_headers(source: CopySource, version: Version) -> dict[str, str]:
    if not source.bucket.versioning:
        return {}
    return {"x-amz-copy-source-version-id": version.version_id or "null"}


def _check_checksum(call: Call, version: Version) -> None:
    """Return if the copy will have the checksum that is asked for: it shares the source's."""
    text = call.request.headers.get("x-amz-checksum-algorithm")
    if text is not None:
        algorithm = known_algorithm(text, "x-amz-checksum-algorithm")
        if algorithm not in version.checksums:
            raise NotImplementedHere(feature=f"A copy with another checksum, {algorithm},")
