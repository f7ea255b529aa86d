"""The edge: one path for every request. Authenticate, understand, decide, handle, render."""

from __future__ import annotations

import logging

from aiohttp.http import RawRequestMessage

from eventlog.clock import Clock, Ids
from eventlog.errors import CloudError
from eventlog.records.record import Kind, Records, Unrecorded
from swiftlite.auth import ANONYMOUS, Principal, Sealer, TokenAuthenticator
from swiftlite.catalog.rows import Bucket
from swiftlite.errors import NoSuchBucket
from swiftlite.gateway.gateway import Gateway
from swiftlite.http.incoming import Incoming
from swiftlite.http.replies import Reply
from swiftlite.swift import cors
from swiftlite.swift.authenticate import authenticate
from swiftlite.swift.call import Call, World, reached
from swiftlite.swift.errors import HTML, Declined, Denied, refused, told
from swiftlite.swift.form_upload import is_form, post_form
from swiftlite.swift.info import info
from swiftlite.swift.limits import Settings
from swiftlite.swift.link_access import Linked, answered, linked
from swiftlite.swift.operations import Operation, methods_of, operation_of
from swiftlite.swift.recorded import reading, refusal
from swiftlite.swift.request import Request, parse_headers
from swiftlite.swift.web import Web
from swiftlite.swift.web import is_for as is_for_site

log = logging.getLogger(__name__)


class SwiftApp:
    """Answers Swift requests about one store: a service for the paths under /v1 and /info."""

    def __init__(
        self,
        gateway: Gateway,
        tokens: TokenAuthenticator,
        *,
        sealer: Sealer,
        clock: Clock,
        ids: Ids,
        settings: Settings | None = None,
        records: Records | None = None,
    ) -> None:
        self._world = World(
            gateway, sealer, clock, ids, settings or Settings(), records or Unrecorded()
        )
        self._tokens = tokens
        self._count = int.from_bytes(ids.random(10), "big")

    async def answer(
        self, message: RawRequestMessage, incoming: Incoming, *, secure: bool, source: str
    ) -> Reply:
        """Return the reply. Raises nothing but CancelledError."""
        trans_id = self._new_trans_id()
        one = _One(self, trans_id)
        try:
            reply = await one.handle(message, incoming, secure, source)
        except CloudError as error:
            reply = told(error, trans_id=trans_id, realm=one.realm)
            one.record(reply.status, error)
        except Exception:
            # The last line of defence: a bug, of which the client learns nothing but its number.
            log.exception("request %s failed: %s", trans_id, message.method)
            reply = refused(500)
        else:
            one.record(reply.status, None)
        headers = {
            "Content-Type": HTML,
            **one.exposed(reply),
            "X-Trans-Id": trans_id,
            "X-Openstack-Request-Id": trans_id,
        }
        if reply.status == 204:
            # Against HTTP, but Swift says it, and its clients look.
            headers["Content-Length"] = "0"
        reply.headers = headers
        return reply

    def _new_trans_id(self) -> str:
        """Return a name that no other request of any process has, in all likelihood."""
        self._count = (self._count + 1) & ((1 << 84) - 1)
        return f"tx{self._count:021x}-{self._world.clock.now_us() // 1_000_000:010x}"


