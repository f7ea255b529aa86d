"""Listings: objects in two forms, versions, uploads."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from functools import lru_cache

import msgspec

from swiftlite.catalog.rows import Listed, Version
from swiftlite.errors import InvalidArgument
from swiftlite.http.replies import Reply
from swiftlite.http.times import iso_from_us
from swiftlite.s3.buckets import owner
from swiftlite.s3.call import Call, version_id_from
from swiftlite.s3.headers import etag_of
from swiftlite.s3.xml import document, leaf, text, url_text, xml_reply

Spelling = Callable[[str], str]


async def list_objects(call: Call) -> Reply:
    """Return a page of keys, in the form that old clients know."""
    query = call.request.query
    asked = _asked(call)
    spelled = asked.spelled
    marker = query.get("marker", "")
    page = await call.gateway.list_objects(
        call.bucket,
        prefix=asked.prefix,
        delimiter=asked.delimiter,
        after=marker,
        limit=asked.limit,
    )
    next_marker = spelled(page.next) if page.truncated and asked.delimiter else None
    return xml_reply(
        document(
            "ListBucketResult",
            leaf("Name", call.target.bucket),
            f"<Prefix>{spelled(asked.prefix)}</Prefix><Marker>{spelled(marker)}</Marker>",
            "" if next_marker is None else f"<NextMarker>{next_marker}</NextMarker>",
            leaf("MaxKeys", asked.limit),
            asked.form,
            leaf("IsTruncated", page.truncated),
            _contents(page.entries, spelled, has_owner=True),
            _common_prefixes(page.prefixes, spelled),
        ),
        _region(call),
    )


async def list_objects_v2(call: Call) -> Reply:
    """Return a page of keys."""
    query = call.request.query
    asked = _asked(call)
    spelled = asked.spelled
    start_after = query.get("start-after", "")
    token = query.get("continuation-token")
    fetch_owner = query.get("fetch-owner", "false")
    if fetch_owner not in ("true", "false"):
        raise InvalidArgument(
            argument="fetch-owner", value=fetch_owner[:64], reason="Invalid value for fetch-owner"
        )
    page = await call.gateway.list_objects(
        call.bucket,
        prefix=asked.prefix,
        delimiter=asked.delimiter,
        after="" if token is None else key_from_token(token),
        start_after=start_after if token is None else "",
        limit=asked.limit,
    )
    next_token = token_of(page.next) if page.truncated else None
    return xml_reply(
        document(
            "ListBucketResult",
            leaf("Name", call.target.bucket),
            f"<Prefix>{spelled(asked.prefix)}</Prefix>",
            leaf("ContinuationToken", token),
            leaf("NextContinuationToken", next_token),
            f"<StartAfter>{spelled(start_after)}</StartAfter>" if start_after else "",
            leaf("KeyCount", len(page.entries) + len(page.prefixes)),
            leaf("MaxKeys", asked.limit),
            asked.form,
            leaf("IsTruncated", page.truncated),
            _contents(page.entries, spelled, has_owner=fetch_owner == "true"),
            _common_prefixes(page.prefixes, spelled),
        ),
        _region(call),
    )


async def list_versions(call: Call) -> Reply:
    """Return a page of versions and delete markers."""
    query = call.request.query
    asked = _asked(call)
    spelled = asked.spelled
    key_marker = query.get("key-marker", "")
    version_marker = query.get("version-id-marker")
    if version_marker and not key_marker:
        raise InvalidArgument(
            argument="version-id-marker",
            value=version_marker[:64],
            reason="A version-id marker cannot be specified without a key marker.",
        )
    page = await call.gateway.list_versions(
        call.bucket,
        prefix=asked.prefix,
        delimiter=asked.delimiter,
        key_marker=key_marker,
        version_marker=version_id_from(version_marker) if version_marker else None,
        limit=asked.limit,
    )
    rows = "".join(
        _version(entry.key, entry.version, entry.is_latest, spelled) for entry in page.entries
    )
    following = ""
    if page.truncated:
        following = f"<NextKeyMarker>{spelled(page.next_key)}</NextKeyMarker>"
        if page.next_version is not None:
            following += leaf("NextVersionIdMarker", page.next_version or "null")
    return xml_reply(
        document(
            "ListVersionsResult",
            leaf("Name", call.target.bucket),
            f"<Prefix>{spelled(asked.prefix)}</Prefix><KeyMarker>{spelled(key_marker)}</KeyMarker>",
            leaf("VersionIdMarker", version_marker or ""),
            following,
            leaf("MaxKeys", asked.limit),
            asked.form,
            leaf("IsTruncated", page.truncated),
            rows,
            _common_prefixes(page.prefixes, spelled),
        )
    )


async def list_uploads(call: Call) -> Reply:
    """Return a page of uploads in progress."""
    query = call.request.query
    asked = _asked(call, "max-uploads")
    spelled = asked.spelled
    key_marker = query.get("key-marker", "")
    upload_marker = query.get("upload-id-marker", "") if key_marker else ""
    page = await call.gateway.list_uploads(
        call.bucket,
        prefix=asked.prefix,
        delimiter=asked.delimiter,
        key_marker=key_marker,
        upload_marker=_upload_id(upload_marker) if upload_marker else None,
        limit=asked.limit,
    )
    rows = "".join(
        f"<Upload><Key>{spelled(key)}</Key>{leaf('UploadId', upload.id.hex())}"
        f"{owner(upload.owner, 'Initiator')}{owner(upload.owner)}"
        f"<StorageClass>STANDARD</StorageClass>{leaf('Initiated', iso_from_us(upload.started_us))}"
        f"{leaf('ChecksumAlgorithm', upload.checksum_algorithm or None)}"
        f"{leaf('ChecksumType', upload.checksum_type or None)}</Upload>"
        for key, upload in page.entries
    )
    following = ""
    if page.truncated:
        following = f"<NextKeyMarker>{spelled(page.next_key)}</NextKeyMarker>"
        if page.next_upload is not None:
            following += leaf("NextUploadIdMarker", page.next_upload.hex())
    return xml_reply(
        document(
            "ListMultipartUploadsResult",
            leaf("Bucket", call.target.bucket),
            f"<KeyMarker>{spelled(key_marker)}</KeyMarker>",
            leaf("UploadIdMarker", upload_marker),
            following,
            f"<Prefix>{spelled(asked.prefix)}</Prefix>",
            asked.form,
            leaf("MaxUploads", asked.limit),
            leaf("IsTruncated", page.truncated),
            rows,
            _common_prefixes(page.prefixes, spelled),
        )
    )


def token_of(key: str) -> str:
    """Return a continuation token: the last key, in a form that clients do not try to read."""
    return base64.urlsafe_b64encode(b"1" + key.encode()).decode()


def key_from_token(token: str) -> str:
    """Return the key that a continuation token was made of.

    Raises:  InvalidArgument.
    """
    try:
        raw = base64.b64decode(token.encode("ascii"), altchars=b"-_", validate=True)
        if raw[:1] != b"1":
            raise ValueError(raw)
        return raw[1:].decode()
    except (ValueError, binascii.Error):
        raise InvalidArgument(
            argument="continuation-token",
            value=token[:64],
            reason="The continuation token provided is incorrect",
        ) from None


class _Asked(msgspec.Struct, frozen=True):
    """What all listings are asked: which part of the keys, how many, in which spelling."""

    prefix: str
    delimiter: str
    limit: int
    spelled: Spelling
    form: str  # delimiter and spelling, as the answer repeats them


def _asked(call: Call, size: str = "max-keys") -> _Asked:
    query = call.request.query
    spelled, encoding = _spelling(call)
    delimiter = query.get("delimiter", "")
    form = f"<Delimiter>{spelled(delimiter)}</Delimiter>" if delimiter else ""
    form += leaf("EncodingType", encoding)
    return _Asked(query.get("prefix", ""), delimiter, call.page_size(size), spelled, form)


def _spelling(call: Call) -> tuple[Spelling, str | None]:
    encoding = call.request.query.get("encoding-type")
    if encoding is None or encoding == "":
        return text, None
    if encoding != "url":
        raise InvalidArgument(
            argument="encoding-type",
            value=encoding[:64],
            reason="Invalid Encoding Method specified in Request",
        )
    return url_text, encoding


def _contents(entries: list[tuple[str, Listed]], spelled: Spelling, *, has_owner: bool) -> str:
    rows = []
    owners: dict[str, str] = {}
    for key, version in entries:
        whose = ""
        if has_owner:
            whose = owners.get(version.owner) or owners.setdefault(
                version.owner, owner(version.owner)
            )
        rows.append(
            f"<Contents><Key>{spelled(key)}</Key>"
            f"<LastModified>{iso_from_us(version.modified_us)}</LastModified>"
            f"<ETag>&quot;{etag_of(version)}&quot;</ETag>{_checksums(version)}"
            f"<Size>{version.size}</Size>{whose}"
            "<StorageClass>STANDARD</StorageClass></Contents>"
        )
    return "".join(rows)


def _version(key: str, version: Version, is_latest: bool, spelled: Spelling) -> str:
    common = (
        f"<Key>{spelled(key)}</Key><VersionId>{version.version_id or 'null'}</VersionId>"
        f"<IsLatest>{'true' if is_latest else 'false'}</IsLatest>"
        f"<LastModified>{iso_from_us(version.modified_us)}</LastModified>{owner(version.owner)}"
    )
    if version.marker:
        return f"<DeleteMarker>{common}</DeleteMarker>"
    return (
        f"<Version>{common}<ETag>&quot;{etag_of(version)}&quot;</ETag>{_checksums(version)}"
        f"<Size>{version.size}</Size><StorageClass>STANDARD</StorageClass></Version>"
    )


def _checksums(version: Version | Listed) -> str:
    return _algorithms(tuple(version.checksums), version.checksum_type)


@lru_cache(64)
def _algorithms(names: tuple[str, ...], kind: str) -> str:
    if not names:
        return ""
    listed = "".join(f"<ChecksumAlgorithm>{name}</ChecksumAlgorithm>" for name in names)
    return f"{listed}<ChecksumType>{kind}</ChecksumType>"


def _common_prefixes(prefixes: list[str], spelled: Spelling) -> str:
    return "".join(
        f"<CommonPrefixes><Prefix>{spelled(prefix)}</Prefix></CommonPrefixes>"
        for prefix in prefixes
    )


def _region(call: Call) -> dict[str, str]:
    return {"x-amz-bucket-region": call.bucket.region}


def _upload_id(marker: str) -> bytes:
    try:
        return bytes.fromhex(marker)
    except ValueError:
        raise InvalidArgument(
            argument="upload-id-marker", value=marker[:64], reason="Invalid uploadId marker"
        ) from None
