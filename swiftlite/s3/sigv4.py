"""Signature version 4: which key a request claims, and whether that key really signed it.

Three steps: `claim_of` reads what the request says, without trusting it; the caller looks the key
up; `verify` raises unless the key signed exactly this request, now. `hmac` and dates only: the
payload's hash is what the request declares, and the body is held to it while it is read.

Source: docs.aws.amazon.com AmazonS3 API "Authenticating Requests (AWS Signature Version 4)".
Pure: no clock, no IO.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from datetime import UTC, datetime
from functools import lru_cache

import msgspec

from swiftlite.errors import InvalidArgument, InvalidRequest
from swiftlite.http.times import s_from_http
from swiftlite.s3.errors import (
    AccessDenied,
    AuthorizationHeaderMalformed,
    AuthorizationQueryParametersError,
    ExpiredRequest,
    RequestTimeTooSkewed,
    SignatureDoesNotMatch,
)
from swiftlite.s3.mac import Mac
from swiftlite.s3.request import Request, canonical_path, canonical_query, number, sorted_query

ALGORITHM = "AWS4-HMAC-SHA256"
UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"
STREAMING_SIGNED = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
STREAMING_SIGNED_TRAILER = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
STREAMING_UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
STREAMING = frozenset({STREAMING_SIGNED, STREAMING_SIGNED_TRAILER, STREAMING_UNSIGNED_TRAILER})

SKEW_S = 15 * 60
EXPIRES_S_MAX = 7 * 24 * 3600

# The parameters of a presigned URL. All are there once, or it is none.
_QUERY = (
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-SignedHeaders",
    "X-Amz-Signature",
)
QUERY_PARAMETERS = frozenset((*_QUERY, "X-Amz-Security-Token", "X-Amz-Content-Sha256"))

_DATE = re.compile(r"[0-9]{8}T[0-9]{6}Z", re.ASCII)
_SIGNATURE = re.compile(r"[0-9a-f]{64}", re.ASCII)
_HASH = re.compile(r"[0-9a-fA-F]{64}", re.ASCII)
_SCOPE = re.compile(
    r"([^/\s]{1,128})/([0-9]{8})/([^/\s]{1,64})/([^/\s]{1,32})/aws4_request", re.ASCII
)
_OF_BODIES = ("content-type", "content-md5")  # to be signed where they are sent
# Authorization headers longer than this are read anew each time, so that the cache stays small.
_CACHED_LENGTH_MAX = 512


class Credential(msgspec.Struct, frozen=True):
    """The part of a claim that is the same in all requests of one key, one day, one shape."""

    key_id: str
    date: str
    region: str
    service: str
    scope: str
    signed: tuple[str, ...]
    signed_set: frozenset[str]
    signed_text: str


class Claim(msgspec.Struct, frozen=True):
    """What a request says of its signature. Nothing of it is true before `verify`."""

    credential: Credential
    signature: str
    timestamp: str  # as sent: 20261122T101500Z
    payload_hash: str
    expires_s: int | None = None  # None: signed in the header, holds for SKEW_S

    @property
    def key_id(self) -> str:
        return self.credential.key_id


def header_claim(request: Request) -> Claim:
    """Return the claim in the Authorization header.

    Raises:  AuthorizationHeaderMalformed, InvalidRequest, AccessDenied, InvalidArgument.
    """
    authorization = request.headers["authorization"]
    prefix, found, signature = authorization.rpartition("Signature=")
    if not found or "," in signature:
        # Rare: another order of the fields.
        prefix, signature = _reordered(authorization)
    read = _credential_cached if len(prefix) <= _CACHED_LENGTH_MAX else _credential
    credential = read(prefix)
    timestamp = request.headers.get("x-amz-date") or _date_header(request)
    if timestamp is None:
        raise AccessDenied(reason="AWS authentication requires a valid Date or x-amz-date header")
    payload_hash = request.headers.get("x-amz-content-sha256")
    if payload_hash is None:
        raise InvalidRequest(
            reason="Missing required header for this request: x-amz-content-sha256"
        )
    _check_payload_hash(payload_hash)
    return Claim(credential, signature.strip(), timestamp, payload_hash)


def query_claim(request: Request) -> Claim:
    """Return the claim of a presigned URL.

    Raises:  AuthorizationQueryParametersError, InvalidArgument.
    """
    query = request.query
    for name in _QUERY:
        if name not in query:
            raise AuthorizationQueryParametersError(
                reason="Query-string authentication version 4 requires the X-Amz-Algorithm, "
                "X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and "
                "X-Amz-Expires parameters."
            )
    if query["X-Amz-Algorithm"] != ALGORITHM:
        raise AuthorizationQueryParametersError(
            reason=f'X-Amz-Algorithm only supports "{ALGORITHM}"'
        )
    expires_s = number(query["X-Amz-Expires"], low=1, high=EXPIRES_S_MAX)
    if expires_s is None:
        raise AuthorizationQueryParametersError(
            reason=f"X-Amz-Expires must be a number between 1 and {EXPIRES_S_MAX} seconds"
        )
    scope = _SCOPE.fullmatch(query["X-Amz-Credential"])
    if scope is None:
        raise AuthorizationQueryParametersError(
            reason='Error parsing the X-Amz-Credential parameter; expecting "<YOUR-AKID>/YYYYMMDD/'
            'REGION/SERVICE/aws4_request"'
        )
    payload_hash = query.get("X-Amz-Content-Sha256", UNSIGNED_PAYLOAD)
    _check_payload_hash(payload_hash)
    return Claim(
        _credential_from(scope, query["X-Amz-SignedHeaders"]),
        query["X-Amz-Signature"],
        query["X-Amz-Date"],
        payload_hash,
        expires_s,
    )


def verify(claim: Claim, request: Request, *, secret: str, region: str, now_us: int) -> None:
    """Return if the key with this secret signed this request, and it is in time.

    Raises:  SignatureDoesNotMatch, RequestTimeTooSkewed, ExpiredRequest, AccessDenied (a header
             that had to be signed was not), AuthorizationHeaderMalformed (another day, region or
             service), AuthorizationQueryParametersError.
    """
    _check_signed_headers(claim, request)
    # The signature first: whoever cannot sign learns nothing but that.
    if not _is_signed(claim, request, secret):
        raise SignatureDoesNotMatch()
    _check_scope(claim, region)
    _check_time(claim, now_us)


@lru_cache(1024)
def signing_key(secret: str, date: str, region: str) -> Mac:
    """Return what signs with the key of one day and region.

    Cached by the secret itself, which is looked up for every request: a key that was revoked or
    changed is not found here under its old name.
    """
    key = hmac.digest(b"AWS4" + secret.encode(), date.encode(), "sha256")
    for part in (region, "s3", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return Mac(key)


def canonical_request(claim: Claim, request: Request, *, path: str, query: str) -> str:
    """Return the request in the form that is hashed, with the path and query as given."""
    find, credential = request.headers.get, claim.credential
    lines = "".join([f"{name}:{find(name, '')}\n" for name in credential.signed])
    if "  " in lines or "\t" in lines or ": " in lines or " \n" in lines:
        # Some value may have more blanks than are signed.
        lines = "".join([f"{name}:{_trimmed(find(name, ''))}\n" for name in credential.signed])
    return (
        f"{request.method}\n{path}\n{query}\n{lines}\n"
        f"{credential.signed_text}\n{claim.payload_hash}"
    )


def _trimmed(value: str) -> str:
    if "  " in value or "\t" in value or value[:1] == " " or value[-1:] == " ":
        return " ".join(value.split())
    return value


def string_to_sign(claim: Claim, canonical: str) -> str:
    """Return what the signature is made over."""
    digest = hashlib.sha256(canonical.encode("utf-8", "surrogateescape")).hexdigest()
    return f"{ALGORITHM}\n{claim.timestamp}\n{claim.credential.scope}\n{digest}"


def _is_signed(claim: Claim, request: Request, secret: str) -> bool:
    """Whether the signature is right for the target as it was sent, or as RFC 3986 spells it.

    Most clients send what they signed; some sign one spelling of an escape and send another. Both
    spellings mean the same, so that neither lets anything pass that was not signed.
    """
    if not _SIGNATURE.fullmatch(claim.signature):
        return False
    given = bytes.fromhex(claim.signature)
    credential = claim.credential
    key = signing_key(secret, credential.date, credential.region)
    without = "" if claim.expires_s is None else "X-Amz-Signature"
    raw = request.raw_query
    sent = (request.path, sorted_query(raw, leave_out=without) if raw else "")
    if _matches(given, key, claim, request, sent):
        return True
    respelled = (canonical_path(request.path), canonical_query(raw, leave_out=without))
    return respelled != sent and _matches(given, key, claim, request, respelled)


def _matches(
    given: bytes, key: Mac, claim: Claim, request: Request, target: tuple[str, str]
) -> bool:
    canonical = canonical_request(claim, request, path=target[0], query=target[1])
    text = string_to_sign(claim, canonical)
    return hmac.compare_digest(key.digest(text.encode("utf-8", "surrogateescape")), given)


def _check_signed_headers(claim: Claim, request: Request) -> None:
    signed, names = claim.credential.signed_set, request.names
    is_signed = "host" in signed and signed.issuperset(names.amz) and signed.issuperset(names.meta)
    # A browser puts a Content-Type of its own on whatever is sent to a presigned URL, and S3 lets
    # it: the URL's signature covers it only where its maker wished so.
    if is_signed and claim.expires_s is None:
        headers = request.headers
        is_signed = all(name in signed or name not in headers for name in _OF_BODIES)
    if not is_signed:
        raise AccessDenied(reason="There were headers present in the request which were not signed")


def _check_scope(claim: Claim, region: str) -> None:
    credential = claim.credential
    wrong = ""
    if credential.service != "s3":
        wrong = f'incorrect service "{credential.service}". This endpoint belongs to "s3"'
    elif credential.region != region:
        wrong = f"the region '{credential.region}' is wrong; expecting '{region}'"
    elif not claim.timestamp.startswith(credential.date):
        wrong = "the credential's date is not the request's"
    if not wrong:
        return
    if claim.expires_s is None:
        raise AuthorizationHeaderMalformed(reason=wrong, region=region)
    raise AuthorizationQueryParametersError(
        reason=f"Error parsing the X-Amz-Credential parameter; {wrong}", region=region
    )


def _check_time(claim: Claim, now_us: int) -> None:
    signed_at_s = timestamp_s(claim.timestamp)
    if signed_at_s is None:
        if claim.expires_s is not None:
            raise AuthorizationQueryParametersError(
                reason="X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\""
            )
        raise AccessDenied(reason="AWS authentication requires a valid Date or x-amz-date header")
    late_s = now_us / 1_000_000 - signed_at_s
    if claim.expires_s is None:
        if abs(late_s) > SKEW_S:
            raise RequestTimeTooSkewed()
    elif late_s < -SKEW_S:
        raise AccessDenied(reason="Request is not valid yet")
    elif late_s > claim.expires_s:
        raise ExpiredRequest()


@lru_cache(256)
def timestamp_s(text: str) -> int | None:
    """Return seconds since 1970 for 20261122T101500Z, or None where it is not such a time."""
    if not _DATE.fullmatch(text):
        return None
    try:
        at = datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None
    return int(at.timestamp())


def _check_payload_hash(payload_hash: str) -> None:
    if not (
        _HASH.fullmatch(payload_hash)
        or payload_hash == UNSIGNED_PAYLOAD
        or payload_hash in STREAMING
    ):
        raise InvalidArgument(
            argument="x-amz-content-sha256",
            value=payload_hash[:128],
            reason="x-amz-content-sha256 must be UNSIGNED-PAYLOAD, "
            + ", ".join(sorted(STREAMING))
            + ", or a valid sha256 value",
        )


def _date_header(request: Request) -> str | None:
    """Return the Date header as x-amz-date would spell it."""
    value = request.headers.get("date", "")
    if _DATE.fullmatch(value):
        return value
    at_s = s_from_http(value)
    return None if at_s is None else datetime.fromtimestamp(at_s, UTC).strftime("%Y%m%dT%H%M%SZ")


def _reordered(authorization: str) -> tuple[str, str]:
    algorithm, _, fields = authorization.partition(" ")
    found: dict[str, str] = {}
    for field in fields.split(","):
        name, equals, value = field.strip().partition("=")
        if not equals or name in found:
            raise AuthorizationHeaderMalformed(reason="a field is broken or there twice")
        found[name] = value
    if set(found) != {"Credential", "SignedHeaders", "Signature"}:
        raise AuthorizationHeaderMalformed(
            reason="it must hold Credential, SignedHeaders and Signature"
        )
    return (
        f"{algorithm} Credential={found['Credential']},SignedHeaders={found['SignedHeaders']},",
        found["Signature"],
    )


def _credential(prefix: str) -> Credential:
    """Read `AWS4-HMAC-SHA256 Credential=.../aws4_request, SignedHeaders=a;b, `."""
    algorithm, _, fields = prefix.partition(" ")
    if algorithm != ALGORITHM:
        raise InvalidRequest(
            reason=f"The authorization mechanism you have provided is not supported. "
            f"Please use {ALGORITHM}"
        )
    found: dict[str, str] = {}
    for field in fields.split(","):
        if not field.strip():
            continue
        name, _, value = field.strip().partition("=")
        if name in found or name not in ("Credential", "SignedHeaders"):
            raise AuthorizationHeaderMalformed(reason="a field is unknown or there twice")
        found[name] = value.strip()
    scope = _SCOPE.fullmatch(found.get("Credential", ""))
    if scope is None:
        raise AuthorizationHeaderMalformed(
            reason='the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/'
            'aws4_request"'
        )
    if not found.get("SignedHeaders"):
        raise AuthorizationHeaderMalformed(reason="the SignedHeaders field is missing")
    return _credential_from(scope, found["SignedHeaders"])


_credential_cached = lru_cache(1024)(_credential)


def _credential_from(scope: re.Match[str], signed_headers: str) -> Credential:
    key_id, date, region, service = scope.groups()
    return Credential(
        key_id=key_id,
        date=date,
        region=region,
        service=service,
        scope=f"{date}/{region}/{service}/aws4_request",
        signed=tuple(signed_headers.split(";")),
        signed_set=frozenset(signed_headers.split(";")),
        signed_text=signed_headers,
    )
