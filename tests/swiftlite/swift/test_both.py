"""S3 and Swift on the same data: what one writes, the other lists, reads, copies and deletes."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.swiftlite.clouds import pattern
from tests.swiftlite.swift.edge import SwiftEdge


@pytest.fixture(scope="module")
def s3(edge: SwiftEdge) -> Any:
    return edge.client()


SAID = {
    "ContentType": "text/plain; charset=utf-8",
    "CacheControl": "no-cache",
    "ContentDisposition": 'attachment; filename="x"',
    "ContentEncoding": "gzip",
    "ContentLanguage": "de",
    "Metadata": {"one": "1", "two-three": "a b"},
}


@pytest.mark.parametrize("size", [0, 4096, 300_000])
def test_what_s3_writes_swift_reads(edge: SwiftEdge, s3: Any, box: str, size: int) -> None:
    data = pattern(size)
    put = s3.put_object(Bucket=box, Key="ä/k", Body=data, **SAID)
    got = edge.swift("GET", f"{box}/ä/k")
    assert (got.status, got.body) == (200, data)
    assert f'"{got.headers["etag"]}"' == put["ETag"]
    assert got.headers["content-type"] == SAID["ContentType"]
    assert got.headers["content-disposition"] == SAID["ContentDisposition"]
    assert got.headers["content-encoding"] == "gzip"
    assert (got.headers["x-object-meta-one"], got.headers["x-object-meta-two-three"]) == (
        "1",
        "a b",
    )
    [listed] = edge.listed(box)
    assert (listed["name"], listed["bytes"]) == ("ä/k", size)
    assert f'"{listed["hash"]}"' == put["ETag"]
    assert edge.swift("DELETE", f"{box}/ä/k").status == 204
    assert s3.list_objects_v2(Bucket=box)["KeyCount"] == 0


@pytest.mark.parametrize("size", [0, 4096, 300_000])
def test_what_swift_writes_s3_reads(edge: SwiftEdge, s3: Any, box: str, size: int) -> None:
    data = pattern(size)
    said = {"Content-Type": "x/y", "Cache-Control": "no-cache", "X-Object-Meta-One": "1"}
    put = edge.swift("PUT", f"{box}/k", data, said)
    got = s3.get_object(Bucket=box, Key="k", ChecksumMode="ENABLED")
    assert got["Body"].read() == data
    assert got["ETag"] == f'"{put.headers["etag"]}"'
    assert (got["ContentType"], got["CacheControl"]) == ("x/y", "no-cache")
    assert got["Metadata"] == {"one": "1"}
    assert got["ChecksumCRC64NVME"]
    [listed] = s3.list_objects_v2(Bucket=box)["Contents"]
    assert (listed["Key"], listed["Size"], listed["ETag"]) == ("k", size, got["ETag"])
    s3.delete_object(Bucket=box, Key="k")
    assert edge.swift("GET", f"{box}/k").status == 404


def test_a_post_changes_what_s3_says(edge: SwiftEdge, s3: Any, box: str) -> None:
    s3.put_object(Bucket=box, Key="k", Body=b"x", **SAID)
    edge.swift("POST", f"{box}/k", b"", {"X-Object-Meta-New": "2"})
    got = s3.head_object(Bucket=box, Key="k")
    assert got["Metadata"] == {"new": "2"}
    assert got["ContentType"] == SAID["ContentType"]
    assert "CacheControl" not in got


def test_each_copies_what_the_other_wrote(edge: SwiftEdge, s3: Any, box: str) -> None:
    s3.put_object(Bucket=box, Key="by-s3", Body=b"one", Metadata={"a": "1"})
    edge.swift("PUT", f"{box}/by-swift", b"two", {"X-Object-Meta-B": "2"})
    edge.swift("COPY", f"{box}/by-s3", headers={"Destination": f"{box}/copied-by-swift"})
    s3.copy_object(Bucket=box, Key="copied-by-s3", CopySource=f"{box}/by-swift")
    got = s3.get_object(Bucket=box, Key="copied-by-swift")
    assert (got["Body"].read(), got["Metadata"]) == (b"one", {"a": "1"})
    answer = edge.swift("GET", f"{box}/copied-by-s3")
    assert (answer.body, answer.headers["x-object-meta-b"]) == (b"two", "2")


def test_a_multipart_upload_is_one_object(edge: SwiftEdge, s3: Any, box: str) -> None:
    parts = [pattern(5 << 20), pattern(1000, 1)]
    upload = s3.create_multipart_upload(Bucket=box, Key="k", ContentType="x/y")
    done = [
        {
            "PartNumber": number,
            "ETag": s3.upload_part(
                Bucket=box, Key="k", UploadId=upload["UploadId"], PartNumber=number, Body=data
            )["ETag"],
        }
        for number, data in enumerate(parts, 1)
    ]
    made = s3.complete_multipart_upload(
        Bucket=box, Key="k", UploadId=upload["UploadId"], MultipartUpload={"Parts": done}
    )
    got = edge.swift("GET", f"{box}/k")
    assert got.body == b"".join(parts)
    assert f'"{got.headers["etag"]}"' == made["ETag"]
    assert got.headers["etag"].endswith("-2")
    assert edge.swift("HEAD", box).headers["x-container-bytes-used"] == str(len(got.body))


def test_a_bucket_is_a_container(edge: SwiftEdge, s3: Any) -> None:
    s3.create_bucket(Bucket="made-by-s3")
    assert edge.swift("PUT", "made-by-s3").status == 202
    assert "made-by-s3" in edge.names("")
    assert edge.swift("PUT", "Made_By_Swift").status == 201
    assert "Made_By_Swift" in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]
    assert edge.swift("DELETE", "made-by-s3").status == 204
    with pytest.raises(ClientError):
        s3.head_bucket(Bucket="made-by-s3")
    # The name was claimed for all; now it is free again.
    edge.client("OTHER").create_bucket(Bucket="made-by-s3")
    edge.client("OTHER").delete_bucket(Bucket="made-by-s3")


def test_a_container_keeps_no_other_project_from_the_name(edge: SwiftEdge, s3: Any) -> None:
    edge.swift("PUT", "both-want-it")
    other = edge.client("OTHER")
    other.create_bucket(Bucket="both-want-it")
    other.put_object(Bucket="both-want-it", Key="k", Body=b"theirs")
    s3.put_object(Bucket="both-want-it", Key="k", Body=b"mine")
    assert edge.swift("GET", "both-want-it/k").body == b"mine"
    assert other.get_object(Bucket="both-want-it", Key="k")["Body"].read() == b"theirs"


def test_deleting_in_a_versioned_bucket_keeps_the_versions(
    edge: SwiftEdge, s3: Any, box: str
) -> None:
    s3.put_bucket_versioning(Bucket=box, VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket=box, Key="k", Body=b"first")
    edge.swift("PUT", f"{box}/k", b"second")
    assert edge.swift("DELETE", f"{box}/k").status == 204
    assert edge.swift("GET", f"{box}/k").status == 404
    versions = s3.list_object_versions(Bucket=box)
    assert (len(versions["Versions"]), len(versions["DeleteMarkers"])) == (2, 1)
    headers = edge.swift("HEAD", box).headers
    assert headers["x-container-object-count"] == "0"
    assert headers["x-container-bytes-used"] == str(len(b"first") + len(b"second"))
    assert edge.swift("DELETE", box).status == 409


def test_an_object_whose_time_is_over_is_gone_for_s3_too(
    edge: SwiftEdge, s3: Any, box: str
) -> None:
    edge.swift("PUT", f"{box}/k", b"x", {"X-Delete-After": "60"})
    edge.swift("PUT", f"{box}/stays", b"x")
    edge.clock.ahead_s += 61
    with pytest.raises(ClientError) as error:
        s3.get_object(Bucket=box, Key="k")
    assert error.value.response["Error"]["Code"] == "NoSuchKey"
    assert [o["Key"] for o in s3.list_objects_v2(Bucket=box)["Contents"]] == ["stays"]
    s3.put_object(Bucket=box, Key="k", Body=b"new", IfNoneMatch="*")
    assert edge.swift("GET", f"{box}/k").body == b"new"


def test_a_large_objects_etag_is_not_taken_for_an_md5(edge: SwiftEdge, s3: Any, box: str) -> None:
    for at in range(2):
        edge.swift("PUT", f"{box}/seg/{at}", pattern(1000, at))
    manifest = b'[{"path": "%s/seg/0"}, {"path": "%s/seg/1"}]' % (box.encode(), box.encode())
    edge.swift("PUT", f"{box}/slo?multipart-manifest=put", manifest)
    edge.swift("PUT", f"{box}/dlo", b"", {"X-Object-Manifest": f"{box}/seg/"})
    listed = {row["Key"]: row["ETag"] for row in s3.list_objects_v2(Bucket=box)["Contents"]}
    for key in ("slo", "dlo"):
        own = edge.swift("HEAD", f"{box}/{key}").headers["etag"].strip('"')
        got = s3.get_object(Bucket=box, Key=key)
        assert got["Body"].read() == pattern(1000, 0) + pattern(1000, 1)
        etag = got["ETag"]
        assert etag == f'"{own}-N"' == s3.head_object(Bucket=box, Key=key)["ETag"]
        assert s3.get_object(Bucket=box, Key=key, IfMatch=etag)["ETag"] == etag
        with pytest.raises(ClientError, match="304"):
            s3.get_object(Bucket=box, Key=key, IfNoneMatch=etag)
        asked = {"Bucket": box, "Key": key, "ObjectAttributes": ["ETag"]}
        assert s3.get_object_attributes(**asked)["ETag"] == etag.strip('"')
        assert listed[key].endswith('-N"')
    assert listed["slo"] == s3.head_object(Bucket=box, Key="slo")["ETag"]
    copied = s3.copy_object(
        Bucket=box, Key="copy", CopySource=f"{box}/slo", CopySourceIfMatch=listed["slo"]
    )
    assert "-" not in copied["CopyObjectResult"]["ETag"]
    s3.put_object(Bucket=box, Key="slo", Body=b"new", IfMatch=listed["slo"])
    assert edge.swift("GET", f"{box}/slo").body == b"new"
