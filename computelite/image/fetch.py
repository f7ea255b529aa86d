"""Fetching an image from a URL, and nothing from the inside: every hop is looked at again.

A name may stand for another address from one look-up to the next. So it is the resolver that the
connection is made with that looks at addresses: it gives none but good ones.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Collection
from ipaddress import ip_address
from urllib.parse import urljoin

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from computelite.image.address import Target, is_allowed, is_public, target_of
from computelite.image.errors import BadSource, SourceFailed

REDIRECTS_MAX = 5
CONNECT_S = 10.0
STALL_S = 60.0
TOTAL_S = 6 * 3600.0
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_READ_BYTES = 256 << 10
_AGENT = "cumulog-image-import"


class Fetcher:
    """Opens URLs for one process. `allowed`: HOST:PORT that the operator vouches for."""

    def __init__(self, allowed: Collection[str] = ()) -> None:
        self._allowed = frozenset(entry.lower() for entry in allowed)

    def target(self, url: str) -> Target:
        """Return what a URL names. Raises: BadSource."""
        return target_of(url, self._allowed)

    @contextlib.asynccontextmanager
    async def open(self, target: Target) -> AsyncIterator[Fetched]:
        """Open a URL, redirects followed.

        Raises:  BadSource for an address, or a redirect, that leads inside; SourceFailed.
        """
        timeout = aiohttp.ClientTimeout(
            total=TOTAL_S, sock_connect=CONNECT_S, connect=2 * CONNECT_S, sock_read=STALL_S
        )
        resolver = _Guarded(self._allowed)
        async with (
            aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(resolver=resolver, use_dns_cache=False, limit=1),
                timeout=timeout,
                trust_env=False,
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": _AGENT, "Accept-Encoding": "identity", "Accept": "*/*"},
            ) as session,
            contextlib.AsyncExitStack() as stack,
        ):
            try:
                response = await self._follow(session, target, stack)
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                if resolver.refused is not None:
                    raise resolver.refused from None
                raise SourceFailed(reason=_told(error)) from None
            if response.headers.get("Content-Encoding", "identity").lower() != "identity":
                raise SourceFailed(reason="it comes in a coding that was not asked for")
            yield Fetched(response)

    async def _follow(
        self, session: aiohttp.ClientSession, target: Target, stack: contextlib.AsyncExitStack
    ) -> aiohttp.ClientResponse:
        for _ in range(REDIRECTS_MAX + 1):
            response = await session.get(target.url, allow_redirects=False)
            if response.status not in _REDIRECTS:
                stack.callback(response.close)
                if response.status != 200:
                    raise SourceFailed(reason=f"the server answers {response.status}")
                return response
            location = response.headers.get("Location", "")
            response.close()
            if not location:
                raise SourceFailed(reason="a redirect leads nowhere")
            was_secure = target.url.lower().startswith("https:")
            target = self.target(urljoin(target.url, location))
            if was_secure and not target.url.lower().startswith("https:"):
                raise BadSource(reason="a redirect leads from https to http")
        raise SourceFailed(reason=f"there are more than {REDIRECTS_MAX} redirects")


class Fetched:
    """The bytes behind a URL, as they come."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response

    async def read(self) -> bytes:
        """Return the next bytes, b"" at the end. Raises: SourceFailed."""
        try:
            return await self._response.content.read(_READ_BYTES)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise SourceFailed(reason=_told(error)) from None


class _Guarded(AbstractResolver):
    """Gives the addresses of names, public ones only."""

    def __init__(self, allowed: Collection[str]) -> None:
        self.refused: BadSource | None = None
        self._allowed = allowed
        self._resolver = ThreadedResolver(loop=asyncio.get_running_loop())

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._resolver.resolve(host, port, family)
        if is_allowed(Target("", host.lower(), port, ""), self._allowed):
            return found
        # One inner address among public ones is a trap, too.
        if not all(is_public(ip_address(each["host"].partition("%")[0])) for each in found):
            self.refused = BadSource(reason=f"{host} has an address that is not public")
            raise OSError(str(self.refused))
        return found

    async def close(self) -> None:
        await self._resolver.close()


def _told(error: BaseException) -> str:
    """Return why a fetch failed, in words that show nothing of the inside."""
    match error:
        case TimeoutError():
            return "the server does not answer in time"
        case aiohttp.ClientConnectorDNSError():
            return f"the host {error.host} is not known"
        case aiohttp.ClientConnectorError():
            return f"there is no connection to {error.host}"
        case aiohttp.ClientPayloadError():
            return "the answer was cut short"
    return "the connection failed"
