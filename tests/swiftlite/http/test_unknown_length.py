"""Replies whose length only their end tells: chunks, and never a cut one that looks whole."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from eventlog.errors import CloudError
from swiftlite.http.replies import UNKNOWN, Buffer, Reply, head_bytes
from swiftlite.http.server import HttpServer


class App:
    """Answers with three pieces, an empty one among them; /bad breaks off before the last."""

    async def answer(self, message: Any, incoming: Any, **_: Any) -> tuple[Reply, str]:
        async def pieces() -> AsyncGenerator[Buffer, None]:
            yield b" "
            yield memoryview(b"")
            await asyncio.sleep(0)
            if message.path == "/bad":
                raise RuntimeError("broken off")
            yield memoryview(b"x" * 300)

        return Reply(200, {}, stream=pieces(), length=UNKNOWN), ""

    def refusal(self, error: CloudError) -> tuple[Reply, str]:
        return Reply(400), ""

    def head_of(self, reply: Reply, request_id: str) -> bytes:
        return head_bytes(reply, own="", now_s=0)


async def exchange(data: bytes) -> bytes:
    server = HttpServer(App())
    sock = socket.create_server(("127.0.0.1", 0))
    await server.listen(sock)
    reader, writer = await asyncio.open_connection(*sock.getsockname())
    writer.write(data)
    try:
        return await asyncio.wait_for(reader.read(), 10)
    except ConnectionResetError:
        return b"reset"
    finally:
        writer.close()
        await server.drain(1)


async def test_a_reply_of_unknown_length_comes_in_chunks() -> None:
    get = b"GET / HTTP/1.1\r\nHost: h\r\n"
    answer = await exchange(get + b"\r\n" + get + b"Connection: close\r\n\r\n")
    heads = answer.split(b"HTTP/1.1 200 OK\r\n")
    assert len(heads) == 3  # the connection goes on behind the last chunk
    for each in heads[1:]:
        head, _, body = each.partition(b"\r\n\r\n")
        assert b"Transfer-Encoding: chunked" in head
        assert b"Content-Length" not in head
        assert body == b"1\r\n \r\n12c\r\n" + b"x" * 300 + b"\r\n0\r\n\r\n"


async def test_an_old_client_gets_it_to_the_connections_end() -> None:
    head, _, body = (await exchange(b"GET / HTTP/1.0\r\nHost: h\r\n\r\n")).partition(b"\r\n\r\n")
    assert b"Transfer-Encoding" not in head
    assert b"Connection: close" in head
    assert body == b" " + b"x" * 300


async def test_a_reply_that_breaks_off_has_no_last_chunk(caplog: pytest.LogCaptureFixture) -> None:
    answer = await exchange(b"GET /bad HTTP/1.1\r\nHost: h\r\n\r\n")
    assert not answer.endswith(b"0\r\n\r\n")
