"""Objects through boto3: what is put is what is got, with all that was said about it."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from eventlog.errors import LogBusy, LogFull
from swiftlite.errors import ObjectDamaged, QuorumLost
from swiftlite.gateway.get import ObjectReader
from tests.swiftlite.clouds import pattern
from tests.swiftlite.s3.edge import Edge


def code(error: pytest.ExceptionInfo[ClientError]) -> tuple[int, str]:
    response = error.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"]


@pytest.mark.parametrize("size", [0, 1, 4096, 300_000, 3 << 20])
def test_what_is_put_is_got(s3: Any, bucket: str, size: int) -> None:
    data = pattern(size)
    put = s3.put_object(Bucket=bucket, Key="k", Body=data)
    got = s3.get_object(Bucket=bucket, Key="k")
    assert got["Body"].read() == data
    assert got["ETag"] == put["ETag"] == f'"{hashlib.md5(data).hexdigest()}"'
    assert got["ContentLength"] == size
    assert got["ContentType"] == "binary/octet-stream"


NASTY_KEYS = [
    "..",
    "../x",
    "a/../../b",
    "%2e%2e%2f",
    "/abs",
    "a//b",
    ".",
    "a/./b",
    "con",
    "~",
    "dir/",
    "a b+c&d=e?f#g",
    "<xml>&\"'",
    "quote'\"",
    "line\nfeed\r\ttab",
    "\x01\x02\x7f",
    "ä",
    "a\u0308",  # the same to people, another key to us
    "日本語/😀",
    "\u202eright-to-left",
    "\ufeffbom\ufffe",
    "k" * 1024,
    "ä" * 512,
]


@pytest.mark.parametrize("key", NASTY_KEYS)
def test_a_key_is_opaque_text(edge: Edge, s3: Any, bucket: str, key: str) -> None:
    names = {path.name for path in edge.path.iterdir()}
    s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == key.encode()
    for listed in (
        s3.list_objects(Bucket=bucket)["Contents"],
        s3.list_objects_v2(Bucket=bucket)["Contents"],
        s3.list_object_versions(Bucket=bucket)["Versions"],
    ):
        assert [entry["Key"] for entry in listed] == [key]
    assert {path.name for path in edge.path.iterdir()} == names
    s3.delete_object(Bucket=bucket, Key=key)
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


@pytest.mark.parametrize("key", ["k" * 1025, "ä" * 513])
def test_a_key_over_1024_bytes_is_refused(s3: Any, bucket: str, key: str) -> None:
    with pytest.raises(ClientError) as error:
        s3.put_object(Bucket=bucket, Key=key)
    assert code(error) == (400, "KeyTooLongError")


@pytest.mark.parametrize("raw", ["%ff", "%c0%af", "%ed%a0%80", "a%00b", "%zz"])
def test_a_key_that_is_no_text_is_refused(edge: Edge, bucket: str, raw: str) -> None:
    answer = edge.request("PUT", f"/{bucket}/{raw}", b"x")
    assert answer.status == 400, answer


def test_normal_forms_are_different_keys(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="ä", Body=b"nfc")
    s3.put_object(Bucket=bucket, Key="a\u0308", Body=b"nfd")
    assert s3.get_object(Bucket=bucket, Key="ä")["Body"].read() == b"nfc"
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 2


def test_system_headers_and_metadata_come_back(s3: Any, bucket: str) -> None:
    said = {
        "ContentType": "text/plain; charset=utf-8",
        "CacheControl": "no-cache",
        "ContentDisposition": 'attachment; filename="x"',
        "ContentEncoding": "gzip",
        "ContentLanguage": "de",
        "Metadata": {"one": "1", "two": "a b"},
    }
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", **said)
    got = s3.head_object(Bucket=bucket, Key="k")
    assert {name: got[name] for name in said} == said
    assert "VersionId" not in got
    assert int(got["ResponseMetadata"]["HTTPHeaders"]["x-cumulog-position"]) > 0


def test_metadata_has_a_limit(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Metadata={"a": "x" * 2047})
    with pytest.raises(ClientError) as error:
        s3.put_object(Bucket=bucket, Key="k", Metadata={"a": "x" * 2047, "b": "y"})
    assert code(error) == (400, "MetadataTooLarge")


def test_metadata_may_be_utf8_and_nothing_else(edge: Edge, bucket: str) -> None:
    request = edge.signed("PUT", f"/{bucket}/k", b"x", headers={"x-amz-meta-u": "ä"})
    assert edge.exchange(request).status == 200
    assert edge.request("HEAD", f"/{bucket}/k").headers["x-amz-meta-u"] == "ä"
    answer = edge.exchange(request.replace("ä".encode(), b"\xff\xfe"))
    assert answer.status == 403


def test_a_line_break_does_not_get_into_a_header(edge: Edge, bucket: str) -> None:
    edge.request("PUT", f"/{bucket}/k", b"x")
    evil = "response-content-type=text%2Fplain%0d%0aX-Evil:%201"
    answer = edge.request("GET", f"/{bucket}/k?{evil}")
    assert (answer.status, answer.code) == (400, "InvalidArgument")
    assert b"X-Evil: 1" not in answer.raw.partition(b"\r\n\r\n")[0]


@pytest.mark.parametrize(
    "header",
    [
        "x-amz-tagging: a=b",
        "x-amz-server-side-encryption: AES256",
        "x-amz-server-side-encryption-customer-algorithm: AES256",
        "x-amz-storage-class: GLACIER",
        "x-amz-acl: public-read",
        "x-amz-grant-read: id=x",
        "x-amz-website-redirect-location: /x",
        "x-amz-object-lock-mode: GOVERNANCE",
        "x-amz-object-lock-legal-hold: ON",
        "x-amz-write-offset-bytes: 0",
        "x-amz-never-heard-of: 1",
    ],
)
def test_what_is_not_implemented_is_refused_and_not_ignored(
    edge: Edge, s3: Any, bucket: str, header: str
) -> None:
    name, value = header.split(": ")
    answer = edge.request("PUT", f"/{bucket}/k", b"x", headers={name: value})
    assert (answer.status, answer.code) == (501, "NotImplemented")
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_ranges_are_cut_from_small_and_large_objects(s3: Any, bucket: str) -> None:
    for size in (100, 3 << 20):
        data = pattern(size)
        s3.put_object(Bucket=bucket, Key="k", Body=data)
        for text, start, end in (
            ("bytes=0-0", 0, 1),
            ("bytes=10-19", 10, 20),
            ("bytes=-5", size - 5, size),
            (f"bytes={size // 2}-", size // 2, size),
        ):
            got = s3.get_object(Bucket=bucket, Key="k", Range=text)
            assert got["Body"].read() == data[start:end]
            assert got["ContentRange"] == f"bytes {start}-{end - 1}/{size}"
            assert got["ResponseMetadata"]["HTTPStatusCode"] == 206
    with pytest.raises(ClientError) as error:
        s3.get_object(Bucket=bucket, Key="k", Range=f"bytes={3 << 20}-")
    assert code(error) == (416, "InvalidRange")


def test_conditions_on_reading(s3: Any, bucket: str) -> None:
    etag = s3.put_object(Bucket=bucket, Key="k", Body=b"x")["ETag"]
    assert s3.get_object(Bucket=bucket, Key="k", IfMatch=etag)["ETag"] == etag
    assert s3.get_object(Bucket=bucket, Key="k", IfMatch=etag.strip('"'))["ETag"] == etag
    assert s3.get_object(Bucket=bucket, Key="k", IfNoneMatch='"other"')["ETag"] == etag
    modified = s3.head_object(Bucket=bucket, Key="k")["LastModified"]
    # Both at once: the ETag decides.
    s3.get_object(Bucket=bucket, Key="k", IfMatch=etag, IfUnmodifiedSince="2001-01-01")
    for condition, status in (
        ({"IfMatch": '"other"'}, 412),
        ({"IfNoneMatch": etag}, 304),
        ({"IfNoneMatch": "*"}, 304),
        ({"IfModifiedSince": modified}, 304),
        ({"IfUnmodifiedSince": "2001-01-01"}, 412),
    ):
        with pytest.raises(ClientError) as error:
            s3.get_object(Bucket=bucket, Key="k", **condition)
        assert code(error)[0] == status


def test_conditions_on_writing(s3: Any, bucket: str) -> None:
    first = s3.put_object(Bucket=bucket, Key="k", Body=b"1", IfNoneMatch="*")["ETag"]
    for condition, wanted in (
        ({"IfNoneMatch": "*"}, (412, "PreconditionFailed")),
        ({"IfMatch": '"other"'}, (412, "PreconditionFailed")),
    ):
        with pytest.raises(ClientError) as error:
            s3.put_object(Bucket=bucket, Key="k", Body=b"2", **condition)
        assert code(error) == wanted
    with pytest.raises(ClientError) as error:
        s3.put_object(Bucket=bucket, Key="absent", Body=b"2", IfMatch=first)
    assert code(error) == (404, "NoSuchKey")
    s3.put_object(Bucket=bucket, Key="k", Body=b"2", IfMatch=first)
    with pytest.raises(ClientError) as error:
        s3.delete_object(Bucket=bucket, Key="k", IfMatch=first)
    assert code(error) == (412, "PreconditionFailed")
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"2"


def test_deleting_what_is_not_there_succeeds(s3: Any, bucket: str) -> None:
    answer = s3.delete_object(Bucket=bucket, Key="absent")
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert "VersionId" not in answer


def test_batch_deletion_tells_of_each_key(s3: Any, bucket: str) -> None:
    for n in range(3):
        s3.put_object(Bucket=bucket, Key=f"k{n}")
    entries = [{"Key": "k0"}, {"Key": "k1"}, {"Key": "k1"}, {"Key": "x" * 1025}, {"Key": "<&>"}]
    entries.append({"Key": "k2", "VersionId": "garbage"})
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": entries})
    assert [entry["Key"] for entry in answer["Deleted"]] == ["k0", "k1", "k1", "<&>"]
    assert [entry["Code"] for entry in answer["Errors"]] == ["KeyTooLongError", "InvalidArgument"]
    quiet = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "k2"}], "Quiet": True})
    assert "Deleted" not in quiet
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0
    with pytest.raises(ClientError) as error:
        s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "k"}] * 1001})
    assert code(error) == (400, "MalformedXML")


def test_batch_deletion_needs_a_promise(edge: Edge, bucket: str) -> None:
    content = b"<Delete><Object><Key>a</Key></Object></Delete>"
    answer = edge.request("POST", f"/{bucket}?delete", content)
    assert (answer.status, answer.code) == (400, "InvalidRequest")


def test_copies(s3: Any, bucket: str) -> None:
    data = pattern(3 << 20)
    s3.put_object(Bucket=bucket, Key="ä +?&", Body=data, Metadata={"a": "1"}, ContentType="x/y")
    source = {"Bucket": bucket, "Key": "ä +?&"}
    etag = s3.copy_object(Bucket=bucket, Key="copy", CopySource=source)["CopyObjectResult"]["ETag"]
    s3.delete_object(**source)
    got = s3.get_object(Bucket=bucket, Key="copy")
    assert (got["Body"].read(), got["ETag"]) == (data, etag)
    assert (got["Metadata"], got["ContentType"]) == ({"a": "1"}, "x/y")
    source = {"Bucket": bucket, "Key": "copy"}
    with pytest.raises(ClientError) as error:
        s3.copy_object(Bucket=bucket, Key="copy", CopySource=source)
    assert code(error) == (400, "InvalidRequest")
    s3.copy_object(
        Bucket=bucket,
        Key="copy",
        CopySource=source,
        MetadataDirective="REPLACE",
        Metadata={"b": "2"},
    )
    assert s3.head_object(Bucket=bucket, Key="copy")["Metadata"] == {"b": "2"}
    for condition in ({"CopySourceIfMatch": "x"}, {"CopySourceIfNoneMatch": etag}):
        with pytest.raises(ClientError) as error:
            s3.copy_object(Bucket=bucket, Key="other", CopySource=source, **condition)
        assert code(error) == (412, "PreconditionFailed")


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("", "InvalidArgument"),
        ("/", "InvalidArgument"),
        ("bucketonly", "InvalidArgument"),
        ("/{b}/", "InvalidArgument"),
        ("{b}/k?versionId=garbage", "InvalidArgument"),
        ("{b}/k?versionId=", "InvalidArgument"),
        ("{b}/k?other=1", "InvalidArgument"),
        ("{b}/%ff", "InvalidArgument"),
        ("{b}/" + "k" * 9000, "InvalidArgument"),
        ("{b}/absent", "NoSuchKey"),
        ("{b}/%2561", "NoSuchKey"),
        ("nosuchbucket/k", "NoSuchBucket"),
        ("arn:aws:s3:us-east-1:1:accesspoint/a/object/k", "NotImplemented"),
    ],
)
def test_a_copy_source_that_is_none_is_refused(
    edge: Edge, bucket: str, source: str, wanted: str
) -> None:
    headers = {"x-amz-copy-source": source.format(b=bucket)}
    assert edge.request("PUT", f"/{bucket}/k", headers=headers).code == wanted


def test_a_copy_needs_the_right_to_read_its_source(edge: Edge, s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="secret", Body=b"secret")
    if "only-one" not in [b["Name"] for b in s3.list_buckets()["Buckets"]]:
        s3.create_bucket(Bucket="only-one")
    only = edge.client("ONLYONE")
    only.put_object(Bucket="only-one", Key="k", Body=b"1")
    with pytest.raises(ClientError) as error:
        only.copy_object(Bucket="only-one", Key="c", CopySource={"Bucket": bucket, "Key": "secret"})
    assert code(error) == (403, "AccessDenied")
    upload = only.create_multipart_upload(Bucket="only-one", Key="c")["UploadId"]
    with pytest.raises(ClientError) as error:
        only.upload_part_copy(
            Bucket="only-one",
            Key="c",
            UploadId=upload,
            PartNumber=1,
            CopySource={"Bucket": bucket, "Key": "secret"},
        )
    assert code(error) == (403, "AccessDenied")
    assert [b["Name"] for b in only.list_buckets()["Buckets"]] == ["only-one"]


def test_attributes(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"hello")
    got = s3.get_object_attributes(
        Bucket=bucket, Key="k", ObjectAttributes=["ETag", "Checksum", "ObjectSize"]
    )
    assert (got["ObjectSize"], got["ETag"]) == (5, "5d41402abc4b2a76b9719d911017c592")
    assert got["Checksum"]["ChecksumCRC32"]


def test_a_bucket_may_be_in_the_host(edge: Edge, s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="a/b", Body=b"1")
    answer = edge.request("GET", "/a/b", headers={"host": f"{bucket}.localhost:{edge.port}"})
    assert (answer.status, answer.body) == (200, b"1")


def test_a_counter_kept_by_if_match_loses_no_update(edge: Edge, s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="counter", Body=b"0")
    refusals: set[str] = set()

    def count(client: Any) -> None:
        done = 0
        while done < 5:
            got = client.get_object(Bucket=bucket, Key="counter")
            value = int(got["Body"].read()) + 1
            try:
                client.put_object(
                    Bucket=bucket, Key="counter", Body=str(value).encode(), IfMatch=got["ETag"]
                )
            except ClientError as error:
                refusals.add(error.response["Error"]["Code"])
            else:
                done += 1

    clients = [edge.client() for _ in range(8)]
    with ThreadPoolExecutor(len(clients)) as pool:
        list(pool.map(count, clients))
    assert s3.get_object(Bucket=bucket, Key="counter")["Body"].read() == b"40"
    assert refusals <= {"PreconditionFailed", "ConditionalRequestConflict"}


def test_what_is_read_while_it_is_replaced_is_one_or_the_other(
    edge: Edge, s3: Any, bucket: str
) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=pattern(100_000, 0))
    is_over = threading.Event()

    def replace() -> None:
        client = edge.client()
        for seed in range(1, 40):
            client.put_object(Bucket=bucket, Key="k", Body=pattern(100_000, seed))
        is_over.set()

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(replace)
        while not is_over.is_set() and not writing.done():
            got = s3.get_object(Bucket=bucket, Key="k")
            assert f'"{hashlib.md5(got["Body"].read()).hexdigest()}"' == got["ETag"]
        writing.result()


def test_an_object_found_damaged_on_the_way_is_cut_off_and_not_completed(
    edge: Edge,
    s3: Any,
    bucket: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=pattern(3 << 20))

    async def damaged(self: ObjectReader, start: int, end: int) -> AsyncIterator[bytes]:
        yield b"x" * good
        raise ObjectDamaged(key="k", reason="a test says so")

    monkeypatch.setattr(ObjectReader, "stream", damaged)
    good = 1000
    answer = edge.request("GET", f"/{bucket}/k")
    assert answer.status == 200
    assert len(answer.body) < int(answer.headers["content-length"])
    assert "a test says so" in caplog.text


def test_an_object_found_damaged_at_once_is_told(
    edge: Edge, s3: Any, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=pattern(3 << 20))

    async def damaged(self: ObjectReader, start: int, end: int) -> AsyncIterator[bytes]:
        raise ObjectDamaged(key="k", reason="device 3 in /srv/d3")
        yield b""

    monkeypatch.setattr(ObjectReader, "stream", damaged)
    answer = edge.request("GET", f"/{bucket}/k")
    assert (answer.status, answer.code) == (500, "InternalError")
    assert b"/srv" not in answer.raw


@pytest.mark.parametrize(
    "error", [QuorumLost(reached=3, needed=5), LogFull(), LogBusy(waiting=1, limit=1)]
)
def test_what_cannot_be_stored_now_is_to_be_tried_again(
    edge: Edge, bucket: str, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    async def refuse(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(edge.cloud.gateway, "put_object", refuse)
    answer = edge.request("PUT", f"/{bucket}/k", b"x")
    assert (answer.status, answer.code) == (503, "ServiceUnavailable")
    assert int(answer.headers["retry-after"]) >= 1


@pytest.mark.parametrize(
    ("validator", "body"),
    [
        ('"{etag}"', b"56789"),
        ("{modified}", b"56789"),
        ('"another"', b"0123456789"),
        ('W/"{etag}"', b"0123456789"),
        ("Thu, 01 Jan 2015 00:00:00 GMT", b"0123456789"),
        ("soon", b"0123456789"),
    ],
)
def test_a_range_of_what_is_no_more_is_answered_with_the_whole(
    edge: Edge, s3: Any, bucket: str, validator: str, body: bytes
) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"0123456789")
    head = edge.request("HEAD", f"/{bucket}/k").headers
    if_range = validator.format(etag=head["etag"].strip('"'), modified=head["last-modified"])
    answer = edge.request(
        "GET", f"/{bucket}/k", headers={"range": "bytes=5-", "if-range": if_range}
    )
    assert (answer.status, answer.body) == (206 if len(body) == 5 else 200, body)
