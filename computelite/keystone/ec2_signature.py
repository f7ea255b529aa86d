"""AWS signatures as other services hand them on to be checked, at /v3/ec2tokens and /v3/s3tokens.

Only version 4 in a header, with the hash of a body that the service itself has read: a presigned
URL, which anyone may hold who was sent it, is worth no token.

Pure: no clock, no IO.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import msgspec

from computelite.identity.login.errors import LoginRefused
from computelite.secret import Secret

SKEW_S = 300
ALGORITHM = "AWS4-HMAC-SHA256"

_HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)
_DATE = re.compile(r"[0-9]{8}T[0-9]{6}Z", re.ASCII)
_FIELDS = ("Credential", "SignedHeaders", "Signature")


class Ec2Request(msgspec.Struct, frozen=True, kw_only=True):
    """A request that was signed, as the service which received it tells of it."""

    access: str
    signature: str
    host: str = ""
    verb: str = ""
    path: str = ""
    params: dict[str, Any] = {}
    headers: dict[str, str] = {}
    body_hash: str = ""


class S3Request(msgspec.Struct, frozen=True, kw_only=True):
    """A string that was signed, in base64 as `token`."""

    access: str
    signature: str
    token: str


def check_ec2(request: Ec2Request, secret: Secret, *, now_us: int) -> None:
    """Return if the secret signed the request, its body included, within the last minutes.

    Raises:  LoginRefused.
    """
    headers = {name.lower().strip(): " ".join(v.split()) for name, v in request.headers.items()}
    claim = _claim(headers.get("authorization", ""))
    if not _HASH.fullmatch(request.body_hash):
        raise LoginRefused()
    if headers.get("x-amz-content-sha256", request.body_hash) != request.body_hash:
        raise LoginRefused()
    signed = claim["SignedHeaders"].split(";")
    unsigned = {name for name in headers if name.startswith("x-amz-")} - set(signed)
    if "host" not in signed or unsigned or any(name not in headers for name in signed):
        raise LoginRefused()
    key_id, _, scope = claim["Credential"].partition("/")
    if key_id != request.access:
        raise LoginRefused()
    canonical = "\n".join(
        (
            request.verb.upper(),
            request.path,
            _canonical_query(request.params) if request.verb.upper() != "POST" else "",
            "".join(f"{name}:{headers[name]}\n" for name in signed),
            claim["SignedHeaders"],
            request.body_hash,
        )
    )
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    text = "\n".join((ALGORITHM, headers.get("x-amz-date", ""), scope, digest))
    if not hmac.compare_digest(claim["Signature"].encode(), request.signature.encode()):
        raise LoginRefused()
    _check(text, request.signature, secret, now_us)


def check_s3(request: S3Request, secret: Secret, *, now_us: int) -> None:
    """Return if the secret signed the string, for S3, within the last minutes.

    Raises:  LoginRefused.
    """
    try:
        text = base64.urlsafe_b64decode(request.token).decode("ascii")
    except (binascii.Error, ValueError):
        raise LoginRefused() from None
    parts = text.split("\n")
    if len(parts) != 4 or not parts[2].endswith("/s3/aws4_request"):
        raise LoginRefused()
    _check(text, request.signature, secret, now_us)


def _check(text: str, signature: str, secret: Secret, now_us: int) -> None:
    """Check a string to sign: `ALGORITHM, date and time, scope, hash` on a line each."""
    algorithm, stamp, scope, _ = text.split("\n")
    date, _, rest = scope.partition("/")
    parts = rest.split("/")
    if algorithm != ALGORITHM or len(parts) != 3 or parts[2] != "aws4_request":
        raise LoginRefused()
    if not _DATE.fullmatch(stamp) or not stamp.startswith(f"{date}T"):
        raise LoginRefused()
    key = hmac.digest(b"AWS4" + secret.reveal().encode(), date.encode(), "sha256")
    for part in parts:
        key = hmac.digest(key, part.encode(), "sha256")
    right = hmac.digest(key, text.encode(), "sha256").hex()
    if not hmac.compare_digest(right.encode(), signature.encode("utf-8", "replace")):
        raise LoginRefused()
    if abs(now_us / 1_000_000 - _seconds(stamp)) > SKEW_S:
        raise LoginRefused()


def _claim(authorization: str) -> dict[str, str]:
    algorithm, _, fields = authorization.partition(" ")
    pairs = [field.strip().partition("=") for field in fields.split(",")]
    claim = {name: value for name, _, value in pairs}
    if algorithm != ALGORITHM or len(pairs) != len(claim) or set(claim) != set(_FIELDS):
        raise LoginRefused()
    return claim


def _canonical_query(params: dict[str, Any]) -> str:
    pairs = sorted((quote(k, safe="-_.~"), quote(str(v), safe="-_.~")) for k, v in params.items())
    return "&".join(f"{name}={value}" for name, value in pairs)


def _seconds(stamp: str) -> float:
    try:
        return datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
    except ValueError:
        raise LoginRefused() from None
