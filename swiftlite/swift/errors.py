"""Swift's refusals: a status, and a body in plain text or HTML.

Pure: no clock, no IO.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from html import escape
from http import HTTPStatus
from urllib.parse import quote

from eventlog.errors import CloudError, Refused, Unavailable
from swiftlite import errors as storage
from swiftlite.http import errors as http
from swiftlite.http.replies import Reply

log = logging.getLogger(__name__)

HTML = "text/html; charset=UTF-8"
PLAIN = "text/plain; charset=UTF-8"
MARKER_TYPE = "application/x-deleted;swift_versions_deleted=1"  # of what stands for a delete


class Declined(Refused):
    """{reason}"""

    status: int
    reason: str  # "": what the status says is all there is to say
    headers: Mapping[str, str]

    def __init__(self, status: int, reason: str = "", **headers: str) -> None:
        """`headers` of the reply, `_` for `-`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        super().__init__(status=status, reason=reason, headers=named)


class Denied(Refused):
    """{reason}"""

    on_account: str = ""  # what was refused, where that is not what the request names
    on_container: str = ""
    on_key: str = ""
    action: str = ""
    is_recorded: bool = False  # an entry of many, whose refusal was recorded for itself

    reason: str
    is_known: bool  # whether the caller said who they are: 403 and not 401
    rule: str
    words: str = ""  # what the caller is told beside the status


_WORDS = {
    400: "The request cannot be understood.",
    401: "Say who you are: a valid token is needed to reach this.",
    403: "Access was denied to this resource.",
    404: "There is nothing of this name.",
    405: "This method is not for this resource.",
    406: "The resource has no form that the Accept header takes.",
    408: "The request took too long to arrive.",
    409: "There was a conflict when trying to complete your request.",  # clients look for it
    411: "A Content-Length is needed.",
    412: "A precondition of the request does not hold.",
    413: "The body of the request is too large.",
    416: "None of the range lies within the object.",
    422: "What came is not what the request says.",
    500: "Something went wrong here; the operator finds it by the transaction's id.",
    501: "This is not implemented.",
    503: "The server cannot do this now. Please try again later.",
    507: "There is no room left.",
}

# A class not listed has the status of the nearest one above it.
_STATUS: Mapping[type[CloudError], int] = {
    storage.NoSuchBucket: 404,
    storage.NoSuchKey: 404,
    storage.NoSuchVersion: 404,
    storage.MethodNotAllowed: 404,
    storage.BucketNotEmpty: 409,
    storage.SegmentsChanged: 409,
    storage.TooManyLinks: 409,
    storage.LinkChanged: 409,
    storage.BucketAlreadyExists: 409,
    storage.BucketAlreadyOwnedByYou: 409,
    storage.ConditionalConflict: 409,
    storage.TooManyBuckets: 403,
    storage.PreconditionFailed: 412,
    storage.EntityTooLarge: 413,
    storage.QuotaExceeded: 413,
    storage.BadDigest: 422,
    storage.NotImplementedHere: 501,
    http.RequestTimeout: 408,
    Refused: 400,
    Unavailable: 503,
    CloudError: 500,
}
# What these say is for the client; of others only their status is told.
_TOLD = (
    storage.InvalidBucketName,
    storage.InvalidAcl,
    storage.InvalidKey,
    storage.KeyTooLong,
    storage.MetadataTooLarge,
    storage.TooManyNotes,
    storage.TooManyBuckets,
    storage.QuotaExceeded,
    storage.InvalidArgument,
    storage.InvalidRequest,
    storage.NotImplementedHere,
    storage.TooManyLinks,
    storage.LinkChanged,
    http.HttpRefused,
)
# These tell where a link led.
_AT_LINKS = (storage.LinkChanged, storage.NoSuchKey, storage.NoSuchBucket)


def status_of(error: CloudError) -> int:
    """Return the status that tells an error."""
    if isinstance(error, Declined):
        return error.status
    if isinstance(error, Denied):
        return 403 if error.is_known else 401
    return next(_STATUS[cls] for cls in type(error).__mro__ if cls in _STATUS)


def reason_of(error: CloudError) -> str:
    """Return what may be told of an error beside its status, "" for nothing."""
    if isinstance(error, Declined):
        return error.reason
    if isinstance(error, Denied):
        return error.words
    return str(error) if isinstance(error, _TOLD) else ""


def told(error: CloudError, *, trans_id: str, realm: str) -> Reply:
    """Return the reply that tells an error; what is the operator's to know is logged.

    `realm`: the account that the request was about.
    """
    status = status_of(error)
    if isinstance(error, Unavailable):
        log.warning("request %s: %s", trans_id, error)
    elif status >= 500 and not isinstance(error, Declined | storage.NotImplementedHere):
        log.error("request %s: %s", trans_id, error)
    as_html = isinstance(error, storage.InvalidBucketName)  # as Swift tells of names
    reply = refused(status, reason_of(error), as_html=as_html)
    headers = dict(reply.headers)
    if isinstance(error, Declined):
        headers |= error.headers
    if status == 401:
        # The name comes from the path: it is escaped, so that nothing in it ends the quotes.
        headers["WWW-Authenticate"] = f'Swift realm="{quote(realm or "unknown", safe="")}"'
    if status == 503:
        headers["Retry-After"] = "1"
    if isinstance(error, storage.NoSuchKey) and error.delete_marker:
        headers["X-Object-Version-Id"] = error.version_id or "null"
    if isinstance(error, storage.MethodNotAllowed):
        headers["X-Object-Version-Id"] = error.version_id
        headers["Content-Type"] = MARKER_TYPE
    if isinstance(error, _AT_LINKS) and error.location:
        headers["Content-Location"] = "/v1/" + quote(error.location)
    reply.headers = headers
    return reply


def refused(status: int, reason: str = "", *, as_html: bool = False) -> Reply:
    """Return a refusal in Swift's form: a reason is plain text, unless `as_html`."""
    if status == 304:
        return Reply(304)
    if reason and not as_html:
        return Reply(status, {"Content-Type": PLAIN}, reason.encode("utf-8", "replace"))
    title = escape(HTTPStatus(status).phrase)
    body = f"<html><h1>{title}</h1><p>{escape(reason or _WORDS.get(status, ''))}</p></html>"
    return Reply(status, {"Content-Type": HTML}, body.encode("utf-8", "replace"))
