"""Static web: a container served as a web site, to whoever comes without a token.

An index file for a folder, a page of what lies in it, a page for what is not there: as the
container's metadata says (`web_pages`). Everything that is sent was allowed as it would be by its
own name.

Source: Swift's "Static Web" (2026-08).
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from urllib.parse import quote

from eventlog.errors import CloudError
from swiftlite.access import Action
from swiftlite.auth import Principal
from swiftlite.catalog.rows import Bucket
from swiftlite.catalog.walking import Window
from swiftlite.http.replies import Reply
from swiftlite.swift.call import World, reached
from swiftlite.swift.errors import HTML, Declined, Denied, status_of
from swiftlite.swift.link_access import Linked
from swiftlite.swift.listings import DEFAULT_TYPE
from swiftlite.swift.request import Request
from swiftlite.swift.web_pages import (
    Entry,
    Site,
    label_of,
    listing_page,
    refusal_page,
    site_of,
)

_HOST = re.compile(r"[A-Za-z0-9.\-]{1,253}(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:[0-9]{1,5})?")

# Headers that say which state, or which part, of an object is wanted.
_PARTLY = frozenset(
    {
        "if-match",
        "if-modified-since",
        "if-none-match",
        "if-range",
        "if-unmodified-since",
        "range",
    }
)

PAGE_MAX = 10_000  # entries of a page

Plain = Callable[[Request], Awaitable[Reply]]
"""Answers a request as it is without a site: access is decided, errors are raised."""


def is_for(request: Request, principal: Principal) -> bool:
    """Return whether a request may be for a site."""
    if request.method not in ("GET", "HEAD") or not request.container or not request.project_id:
        return False
    return principal.kind != "user" or request.flag("x-web-mode")


class Web:
    """One request for a site."""

    def __init__(
        self,
        world: World,
        request: Request,
        principal: Principal,
        bucket: Bucket,
        plain: Plain,
        *,
        linked: Linked | None,
    ) -> None:
        self.is_page = False  # what was answered was made here
        self._world = world
        self._request = request
        self._principal = principal
        self._bucket = bucket
        self._site: Site = site_of(bucket.meta)
        self._plain = plain
        self._linked = linked

    async def answer(self) -> Reply:
        """Return the reply.

        Raises:  as without a site, where the site has nothing to say.
        """
        if self._request.name:
            return await self._object()
        return await self._container()

    async def _container(self) -> Reply:
        request, site = self._request, self._site
        try:
            await self._check_listing("")
        except CloudError as error:
            return await self._error(error)
        if not site.is_site:
            if request.flag("x-web-mode"):
                raise Declined(404)
            return await self._plain(request)
        if not request.path.endswith("/"):
            return self._with_slash()
        if not site.index:
            return await self._listing("")
        try:
            return await self._plain(self._named(site.index))
        except CloudError as error:
            if status_of(error) != 404:
                return await self._error(error)
        return await self._listing("")

    async def _object(self) -> Reply:
        request, site = self._request, self._site
        missing: CloudError = Declined(404)
        try:
            reply = await self._plain(request)
            if not self._is_folder(reply):
                return reply
            if reply.stream is not None:
                await reply.stream.aclose()
        except CloudError as error:
            if status_of(error) != 404:
                raise
            missing = error
        if not site.is_site:
            raise missing
        if site.index:
            try:
                name = request.name.rstrip("/") if request.name.endswith("/") else request.name
                reply = await self._plain(self._named(f"{name}/{site.index}"))
            except CloudError as error:
                if status_of(error) != 404:
                    return await self._error(error)
            else:
                if request.path.endswith("/"):
                    return reply
                if reply.stream is not None:
                    await reply.stream.aclose()
                return self._with_slash()
        if request.path.endswith("/"):
            return await self._listing(request.name)
        window = Window(prefix=f"{request.name}/".encode())
        try:
            await self._check_listing(request.name + "/")
        except CloudError as error:
            return await self._error(error)
        found = await self._world.gateway.walk_objects(self._bucket, window, limit=1)
        return self._with_slash() if found else await self._error(missing)

    async def _listing(self, prefix: str) -> Reply:
        request, site = self._request, self._site
        label = label_of(site, request.path)
        if not site.listings:
            page = refusal_page(site, label=label, prefix=prefix)
            return await self._error(Declined(404), page)
        try:
            await self._check_listing(prefix)
        except CloudError as error:
            return await self._error(error)
        window = Window(prefix=prefix.encode(), delimiter=b"/")
        found = await self._world.gateway.walk_objects(self._bucket, window, limit=PAGE_MAX)
        if prefix and not found:
            return await self._error(Declined(404))
        folders = [name for name, shown in found if shown is None]
        entries = [
            Entry(
                name,
                shown.size,
                shown.headers.get("content-type", DEFAULT_TYPE),
                shown.modified_us,
            )
            for name, shown in found
            if shown is not None
        ]
        linked = self._linked
        is_prefixed = linked is not None and linked.prefix is not None
        page = listing_page(
            site,
            label=label,
            prefix=prefix,
            folders=folders,
            entries=entries,
            query=linked.query() if linked is not None and is_prefixed else "",
            top=(linked.prefix or "") if linked is not None else "",
        )
        self.is_page = True
        return Reply(200, {"Content-Type": HTML}, page)

    async def _check_listing(self, prefix: str) -> None:
        """Return if the caller may see what lies under a prefix.

        Raises:  Denied.
        """
        linked = self._linked
        if linked is not None:
            if linked.prefix is None or not prefix.startswith(linked.prefix):
                raise Denied(reason="this link is for something else", rule="link", is_known=False)
            return
        await reached(
            self._world.gateway,
            self._request,
            self._principal,
            Action.LIST,
            project_id=self._request.project_id,
            container=self._request.container,
        )

    async def _error(self, error: CloudError, page: bytes = b"") -> Reply:
        """Return the site's own page for an error; without one, ours, or the error itself."""
        status = status_of(error)
        if self._site.error and status in (401, 403, 404):
            try:
                own = await self._plain(self._page(f"{status}{self._site.error}"))
            except CloudError:
                pass
            else:
                own.status = status
                return own
        if page:
            return Reply(status, {"Content-Type": HTML}, page)
        raise error

    def _is_folder(self, reply: Reply) -> bool:
        """Whether an object is there only to be a folder."""
        kind = reply.headers.get("Content-Type", "")
        return reply.status == 200 and reply.length <= 1 and kind == self._site.directory_type

    def _page(self, name: str) -> Request:
        """Return the request for all of a page: what is asked of the object is not asked of it."""
        asked = self._named(name)
        asked.headers = {name: asked.headers[name] for name in asked.headers if name not in _PARTLY}
        return asked

    def _named(self, name: str) -> Request:
        """Return the request for another object of the container."""
        request = self._request
        path = quote(f"/v1/{request.account}/{request.container}/{name}")
        return Request(
            method=request.method,
            target=path,
            headers=request.headers,
            secure=request.secure,
            source=request.source,
        )

    def _with_slash(self) -> Reply:
        request = self._request
        host = request.headers.get("host", "")
        # The host that the client asked: any other form of it is not sent back.
        base = f"{'https' if request.secure else 'http'}://{host}" if _HOST.fullmatch(host) else ""
        path = quote(request.path + "/")
        return Reply(301, {"Location": base + path, "Content-Type": HTML})
