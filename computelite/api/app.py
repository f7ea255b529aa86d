"""The API port's one path for every request: find the service that owns the path, let it answer.

A service authenticates before it looks at anything but the head, and tells its refusals in its own
form. What no service owns goes to the pages, which are for anyone.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Protocol

from aiohttp.http import RawRequestMessage

from computelite.api.pages import Pages
from computelite.serve.requests import PAGES, PROTOCOL_OF
from eventlog.clock import Clock
from eventlog.errors import CloudError
from swiftlite.http.incoming import Incoming
from swiftlite.http.replies import Reply, head_bytes

log = logging.getLogger(__name__)


class Service(Protocol):
    """What owns a part of the API port's paths."""

    async def answer(
        self, message: RawRequestMessage, incoming: Incoming, *, secure: bool, source: str
    ) -> Reply:
        """Return the reply, its request id among its headers. Raises nothing but CancelledError."""


class ApiApp:
    """Answers one worker's requests on the API port."""

    def __init__(
        self,
        pages: Pages,
        services: Mapping[str, Service],
        *,
        clock: Clock,
        count: Callable[[str, int], None] = lambda protocol, status: None,
    ) -> None:
        """`services` by the first part of the paths that they own: "identity", "v1".

        `count` gets the protocol and the status of each answer.
        """
        self._count = count
        self._pages = pages
        self._services = services
        self._clock = clock

    async def answer(
        self, message: RawRequestMessage, incoming: Incoming, *, secure: bool, source: str
    ) -> tuple[Reply, str]:
        """Return the reply. Raises nothing but CancelledError."""
        first = message.path.partition("?")[0].removeprefix("/").partition("/")[0]
        service = self._services.get(first, self._pages)
        protocol = PROTOCOL_OF.get(first, PAGES) if first in self._services else PAGES
        reply = await service.answer(message, incoming, secure=secure, source=source)
        if message.method == "HEAD":
            reply.length = reply.length if reply.status < 400 else 0
            reply.body = b""
        self._count(protocol, reply.status)
        return reply, ""

    def refusal(self, error: CloudError) -> tuple[Reply, str]:
        """Return the answer to what never became a request."""
        reply = self._pages.refusal(error)
        self._count(PAGES, reply.status)
        return reply, ""

    def head_of(self, reply: Reply, request_id: str) -> bytes:
        """Return the reply's status line and headers."""
        return head_bytes(reply, own="", now_s=self._clock.now_us() // 1_000_000)
