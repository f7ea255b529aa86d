"""Signature version 4 against botocore's signer, and every way to be wrong."""

from __future__ import annotations

import datetime
from typing import Any
from unittest.mock import patch
from urllib.parse import quote, urlsplit

import pytest
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from eventlog.errors import CloudError
from swiftlite.errors import InvalidArgument
from swiftlite.s3 import sigv4
from swiftlite.s3.errors import (
    AccessDenied,
    AuthorizationHeaderMalformed,
    AuthorizationQueryParametersError,
    ExpiredRequest,
    RequestTimeTooSkewed,
    SignatureDoesNotMatch,
)
from swiftlite.s3.request import Request

SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
CREDENTIALS = Credentials("AKID", SECRET)
AT = datetime.datetime(2026, 11, 22, 10, 15, tzinfo=datetime.UTC)
NOW_US = int(AT.timestamp()) * 1_000_000
REGION = "eu-west-1"

NASTY = [
    "/bucket/plain",
    "/bucket//double//slash",
    "/bucket/../x/./y",
    "/bucket/%2e%2e%2fx",
    "/bucket/a%20b%2Bc%26d%3De",
    "/bucket/sp%C3%A4t/%E6%97%A5%E6%9C%AC/%F0%9F%98%80",
    "/bucket/~tilde-_.x",
    "/bucket/%0A%0D%09",
    "/bucket/trailing/",
    "/",
]


def signed(
    method: str = "GET",
    target: str = "/bucket/key",
    *,
    headers: dict[str, str] | None = None,
    body: bytes = b"",
    expires: int | None = None,
    at: datetime.datetime = AT,
) -> Request:
    """Return what a server gets from a client that signs with botocore."""
    request = AWSRequest(
        method, f"http://s3.test:9000{target}", headers={"host": "s3.test:9000", **(headers or {})}
    )
    request.data = body
    signer: Any = (
        S3SigV4Auth(CREDENTIALS, "s3", REGION)
        if expires is None
        else S3SigV4QueryAuth(CREDENTIALS, "s3", REGION, expires=expires)
    )
    with patch("botocore.auth.get_current_datetime", lambda: at.replace(tzinfo=None)):
        signer.add_auth(request)
    parts = urlsplit(request.url)
    return Request(
        method=method,
        target=f"{parts.path}?{parts.query}" if parts.query else parts.path,
        headers={name.lower(): value for name, value in request.headers.items()},
    )


def check(request: Request, *, secret: str = SECRET, now_us: int = NOW_US) -> None:
    claim = (
        sigv4.header_claim(request)
        if "authorization" in request.headers
        else sigv4.query_claim(request)
    )
    sigv4.verify(claim, request, secret=secret, region=REGION, now_us=now_us)


@pytest.mark.parametrize("path", NASTY)
@pytest.mark.parametrize("expires", [None, 3600])
def test_every_path_that_botocore_signs_is_verified(path: str, expires: int | None) -> None:
    check(signed("PUT", path, expires=expires))


@pytest.mark.parametrize(
    "query",
    [
        "prefix=a%20b&delimiter=%2F",
        "list-type=2&prefix=%C3%A4%2B&encoding-type=url",
        "uploads",
        "uploads=",
        "zz=1&aa=2&a-a=3&aA=4",
        "prefix=a%26b%3Dc",
        "marker=~-_.%21",
    ],
)
def test_every_query_that_botocore_signs_is_verified(query: str) -> None:
    check(signed("GET", f"/bucket?{query}"))


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40))
def test_any_key_that_botocore_can_quote_is_verified(key: str) -> None:
    check(signed("GET", "/bucket/" + quote(key, safe="/~")))


def test_escapes_are_signed_the_same_however_they_are_spelled() -> None:
    request = signed("GET", "/bucket/a%2Fb(c)")
    request.path = "/bucket/%61%2fb(c)"
    with pytest.raises(SignatureDoesNotMatch):
        check(request)  # botocore signed the bracket as it stood
    request = signed("GET", "/bucket/a%2Fb%28c%29")
    request.path = "/bucket/%61%2fb(c)"
    check(request)


