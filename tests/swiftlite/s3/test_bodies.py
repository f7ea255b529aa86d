"""Bodies that lie: short, long, unframed, mis-framed, with checksums that are not theirs."""

from __future__ import annotations

import base64
import hashlib
import zlib
from contextlib import closing
from typing import Any

import pytest
from awscrt import checksums

from swiftlite.s3.chunked import ChunkSigner
from swiftlite.s3.sigv4 import signing_key
from tests.swiftlite.clouds import pattern
from tests.swiftlite.s3.edge import REGION, Answer, Edge, read_answer

CRCS = {
    "crc32": lambda data: zlib.crc32(data).to_bytes(4, "big"),
    "crc32c": lambda data: checksums.crc32c(data).to_bytes(4, "big"),
    "crc64nvme": lambda data: checksums.crc64nvme(data).to_bytes(8, "big"),
    "sha1": lambda data: hashlib.sha1(data).digest(),
    "sha256": lambda data: hashlib.sha256(data).digest(),
}
UNSIGNED = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
SIGNED = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
SIGNED_TRAILER = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"


def checksum(name: str, data: bytes) -> str:
    return base64.b64encode(CRCS[name](data)).decode()


def is_absent(s3: Any, bucket: str) -> bool:
    return s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def chunked(
    edge: Edge,
    bucket: str,
    coding: str,
    chunks: list[bytes],
    *,
    size: int | str | None = None,
    trailer: tuple[str, str] | None = None,
    tail: bytes | None = None,
    forge: bool = False,
    cut: int | None = None,
    target: str = "",
    method: str = "PUT",
) -> Answer:
    """Send an aws-chunked PUT. `forge`: chunks signed with another key; `cut`: so many bytes."""
    plain = b"".join(chunks)
    headers = {"content-encoding": "aws-chunked"}
    if size is None or size != "":
        headers["x-amz-decoded-content-length"] = str(len(plain) if size is None else size)
    if trailer is not None:
        headers["x-amz-trailer"] = trailer[0]
    head = edge.signed(
        method, target or f"/{bucket}/k", headers=headers, payload_hash=coding
    ).decode()
    lines = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
    lines = {name.lower(): value for name, value in lines.items()}
    stamp = lines["x-amz-date"]
    secret = "guess" if forge else "ROOT-secret"
    signer = ChunkSigner(
        key=signing_key(secret, stamp[:8], REGION),
        timestamp=stamp,
        scope=f"{stamp[:8]}/{REGION}/s3/aws4_request",
        seed=lines["authorization"].rpartition("=")[2],
    )
    body = b""
    for chunk in [*chunks, b""]:
        extension = "" if coding == UNSIGNED else f";chunk-signature={signer.chunk(chunk)}"
        body += f"{len(chunk):x}{extension}\r\n".encode() + chunk + (b"\r\n" if chunk else b"")
    if tail is not None:
        body += tail
    else:
        if trailer is not None:
            line = f"{trailer[0]}:{trailer[1]}"
            body += f"{line}\r\n".encode()
            if coding == SIGNED_TRAILER:
                signature = signer.trailer(f"{line}\n".encode())
                body += f"x-amz-trailer-signature:{signature}\r\n".encode()
        body += b"\r\n"
    sent = body if cut is None else body[:cut]
    raw = head[:-2] + f"content-length: {len(body)}\r\n\r\n"
    with closing(edge.connect()) as sock:
        sock.sendall(raw.encode() + sent)
        if cut is not None:
            sock.shutdown(1)
        return read_answer(sock)


@pytest.mark.parametrize("coding", [UNSIGNED, SIGNED, SIGNED_TRAILER])
@pytest.mark.parametrize("sizes", [[], [5], [65536, 65536, 10], [100_000] * 20])
def test_chunked_uploads_store_the_plain_bytes(
    edge: Edge, s3: Any, bucket: str, coding: str, sizes: list[int]
) -> None:
    data = pattern(sum(sizes))
    chunks, at = [], 0
    for size in sizes:
        chunks.append(data[at : at + size])
        at += size
    trailer = None if coding == SIGNED else ("x-amz-checksum-crc32c", checksum("crc32c", data))
    answer = chunked(edge, bucket, coding, chunks, trailer=trailer)
    assert answer.status == 200, answer
    got = s3.get_object(Bucket=bucket, Key="k")
    assert got["Body"].read() == data
    assert "ContentEncoding" not in got
    if trailer is not None:
        assert answer.headers["x-amz-checksum-crc32c"] == trailer[1]
        assert got["ChecksumCRC32C"] == trailer[1]


