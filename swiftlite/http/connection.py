"""One connection: aiohttp's parser, with deadlines, limits and replies of our own.

aiohttp reads heads and bodies (its C parser has seen every smuggling trick); what it would do
around them is replaced: its request and response objects, which cost more than a small GET, its
100 Continue, which it says before anyone is authenticated, and its deadlines, of which it has none.

    waiting for a head -> answering (reading a body, writing a reply) -> waiting ...
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Any, Protocol, cast

from aiohttp.base_protocol import BaseProtocol
from aiohttp.http import HttpVersion11, RawRequestMessage
from aiohttp.streams import StreamReader
from aiohttp.web_protocol import RequestHandler

from eventlog.errors import CloudError
from swiftlite.http.errors import BadHead, HeadTooLarge, IncompleteBody, RequestTimeout
from swiftlite.http.incoming import Incoming
from swiftlite.http.limits import Limits
from swiftlite.http.replies import UNKNOWN, Buffer, Reply

if TYPE_CHECKING:
    from swiftlite.http.server import HttpServer

log = logging.getLogger(__name__)

_NEVER = float("inf")
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Application(Protocol):
    """What a listener serves."""

    async def answer(
        self, message: RawRequestMessage, incoming: Incoming, *, secure: bool, source: str
    ) -> tuple[Reply, str]:
        """Return the reply and the request's id. Raises nothing but CancelledError."""

    def refusal(self, error: CloudError) -> tuple[Reply, str]:
        """Return the answer to what never became a request."""

    def head_of(self, reply: Reply, request_id: str) -> bytes:
        """Return the reply's status line and headers."""


