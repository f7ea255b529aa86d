"""Who gets in: the whole path, by requests that were signed right and then changed."""

from __future__ import annotations

import datetime
import time
from typing import Any
from urllib.parse import quote

import boto3
import pytest
from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

from swiftlite.s3.operations import Operation
from tests.swiftlite.s3.edge import REGION, Edge, target_of

# One well-formed request for each operation.
REQUESTS = {
    Operation.LIST_BUCKETS: ("GET", "/", b"", {}),
    Operation.CREATE_BUCKET: ("PUT", "/made-by-matrix", b"", {}),
    Operation.HEAD_BUCKET: ("HEAD", "/{b}", b"", {}),
    Operation.DELETE_BUCKET: ("DELETE", "/{b}", b"", {}),
    Operation.GET_BUCKET_LOCATION: ("GET", "/{b}?location", b"", {}),
    Operation.GET_BUCKET_VERSIONING: ("GET", "/{b}?versioning", b"", {}),
    Operation.PUT_BUCKET_VERSIONING: (
        "PUT",
        "/{b}?versioning",
        b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>",
        {},
    ),
    Operation.GET_BUCKET_ACL: ("GET", "/{b}?acl", b"", {}),
    Operation.PUT_BUCKET_ACL: ("PUT", "/{b}?acl", b"", {"x-amz-acl": "private"}),
    Operation.GET_BUCKET_CONFIGURATION: ("GET", "/{b}?requestPayment", b"", {}),
    Operation.LIST_OBJECTS: ("GET", "/{b}", b"", {}),
    Operation.LIST_OBJECTS_V2: ("GET", "/{b}?list-type=2", b"", {}),
    Operation.LIST_OBJECT_VERSIONS: ("GET", "/{b}?versions", b"", {}),
    Operation.LIST_MULTIPART_UPLOADS: ("GET", "/{b}?uploads", b"", {}),
    Operation.DELETE_OBJECTS: (
        "POST",
        "/{b}?delete",
        b"<Delete><Object><Key>absent</Key></Object></Delete>",
        {"x-amz-checksum-crc32": "P/oY2Q=="},
    ),
    Operation.GET_OBJECT: ("GET", "/{b}/k", b"", {}),
    Operation.HEAD_OBJECT: ("HEAD", "/{b}/k", b"", {}),
    Operation.GET_OBJECT_ATTRIBUTES: (
        "GET",
        "/{b}/k?attributes",
        b"",
        {"x-amz-object-attributes": "ETag"},
    ),
    Operation.GET_OBJECT_ACL: ("GET", "/{b}/k?acl", b"", {}),
    Operation.PUT_OBJECT_ACL: ("PUT", "/{b}/k?acl", b"", {"x-amz-acl": "private"}),
    Operation.PUT_OBJECT: ("PUT", "/{b}/new", b"data", {}),
    Operation.COPY_OBJECT: ("PUT", "/{b}/copy", b"", {"x-amz-copy-source": "{b}/k"}),
    Operation.DELETE_OBJECT: ("DELETE", "/{b}/absent", b"", {}),
    Operation.CREATE_MULTIPART_UPLOAD: ("POST", "/{b}/k?uploads", b"", {}),
    Operation.UPLOAD_PART: ("PUT", "/{b}/k?partNumber=1&uploadId={u}", b"data", {}),
    Operation.UPLOAD_PART_COPY: (
        "PUT",
        "/{b}/k?partNumber=2&uploadId={u}",
        b"",
        {"x-amz-copy-source": "{b}/k"},
    ),
    Operation.COMPLETE_MULTIPART_UPLOAD: (
        "POST",
        "/{b}/k?uploadId={u}",
        b"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber>"
        b"<ETag>8d777f385d3dfec8815d20f7496026dc</ETag></Part></CompleteMultipartUpload>",
        {},
    ),
    Operation.ABORT_MULTIPART_UPLOAD: ("DELETE", "/{b}/k?uploadId={u}", b"", {}),
    Operation.LIST_PARTS: ("GET", "/{b}/k?uploadId={u}", b"", {}),
}
READING = {
    Operation.LIST_BUCKETS,
    Operation.HEAD_BUCKET,
    Operation.GET_BUCKET_LOCATION,
    Operation.GET_BUCKET_VERSIONING,
    Operation.GET_BUCKET_ACL,
    Operation.GET_BUCKET_CONFIGURATION,
    Operation.LIST_OBJECTS,
    Operation.LIST_OBJECTS_V2,
    Operation.LIST_OBJECT_VERSIONS,
    Operation.LIST_MULTIPART_UPLOADS,
    Operation.GET_OBJECT,
    Operation.HEAD_OBJECT,
    Operation.GET_OBJECT_ATTRIBUTES,
    Operation.GET_OBJECT_ACL,
    Operation.LIST_PARTS,
}


