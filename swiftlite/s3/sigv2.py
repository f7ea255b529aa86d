"""Signature version 2 in a query: what boto3 presigns where the region is us-east-1.

Only presigned URLs: no current client signs headers this way. A version 2 signature covers every
x-amz-* header and the sub-resources named below, but no other parameter, so a parameter that
selects an operation and is not covered is refused here.

Source: docs.aws.amazon.com AmazonS3 "Signing and Authenticating REST Requests", RFC 2104.
Pure: no clock, no IO.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping

from swiftlite.s3.errors import AccessDenied, ExpiredRequest, SignatureDoesNotMatch
from swiftlite.s3.request import Request, merged, number

QUERY_PARAMETERS = frozenset({"AWSAccessKeyId", "Signature", "Expires"})

# The parameters that the signature covers; also those of sub-resources that are answered with
# NotImplemented, so that it is this that is said and not that the signature is wrong.
_COVERED = frozenset(
    {
        "accelerate",
        "acl",
        "analytics",
        "cors",
        "defaultObjectAcl",
        "delete",
        "inventory",
        "lifecycle",
        "location",
        "logging",
        "metrics",
        "notification",
        "object-lock",
        "partNumber",
        "policy",
        "replication",
        "requestPayment",
        "response-cache-control",
        "response-content-disposition",
        "response-content-encoding",
        "response-content-language",
        "response-content-type",
        "response-expires",
        "restore",
        "select",
        "select-type",
        "storageClass",
        "tagging",
        "torrent",
        "uploadId",
        "uploads",
        "versionId",
        "versioning",
        "versions",
        "website",
    }
)
# Parameters that choose a page of a listing, or nothing at all: harmless though not covered.
_HARMLESS = frozenset(
    {
        "continuation-token",
        "delimiter",
        "encoding-type",
        "fetch-owner",
        "key-marker",
        "list-type",
        "marker",
        "max-keys",
        "max-parts",
        "max-uploads",
        "part-number-marker",
        "prefix",
        "start-after",
        "upload-id-marker",
        "version-id-marker",
        "x-id",
    }
)
# A URL may be made for as long as its maker likes; this bounds the arithmetic.
_EXPIRES_S_MAX = 2**53


def key_id_of(request: Request) -> str:
    """Return the key that the URL claims to be signed with.

    Raises:  AccessDenied where a parameter is missing.
    """
    for name in QUERY_PARAMETERS:
        if not request.query.get(name):
            raise AccessDenied(
                reason="Query-string authentication requires the Signature, Expires and "
                "AWSAccessKeyId parameters"
            )
    return request.query["AWSAccessKeyId"]


def verify(request: Request, *, secret: str, now_us: int, virtual_bucket: str | None) -> None:
    """Return if the key with this secret signed this request, and it is in time.

    Raises:  SignatureDoesNotMatch, ExpiredRequest, AccessDenied.
    """
    expires_s = number(request.query["Expires"], low=0, high=_EXPIRES_S_MAX)
    if expires_s is None:
        raise AccessDenied(reason="Invalid date (should be seconds since epoch)")
    moved = request.query_headers()
    for name in request.query:
        if (
            name not in moved
            and name not in _COVERED
            and name not in _HARMLESS
            and name not in QUERY_PARAMETERS
        ):
            raise AccessDenied(reason=f"The parameter {name[:64]} is not covered by the signature")
    headers = merged(request.headers, {name.lower(): request.query[name] for name in moved})
    given = request.query["Signature"].encode()
    if not any(
        hmac.compare_digest(_signature(secret, string_to_sign(request, headers, resource)), given)
        for resource in _resources(request.path, virtual_bucket)
    ):
        raise SignatureDoesNotMatch()
    if now_us / 1_000_000 > expires_s:
        raise ExpiredRequest()


def string_to_sign(request: Request, headers: Mapping[str, str], resource: str) -> str:
    """Return what the signature is made over, for one spelling of the path with its bucket."""
    custom = "".join(
        f"{name}:{headers[name].strip()}\n" for name in sorted(headers) if name.startswith("x-amz-")
    )
    covered = [
        f"{name}={value}" if value or f"{name}=" in request.raw_query else name
        for name, value in sorted(request.query.items())
        if name in _COVERED
    ]
    if covered:
        resource += "?" + "&".join(covered)
    return (
        f"{request.method}\n{headers.get('content-md5', '').strip()}\n"
        f"{headers.get('content-type', '').strip()}\n{request.query['Expires']}\n"
        f"{custom}{resource}"
    )


def _resources(path: str, virtual_bucket: str | None) -> list[str]:
    """Return the spellings that signers have of what the request is about.

    A bucket alone is signed with a slash behind it, even where none is sent: botocore does, since
    S3 wants it so. Both spellings name the same bucket.
    """
    if virtual_bucket is not None:
        return [f"/{virtual_bucket}{path}"]
    return [path, f"{path}/"] if path.count("/") == 1 and path != "/" else [path]


def _signature(secret: str, text: str) -> bytes:
    digest = hmac.new(secret.encode(), text.encode("utf-8", "surrogateescape"), hashlib.sha1)
    return base64.b64encode(digest.digest())
