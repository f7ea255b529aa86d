"""Buckets, versions, listings and uploads through boto3."""

from __future__ import annotations

import base64
import zlib
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.swiftlite.clouds import pattern
from tests.swiftlite.s3.edge import Edge
from tests.swiftlite.s3.test_objects import code

MIB5 = 5 << 20


def test_a_bucket_lives_and_dies(s3: Any) -> None:
    s3.create_bucket(Bucket="life")
    s3.create_bucket(Bucket="life")  # once more is fine in us-east-1
    head = s3.head_bucket(Bucket="life")
    assert head["BucketRegion"] == "us-east-1"
    assert s3.get_bucket_location(Bucket="life").get("LocationConstraint") is None
    assert "life" in [b["Name"] for b in s3.list_buckets()["Buckets"]]
    s3.put_object(Bucket="life", Key="k")
    with pytest.raises(ClientError) as error:
        s3.delete_bucket(Bucket="life")
    assert code(error) == (409, "BucketNotEmpty")
    s3.delete_object(Bucket="life", Key="k")
    s3.delete_bucket(Bucket="life")
    for call in (s3.head_bucket, s3.list_objects_v2, s3.delete_bucket, s3.get_bucket_location):
        with pytest.raises(ClientError) as error:
            call(Bucket="life")
        assert code(error)[0] == 404


@pytest.mark.parametrize(
    "name",
    [
        "ab",
        "a" * 64,
        "a..b",
        "192.168.5.4",
        "Upper",
        "xn--b",
        "v1",
        ".well-known",
        "under_score",
        "-a-",
        "photos--at--5",
        "x--x-s3",
        "a%2fb",
        "%C3%A4%C3%A4%C3%A4",
    ],
)
def test_a_bucket_name_that_s3_does_not_have_is_refused(edge: Edge, name: str) -> None:
    answer = edge.request("PUT", f"/{name}")
    assert (answer.status, answer.code) == (400, "InvalidBucketName")


def test_another_projects_name_is_taken_and_its_bucket_out_of_reach(
    edge: Edge, bucket: str
) -> None:
    other = edge.client("OTHER")
    with pytest.raises(ClientError) as error:
        other.create_bucket(Bucket=bucket)
    assert code(error) == (409, "BucketAlreadyExists")
    with pytest.raises(ClientError) as error:
        other.list_objects_v2(Bucket=bucket)
    assert code(error) == (403, "AccessDenied")
    assert bucket not in [b["Name"] for b in other.list_buckets()["Buckets"]]


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        ("<LocationConstraint>mars</LocationConstraint>", "InvalidLocationConstraint"),
        ("<Bucket><Type>Directory</Type></Bucket>", "MalformedXML"),
        ("<LocationConstraint>", "MalformedXML"),
    ],
)
def test_what_a_new_bucket_cannot_be_is_refused(edge: Edge, content: str, wanted: str) -> None:
    tag = "CreateBucketConfiguration"
    answer = edge.request("PUT", "/elsewhere", f"<{tag}>{content}</{tag}>".encode())
    assert answer.code == wanted


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("policy", "NoSuchBucketPolicy"),
        ("lifecycle", "NoSuchLifecycleConfiguration"),
        ("cors", "NoSuchCORSConfiguration"),
        ("tagging", "NoSuchTagSet"),
        ("object-lock", "ObjectLockConfigurationNotFoundError"),
        ("inventory", "NotImplemented"),
        ("analytics", "NotImplemented"),
    ],
)
def test_configurations_that_no_bucket_has(edge: Edge, bucket: str, name: str, wanted: str) -> None:
    assert edge.request("GET", f"/{bucket}?{name}").code == wanted
    assert edge.request("PUT", f"/{bucket}?{name}", b"<x/>").code == "NotImplemented"
    assert edge.request("DELETE", f"/{bucket}?{name}").code == "NotImplemented"