def test_other_content_codings_stay_when_aws_chunked_goes(edge: Edge, s3: Any, bucket: str) -> None:
    answer = edge.request(
        "PUT",
        f"/{bucket}/k",
        b"5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n",
        headers={
            "content-encoding": "gzip,aws-chunked",
            "x-amz-decoded-content-length": "5",
            "x-amz-trailer": "x-amz-checksum-crc32",
        },
        payload_hash=UNSIGNED,
    )
    assert answer.status == 200, answer
    assert s3.head_object(Bucket=bucket, Key="k")["ContentEncoding"] == "gzip"


def test_a_gzip_body_is_stored_as_it_came(edge: Edge, s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"not gzip at all", ContentEncoding="gzip")
    answer = edge.request("GET", f"/{bucket}/k")
    assert answer.body == b"not gzip at all"
    assert answer.headers["content-encoding"] == "gzip"


def test_cve_2025_31489_a_forged_unsigned_trailer_upload_stores_nothing(
    edge: Edge, s3: Any, bucket: str
) -> None:
    request = edge.signed(
        "PUT",
        f"/{bucket}/k",
        b"5\r\nhello\r\n0\r\n\r\n",
        headers={"x-amz-decoded-content-length": "5"},
        payload_hash=UNSIGNED,
        secret="guess",
    )
    assert edge.exchange(request).code == "SignatureDoesNotMatch"
    assert is_absent(s3, bucket)


@pytest.mark.parametrize("coding", [SIGNED, SIGNED_TRAILER])
def test_forged_chunks_store_nothing(edge: Edge, s3: Any, bucket: str, coding: str) -> None:
    trailer = ("x-amz-checksum-crc32", "AAAAAA==") if coding == SIGNED_TRAILER else None
    answer = chunked(edge, bucket, coding, [b"a" * 70_000, b"b"], forge=True, trailer=trailer)
    assert (answer.status, answer.code) == (403, "SignatureDoesNotMatch")
    assert is_absent(s3, bucket)


@pytest.mark.parametrize("cut", [0, 1, 20, 100_000, 250_000, -1, -3])
@pytest.mark.parametrize("coding", [UNSIGNED, SIGNED])
def test_cve_2026_49017_a_truncated_chunked_upload_ends_and_stores_nothing(
    edge: Edge, s3: Any, bucket: str, coding: str, cut: int
) -> None:
    answer = chunked(edge, bucket, coding, [b"a" * 100_000] * 3, cut=cut)
    assert (answer.status, answer.code) == (400, "IncompleteBody")
    assert is_absent(s3, bucket)


@pytest.mark.parametrize(
    ("size", "status", "code"),
    [
        (4, 400, "IncompleteBody"),
        (6, 400, "IncompleteBody"),
        ("", 411, "MissingContentLength"),
        ("5x", 400, "InvalidArgument"),
        ("+5", 400, "InvalidArgument"),
        ("-5", 400, "InvalidArgument"),
        ("9" * 30, 400, "InvalidArgument"),
        (5 * 2**30 + 1, 400, "EntityTooLarge"),
    ],
)
def test_a_decoded_length_that_lies_is_refused(
    edge: Edge, s3: Any, bucket: str, size: int | str, status: int, code: str
) -> None:
    answer = chunked(edge, bucket, UNSIGNED, [b"hello"], size=size)
    assert (answer.status, answer.code) == (status, code)
    assert is_absent(s3, bucket)


@pytest.mark.parametrize(
    ("trailer", "tail", "code"),
    [
        (("x-amz-checksum-crc32", "AAAAAA=="), None, "BadDigest"),
        (("x-amz-checksum-crc32", "AAAA"), None, "InvalidRequest"),
        (("x-amz-checksum-crc32", ""), b"\r\n", "MalformedTrailerError"),
        (None, b"x-amz-checksum-crc32:NhCmhg==\r\n\r\n", "MalformedTrailerError"),
        (("x-amz-checksum-crc32", ""), b"x-amz-meta-a:1\r\n\r\n", "MalformedTrailerError"),
        (("x-amz-meta-a", "1"), None, "InvalidRequest"),
        (("x-amz-checksum-md4", "1"), None, "InvalidRequest"),
        (("x-amz-checksum-xxhash64", "1"), None, "NotImplemented"),
    ],
)
def test_a_trailer_that_lies_is_refused(
    edge: Edge, s3: Any, bucket: str, trailer: Any, tail: bytes | None, code: str
) -> None:
    answer = chunked(edge, bucket, UNSIGNED, [b"hello"], trailer=trailer, tail=tail)
    assert answer.code == code
    assert is_absent(s3, bucket)