def test_an_escaped_slash_is_not_a_slash() -> None:
    request = signed("GET", "/bucket/a%2Fb")
    request.path = "/bucket/a/b"
    with pytest.raises(SignatureDoesNotMatch):
        check(request)


def test_spaces_in_header_values_are_folded() -> None:
    check(signed(headers={"x-amz-meta-a": "  two   spaces\tand a tab "}))


def tampered(request: Request, field: str) -> None:
    if field == "method":
        request.method = "DELETE"
    elif field == "path":
        request.path += "x"
    elif field == "query":
        request.raw_query = "prefix=b"
    elif field == "payload":
        request.headers["x-amz-content-sha256"] = "0" * 64
    elif field == "date":
        request.headers["x-amz-date"] = "20261122T101501Z"
    elif field == "host":
        request.headers["host"] = "evil.test:9000"
    elif field == "header":
        request.headers["x-amz-meta-a"] = "2"
    else:
        given_signature = request.headers["authorization"]
        flipped = "0" if given_signature[-1] != "0" else "1"
        request.headers["authorization"] = given_signature[:-1] + flipped


@pytest.mark.parametrize(
    "field", ["method", "path", "query", "payload", "date", "host", "header", "signature"]
)
def test_one_changed_field_fails(field: str) -> None:
    request = signed("GET", "/bucket?prefix=a", headers={"x-amz-meta-a": "1"})
    check(request)
    tampered(request, field)
    with pytest.raises(SignatureDoesNotMatch):
        check(request)


def test_another_secret_fails() -> None:
    with pytest.raises(SignatureDoesNotMatch):
        check(signed(), secret=SECRET + "x")


@pytest.mark.parametrize(
    "name", ["x-amz-acl", "x-amz-copy-source", "x-amz-tagging", "content-type"]
)
def test_a_header_that_is_not_signed_is_refused(name: str) -> None:
    request = signed("PUT")
    request.add_headers({name: "private"})
    with pytest.raises(AccessDenied, match="not signed"):
        check(request)


@pytest.mark.parametrize("name", ["x-amz-copy-source", "x-amz-acl", "x-amz-storage-class"])
def test_cve_2026_71191_unsigned_header_on_a_presigned_put_is_refused(name: str) -> None:
    request = signed("PUT", expires=600)
    request.add_headers({name: "/secrets/key"})
    with pytest.raises(AccessDenied, match="not signed"):
        check(request)


def test_a_presigned_url_lets_a_browser_say_its_content_type() -> None:
    request = signed("PUT", expires=600)
    request.headers["content-type"] = "image/png"
    check(request)


def test_the_host_must_be_signed() -> None:
    request = signed()
    old = request.headers["authorization"]
    request.headers["authorization"] = old.replace("SignedHeaders=host;", "SignedHeaders=")
    with pytest.raises(AccessDenied, match="not signed"):
        check(request)


@pytest.mark.parametrize("minutes", [-14, 14])
def test_a_clock_that_is_a_little_off_is_fine(minutes: int) -> None:
    check(signed(), now_us=NOW_US + minutes * 60_000_000)


@pytest.mark.parametrize("minutes", [-16, 16])
def test_a_clock_that_is_far_off_is_refused(minutes: int) -> None:
    with pytest.raises(RequestTimeTooSkewed):
        check(signed(), now_us=NOW_US + minutes * 60_000_000)


def test_a_presigned_url_holds_until_it_expires() -> None:
    check(signed(expires=604_800), now_us=NOW_US + 604_800 * 1_000_000)
    with pytest.raises(ExpiredRequest):
        check(signed(expires=600), now_us=NOW_US + 601_000_000)
    with pytest.raises(AccessDenied, match="not valid yet"):
        check(signed(expires=600), now_us=NOW_US - 16 * 60_000_000)


