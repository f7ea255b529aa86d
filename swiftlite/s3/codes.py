"""Every expected error as S3 spells it: a code, a status, a message. The table is total.

Pure: no clock, no IO.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from eventlog.errors import CloudError, Conflict, Corrupt, KeyReused, Refused, Unavailable
from swiftlite import errors as storage
from swiftlite.http import errors as http
from swiftlite.http.times import http_from_us
from swiftlite.s3 import errors as s3
from swiftlite.s3.xml import DECLARATION, leaf

_INTERNAL_MESSAGE = "We encountered an internal error. Please try again."
_LATER_MESSAGE = "The service cannot do this at present. Please try again."


class Code(msgspec.Struct, frozen=True):
    """How an error is told. `message` None: in the error's own words."""

    name: str
    status: int
    message: str | None = None


INTERNAL = Code("InternalError", 500, _INTERNAL_MESSAGE)

TABLE: Mapping[type[CloudError], Code] = {
    # what has to be tried again, or repaired by someone else: nothing of the inside is told
    Unavailable: Code("ServiceUnavailable", 503, _LATER_MESSAGE),
    Corrupt: INTERNAL,
    # a refusal that no request should meet, since it is about operating the store
    Refused: INTERNAL,
    storage.QuorumLost: Code("ServiceUnavailable", 503),
    storage.SlowDown: Code("SlowDown", 503, "Please reduce your request rate."),
    http.TooManyConnections: Code("SlowDown", 503),
    http.Draining: Code("ServiceUnavailable", 503),
    # who asks
    s3.CallerRefused: Code("AccessDenied", 403),
    s3.AccessDenied: Code("AccessDenied", 403),
    s3.ExpiredRequest: Code("AccessDenied", 403),
    s3.SignatureDoesNotMatch: Code("SignatureDoesNotMatch", 403),
    s3.InvalidAccessKeyId: Code("InvalidAccessKeyId", 403),
    s3.RequestTimeTooSkewed: Code("RequestTimeTooSkewed", 403),
    s3.AuthorizationHeaderMalformed: Code("AuthorizationHeaderMalformed", 400),
    s3.AuthorizationQueryParametersError: Code("AuthorizationQueryParametersError", 400),
    # what is asked
    s3.ProtocolRefused: Code("InvalidRequest", 400),
    s3.InvalidURI: Code("InvalidURI", 400),
    s3.MethodNotAllowedHere: Code("MethodNotAllowed", 405),
    s3.MalformedXML: Code("MalformedXML", 400),
    s3.InvalidRange: Code("InvalidRange", 416),
    s3.InvalidPartNumberHere: Code("InvalidPartNumber", 416),
    s3.InvalidLocationConstraint: Code("InvalidLocationConstraint", 400),
    s3.NotModified: Code("NotModified", 304),
    http.BadHead: Code("BadRequest", 400),
    http.HeadTooLarge: Code("RequestHeaderSectionTooLarge", 400),
    s3.NoSuchConfiguration: Code("", 404),  # its code is one of many: see `code_of`
    storage.InvalidArgument: Code("InvalidArgument", 400),
    storage.InvalidRequest: Code("InvalidRequest", 400),
    storage.NotImplementedHere: Code("NotImplemented", 501),
    storage.InvalidBucketName: Code("InvalidBucketName", 400),
    storage.InvalidAcl: Code("InvalidArgument", 400),
    storage.InvalidKey: Code("InvalidArgument", 400),
    storage.KeyTooLong: Code("KeyTooLongError", 400),
    storage.MetadataTooLarge: Code("MetadataTooLarge", 400),
    storage.TooManyNotes: Code("InvalidRequest", 400),
    # its body
    s3.MissingContentLength: Code("MissingContentLength", 411),
    http.IncompleteBody: Code("IncompleteBody", 400),
    s3.RequestBodyTooLarge: Code("MalformedXML", 400),
    s3.MissingRequestBody: Code("MissingRequestBodyError", 400),
    s3.InvalidDigest: Code("InvalidDigest", 400),
    s3.PayloadHashMismatch: Code("XAmzContentSHA256Mismatch", 400),
    s3.MalformedTrailer: Code("MalformedTrailerError", 400),
    s3.MalformedChunk: Code("InvalidRequest", 400),
    http.RequestTimeout: Code("RequestTimeout", 400),
    storage.BadDigest: Code("BadDigest", 400),
    storage.EntityTooLarge: Code("EntityTooLarge", 400),
    storage.QuotaExceeded: Code("QuotaExceeded", 403),
    # what there is
    storage.NoSuchBucket: Code("NoSuchBucket", 404),
    storage.BucketAlreadyExists: Code("BucketAlreadyExists", 409),
    storage.BucketAlreadyOwnedByYou: Code("BucketAlreadyOwnedByYou", 409),
    storage.BucketNotEmpty: Code("BucketNotEmpty", 409),
    storage.TooManyBuckets: Code("TooManyBuckets", 400),
    storage.NoSuchKey: Code("NoSuchKey", 404),
    storage.NoSuchVersion: Code("NoSuchVersion", 404),
    storage.MethodNotAllowed: Code("MethodNotAllowed", 405),
    storage.PreconditionFailed: Code("PreconditionFailed", 412),
    storage.ConditionalConflict: Code("ConditionalRequestConflict", 409),
    storage.NoSuchUpload: Code("NoSuchUpload", 404),
    storage.InvalidPart: Code("InvalidPart", 400),
    storage.InvalidPartOrder: Code("InvalidPartOrder", 400),
    storage.EntityTooSmall: Code("EntityTooSmall", 400),
    storage.SegmentsChanged: Code("InvalidRequest", 409),
    storage.TooManyLinks: Code("InvalidRequest", 409),
    storage.LinkChanged: Code("InvalidRequest", 409),
    Conflict: Code("OperationAborted", 409, "A conflicting operation is in progress. Try again."),
    KeyReused: Code("OperationAborted", 409, "A conflicting operation is in progress. Try again."),
}

