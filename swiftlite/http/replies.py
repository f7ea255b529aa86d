"""Replies: what a handler answers, before it becomes bytes on a connection.

Pure: no clock, no IO.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from functools import lru_cache
from http import HTTPStatus
from typing import TypeAlias

from swiftlite.http.times import http_from_s

Buffer: TypeAlias = bytes | bytearray | memoryview

SERVER = "Cumulog"

UNKNOWN = -1  # a length that only the end of the stream tells


class Reply:
    """A status, headers, and a body that is either at hand or a stream."""

    __slots__ = ("body", "headers", "is_chunked", "is_last", "length", "status", "stream")

    def __init__(
        self,
        status: int = 200,
        headers: Mapping[str, str] = {},
        body: Buffer = b"",
        *,
        stream: AsyncGenerator[Buffer, None] | None = None,
        length: int | None = None,
    ) -> None:
        """`length` is what Content-Length says, where that is not the body's: HEAD, a stream.

        A stream whose length is UNKNOWN is sent in chunks, or to the connection's end where the
        client speaks HTTP/1.0.
        """
        self.status = status
        self.headers = headers
        self.body = body
        self.stream = stream
        self.length = len(body) if length is None else length
        self.is_chunked = length == UNKNOWN
        self.is_last = False  # the connection ends with it


def head_bytes(reply: Reply, *, own: str, now_s: int) -> bytes:
    """Return the status line and headers, with those lines that are the protocol's own.

    Raises:  ValueError if a header has a line break in it: there is no such header to be sent.
    """
    lines = [f"{name}: {value}\r\n" for name, value in reply.headers.items()]
    if reply.length == UNKNOWN:
        if reply.is_chunked:
            lines.append("Transfer-Encoding: chunked\r\n")
    elif reply.status != 304 and reply.status != 204:
        lines.append(f"Content-Length: {reply.length}\r\n")
    if reply.is_last:
        lines.append("Connection: close\r\n")
    text = "".join(lines)
    if text.count("\n") != len(lines) or text.count("\r") != len(lines) or "\0" in text:
        raise ValueError("a header has a line break")
    return (
        f"{_status_line(reply.status)}Server: {SERVER}\r\nDate: {http_from_s(now_s)}\r\n"
        f"{own}X-Content-Type-Options: nosniff\r\n{text}\r\n"
    ).encode("utf-8", "surrogateescape")


@lru_cache(64)
def _status_line(status: int) -> str:
    return f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n"