@pytest.mark.parametrize(
    "text", ["0", "-1", "604801", "٣٦٠٠", "1_0", "+5", " 5", "1e3", "9" * 30, ""]
)
def test_an_absurd_expiry_is_refused(text: str) -> None:
    request = signed(expires=600)
    request.query["X-Amz-Expires"] = text
    with pytest.raises(AuthorizationQueryParametersError):
        check(request)


@pytest.mark.parametrize(
    "part",
    ["AKID/20261122", "AKID/20261122/eu-west-1/s3/aws4_request/x", "/20261122/r/s3/aws4_request"],
)
def test_a_malformed_credential_is_refused(part: str) -> None:
    request = signed()
    request.headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={part}, SignedHeaders=host, Signature={'0' * 64}"
    )
    with pytest.raises(AuthorizationHeaderMalformed):
        check(request)


@pytest.mark.parametrize(
    "authorization",
    [
        "AWS4-HMAC-SHA256",
        "AWS4-HMAC-SHA256 ",
        "AWS4-HMAC-SHA256 Credential=a/20261122/r/s3/aws4_request, Signature=00",
        "AWS4-HMAC-SHA256 Signature=00, Signature=00",
        "AWS AKID:c2ln",
        "Basic Og==",
        "Bearer x",
        "AWS4-HMAC-SHA256 Credential=a, Credential=b, SignedHeaders=host, Signature=00",
        "AWS4-HMAC-SHA256 Foo=a, Credential=b, SignedHeaders=host, Signature=00",
    ],
)
def test_garbage_for_authorization_is_refused(authorization: str) -> None:
    request = signed()
    request.headers["authorization"] = authorization
    with pytest.raises(CloudError):
        check(request)


def test_fields_in_another_order_are_understood() -> None:
    request = signed()
    mechanism, _, fields = request.headers["authorization"].partition(" ")
    request.headers["authorization"] = f"{mechanism} {','.join(reversed(fields.split(', ')))}"
    check(request)


@pytest.mark.parametrize(
    ("old", "new"),
    [("/eu-west-1/", "/us-east-1/"), ("/s3/", "/iam/"), ("/20261122/", "/20261121/")],
)
def test_a_signature_for_another_scope_is_refused(old: str, new: str) -> None:
    request = signed()
    claimed = request.headers["authorization"]
    request.headers["authorization"] = claimed.replace(old, new)
    with pytest.raises(SignatureDoesNotMatch):
        check(request)


def test_a_good_signature_for_another_region_says_which() -> None:
    claim = sigv4.header_claim(request := signed())
    with pytest.raises(AuthorizationHeaderMalformed, match="expecting 'us-west-2'"):
        sigv4.verify(claim, request, secret=SECRET, region="us-west-2", now_us=NOW_US)


@pytest.mark.parametrize("text", ["", "abc", "STREAMING-WHATEVER", "g" * 64, "A" * 63])
def test_a_payload_hash_that_is_none_is_refused(text: str) -> None:
    request = signed()
    request.headers["x-amz-content-sha256"] = text
    with pytest.raises(InvalidArgument):
        check(request)


def test_the_date_header_serves_where_x_amz_date_is_absent() -> None:
    check(signed(headers={"Date": "Sun, 22 Nov 2026 10:15:00 GMT"}))


@pytest.mark.parametrize("signature", ["", "0" * 63, "G" * 64, "٣" * 64, "0" * 65, "é"])
def test_a_signature_that_is_none_is_refused_quietly(signature: str) -> None:
    request = signed()
    claimed = request.headers["authorization"]
    request.headers["authorization"] = claimed[: claimed.rindex("=") + 1] + signature
    with pytest.raises(SignatureDoesNotMatch):
        check(request)


def test_a_revoked_secret_is_not_remembered() -> None:
    check(signed())
    with pytest.raises(SignatureDoesNotMatch):
        check(signed(), secret="changed")
