"""What headers say of an object, and which of them are understood at all.

An x-amz-* header that is not in this file is refused: to ignore one would be to promise encryption,
a lock or tags, and to give none.

Pure: no clock, no IO.
"""

from __future__ import annotations

from collections.abc import Mapping

from swiftlite.catalog.conditions import Conditions
from swiftlite.catalog.rows import Bucket, Listed
from swiftlite.errors import InvalidArgument, InvalidRequest, MetadataTooLarge, NotImplementedHere
from swiftlite.gateway.whole import LARGE
from swiftlite.s3.errors import AccessDenied
from swiftlite.s3.names import META
from swiftlite.s3.request import Request

USER_METADATA_SIZE_MAX = 2048
SYSTEM_METADATA_SIZE_MAX = 8192
DEFAULT_CONTENT_TYPE = "binary/octet-stream"
_OF_LARGE = "-N"  # ends the ETags of Swift's large objects

_SYSTEM = (
    "content-type",
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "expires",
)

_UNDERSTOOD = frozenset(
    {
        "x-amz-bypass-governance-retention",  # there are no locks to bypass
        "x-amz-checksum-algorithm",
        "x-amz-checksum-crc32",
        "x-amz-checksum-crc32c",
        "x-amz-checksum-crc64nvme",
        "x-amz-checksum-md5",  # refused with a better message where checksums are read
        "x-amz-checksum-mode",
        "x-amz-checksum-sha1",
        "x-amz-checksum-sha256",
        "x-amz-checksum-sha512",
        "x-amz-checksum-type",
        "x-amz-checksum-xxhash128",
        "x-amz-checksum-xxhash3",
        "x-amz-checksum-xxhash64",
        "x-amz-content-sha256",
        "x-amz-copy-source",
        "x-amz-copy-source-if-match",
        "x-amz-copy-source-if-modified-since",
        "x-amz-copy-source-if-none-match",
        "x-amz-copy-source-if-unmodified-since",
        "x-amz-copy-source-range",
        "x-amz-date",
        "x-amz-decoded-content-length",
        "x-amz-expected-bucket-owner",  # looked at with the bucket
        "x-amz-max-parts",
        "x-amz-metadata-directive",
        "x-amz-mp-object-size",
        "x-amz-object-attributes",
        "x-amz-optional-object-attributes",  # RestoreStatus: nothing here is archived
        "x-amz-part-number-marker",
        "x-amz-request-payer",  # no bucket lets requesters pay
        "x-amz-sdk-checksum-algorithm",
        "x-amz-source-expected-bucket-owner",
        "x-amz-te",
        "x-amz-trailer",
        "x-amz-user-agent",
    }
)
# Understood with these values only: they say what is so anyway.
_ONLY = {
    "x-amz-acl": frozenset({"private", "bucket-owner-full-control"}),
    "x-amz-storage-class": frozenset({"STANDARD"}),
    "x-amz-object-ownership": frozenset({"BucketOwnerEnforced"}),
    "x-amz-bucket-object-lock-enabled": frozenset({"false", "False"}),
    "x-amz-server-side-encryption-bucket-key-enabled": frozenset({"false", "False"}),
    "x-amz-tagging-directive": frozenset({"COPY"}),
}


def check_understood(request: Request) -> None:
    """Return if every x-amz-* header is understood.

    Raises:  NotImplementedHere, AccessDenied (a session token: keys here have none).
    """
    if _UNDERSTOOD.issuperset(request.names.amz):
        return
    for name in request.names.amz:
        value = request.headers[name]
        if name in _UNDERSTOOD or value in _ONLY.get(name, ()):
            continue
        if name == "x-amz-security-token":
            raise AccessDenied(reason="The provided token is invalid: keys here have no sessions")
        if name in _ONLY:
            raise NotImplementedHere(feature=f"{name}: {value[:64]}")
        raise NotImplementedHere(feature=f"The header {name[:64]}")


def check_owner(headers: Mapping[str, str], name: str, bucket: Bucket) -> None:
    """Return if the caller names the bucket's real owner, or none.

    Raises:  AccessDenied.
    """
    expected = headers.get(name)
    if expected is not None and expected not in (bucket.project_id, bucket.owner):
        raise AccessDenied(reason="Access Denied: the bucket has another owner")


def system_headers(request: Request) -> dict[str, str]:
    """Return the headers that come back with the object, `aws-chunked` taken out.

    Raises:  MetadataTooLarge, InvalidArgument.
    """
    found = {}
    size = 0
    for name in _SYSTEM:
        value = request.headers.get(name)
        if value is None:
            continue
        if name == "content-encoding":
            value = ",".join(
                coding.strip()
                for coding in value.split(",")
                if coding.strip() and coding.strip().lower() != "aws-chunked"
            )
        if not value:
            continue
        found[name] = _storable(name, value)
        size += len(name) + len(value)
    if size > SYSTEM_METADATA_SIZE_MAX:
        raise MetadataTooLarge(size=size, limit=SYSTEM_METADATA_SIZE_MAX)
    return found


def user_metadata(request: Request) -> dict[str, str]:
    """Return what x-amz-meta-* say, without the prefix.

    Raises:  MetadataTooLarge, InvalidArgument.
    """
    found: dict[str, str] = {}
    size = 0
    for name in request.names.meta:
        value = request.headers[name]
        found[name[len(META) :]] = _storable(name, value)
        size += len(name) - len(META) + len(value.encode("utf-8"))
    if size > USER_METADATA_SIZE_MAX:
        raise MetadataTooLarge(size=size, limit=USER_METADATA_SIZE_MAX)
    return found


def conditions_of(request: Request) -> Conditions:
    """Return If-Match and If-None-Match, ETags without quotes.

    Raises:  NotImplementedHere for the dates, which S3 does not take on writes either.
    """
    headers = request.headers
    for name in ("if-modified-since", "if-unmodified-since"):
        if name in headers:
            raise NotImplementedHere(feature=f"{name} on a write")
    return Conditions(
        if_match=etags(headers["if-match"]) if "if-match" in headers else None,
        if_none_match=etags(headers["if-none-match"]) if "if-none-match" in headers else None,
    )


def etags(value: str) -> tuple[str, ...]:
    """Return the ETags of a header, without quotes; "*" stands for any.

    Raises:  InvalidRequest for more than anyone could mean.
    """
    found = tuple(etag(text) for text in value.split(",") if text.strip())
    if len(found) > 100:
        raise InvalidRequest(reason="There are more than 100 ETags")
    return found


def etag(text: str) -> str:
    """Return one ETag without its quotes, whether it had any or not, as the catalog has it."""
    return text.strip().removeprefix("W/").strip('"').removesuffix(_OF_LARGE)


def etag_of(version: Listed) -> str:
    """Return a version's ETag as S3 shows it.

    What looks like an MD5 is taken for that of the bytes, and checked by clients. That of a large
    object of Swift's is none, and says so as Swift's own S3 does.
    """
    return version.etag + _OF_LARGE if version.kind in LARGE else version.etag


def _storable(name: str, value: str) -> str:
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise InvalidArgument(
            argument=name[:128], value="", reason=f"The header {name[:128]} is not UTF-8"
        ) from None
    return value