class Connection(RequestHandler):
    """Serves the requests of one connection in order."""

    __slots__ = (
        "_body",
        "_counted",
        "_deadline",
        "_head_size",
        "_is_ending",
        "_secure",
        "_server",
        "_source",
        "_unsent",
        "_wire",
    )

    def __init__(self, server: HttpServer, loop: asyncio.AbstractEventLoop, **options: Any) -> None:
        super().__init__(server, loop=loop, **options)
        self._server = server
        self._body: _Body | None = None  # of the request that is being answered
        self._wire: asyncio.Transport | None = None  # until the connection is lost
        self._counted = False
        self._is_ending = False  # after the request that is being answered
        self._deadline = _NEVER  # of whatever is waited for from the client
        self._head_size = 0  # bytes of a head that is not complete
        self._unsent = 0  # what lay in the write buffer at the last look
        self._secure = False
        self._source = ""

    # -- what the transport says -----------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports keep the contract, but do not derive from the class.
        transport = cast(asyncio.Transport, transport)
        if self._server.is_draining or not self._server.slots.acquire():
            BaseProtocol.connection_made(self, transport)
            self._server.refuse(transport)
            return
        self._counted = True
        self._wire = transport
        self._server.opened(self)
        transport.set_write_buffer_limits(high=self._server.limits.write_buffer)
        peer = transport.get_extra_info("peername")
        self._source = peer[0] if isinstance(peer, tuple) else ""
        self._secure = transport.get_extra_info("sslcontext") is not None
        self._deadline = self._loop.time() + self._server.limits.head_s
        super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        if not self._counted:
            BaseProtocol.connection_lost(self, exc)
            return
        self._counted = False
        self._wire = None
        self._server.slots.release()
        self._server.closed(self)
        if self._body is not None:
            self._body.fail(IncompleteBody())
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if not self._counted:
            return
        super().data_received(data)
        waiter = self._waiter
        if waiter is not None and not waiter.done() and data:
            self._head_grew(len(data))

    def eof_received(self) -> bool | None:  # type: ignore[override]
        """Go on writing where a request is being answered: the client may read what it gets."""
        if self._body is None:
            return None
        self._body.fail(IncompleteBody())
        self._is_ending = True
        return not self._secure

    def _head_grew(self, size: int) -> None:
        limits = self._server.limits
        if self._head_size == 0 and self._request_count:
            self._deadline = self._loop.time() + limits.head_s
        self._head_size += size
        if self._head_size > limits.head_size:
            self._end_with(HeadTooLarge())

    # -- what the clock says ---------------------------------------------------------------------

    def expire(self, now: float) -> None:
        """End whatever the client has been waited for too long."""
        if now < self._deadline or self.transport is None:
            return
        if self._paused:
            # It reads, if slowly: that is progress.
            unsent = self.transport.get_write_buffer_size()
            if unsent < self._unsent:
                self._unsent = unsent
                self._deadline = now + self._server.limits.progress_s
            else:
                self.abort()
        elif self._body is not None:
            self._body.fail(RequestTimeout())
        elif self.transport.get_write_buffer_size():
            self.abort()
        elif self._head_size:
            self._end_with(RequestTimeout())
        else:
            self.force_close()

    def abort(self) -> None:
        """End the connection at once, so that the client cannot take what it got for the whole."""
        if self._wire is not None:
            self._wire.abort()
        self.force_close()

    def end(self) -> None:
        """End the connection: now if it is idle, else when its request is answered."""
        if self._body is not None:
            self._is_ending = True
        elif self._wire is not None and self._wire.get_write_buffer_size():
            self.force_close()
        else:
            # Nothing is under way, so that a TLS client's farewell is not waited for.
            self.abort()

    def _end_with(self, error: CloudError) -> None:
        transport = self.transport
        if transport is not None:
            reply, request_id = self._server.app.refusal(error)
            reply.is_last = True
            transport.write(self._server.app.head_of(reply, request_id) + bytes(reply.body))
        self.force_close()

    # -- requests, one after the other -----------------------------------------------------------

    async def start(self) -> None:
        """Answer requests until the connection ends."""
        try:
            while not (self._force_close or self._is_ending):
                if not self._messages:
                    await self._wait_for_head()
                message, payload = self._messages.popleft()
                self._deadline = _NEVER
                self._head_size = 0
                if self._parser is not None:
                    self._parser.message_consumed()
                if self._buffer_paused and len(self._messages) <= self._msg_queue_resume_size:
                    self._resume_reading_if_drained()
                if not await self._serve(message, payload):
                    break
                self._deadline = self._loop.time() + self._server.limits.idle_s
        except (ConnectionError, asyncio.CancelledError):
            # The client went, or the server ends; nobody is there to be told.
            pass
        except Exception:
            # An object turned out damaged when its head was sent already, or a bug: the client sees
            # the connection end before the length that it was promised.
            log.exception("a reply to %s was cut off", self._source)
        finally:
            self._task_handler = None
            self.force_close()

    async def _wait_for_head(self) -> None:
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    async def _serve(self, message: Any, payload: StreamReader) -> bool:
        """Answer one request; return whether another may follow on this connection."""
        app = self._server.app
        body = self._body = _Body(self, message, payload)
        try:
            if isinstance(message, RawRequestMessage):
                reply, request_id = await app.answer(
                    message, body, secure=self._secure, source=self._source
                )
                reply.is_last = reply.is_last or message.should_close or message.upgrade
                if message.version != HttpVersion11:
                    reply.is_last, reply.is_chunked = True, False
            else:
                reply, request_id = app.refusal(_head_error(message))
                reply.is_last = True
            reply.is_last = reply.is_last or self._is_ending or not await body.is_over()
            await self._send(reply, app.head_of(reply, request_id))
            if reply.is_last and not payload.is_eof():
                await body.linger()
            return not reply.is_last
        finally:
            self._body = None
            if not payload.is_eof():
                payload.set_exception(IncompleteBody())

    async def _send(self, reply: Reply, head: bytes) -> None:
        transport = self.transport
        if transport is None:
            raise ConnectionResetError
        if reply.stream is None:
            if reply.body:
                transport.writelines((head, reply.body))
            else:
                transport.write(head)
            if self._paused:
                await self._drain()
            return
        transport.write(head)
        if reply.length == UNKNOWN:
            await self._send_to_the_end(reply.stream, is_chunked=reply.is_chunked)
            return
        sent = 0
        try:
            async with contextlib.aclosing(reply.stream) as pieces:
                async for piece in pieces:
                    sent += len(piece)
                    await self._write(piece)
        finally:
            if sent != reply.length:
                self.abort()

    async def _send_to_the_end(
        self, stream: AsyncGenerator[Buffer, None], *, is_chunked: bool
    ) -> None:
        is_whole = False
        try:
            async with contextlib.aclosing(stream) as pieces:
                async for piece in pieces:
                    if not is_chunked:
                        await self._write(piece)
                    elif piece:  # an empty chunk would be the last
                        await self._write(b"%x\r\n%b\r\n" % (len(piece), bytes(piece)))
            if is_chunked:
                await self._write(b"0\r\n\r\n")
            is_whole = True
        finally:
            if not is_whole:
                self.abort()

    async def _write(self, piece: Buffer) -> None:
        if self.transport is None:
            raise ConnectionResetError
        self.transport.write(piece)
        if self._paused:
            await self._drain()

    async def _drain(self) -> None:
        """Wait until the client has read, within the deadline."""
        if self.transport is None:
            raise ConnectionResetError
        self._unsent = self.transport.get_write_buffer_size()
        self._deadline = self._loop.time() + self._server.limits.progress_s
        await self._drain_helper()
        self._deadline = _NEVER

    def say_continue(self) -> None:
        """Tell a client that asked first to send its body."""
        if self.transport is not None:
            self.transport.write(_CONTINUE)

    async def within_progress(self, payload: StreamReader) -> bytes:
        """Return what comes next of a body, within the deadline."""
        self._deadline = self._loop.time() + self._server.limits.progress_s
        try:
            return await payload.readany()
        finally:
            self._deadline = _NEVER

    @property
    def limits(self) -> Limits:
        """The listener's limits."""
        return self._server.limits