# Facts that are told as elements of their own, under S3's names for them.
_ELEMENTS = {
    "bucket": "BucketName",
    "key": "Key",
    "version_id": "VersionId",
    "upload_id": "UploadId",
    "argument": "ArgumentName",
    "value": "ArgumentValue",
    "condition": "Condition",
    "region": "Region",
}


def code_of(error: CloudError) -> Code:
    """Return how the error is told.

    Law:     every CloudError has a row, its own or its nearest base's.
    """
    if isinstance(error, s3.NoSuchConfiguration):
        return Code(error.code, 404)
    return next(TABLE[cls] for cls in type(error).__mro__ if cls in TABLE)


def error_document(
    code: Code, error: CloudError | None, *, resource: str, request_id: str, host_id: str
) -> bytes:
    """Return the error as XML; `error` None: a bug, of which nothing is told."""
    message = code.message if code.message is not None else str(error)
    facts = {} if error is None or code.message is not None else vars(error)
    elements = "".join(
        leaf(_ELEMENTS[name], value)
        for name, value in facts.items()
        if name in _ELEMENTS and isinstance(value, str) and value
    )
    return (
        f"{DECLARATION}<Error>{leaf('Code', code.name)}{leaf('Message', message)}{elements}"
        f"{leaf('Resource', resource)}{leaf('RequestId', request_id)}{leaf('HostId', host_id)}"
        "</Error>"
    ).encode("utf-8", "replace")


def error_headers(error: CloudError) -> dict[str, str]:
    """Return what the error says in headers."""
    if isinstance(error, Unavailable):
        return {"Retry-After": str(error.retry_after_s)}
    if isinstance(error, s3.MethodNotAllowedHere):
        return {"Allow": error.allow}
    if isinstance(error, s3.InvalidRange):
        return {"Content-Range": f"bytes */{error.size}"}
    if isinstance(error, storage.NoSuchKey) and error.delete_marker:
        return {
            "x-amz-delete-marker": "true",
            "x-amz-version-id": error.version_id or "null",
        }
    if isinstance(error, storage.MethodNotAllowed):
        return {
            "Allow": "DELETE",
            "x-amz-delete-marker": "true",
            "x-amz-version-id": error.version_id or "null",
            "Last-Modified": http_from_us(error.modified_us),
        }
    region = getattr(error, "region", None)
    return {"x-amz-bucket-region": region} if isinstance(region, str) else {}