def test_streaming_is_for_uploads_only(edge: Edge, bucket: str) -> None:
    answer = chunked(
        edge, bucket, UNSIGNED, [b"<Delete/>"], target=f"/{bucket}?delete", method="POST"
    )
    assert (answer.status, answer.code) == (400, "InvalidRequest")


@pytest.mark.parametrize("name", CRCS)
def test_every_checksum_is_checked_stored_and_returned(
    edge: Edge, s3: Any, bucket: str, name: str
) -> None:
    value = checksum(name, b"hello")
    header = f"x-amz-checksum-{name}"
    put = edge.request("PUT", f"/{bucket}/k", b"hello", headers={header: value})
    assert put.status == 200
    assert put.headers[header] == value
    assert put.headers["x-amz-checksum-type"] == "FULL_OBJECT"
    plain = edge.request("GET", f"/{bucket}/k")
    assert header not in plain.headers
    for method in ("GET", "HEAD"):
        asked = edge.request(method, f"/{bucket}/k", headers={"x-amz-checksum-mode": "ENABLED"})
        assert asked.headers[header] == value
    part = edge.request(
        "GET", f"/{bucket}/k", headers={"x-amz-checksum-mode": "ENABLED", "range": "bytes=0-1"}
    )
    assert part.status == 206
    assert header not in part.headers
    wrong = edge.request("PUT", f"/{bucket}/k", b"hellO", headers={header: value})
    assert (wrong.status, wrong.code) == (400, "BadDigest")
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"hello"


def test_without_a_checksum_the_server_makes_a_crc64nvme(edge: Edge, bucket: str) -> None:
    put = edge.request("PUT", f"/{bucket}/k", b"hello")
    assert put.headers["x-amz-checksum-crc64nvme"] == checksum("crc64nvme", b"hello")


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"content-md5": base64.b64encode(b"0" * 16).decode()}, "BadDigest"),
        ({"content-md5": base64.b64encode(b"0" * 15).decode()}, "InvalidDigest"),
        ({"content-md5": "not base64!"}, "InvalidDigest"),
        ({"content-md5": ""}, "InvalidDigest"),
        ({"x-amz-checksum-crc32": "AAA"}, "InvalidRequest"),
        ({"x-amz-checksum-crc32": "AAAAAAAA"}, "InvalidRequest"),
        ({"x-amz-checksum-crc32": "NhCmhg==", "x-amz-checksum-sha1": "x"}, "InvalidRequest"),
        ({"x-amz-sdk-checksum-algorithm": "CRC32"}, "InvalidRequest"),
        ({"x-amz-sdk-checksum-algorithm": "FOO"}, "InvalidRequest"),
        (
            {"x-amz-sdk-checksum-algorithm": "SHA1", "x-amz-checksum-crc32": "NhCmhg=="},
            "InvalidRequest",
        ),
        ({"x-amz-checksum-md5": "x"}, "NotImplemented"),
        ({"x-amz-trailer": "x-amz-checksum-crc32"}, "InvalidRequest"),
        ({"content-encoding": "aws-chunked"}, "NotImplemented"),
    ],
)
def test_a_promise_that_cannot_be_kept_is_refused(
    edge: Edge, s3: Any, bucket: str, headers: dict[str, str], code: str
) -> None:
    answer = edge.request("PUT", f"/{bucket}/k", b"hello", headers=headers)
    assert answer.code == code
    assert is_absent(s3, bucket)


def test_a_body_that_is_not_the_one_that_was_signed_is_refused(
    edge: Edge, s3: Any, bucket: str
) -> None:
    request = edge.signed("PUT", f"/{bucket}/k", b"hello")
    answer = edge.exchange(request[:-1] + b"0")
    assert (answer.status, answer.code) == (400, "XAmzContentSHA256Mismatch")
    assert is_absent(s3, bucket)


@pytest.mark.parametrize("size", [5, 100_000, 3 << 20])
def test_a_body_shorter_than_announced_stores_nothing(
    edge: Edge, s3: Any, bucket: str, size: int
) -> None:
    request = edge.signed("PUT", f"/{bucket}/k", b"x" * size)
    with closing(edge.connect()) as sock:
        sock.sendall(request[:-1])
        sock.shutdown(1)
        answer = read_answer(sock)
    assert (answer.status, answer.code) == (400, "IncompleteBody")
    assert is_absent(s3, bucket)