class _One:
    """One request on its way, with what is known of it so far."""

    def __init__(self, app: SwiftApp, trans_id: str) -> None:
        self._app = app
        self._trans_id = trans_id
        self._request: Request | None = None
        self._principal: Principal = ANONYMOUS
        self._operation: Operation | None = None
        self._bucket: Bucket | None = None
        self._rule = ""

    @property
    def realm(self) -> str:
        """The account that the request is about."""
        return self._request.account if self._request else ""

    async def handle(
        self, message: RawRequestMessage, incoming: Incoming, secure: bool, source: str
    ) -> Reply:
        world = self._app._world
        request = self._request = Request(
            method=message.method,
            target=message.path,
            headers=parse_headers(message.raw_headers),
            secure=secure,
            source=source,
        )
        if request.headers.get("transfer-encoding", "chunked").lower() != "chunked":
            raise Declined(501, "Only the transfer encoding chunked is understood")
        if request.path == "/info":
            return info(request, world.settings)
        if not request.account:
            raise Declined(412, "Bad URL") if request.path.startswith("/v1") else Declined(404)
        if request.method == "OPTIONS":
            self._bucket = await self._peeked(request)
            return cors.preflight(request, self._bucket, methods_of(request))
        if is_form(request):
            self._bucket = await self._peeked(request)
            return await post_form(world, request, incoming, self._trans_id)
        found = await linked(world, request)
        if found is None:
            self._principal = await authenticate(request, self._app._tokens)
        else:
            self._principal = found.principal
        reply, is_page = await self._served(request, incoming, found)
        return reply if found is None else answered(reply, found, request, is_page=is_page)

    async def _served(
        self, request: Request, incoming: Incoming, found: Linked | None
    ) -> tuple[Reply, bool]:
        """Return the reply, a site's where it is one; whether it is a page that was made."""
        bucket = None
        if is_for_site(request, self._principal):
            bucket = await self._peeked(request)
        if bucket is None:
            return await self._plain(request, incoming), False

        async def plain(asked: Request) -> Reply:
            return await self._plain(asked, incoming)

        self._bucket = bucket
        site = Web(self._app._world, request, self._principal, bucket, plain, linked=found)
        return await site.answer(), site.is_page

    async def _plain(self, request: Request, incoming: Incoming) -> Reply:
        """Return the reply to a request as it is: its operation, decided and handled."""
        world, principal = self._app._world, self._principal
        operation = self._operation = operation_of(request)
        bucket, is_owner = None, False
        if operation.action is not None:
            bucket, decision = await reached(
                world.gateway,
                request,
                principal,
                operation.action,
                project_id=request.project_id,
                container=request.container,
                key=request.name,
            )
            self._bucket, self._rule, is_owner = bucket, decision.rule, decision.is_owner
        if not request.project_id:
            raise Declined(404)
        if request.container and bucket is None and not operation.makes:
            raise NoSuchBucket(bucket=request.container)
        call = Call(
            world,
            request,
            principal,
            incoming,
            bucket=bucket,
            is_owner=is_owner,
            trans_id=self._trans_id,
        )
        return await operation.handler(call)

    async def _peeked(self, request: Request) -> Bucket | None:
        """Return the container whose rules for origins count, whoever asks."""
        if not request.container or not request.project_id:
            return None
        try:
            return await self._app._world.gateway.container(request.project_id, request.container)
        except NoSuchBucket:
            return None

    def exposed(self, reply: Reply) -> dict[str, str]:
        """Return the reply's headers, with what a browser of another origin may see."""
        request = self._request
        if request is None or request.method == "OPTIONS" or "origin" not in request.headers:
            return dict(reply.headers)
        strict = self._app._world.settings.strict_cors
        return dict(cors.exposed(request, self._bucket, reply.headers, strict=strict))

    def record(self, status: int, error: CloudError | None) -> None:
        """Keep what changed nothing, where that is wanted: reads, and refusals with their rule."""
        request, records = self._request, self._app._world.records
        if request is None:
            return
        now_us = self._app._world.clock.now_us()
        if isinstance(error, Denied) and not error.is_recorded:
            who = self._principal
            records.add(refusal(error, request, who, trans_id=self._trans_id, now_us=now_us))
        elif (
            error is None
            and status < 400
            and self._operation is not None
            and request.method in ("GET", "HEAD")
            and records.wants(Kind.READ)
        ):
            record = reading(
                request,
                self._principal,
                action=self._operation.name,
                rule=self._rule,
                status=status,
                trans_id=self._trans_id,
                now_us=now_us,
            )
            records.add(record)