def test_the_owner_has_full_control(edge: Edge, s3: Any, bucket: str) -> None:
    grants = s3.get_bucket_acl(Bucket=bucket)
    assert grants["Owner"]["ID"] == "owner"
    assert [g["Permission"] for g in grants["Grants"]] == ["FULL_CONTROL"]
    s3.put_bucket_acl(Bucket=bucket, ACL="private")
    with pytest.raises(ClientError) as error:
        s3.put_bucket_acl(Bucket=bucket, ACL="public-read")
    assert code(error) == (501, "NotImplemented")


def test_versions(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"null")
    assert "Status" not in s3.get_bucket_versioning(Bucket=bucket)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    one = s3.put_object(Bucket=bucket, Key="k", Body=b"one")["VersionId"]
    two = s3.put_object(Bucket=bucket, Key="k", Body=b"two")["VersionId"]
    marker = s3.delete_object(Bucket=bucket, Key="k")
    assert marker["DeleteMarker"]
    listed = s3.list_object_versions(Bucket=bucket)
    assert [v["VersionId"] for v in listed["Versions"]] == [two, one, "null"]
    assert [v["VersionId"] for v in listed["DeleteMarkers"]] == [marker["VersionId"]]
    assert listed["DeleteMarkers"][0]["IsLatest"]
    with pytest.raises(ClientError) as error:
        s3.get_object(Bucket=bucket, Key="k")
    assert code(error) == (404, "NoSuchKey")
    assert error.value.response["ResponseMetadata"]["HTTPHeaders"]["x-amz-delete-marker"] == "true"
    with pytest.raises(ClientError) as error:
        s3.get_object(Bucket=bucket, Key="k", VersionId=marker["VersionId"])
    assert code(error) == (405, "MethodNotAllowed")
    for version, wanted in ((one, b"one"), (two, b"two"), ("null", b"null")):
        got = s3.get_object(Bucket=bucket, Key="k", VersionId=version)
        assert (got["Body"].read(), got["VersionId"]) == (wanted, version)
    s3.copy_object(
        Bucket=bucket, Key="k", CopySource={"Bucket": bucket, "Key": "k", "VersionId": one}
    )
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"one"
    s3.delete_object(Bucket=bucket, Key="k", VersionId=one)
    with pytest.raises(ClientError) as error:
        s3.get_object(Bucket=bucket, Key="k", VersionId=one)
    assert code(error) == (404, "NoSuchVersion")
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
    suspended = s3.put_object(Bucket=bucket, Key="k", Body=b"again")
    assert suspended["VersionId"] == "null"
    pages = s3.get_paginator("list_object_versions").paginate(
        Bucket=bucket, PaginationConfig={"PageSize": 1}
    )
    found = [(v["Key"], v["VersionId"]) for p in pages for v in p.get("Versions", [])]
    assert len(found) == len(set(found)) == 3


@pytest.mark.parametrize("version", ["garbage", "", "0" * 31, "../x"])
def test_a_version_id_that_is_none_is_refused(edge: Edge, bucket: str, version: str) -> None:
    answer = edge.request("GET", f"/{bucket}/k?versionId={version}")
    assert (answer.status, answer.code) == (400, "InvalidArgument")


def test_listings_page_through_keys_and_prefixes(s3: Any, bucket: str) -> None:
    names = ["a/1", "a/2", "b", "b/1", "c+d e", "z\n", "ä", "日"]
    for name in names:
        s3.put_object(Bucket=bucket, Key=name)
    expected = sorted(names, key=str.encode)
    for method in ("list_objects", "list_objects_v2"):
        for size in (1, 3, 1000):
            pages = list(
                s3.get_paginator(method).paginate(
                    Bucket=bucket, PaginationConfig={"PageSize": size}
                )
            )
            assert [e["Key"] for p in pages for e in p.get("Contents", [])] == expected
            pages = list(
                s3.get_paginator(method).paginate(
                    Bucket=bucket, Delimiter="/", PaginationConfig={"PageSize": size}
                )
            )
            assert [e["Prefix"] for p in pages for e in p.get("CommonPrefixes", [])] == ["a/", "b/"]
            assert [e["Key"] for p in pages for e in p.get("Contents", [])] == [
                name for name in expected if "/" not in name
            ]
    page = s3.list_objects_v2(Bucket=bucket, StartAfter="b", MaxKeys=1, FetchOwner=True)
    assert (page["Contents"][0]["Key"], page["KeyCount"], page["IsTruncated"]) == ("b/1", 1, True)
    assert page["Contents"][0]["Owner"]["ID"] == "owner"
    assert s3.list_objects_v2(Bucket=bucket, MaxKeys=0)["KeyCount"] == 0
    assert s3.list_objects_v2(Bucket=bucket, Prefix="a/")["KeyCount"] == 2