def test_a_client_that_goes_in_the_middle_stores_nothing(edge: Edge, s3: Any, bucket: str) -> None:
    request = edge.signed("PUT", f"/{bucket}/k", b"x" * 100_000)
    with closing(edge.connect()) as sock:
        sock.sendall(request[:-50_000])
    assert is_absent(s3, bucket)
    assert s3.put_object(Bucket=bucket, Key="k", Body=b"next")["ETag"]


def test_a_body_without_a_length_is_refused(edge: Edge, bucket: str) -> None:
    answer = edge.request("PUT", f"/{bucket}/k", payload_hash="UNSIGNED-PAYLOAD")
    assert (answer.status, answer.code) == (411, "MissingContentLength")


def test_a_plain_chunked_body_is_taken(edge: Edge, s3: Any, bucket: str) -> None:
    head = edge.signed(
        "PUT",
        f"/{bucket}/k",
        headers={"transfer-encoding": "chunked"},
        payload_hash="UNSIGNED-PAYLOAD",
    )
    assert edge.exchange(head + b"5\r\nhello\r\n0\r\n\r\n").status == 200
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"hello"
    broken = edge.exchange(head + b"zz\r\nhello\r\n0\r\n\r\n")
    assert broken.status == 400


@pytest.mark.parametrize("length", ["-1", "5x", "+5", "5, 5", "", "0x5"])
def test_a_content_length_that_is_none_is_refused(edge: Edge, bucket: str, length: str) -> None:
    answer = edge.request(
        "PUT",
        f"/{bucket}/k",
        unsigned={"content-length": length},
        payload_hash="UNSIGNED-PAYLOAD",
    )
    assert answer.status == 400


def test_more_than_one_put_may_hold_is_refused_before_it_is_sent(edge: Edge, bucket: str) -> None:
    answer = edge.request(
        "PUT",
        f"/{bucket}/k",
        unsigned={"content-length": str(5 * 2**30 + 1)},
        payload_hash="UNSIGNED-PAYLOAD",
    )
    assert (answer.status, answer.code) == (400, "EntityTooLarge")


def test_a_transfer_coding_that_is_not_undone_is_refused(edge: Edge, s3: Any, bucket: str) -> None:
    head = {"transfer-encoding": "gzip, chunked"}
    body = b"5\r\nhello\r\n0\r\n\r\n"
    answer = edge.request(
        "PUT", f"/{bucket}/k", body, headers=head, payload_hash="UNSIGNED-PAYLOAD"
    )
    assert (answer.status, answer.code) == (501, "NotImplemented")
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)


def test_what_follows_a_body_is_the_next_request(edge: Edge, s3: Any, bucket: str) -> None:
    first = edge.signed("PUT", f"/{bucket}/a", b"one")
    second = edge.signed("PUT", f"/{bucket}/b", b"two")
    with closing(edge.connect()) as sock:
        sock.sendall(first + second)
        assert read_answer(sock).status == 200
        assert read_answer(sock).status == 200
    assert s3.get_object(Bucket=bucket, Key="b")["Body"].read() == b"two"


@pytest.mark.parametrize(
    ("target", "content"),
    [
        ("?delete", b"<Delete>" + b" " * (3 << 20) + b"</Delete>"),
        ("?versioning", b"<VersioningConfiguration>" + b" " * (2 << 20)),
        ("/k?uploadId=00", b"<CompleteMultipartUpload>" + b" " * (50 << 20)),
    ],
)
def test_a_document_over_the_limit_is_refused_and_not_cut(
    edge: Edge, bucket: str, target: str, content: bytes
) -> None:
    method = "PUT" if "versioning" in target else "POST"
    md5 = base64.b64encode(hashlib.md5(content).digest()).decode()
    request = edge.signed(
        method,
        f"/{bucket}{target}",
        content,
        headers={"content-md5": md5},
        payload_hash="UNSIGNED-PAYLOAD",
    )
    with closing(edge.connect()) as sock:
        head, _, body = request.partition(b"\r\n\r\n")
        sock.sendall(head + b"\r\n\r\n" + body[:1000])
        answer = read_answer(sock)
    assert (answer.status, answer.code) == (400, "MalformedXML")


def test_a_document_without_a_length_is_held_to_the_limit_too(edge: Edge, bucket: str) -> None:
    head = edge.signed(
        "PUT",
        f"/{bucket}?versioning",
        headers={"transfer-encoding": "chunked"},
        payload_hash="UNSIGNED-PAYLOAD",
    )
    piece = b"10000\r\n" + b" " * 65536 + b"\r\n"
    with closing(edge.connect()) as sock:
        sock.sendall(head + piece * 17)
        answer = read_answer(sock)
    assert (answer.status, answer.code) == (400, "MalformedXML")
