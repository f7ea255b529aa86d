"""The listener: takes connections, counts them, minds their deadlines, drains."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
from typing import Any, NoReturn

from aiohttp import http_parser, web

from eventlog.errors import CloudError
from swiftlite.http.connection import Application, Connection
from swiftlite.http.errors import Draining, TooManyConnections
from swiftlite.http.limits import CountedSlots, Limits, Slots

_BACKLOG = 1024
_LOOK_EVERY_S = 0.5
_WORD_EVERY_S = 10.0

log = logging.getLogger(__name__)


class CannotServe(Exception):
    """This interpreter, or this aiohttp, is not one to face clients with."""


def check_interpreter() -> None:
    """Return if heads are parsed by aiohttp's C parser, and `assert` works.

    The parser in Python let smuggled requests through more than once, and aiohttp loops for ever on
    some of them where assertions are off.
    Raises:  CannotServe.
    """
    if http_parser.HttpRequestParser.__module__ != "aiohttp._http_parser":
        raise CannotServe("aiohttp was installed without its C extensions")
    if not __debug__:
        raise CannotServe("python -O takes out checks that aiohttp relies on")


class HttpServer(web.Server):
    """Serves an application on one listening socket."""

    def __init__(
        self, app: Application, *, limits: Limits | None = None, slots: Slots | None = None
    ) -> None:
        check_interpreter()
        super().__init__(_unused)
        self.app = app
        self.limits = limits or Limits()
        self.slots = slots or CountedSlots(10_000)
        self.is_draining = False
        self._next_word_s = 0.0  # when refusals are logged again
        self._options: dict[str, Any] = {
            "access_log": None,
            "auto_decompress": False,
            "keepalive_timeout": 0,
            "max_field_size": self.limits.line_size,
            "max_headers": self.limits.headers,
            "max_line_size": self.limits.line_size,
            "read_bufsize": 128 << 10,
        }
        self._listener: asyncio.Server | None = None
        self._clockwork: asyncio.Task[None] | None = None
        self._open: set[Connection] = set()
        self._all_closed = asyncio.Event()
        self._all_closed.set()

    def __call__(self) -> Connection:
        return Connection(self, self._loop, **self._options)

    async def listen(self, sock: socket.socket, context: ssl.SSLContext | None = None) -> None:
        """Answer on a bound socket from now on; over TLS where a context is given."""
        options: dict[str, Any] = {}
        if context is not None:
            options = {
                "ssl_handshake_timeout": self.limits.handshake_s,
                "ssl_shutdown_timeout": self.limits.goodbye_s,
            }
        self._listener = await self._loop.create_server(
            self, sock=sock, ssl=context, backlog=_BACKLOG, **options
        )
        self._clockwork = self._loop.create_task(self._mind_deadlines())

    async def drain(self, timeout_s: float) -> None:
        """Take no more connections, finish what is being answered, and end the rest.

        What is not finished after `timeout_s` is cut off; nothing of it was acknowledged.
        """
        self.is_draining = True
        if self._listener is not None:
            self._listener.close()
        for connection in tuple(self._open):
            connection.end()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._all_closed.wait(), timeout_s)
        for connection in tuple(self._open):
            connection.abort()
        await self._all_closed.wait()
        if self._clockwork is not None:
            self._clockwork.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._clockwork

    def refuse(self, transport: asyncio.Transport) -> None:
        """Tell a connection that there is no place for it, and end it."""
        error: CloudError = Draining() if self.is_draining else TooManyConnections()
        now_s = self._loop.time()
        if now_s >= self._next_word_s:
            self._next_word_s = now_s + _WORD_EVERY_S
            log.warning("connections are refused: %s", error)
        reply, request_id = self.app.refusal(error)
        reply.is_last = True
        transport.write(self.app.head_of(reply, request_id) + bytes(reply.body))
        transport.close()

    def opened(self, connection: Connection) -> None:
        """Note a connection that has its place."""
        self._open.add(connection)
        self._all_closed.clear()

    def closed(self, connection: Connection) -> None:
        """Note that a connection is over."""
        self._open.discard(connection)
        if not self._open:
            self._all_closed.set()

    async def _mind_deadlines(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            now = self._loop.time()
            for connection in tuple(self._open):
                connection.expire(now)


async def _unused(_: object) -> NoReturn:
    raise AssertionError("connections answer through their application")