@pytest.mark.parametrize(
    "query",
    [
        "max-keys=-1",
        "max-keys=x",
        "max-keys=" + "9" * 5000,
        "list-type=2&continuation-token=garbage",
        "list-type=2&continuation-token=%C3%A4",
        "list-type=2&fetch-owner=maybe",
        "encoding-type=base64",
        "versions&version-id-marker=null",
        "uploads&key-marker=a&upload-id-marker=zz",
    ],
)
def test_absurd_listings_are_refused(edge: Edge, bucket: str, query: str) -> None:
    answer = edge.request("GET", f"/{bucket}?{query}")
    assert (answer.status, answer.code) == (400, "InvalidArgument")


def test_multipart(s3: Any, bucket: str) -> None:
    data = pattern(MIB5 + 1000)
    upload = s3.create_multipart_upload(
        Bucket=bucket, Key="k", ContentType="x/y", ChecksumAlgorithm="CRC32"
    )
    which = {"Bucket": bucket, "Key": "k", "UploadId": upload["UploadId"]}
    parts = []
    for number, piece in ((1, data[:MIB5]), (2, data[MIB5:])):
        part = s3.upload_part(**which, PartNumber=number, Body=piece, ChecksumAlgorithm="CRC32")
        parts.append(
            {"PartNumber": number, "ETag": part["ETag"], "ChecksumCRC32": part["ChecksumCRC32"]}
        )
    listed = s3.list_parts(**which)
    assert [(p["PartNumber"], p["Size"]) for p in listed["Parts"]] == [(1, MIB5), (2, 1000)]
    assert [u["UploadId"] for u in s3.list_multipart_uploads(Bucket=bucket)["Uploads"]] == [
        upload["UploadId"]
    ]
    done = s3.complete_multipart_upload(**which, MultipartUpload={"Parts": parts})
    assert done["ETag"].endswith('-2"')
    assert done["ChecksumType"] == "COMPOSITE"
    assert done["ChecksumCRC32"].endswith("-2")
    got = s3.get_object(Bucket=bucket, Key="k")
    assert got["Body"].read() == data
    assert (got["ContentType"], got["ETag"]) == ("x/y", done["ETag"])
    second = s3.get_object(Bucket=bucket, Key="k", PartNumber=2)
    assert (second["Body"].read(), second["PartsCount"]) == (data[MIB5:], 2)
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)
    with pytest.raises(ClientError) as error:
        s3.get_object(Bucket=bucket, Key="k", PartNumber=3)
    assert code(error)[0] == 416


def test_a_multipart_upload_without_a_checksum_gets_one_of_the_whole(s3: Any, bucket: str) -> None:
    data = pattern(MIB5 + 7)
    upload = s3.create_multipart_upload(
        Bucket=bucket, Key="k", ChecksumAlgorithm="CRC32", ChecksumType="FULL_OBJECT"
    )
    which = {"Bucket": bucket, "Key": "k", "UploadId": upload["UploadId"]}
    parts = [
        {"PartNumber": n, "ETag": s3.upload_part(**which, PartNumber=n, Body=piece)["ETag"]}
        for n, piece in ((1, data[:MIB5]), (2, data[MIB5:]))
    ]
    whole = base64.b64encode(zlib.crc32(data).to_bytes(4, "big")).decode()
    with pytest.raises(ClientError) as error:
        s3.complete_multipart_upload(
            **which,
            MultipartUpload={"Parts": parts},
            ChecksumCRC32="AAAAAA==",
            ChecksumType="FULL_OBJECT",
        )
    assert code(error) == (400, "BadDigest")
    done = s3.complete_multipart_upload(
        **which, MultipartUpload={"Parts": parts}, ChecksumCRC32=whole, ChecksumType="FULL_OBJECT"
    )
    assert (done["ChecksumCRC32"], done["ChecksumType"]) == (whole, "FULL_OBJECT")


