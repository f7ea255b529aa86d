"""Connections: heads that are none, clients that stall, too many of them, and the end."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from swiftlite.http.limits import CountedSlots, Limits
from tests.swiftlite.clouds import pattern
from tests.swiftlite.s3.edge import Edge, read_answer, running, tls_context

HASTY = Limits(head_s=1.0, idle_s=1.0, progress_s=1.0, linger_s=1.0, write_buffer=64 << 10)


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    """An edge that waits for nobody longer than a second."""
    with running(tmp_path_factory.mktemp("hasty"), limits=HASTY) as edge:
        edge.client().create_bucket(Bucket="hasty")
        yield edge


def is_closed(sock: socket.socket) -> bool:
    try:
        return sock.recv(65536) == b""
    except ConnectionResetError:
        return True


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\nHost: h\n\n",
        b"GET / HTTP/1.1\r\nHost: h\r\n folded: 1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: h\r\nA\0: 1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: h\r\nA: 1\r2\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost : h\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: h\r\nHost: i\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET http://other/ HTTP/1.1\r\nHost: h\r\n\r\n",
        b"GET / HTTP/9.9\r\nHost: h\r\n\r\n",
        b"GET /\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 100 + b"\r\n\r\n",
        b"PUT /b/k HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"PUT /b/k HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"PUT /b/k HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        "GET /b/\u00e4 HTTP/1.1\r\nHost: h\r\n\r\n".encode(),
    ],
)
def test_a_head_that_is_none_is_refused_in_xml(edge: Edge, head: bytes) -> None:
    answer = edge.exchange(head)
    assert answer.status in (400, 403, 501), answer
    assert answer.code
    assert b"Traceback" not in answer.raw
    assert b"aiohttp" not in answer.raw.lower()
    assert b"Python" not in answer.raw


@pytest.mark.parametrize(
    "head",
    [
        b"GET /" + b"a" * (70 << 10) + b" HTTP/1.1\r\nHost: h\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: h\r\nA: " + b"a" * (70 << 10) + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: h\r\n"
        + b"".join(b"a%d: 1\r\n" % i for i in range(10_000))
        + b"\r\n",
        b"GET / HTTP/1.1\r\nHost: h\r\n" + (b"a: " + b"b" * 60_000 + b"\r\n") * 10,
    ],
)
def test_a_head_that_is_too_large_is_refused_in_xml(edge: Edge, head: bytes) -> None:
    with closing(edge.connect()) as sock:
        try:
            sock.sendall(head)
        except ConnectionError:
            return  # refused before it was all sent
        try:
            answer = read_answer(sock)
        except ConnectionResetError:
            return
    assert answer.status == 400
    assert answer.code in ("BadRequest", "RequestHeaderSectionTooLarge")


@pytest.mark.parametrize(
    ("target", "allowed"), [("/", "GET"), ("/b", "PUT, HEAD, DELETE, POST, GET")]
)
def test_a_strange_method_is_told_which_there_are(edge: Edge, target: str, allowed: str) -> None:
    answer = edge.request("PROPFIND", target)
    assert (answer.status, answer.code) == (405, "MethodNotAllowed")
    assert answer.headers["allow"] == allowed


def test_a_header_of_eight_kibibytes_is_fine(edge: Edge, bucket: str) -> None:
    assert edge.request("GET", f"/{bucket}?prefix={'a' * 9000}").status == 200


def test_a_request_byte_by_byte_is_a_request(edge: Edge, bucket: str) -> None:
    with closing(edge.connect()) as sock:
        for byte in edge.signed("PUT", f"/{bucket}/k", b"hello"):
            sock.sendall(bytes((byte,)))
        assert read_answer(sock).status == 200


def test_pipelined_requests_are_answered_in_order(edge: Edge, s3: Any, bucket: str) -> None:
    for n in range(100):
        s3.put_object(Bucket=bucket, Key=str(n), Body=str(n).encode())
    with closing(edge.connect()) as sock:
        sock.sendall(b"".join(edge.signed("GET", f"/{bucket}/{n}") for n in range(100)))
        data = b""
        while data.count(b"HTTP/1.1 200") < 100 or not data.endswith(b"99"):
            data += sock.recv(65536)
    bodies = [piece.rpartition(b"\r\n\r\n")[2] for piece in data.split(b"HTTP/1.1 200")[1:]]
    assert bodies == [str(n).encode() for n in range(100)]


def test_http_1_0_is_answered_and_closed(edge: Edge) -> None:
    request = edge.signed("GET", "/").replace(b"HTTP/1.1", b"HTTP/1.0")
    with closing(edge.connect()) as sock:
        sock.sendall(request)
        answer = read_answer(sock)
        assert answer.status == 200
        assert answer.headers["connection"] == "close"
        assert is_closed(sock)


def test_continue_is_said_once_the_client_is_known(edge: Edge, s3: Any, bucket: str) -> None:
    request = edge.signed("PUT", f"/{bucket}/k", b"hello", headers={"Expect": "100-continue"})
    with closing(edge.connect()) as sock:
        sock.sendall(request[:-5])
        assert read_answer(sock).status == 100
        sock.sendall(request[-5:])
        assert read_answer(sock).status == 200
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"hello"


def test_continue_is_said_before_an_empty_body_too(edge: Edge, bucket: str) -> None:
    """aws-cli loses step with the connection, and waits a minute, when it is not."""
    headers = {"Expect": "100-continue", "Content-Length": "0"}
    request = edge.signed("PUT", f"/{bucket}/k", b"", headers=headers)
    with closing(edge.connect()) as sock:
        for _ in range(2):
            sock.sendall(request)
            said = b""
            while said.count(b"\r\n\r\n") < 2:
                said += sock.recv(65536)
            assert said.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize(
    ("options", "target", "status"),
    [
        ({"secret": "guess"}, "/{}/k", 403),
        ({}, "/nosuchbucket/k", 404),
        ({"headers": {"x-amz-tagging": "a=b"}}, "/{}/k", 501),
        ({"headers": {"if-match": "nothing"}}, "/{}/k", 404),
        ({"headers": {"content-md5": "?"}}, "/{}/k", 400),
        ({}, "/{}/k?partNumber=1&uploadId=00", 404),
    ],
)
def test_continue_is_never_said_to_what_is_refused(
    edge: Edge, bucket: str, options: dict[str, Any], target: str, status: int
) -> None:
    headers = {"Expect": "100-continue", **options.pop("headers", {})}
    request = edge.signed("PUT", target.format(bucket), b"hello", headers=headers, **options)
    with closing(edge.connect()) as sock:
        sock.sendall(request[:-5])
        answer = read_answer(sock)
        assert answer.status == status
        assert answer.headers["connection"] == "close"
        assert is_closed(sock)


def test_an_anonymous_upload_is_not_waited_for(edge: Edge, bucket: str) -> None:
    head = f"PUT /{bucket}/k HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n"
    answer = edge.exchange(f"{head}\r\n".encode())
    assert (answer.status, answer.code) == (403, "AccessDenied")


def test_the_connection_goes_on_after_a_small_body_was_refused(edge: Edge, bucket: str) -> None:
    with closing(edge.connect()) as sock:
        for _ in range(3):
            sock.sendall(edge.signed("PUT", f"/{bucket}/k", b"hello", secret="guess"))
            assert read_answer(sock).status == 403
        sock.sendall(edge.signed("GET", f"/{bucket}"))
        assert read_answer(sock).status == 200


def test_a_large_body_that_is_refused_still_reads_its_refusal(edge: Edge, bucket: str) -> None:
    request = edge.signed("PUT", f"/{bucket}/k", b"x" * (8 << 20), secret="guess")
    with closing(edge.connect()) as sock:
        sock.sendall(request)
        answer = read_answer(sock)
    assert (answer.status, answer.headers["connection"]) == (403, "close")


@pytest.mark.parametrize("sent", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: h\r\nA: "])
def test_a_client_that_stalls_in_its_head_is_ended(hasty: Edge, sent: bytes) -> None:
    with closing(hasty.connect()) as sock:
        sock.sendall(sent)
        start = time.monotonic()
        data = b""
        while piece := sock.recv(65536):
            data += piece
        assert 0.5 < time.monotonic() - start < 5
    assert (b"RequestTimeout" in data) == bool(sent)


def test_a_head_that_trickles_is_ended(hasty: Edge) -> None:
    with closing(hasty.connect()) as sock:
        start = time.monotonic()
        with contextlib.suppress(ConnectionError):
            while time.monotonic() - start < 10:
                sock.sendall(b"G")
                time.sleep(0.1)
        assert time.monotonic() - start < 6


def test_a_client_that_stalls_in_its_body_is_ended_and_stores_nothing(hasty: Edge) -> None:
    request = hasty.signed("PUT", "/hasty/k", b"x" * 1000)
    with closing(hasty.connect()) as sock:
        sock.sendall(request[:-1])
        answer = read_answer(sock)
        assert (answer.status, answer.code) == (400, "RequestTimeout")
        assert is_closed(sock)
    assert hasty.client().list_objects_v2(Bucket="hasty")["KeyCount"] == 0


def test_an_idle_connection_is_ended(hasty: Edge) -> None:
    with closing(hasty.connect()) as sock:
        sock.sendall(hasty.signed("GET", "/"))
        assert read_answer(sock).status == 200
        start = time.monotonic()
        assert is_closed(sock)
        assert time.monotonic() - start < 5


def test_a_client_that_does_not_read_is_ended(hasty: Edge) -> None:
    hasty.client().put_object(Bucket="hasty", Key="large", Body=pattern(24 << 20))
    with closing(hasty.connect()) as sock:
        sock.sendall(hasty.signed("GET", "/hasty/large"))
        time.sleep(0.5)
        mine = [
            c for c in hasty.server._open if c.transport and c.transport.get_write_buffer_size()
        ]
        assert len(mine) == 1
        deadline = time.monotonic() + 5
        while mine[0] in hasty.server._open and time.monotonic() < deadline:
            time.sleep(0.1)
        assert mine[0] not in hasty.server._open
    hasty.client().delete_object(Bucket="hasty", Key="large")


def test_a_client_that_reads_slowly_gets_everything(hasty: Edge) -> None:
    data = pattern(4 << 20)
    hasty.client().put_object(Bucket="hasty", Key="slow", Body=data)
    with closing(hasty.connect()) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
        sock.sendall(hasty.signed("GET", "/hasty/slow"))
        got = b""
        while len(got) < len(data):
            piece = sock.recv(32768)
            assert piece
            got += piece
            time.sleep(0.005)
    assert got.endswith(data[-1000:])
    hasty.client().delete_object(Bucket="hasty", Key="slow")


def test_the_201st_connection_is_refused_and_the_others_go_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    slots = CountedSlots(200)
    with running(tmp_path, slots=slots) as edge:
        held = [edge.connect() for _ in range(200)]
        try:
            for sock in held:
                sock.sendall(edge.signed("GET", "/"))
                assert read_answer(sock).status == 200
            for _ in range(3):
                with closing(edge.connect()) as one_more:
                    answer = read_answer(one_more)
                    assert (answer.status, answer.code) == (503, "SlowDown")
                    assert is_closed(one_more)
            assert len(caplog.records) == 1, "a flood of refusals is a flood of lines"
            for sock in held:
                sock.sendall(edge.signed("GET", "/"))
                assert read_answer(sock).status == 200
            held.pop().close()
            deadline = time.monotonic() + 5
            while time.monotonic() < deadline:
                with closing(edge.connect()) as again:
                    again.sendall(edge.signed("GET", "/"))
                    if read_answer(again).status == 200:
                        break
            else:
                pytest.fail("the place was not given back")
        finally:
            for sock in held:
                sock.close()


def test_draining_finishes_what_is_being_answered(tmp_path: Path) -> None:
    edge = Edge(tmp_path).start()
    edge.client().create_bucket(Bucket="draining")
    idle, busy = edge.connect(), edge.connect()
    with closing(idle), closing(busy):
        request = edge.signed("PUT", "/draining/k", b"x" * 1000)
        idle.sendall(edge.signed("GET", "/"))
        assert read_answer(idle).status == 200
        busy.sendall(request[:-500])
        time.sleep(0.2)
        edge._loop.call_soon_threadsafe(edge._stop)
        assert is_closed(idle)
        busy.sendall(request[-500:])
        answer = read_answer(busy)
        assert (answer.status, answer.headers["connection"]) == (200, "close")
        edge._thread.join(10)
        assert not edge._thread.is_alive()
    with pytest.raises(ConnectionRefusedError):
        edge.connect()


def test_a_bug_is_told_as_its_number_and_nothing_else(
    edge: Edge, bucket: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the secret path /srv/data")

    monkeypatch.setattr(edge.cloud.gateway, "list_objects", broken)
    with caplog.at_level(logging.ERROR):
        answer = edge.request("GET", f"/{bucket}?prefix=Signature")
    assert (answer.status, answer.code) == (500, "InternalError")
    assert b"secret path" not in answer.raw
    assert answer.headers["x-amz-request-id"] in caplog.text
    assert "secret path" in caplog.text


def test_nothing_that_signs_reaches_the_log(
    edge: Edge, bucket: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, logger="swiftlite"):
        url = edge.client(signature_version="s3v4").generate_presigned_url(
            "get_object", {"Bucket": bucket, "Key": "absent"}
        )
        query = url.partition("?")[2]
        host = f"Host: 127.0.0.1:{edge.port}"
        answer = edge.exchange(f"GET /{bucket}/absent?{query} HTTP/1.1\r\n{host}\r\n\r\n".encode())
    assert answer.code == "NoSuchKey"
    assert "X-Amz-Signature" not in caplog.text
    assert b"X-Amz-Signature" not in answer.raw


def test_tls_with_a_stock_client(tmp_path: Path) -> None:
    context, public = tls_context(tmp_path)
    with running(tmp_path / "cloud", tls=context, ca=str(public)) as edge:
        s3 = edge.client()
        s3.create_bucket(Bucket="tls")
        data = pattern(3 << 20)
        s3.put_object(Bucket="tls", Key="k", Body=data)
        got = s3.get_object(Bucket="tls", Key="k")
        assert got["Body"].read() == data
        assert got["ChecksumCRC32"]


@pytest.mark.parametrize(("flag", "env"), [("-O", {}), ("-B", {"AIOHTTP_NO_EXTENSIONS": "1"})])
def test_an_interpreter_that_cannot_be_trusted_is_refused(flag: str, env: dict[str, str]) -> None:
    program = (
        "from swiftlite.http.server import CannotServe, check_interpreter\n"
        "import json\n"
        "try: check_interpreter(); print(json.dumps('served'))\n"
        "except CannotServe as error: print(json.dumps(str(error)))\n"
    )
    done = subprocess.run(
        [sys.executable, flag, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **env},
    )
    assert json.loads(done.stdout) != "served"