class _Body:
    """The bytes behind one head, for whoever answers the request."""

    __slots__ = ("_asked", "_connection", "_error", "_payload", "is_chunked", "length")

    def __init__(self, connection: Connection, message: Any, payload: StreamReader) -> None:
        self._connection = connection
        self._payload = payload
        self._error: CloudError | None = None
        self._asked = False  # the client waits for 100 Continue
        self.length: int | None = None
        self.is_chunked = False
        if isinstance(message, RawRequestMessage):
            self.is_chunked = bool(message.chunked)
            length = message.headers.get("Content-Length")
            self.length = int(length) if length is not None and not self.is_chunked else None
            self._asked = message.headers.get("Expect", "").lower() == "100-continue"

    async def read(self) -> bytes:
        if self._error is not None:
            raise self._error
        try:
            if self._asked:
                # Also for an empty body, which is here already: aws-cli takes a final answer in the
                # place of this one for the end of the connection's good order.
                self._asked = False
                self._connection.say_continue()
            if self._payload.is_eof():  # the rest is here, and need not be waited for
                return self._payload.read_nowait()
            return await self._connection.within_progress(self._payload)
        except CloudError:
            raise
        except Exception:
            # aiohttp's own: a chunk that cannot be parsed, a connection that went.
            self._error = IncompleteBody()
            raise self._error from None

    def fail(self, error: CloudError) -> None:
        """Let the reader have this error, now and later, unless the body is complete."""
        if not self._payload.is_eof():
            self._error = error
            self._payload.set_exception(error)

    async def is_over(self) -> bool:
        """Whether the next request can follow; reads a small rest of the body for it."""
        if self._payload.is_eof():
            return True
        limits = self._connection.limits
        if self._asked or self._error or self.length is None or self.length > limits.drain_size:
            return False
        return await self._discard(limits.drain_size, limits.linger_s)

    async def linger(self) -> None:
        """Read what the client still sends, within bounds, so that it comes to read the reply."""
        limits = self._connection.limits
        if not (self._asked or self._error):
            await self._discard(limits.linger_size, limits.linger_s)

    async def _discard(self, size: int, seconds: float) -> bool:
        with contextlib.suppress(TimeoutError, CloudError):
            async with asyncio.timeout(seconds):
                while size > 0 and not self._payload.is_eof():
                    size -= len(await self.read())
        return self._payload.is_eof()


def _head_error(message: Any) -> CloudError:
    """Return what is wrong with a head that the parser refused."""
    name = type(getattr(message, "exc", None)).__name__
    return HeadTooLarge() if name == "LineTooLong" else BadHead()