@pytest.fixture(scope="module")
def place(edge: Edge) -> dict[str, str]:
    """Return a bucket with an object and an upload in it."""
    s3 = edge.client()
    s3.create_bucket(Bucket="matrix")
    s3.put_object(Bucket="matrix", Key="k", Body=b"x" * 10)
    upload = s3.create_multipart_upload(Bucket="matrix", Key="k")["UploadId"]
    return {"b": "matrix", "u": upload}


def asked(operation: Operation, place: dict[str, str]) -> tuple[str, str, bytes, dict[str, str]]:
    method, target, body, headers = REQUESTS[operation]
    return (
        method,
        target.format(**place),
        body,
        {name: value.format(**place) for name, value in headers.items()},
    )


def test_the_matrix_knows_every_operation() -> None:
    assert set(REQUESTS) == set(Operation)


@pytest.mark.parametrize("operation", Operation)
@pytest.mark.parametrize("name", ["READONLY", "READER", "NOBODY", "OTHER", "ONLYONE"])
def test_who_may_do_what(
    edge: Edge, place: dict[str, str], operation: Operation, name: str
) -> None:
    method, target, body, headers = asked(operation, place)
    answer = edge.request(method, target, body, headers=headers, name=name)
    may = {
        "READONLY": operation in READING,
        "READER": operation in READING,
        "NOBODY": False,
        "OTHER": operation in (Operation.LIST_BUCKETS, Operation.CREATE_BUCKET),
        "ONLYONE": operation is Operation.LIST_BUCKETS,
    }[name]
    if may:
        assert answer.status < 300, answer
    else:
        assert answer.status == 403
        assert answer.code == ("" if method == "HEAD" else "AccessDenied")


@pytest.mark.parametrize("operation", Operation)
def test_anonymous_requests_are_refused(
    edge: Edge, place: dict[str, str], operation: Operation
) -> None:
    method, target, body, headers = asked(operation, place)
    gone = ["authorization", "x-amz-date", "x-amz-content-sha256"]
    answer = edge.request(method, target, body, headers=headers, drop=gone)
    assert answer.status == 403
    assert "last-modified" not in answer.headers
    assert "etag" not in answer.headers


@pytest.mark.parametrize("operation", Operation)
def test_cve_2026_40344_a_forged_signature_is_refused_on_every_route(
    edge: Edge, place: dict[str, str], operation: Operation
) -> None:
    method, target, body, headers = asked(operation, place)
    answer = edge.exchange(edge.signed(method, target, body, headers=headers, secret="guess"))
    assert answer.status == 403
    assert answer.code == ("" if method == "HEAD" else "SignatureDoesNotMatch")


@pytest.mark.parametrize("operation", Operation)
def test_an_unsigned_control_header_is_refused_on_every_route(
    edge: Edge, place: dict[str, str], operation: Operation
) -> None:
    method, target, body, headers = asked(operation, place)
    answer = edge.request(
        method, target, body, headers=headers, unsigned={"x-amz-server-side-encryption": "AES256"}
    )
    assert answer.status == 403


def test_what_was_refused_left_nothing_behind(edge: Edge, place: dict[str, str]) -> None:
    listed = edge.client().list_objects_v2(Bucket=place["b"])
    assert [entry["Key"] for entry in listed["Contents"]] == ["k"]


def test_an_unknown_key_is_named_as_such(edge: Edge) -> None:
    answer = edge.request("GET", "/", name="NOSUCHKEY")
    assert (answer.status, answer.code) == (403, "InvalidAccessKeyId")


def test_a_key_that_is_taken_away_stops_at_once(edge: Edge) -> None:
    edge.keys["GOING"] = edge.keys["ROOT"]
    request = edge.signed("GET", "/", name="GOING", secret="ROOT-secret")
    assert edge.exchange(request).status == 200
    del edge.keys["GOING"]
    assert edge.exchange(request).code == "InvalidAccessKeyId"


