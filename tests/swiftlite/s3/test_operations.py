"""Operations: the whole table, and refusal for whatever is not in it."""

from __future__ import annotations

import pytest

from swiftlite.errors import InvalidArgument, InvalidBucketName, InvalidRequest, NotImplementedHere
from swiftlite.s3.app import HANDLERS
from swiftlite.s3.errors import InvalidURI, MethodNotAllowedHere
from swiftlite.s3.operations import ACTIONS, NOT_HERE, Operation, target_of, virtual_bucket_of
from swiftlite.s3.request import Request


def asked(method: str, target: str, *, virtual: str | None = None, **headers: str) -> str:
    request = Request(
        method=method,
        target=target,
        headers={name.replace("_", "-"): value for name, value in headers.items()},
    )
    found = target_of(request, virtual_bucket=virtual, signed_by=())
    return f"{found.operation.value} {found.bucket} {found.key}".strip()


@pytest.mark.parametrize(
    ("method", "target", "wanted"),
    [
        ("GET", "/", "ListBuckets"),
        ("GET", "/?x-id=ListBuckets", "ListBuckets"),
        ("PUT", "/b", "CreateBucket b"),
        ("PUT", "/b/", "CreateBucket b"),
        ("HEAD", "/b", "HeadBucket b"),
        ("DELETE", "/b", "DeleteBucket b"),
        ("GET", "/b", "ListObjects b"),
        ("GET", "/b?list-type=2&prefix=x", "ListObjectsV2 b"),
        ("GET", "/b?versions", "ListObjectVersions b"),
        ("GET", "/b?uploads", "ListMultipartUploads b"),
        ("GET", "/b?location", "GetBucketLocation b"),
        ("GET", "/b?versioning", "GetBucketVersioning b"),
        ("GET", "/b?policy", "GetBucketConfiguration b"),
        ("GET", "/b?acl", "GetBucketAcl b"),
        ("PUT", "/b?versioning", "PutBucketVersioning b"),
        ("POST", "/b?delete", "DeleteObjects b"),
        ("GET", "/b/k", "GetObject b k"),
        ("GET", "/b//k", "GetObject b /k"),
        ("GET", "/b/../k", "GetObject b ../k"),
        ("GET", "/b/a%2Fb", "GetObject b a/b"),
        ("HEAD", "/b/k?versionId=null", "HeadObject b k"),
        ("PUT", "/b/k", "PutObject b k"),
        ("PUT", "/b/k?partNumber=1&uploadId=u", "UploadPart b k"),
        ("POST", "/b/k?uploads", "CreateMultipartUpload b k"),
        ("POST", "/b/k?uploadId=u", "CompleteMultipartUpload b k"),
        ("DELETE", "/b/k?uploadId=u", "AbortMultipartUpload b k"),
        ("DELETE", "/b/k", "DeleteObject b k"),
        ("GET", "/b/k?uploadId=u", "ListParts b k"),
        ("GET", "/b/k?attributes", "GetObjectAttributes b k"),
    ],
)
def test_what_is_asked_is_understood(method: str, target: str, wanted: str) -> None:
    assert asked(method, target) == wanted


def test_a_copy_source_makes_a_copy() -> None:
    assert asked("PUT", "/b/k", x_amz_copy_source="/b/x") == "CopyObject b k"
    assert asked("PUT", "/b/k", x_amz_copy_source="") == "CopyObject b k"
    part = "/b/k?partNumber=1&uploadId=u"
    assert asked("PUT", part, x_amz_copy_source="/b/x") == "UploadPartCopy b k"
    with pytest.raises(InvalidRequest):
        asked("GET", "/b/k", x_amz_copy_source="/b/x")


def test_a_bucket_in_the_host_leaves_the_whole_path_to_the_key() -> None:
    assert asked("GET", "/b/k", virtual="photos") == "GetObject photos b/k"
    assert asked("PUT", "/", virtual="photos") == "CreateBucket photos"


