"""Who a TempURL stands for: a link, which reaches what its key signed and nothing else.

Its keys are the account's and the container's, sealed in the log. All that a client adds to such a
URL beside its own parameters is left out, so that nothing unsigned changes what it means.
"""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import quote

from swiftlite.auth import Link, Principal
from swiftlite.errors import NoSuchBucket
from swiftlite.http.replies import Reply
from swiftlite.http.times import http_from_s
from swiftlite.swift import tempurl
from swiftlite.swift.call import World
from swiftlite.swift.errors import Declined, Denied
from swiftlite.swift.metadata import link_keys
from swiftlite.swift.request import Request
from swiftlite.swift.signatures import LinkKey
from swiftlite.swift.tempurl import Grant, TempUrl

_INVALID = "401 Unauthorized: Temp URL invalid\n"
_VERSIONS = ("/v1/",)


class Linked(NamedTuple):
    """A request that a TempURL let in."""

    principal: Principal
    url: TempUrl
    grant: Grant

    @property
    def prefix(self) -> str | None:
        """The prefix that was signed, None if it was one name."""
        return self.url.prefix

    def query(self) -> str:
        """Return the parameters that let a link to something else under the prefix in as well."""
        given = {
            "temp_url_prefix": self.url.prefix,
            "temp_url_expires": self.url.expires,
            "temp_url_sig": self.url.signature,
            "temp_url_ip_range": self.url.ip_range,
        }
        text = "&".join(
            f"{name}={quote(value)}" for name, value in given.items() if value is not None
        )
        return f"{text}&inline" if self.url.inline else text


async def linked(world: World, request: Request) -> Linked | None:
    """Return whom a TempURL lets in; None where the request has none. The request is cleaned.

    Raises:  Denied for one that does not allow this; Declined: 400 for headers it may not have.
    """
    url = tempurl.parse(request.raw_query)
    if url is None or request.method == "OPTIONS":
        return None
    grant = None
    if request.project_id and request.raw_path.startswith(_VERSIONS):
        grant = tempurl.verify(
            url,
            method=request.method,
            account=request.account,
            container=request.container,
            name=request.name,
            keys=await keys_of(world, request),
            now_s=world.clock.now_us() // 1_000_000,
            source=request.source,
        )
    if grant is None:
        raise invalid()
    header = tempurl.forbidden_header(request.method, request.headers)
    if header is not None:
        raise Declined(400, f"The header {header.title()!r} is not allowed in this tempurl")
    for name in (*tempurl.IGNORED_HEADERS, "x-auth-token", "x-storage-token"):
        request.headers.pop(name, None)
    request.query = {}
    link = Link(
        methods=grant.methods,
        account=request.project_id,
        container=request.container,
        key=request.name,
        prefix=url.prefix,
        within=grant.container,
    )
    return Linked(Principal(kind="link", link=link), url, grant)


def invalid() -> Denied:
    """Return the refusal of a URL that does not allow what is asked, whatever the reason."""
    reason = "the link is not one for this, or its time is over"
    return Denied(reason=reason, rule="link", is_known=False, words=_INVALID)


async def keys_of(world: World, request: Request) -> list[LinkKey]:
    """Return the keys whose links reach into the request's container."""
    account = await world.gateway.account(request.project_id)
    keys = [LinkKey(key.encode(), "") for key in link_keys(account, sealer=world.sealer)]
    try:
        bucket = await world.gateway.container(request.project_id, request.container)
    except NoSuchBucket:
        return keys
    own = link_keys(bucket, sealer=world.sealer)
    return keys + [LinkKey(key.encode(), bucket.name) for key in own]


def answered(reply: Reply, found: Linked, request: Request, *, is_page: bool) -> Reply:
    """Return a reply as whoever has only the link may see it.

    `is_page`: it was made for a browser to show, and is no object.
    """
    headers = tempurl.cleaned(reply.headers)
    if request.method in ("GET", "HEAD") and reply.status < 300:
        if not request.name and not is_page:
            raise invalid()
        stored = next(
            (value for name, value in headers.items() if name.lower() == "content-disposition"),
            None,
        )
        headers = {
            name: value for name, value in headers.items() if name.lower() != "content-disposition"
        }
        headers["Content-Disposition"] = tempurl.disposition(
            found.url, stored, request.path, is_page=is_page
        )
        headers["Expires"] = http_from_s(found.grant.expires_s)
    reply.headers = headers
    return reply