@pytest.mark.parametrize("minutes", [-16, 16])
def test_a_skewed_clock_is_refused(edge: Edge, minutes: int) -> None:
    at = datetime.datetime.now(datetime.UTC) + datetime.timedelta(minutes=minutes)
    request = edge.signed("GET", "/", timestamp=at.strftime("%Y%m%dT%H%M%SZ"))
    answer = edge.exchange(request)
    assert (answer.status, answer.code) == (403, "RequestTimeTooSkewed")


@pytest.mark.parametrize("drop", ["x-amz-date", "x-amz-content-sha256", "host"])
def test_a_signed_header_that_is_missing_is_refused(edge: Edge, drop: str) -> None:
    answer = edge.request(
        "GET", "/", drop=[drop, drop.title(), "X-Amz-Date", "X-Amz-Content-SHA256"]
    )
    assert answer.status in (400, 403)


def test_another_region_says_which_is_right(edge: Edge) -> None:
    answer = edge.exchange(edge.signed("GET", "/", region="eu-west-1"))
    assert (answer.status, answer.code) == (400, "AuthorizationHeaderMalformed")
    assert b"<Region>us-east-1</Region>" in answer.body


def test_two_signatures_are_refused(edge: Edge, bucket: str) -> None:
    url = edge.client(signature_version="s3v4").generate_presigned_url(
        "get_object", {"Bucket": bucket, "Key": "k"}
    )
    answer = edge.request("GET", target_of(url))
    assert (answer.status, answer.code) == (400, "InvalidArgument")


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_presigned_urls_work(edge: Edge, s3: Any, bucket: str, version: str) -> None:
    client = edge.client(signature_version=version)
    key = "ä b+c/&=%/../x"
    put = client.generate_presigned_url("put_object", {"Bucket": bucket, "Key": key})
    host = f"Host: 127.0.0.1:{edge.port}\r\n"
    head = f"PUT {target_of(put)} HTTP/1.1\r\n{host}Content-Length: 5\r\n\r\n"
    assert edge.exchange(head.encode() + b"hello").status == 200
    assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == b"hello"
    get = client.generate_presigned_url(
        "get_object",
        {"Bucket": bucket, "Key": key, "ResponseContentType": "text/x-own"},
    )
    answer = edge.exchange(f"GET {target_of(get)} HTTP/1.1\r\n{host}\r\n".encode())
    assert (answer.status, answer.body) == (200, b"hello")
    assert answer.headers["content-type"] == "text/x-own"
    delete = edge.exchange(f"DELETE {target_of(get)} HTTP/1.1\r\n{host}\r\n".encode())
    assert delete.code == "SignatureDoesNotMatch"


def test_stock_boto3_in_us_east_1_presigns_by_version_2(edge: Edge, s3: Any, bucket: str) -> None:
    client = boto3.session.Session().client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{edge.port}",
        aws_access_key_id="ROOT",
        aws_secret_access_key="ROOT-secret",
        region_name="us-east-1",
        config=Config(),
    )
    s3.put_object(Bucket=bucket, Key="k", Body=b"1")
    url = client.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "k"})
    assert "AWSAccessKeyId" in url
    host = f"Host: 127.0.0.1:{edge.port}\r\n"
    assert edge.exchange(f"GET {target_of(url)} HTTP/1.1\r\n{host}\r\n".encode()).body == b"1"


@pytest.mark.parametrize("version", ["s3", "s3v4"])
@pytest.mark.parametrize("operation", ["list_objects_v2", "list_object_versions", "head_bucket"])
def test_presigned_urls_of_a_bucket_work(
    edge: Edge, bucket: str, version: str, operation: str
) -> None:
    client = edge.client(signature_version=version)
    url = client.generate_presigned_url(operation, {"Bucket": bucket})
    method = "HEAD" if operation == "head_bucket" else "GET"
    head = f"{method} {target_of(url)} HTTP/1.1\r\nHost: 127.0.0.1:{edge.port}\r\n\r\n"
    assert edge.exchange(head.encode()).status == 200