def test_parts_can_be_copied(s3: Any, bucket: str) -> None:
    data = pattern(MIB5 + 1000)
    s3.put_object(Bucket=bucket, Key="source", Body=data)
    upload = s3.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]
    which = {"Bucket": bucket, "Key": "k", "UploadId": upload}
    source = {"Bucket": bucket, "Key": "source"}
    first = s3.upload_part_copy(
        **which, PartNumber=1, CopySource=source, CopySourceRange=f"bytes=0-{MIB5 - 1}"
    )
    second = s3.upload_part_copy(
        **which, PartNumber=2, CopySource=source, CopySourceRange=f"bytes={MIB5}-{MIB5 + 999}"
    )
    parts = [
        {"PartNumber": n, "ETag": p["CopyPartResult"]["ETag"]} for n, p in ((1, first), (2, second))
    ]
    for text, wanted in (("bytes=0-", "InvalidArgument"), ("bytes=0-99999999", "InvalidRange")):
        with pytest.raises(ClientError) as error:
            s3.upload_part_copy(**which, PartNumber=3, CopySource=source, CopySourceRange=text)
        assert code(error)[1] == wanted
    s3.complete_multipart_upload(**which, MultipartUpload={"Parts": parts})
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == data


def test_an_aborted_upload_is_gone(s3: Any, bucket: str) -> None:
    upload = s3.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]
    which = {"Bucket": bucket, "Key": "k", "UploadId": upload}
    s3.abort_multipart_upload(**which)
    for call, more in (
        (s3.abort_multipart_upload, {}),
        (s3.list_parts, {}),
        (s3.upload_part, {"PartNumber": 1, "Body": b"x"}),
    ):
        with pytest.raises(ClientError) as error:
            call(**which, **more)
        assert code(error) == (404, "NoSuchUpload")


@pytest.mark.parametrize("number", ["0", "10001", "1%20", "%EF%BC%90", "-1", "", "9" * 30])
def test_a_part_number_that_is_none_is_refused(edge: Edge, bucket: str, number: str) -> None:
    target = f"/{bucket}/k?partNumber={number}&uploadId={'0' * 32}"
    answer = edge.request("PUT", target, b"x")
    assert (answer.status, answer.code) == (400, "InvalidArgument")


def test_a_completion_that_lies_is_refused(s3: Any, bucket: str) -> None:
    upload = s3.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]
    which = {"Bucket": bucket, "Key": "k", "UploadId": upload}
    etags = [s3.upload_part(**which, PartNumber=n, Body=b"small")["ETag"] for n in (1, 2)]

    def complete(*parts: tuple[int, str]) -> None:
        named = [{"PartNumber": n, "ETag": etag} for n, etag in parts]
        s3.complete_multipart_upload(**which, MultipartUpload={"Parts": named})

    for parts, wanted in (
        ([(2, etags[1]), (1, etags[0])], "InvalidPartOrder"),
        ([(1, etags[0]), (1, etags[0])], "InvalidPartOrder"),
        ([(1, etags[0]), (3, etags[1])], "InvalidPart"),
        ([(1, '"' + "0" * 32 + '"')], "InvalidPart"),
        ([(1, etags[0]), (2, etags[1])], "EntityTooSmall"),
        ([], "MalformedXML"),
    ):
        with pytest.raises(ClientError) as error:
            complete(*parts)
        assert code(error)[1] == wanted
    complete((1, etags[0]))
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"small"