@pytest.mark.parametrize(
    ("host", "wanted"),
    [
        ("photos.localhost:9000", "photos"),
        ("a.b.s3.example.com", "a.b"),
        ("PHOTOS.LOCALHOST", "photos"),
        ("localhost:9000", None),
        ("s3.example.com", None),
        ("127.0.0.1:9000", None),
        ("[::1]:9000", None),
        ("evillocalhost", None),
        (".localhost", None),
    ],
)
def test_which_hosts_name_buckets(host: str, wanted: str | None) -> None:
    assert virtual_bucket_of(host, ("localhost", "s3.example.com")) == wanted


@pytest.mark.parametrize("name", sorted(NOT_HERE))
@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
@pytest.mark.parametrize("target", ["/b", "/b/k"])
def test_a_sub_resource_never_becomes_another_operation(
    name: str, method: str, target: str
) -> None:
    meant = {
        ("PUT", "/b", "versioning"),
        ("PUT", "/b", "acl"),
        ("POST", "/b", "delete"),
        ("PUT", "/b/k", "uploadId"),
        ("PUT", "/b/k", "acl"),
        ("POST", "/b/k", "uploads"),
        ("POST", "/b/k", "uploadId"),
        ("DELETE", "/b/k", "uploadId"),
        ("DELETE", "/b/k", "versionId"),
    }
    if (method, target, name) in meant:
        return
    with pytest.raises(NotImplementedHere):
        asked(method, f"{target}?{name}")


@pytest.mark.parametrize(
    ("method", "target", "operation"),
    [
        ("GET", "/b?unheard-of", "ListObjects b"),
        ("GET", "/b/k?unheard-of=1", "GetObject b k"),
        ("GET", "/?unheard-of", "ListBuckets"),
        ("PUT", "/b/k?utm_source=x&Acl", "PutObject b k"),
        ("DELETE", "/b/k?versionid=1", "DeleteObject b k"),
        ("GET", "/b?list-type=2&marker=x", "ListObjectsV2 b"),
        ("GET", "/b?prefix=a&unheard-of", "ListObjects b"),
        ("PATCH", "/b/k?unheard-of", ""),
    ],
)
def test_what_is_no_parameter_of_s3_is_ignored(method: str, target: str, operation: str) -> None:
    if operation:
        assert asked(method, target) == operation
    else:
        with pytest.raises(MethodNotAllowedHere):
            asked(method, target)


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", "/b/k?tagging"),
        ("GET", "/b?acl&tagging"),
        ("PUT", "/b?unheard-of&policy"),
        ("PUT", "/b/k?x-amz-acl=public-read"),
        ("PUT", "/b/k?X-Amz-Whatever=1"),
    ],
)
def test_what_s3_would_do_more_than_this_is_refused(method: str, target: str) -> None:
    with pytest.raises((NotImplementedHere, InvalidArgument)):
        asked(method, target)


@pytest.mark.parametrize("target", ["/b?list-type=1", "/b?list-type=", "/b?versions&uploads"])
def test_parameters_that_make_no_sense_are_refused(target: str) -> None:
    with pytest.raises(InvalidArgument):
        asked("GET", target)


@pytest.mark.parametrize(
    ("method", "target"), [("PATCH", "/b/k"), ("POST", "/b/k"), ("POST", "/"), ("FOO", "/b")]
)
def test_methods_that_there_are_not_are_refused(method: str, target: str) -> None:
    with pytest.raises(MethodNotAllowedHere):
        asked(method, target)


def test_a_form_upload_is_not_taken_for_something_else() -> None:
    with pytest.raises(NotImplementedHere):
        asked("POST", "/b", content_type="multipart/form-data; boundary=x")


@pytest.mark.parametrize("target", ["*", "http://other/b/k", "b/k", ""])
def test_a_target_that_is_no_path_is_refused(target: str) -> None:
    with pytest.raises(InvalidURI):
        asked("GET", target)


@pytest.mark.parametrize("target", ["//k", "/" + "b" * 256 + "/k", "/b%00/k"])
def test_a_bucket_that_cannot_be_is_refused(target: str) -> None:
    with pytest.raises(InvalidBucketName):
        asked("GET", target)


def test_every_operation_has_an_action_and_a_handler() -> None:
    assert set(ACTIONS) == set(HANDLERS) == set(Operation)