@pytest.mark.parametrize(
    "parameter",
    [
        "X-Amz-Meta-a=x%0d%0aEvil:1",
        "X-Amz-Meta-a%0d%0aEvil=1",
        "X-Amz-Meta-a%3Ab=1",
        "X-Amz-Meta-%C3%A9=1",
        "X-Amz-Meta-a=%00",
        "Content-Type=a%0db",
    ],
)
def test_cve_2021_3524_no_header_is_smuggled_in_through_a_url(
    edge: Edge, s3: Any, bucket: str, parameter: str
) -> None:
    # Stored once, a line break would stand in the way of every reply about the object.
    place = f"http://127.0.0.1:{edge.port}/{bucket}/smuggled?{parameter}"
    request = AWSRequest("PUT", place)
    credentials = Credentials("ROOT", "ROOT-secret")
    S3SigV4QueryAuth(credentials, "s3", REGION, expires=600).add_auth(request)
    head = f"PUT {target_of(request.url)} HTTP/1.1\r\nHost: 127.0.0.1:{edge.port}\r\n"
    answer = edge.exchange(f"{head}Content-Length: 1\r\n\r\n1".encode())
    assert (answer.status, answer.code) == (400, "InvalidArgument")
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket, Prefix="smuggled")


@pytest.mark.parametrize(
    "header", ["x-amz-acl: public-read", "x-amz-tagging: a=b", "x-amz-storage-class: GLACIER"]
)
@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_a_presigned_put_with_another_header_is_refused(
    edge: Edge, bucket: str, header: str, version: str
) -> None:
    client = edge.client(signature_version=version)
    url = client.generate_presigned_url("put_object", {"Bucket": bucket, "Key": "k"})
    head = f"PUT {target_of(url)} HTTP/1.1\r\nHost: 127.0.0.1:{edge.port}\r\n{header}\r\n"
    answer = edge.exchange(f"{head}Content-Length: 1\r\n\r\nx".encode())
    assert answer.status == 403


def test_cve_2026_71191_copy_source_on_a_presigned_put_is_refused(
    edge: Edge, s3: Any, bucket: str
) -> None:
    s3.put_object(Bucket=bucket, Key="secret", Body=b"secret")
    for version in ("s3", "s3v4"):
        client = edge.client(signature_version=version)
        url = client.generate_presigned_url("put_object", {"Bucket": bucket, "Key": "open"})
        answer = edge.exchange(
            f"PUT {target_of(url)} HTTP/1.1\r\nHost: 127.0.0.1:{edge.port}\r\n"
            f"x-amz-copy-source: /{bucket}/secret\r\nContent-Length: 0\r\n\r\n".encode()
        )
        assert answer.status == 403
    listed = s3.list_objects_v2(Bucket=bucket)
    assert [entry["Key"] for entry in listed["Contents"]] == ["secret"]


def test_an_expired_url_is_refused(edge: Edge, bucket: str) -> None:
    url = edge.client(signature_version="s3v4").generate_presigned_url(
        "get_object", {"Bucket": bucket, "Key": "k"}, ExpiresIn=1
    )
    time.sleep(2.1)
    answer = edge.exchange(
        f"GET {target_of(url)} HTTP/1.1\r\nHost: 127.0.0.1:{edge.port}\r\n\r\n".encode()
    )
    assert (answer.status, answer.code) == (403, "AccessDenied")
    assert b"Request has expired" in answer.body


@pytest.mark.parametrize("expires", ["0", "-1", "604801", "٣٦٠٠", "1_0", "+5", "9" * 30])
def test_an_absurd_expiry_is_refused(edge: Edge, bucket: str, expires: str) -> None:
    url = edge.client(signature_version="s3v4").generate_presigned_url(
        "get_object", {"Bucket": bucket, "Key": "k"}, ExpiresIn=77
    )
    target = target_of(url).replace("X-Amz-Expires=77", f"X-Amz-Expires={quote(expires)}")
    answer = edge.exchange(f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{edge.port}\r\n\r\n".encode())
    assert (answer.status, answer.code) == (400, "AuthorizationQueryParametersError")


def test_no_reply_to_a_forgery_holds_a_secret_or_a_path(edge: Edge) -> None:
    answer = edge.exchange(edge.signed("GET", "/nope?list-type=2", secret="guess"))
    assert b"ROOT-secret" not in answer.raw
    assert b"Traceback" not in answer.raw
    assert str(edge.path).encode() not in answer.raw
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-type"] == "application/xml"
