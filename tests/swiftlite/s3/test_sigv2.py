"""Signature version 2 in a query, against what boto3 presigns."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.auth import HmacV1QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from swiftlite.s3 import sigv2
from swiftlite.s3.errors import AccessDenied, ExpiredRequest, SignatureDoesNotMatch
from swiftlite.s3.request import Request

SECRET = "secret"


def presigned(
    method: str = "GET",
    target: str = "/bucket/key",
    *,
    auth_path: str | None = None,
    **headers: str,
) -> Request:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    request = AWSRequest(
        method,
        f"http://h{target}",
        headers=names,
        **({"auth_path": auth_path} if auth_path else {}),
    )
    signer: Any = HmacV1QueryAuth(Credentials("AKID", SECRET), expires=600)
    signer.add_auth(request)
    parts = urlsplit(request.url)
    return Request(method=method, target=f"{parts.path}?{parts.query}", headers=names)


def check(
    request: Request, *, secret: str = SECRET, late_s: int = 0, bucket: str | None = None
) -> None:
    assert sigv2.key_id_of(request) == "AKID"
    now_us = int((time.time() + late_s) * 1_000_000)
    sigv2.verify(request, secret=secret, now_us=now_us, virtual_bucket=bucket)


@pytest.mark.parametrize(
    "target",
    [
        "/bucket/key",
        "/bucket/a%20b/%C3%A4%2B",
        "/bucket?versioning",
        "/bucket?versions&prefix=a%2Fb",
        "/bucket/key?versionId=null&response-content-type=text%2Fplain",
        "/bucket/key?uploadId=abc&partNumber=1",
        "/",
    ],
)
def test_what_boto3_presigns_is_verified(target: str) -> None:
    check(presigned(target=target))


def test_headers_of_the_signature_are_verified() -> None:
    headers = {"content_type": "text/plain", "x_amz_meta_a": "1", "x_amz_acl": "private"}
    request = presigned("PUT", **headers)
    check(request)
    request.headers["x-amz-acl"] = "public-read"
    with pytest.raises(AccessDenied):
        check(request)


def test_a_header_that_was_not_signed_is_refused() -> None:
    request = presigned("PUT")
    request.headers["x-amz-copy-source"] = "/secrets/key"
    with pytest.raises(SignatureDoesNotMatch):
        check(request)


def test_a_bucket_in_the_host_is_part_of_what_is_signed() -> None:
    request = presigned(target="/key", auth_path="/bucket/key")
    check(request, bucket="bucket")
    with pytest.raises(SignatureDoesNotMatch):
        check(request, bucket="other")


def test_a_bucket_alone_is_signed_with_a_slash_behind_it() -> None:
    check(presigned(target="/bucket?list-type=2", auth_path="/bucket/"))
    check(presigned(target="/bucket?versioning", auth_path="/bucket/"))
    with pytest.raises(SignatureDoesNotMatch):
        check(presigned(target="/bucket/key", auth_path="/bucket/key/"))


def test_it_expires() -> None:
    with pytest.raises(ExpiredRequest):
        check(presigned(), late_s=601)


@pytest.mark.parametrize("expires", ["", "-1", "٣", "1_0", "9" * 40, "soon"])
def test_an_absurd_expiry_is_refused(expires: str) -> None:
    request = presigned()
    request.query["Expires"] = expires
    with pytest.raises(AccessDenied):
        check(request)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "HEAD"])
def test_another_method_is_refused(method: str) -> None:
    request = presigned()
    request.method = method
    with pytest.raises(SignatureDoesNotMatch):
        check(request)


def test_a_parameter_that_the_signature_does_not_cover_is_refused() -> None:
    request = presigned()
    request.query["attributes"] = ""
    with pytest.raises(AccessDenied, match="not covered"):
        check(request)


def test_a_sub_resource_that_was_added_is_refused() -> None:
    request = presigned("PUT", "/bucket")
    request.query["versioning"] = ""
    with pytest.raises(SignatureDoesNotMatch):
        check(request)


def test_another_secret_fails() -> None:
    with pytest.raises(SignatureDoesNotMatch):
        check(presigned(), secret="other")
