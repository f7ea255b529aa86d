"""The life of a request to a service: authenticate, route, read the body, have it answered."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Generic, Protocol, TypeVar
from uuid import UUID

from aiohttp.http import RawRequestMessage

from computelite.api.bounds import check_access_rules
from computelite.api.call import Asked, Call
from computelite.api.errors import (
    INTERNAL,
    BodyTooLarge,
    NoSuchMethod,
    NotAuthenticated,
    Statuses,
)
from computelite.api.recorded import Attempt
from computelite.api.request import (
    BODY_SIZE_MAX,
    Request,
    base_url_of,
    parse_body,
    parse_headers,
)
from computelite.api.routing import Reads, Route, Routes
from computelite.identity.caller import Caller
from eventlog.clock import Clock, Ids
from eventlog.errors import CloudError, Unavailable
from eventlog.records.record import Records, Unrecorded
from swiftlite.http.incoming import Incoming
from swiftlite.http.replies import Reply

log = logging.getLogger(__name__)

TOKEN_SIZE_MAX = 1024

C = TypeVar("C", bound=Call)


class CallerSource(Protocol):
    """Turns a token into the facts that hold now."""

    async def caller(self, token: str) -> Caller | None:
        """Return who asks; None for a token that is forged, expired, revoked or void by now."""


class Edge(ABC, Generic[C]):
    """Answers the requests under one first part of the API port's paths."""

    service: ClassVar[str]
    """Its type in the catalog: "identity"; what access rules and records call it."""

    statuses: ClassVar[Statuses]
    """Which status tells which error."""

    def __init__(
        self,
        routes: Routes[C],
        *,
        callers: CallerSource,
        clock: Clock,
        ids: Ids,
        api_url: str,
        records: Records | None = None,
    ) -> None:
        """`api_url`: the API port's root, for clients that do not say which host they mean."""
        self._routes = routes
        self._callers = callers
        self._clock = clock
        self._ids = ids
        self._api_url = api_url
        self._records = records or Unrecorded()

    @abstractmethod
    def call(self, asked: Asked) -> C:
        """Return the call that a handler of this service gets."""

    @abstractmethod
    def refusal(self, status: int, message: str) -> Reply:
        """Return an error in the service's own form."""

    def attempt(self, request_id: str) -> Attempt:
        """Return what will know how the request went, for its record."""
        return Attempt(self.service, request_id)

    def admit(self, caller: Caller, request: Request) -> None:
        """Return if the token may be used for this request, whatever its roles are.

        Raises:  Forbidden, NotAuthenticated.
        """
        check_access_rules(caller, self.service, request.method, request.segments)

    def path(self, request: Request) -> Sequence[str]:
        """Return the path that routes are found by, without the service's own part."""
        return request.segments[1:] or ("",)

    async def run(self, route: Route[C], call: C) -> Reply:
        """Let the handler answer."""
        return await route.handler(call)

    def finish(self, reply: Reply, request: Request | None) -> None:
        """Add to the headers of any reply; `request` is None where its head was none."""
        reply.headers = {**reply.headers, "Vary": "X-Auth-Token"}

    async def answer(
        self, message: RawRequestMessage, incoming: Incoming, *, secure: bool, source: str
    ) -> Reply:
        """Return the reply. Raises nothing but CancelledError."""
        request_id = f"req-{UUID(bytes=self._ids.uuid7())}"
        headers = parse_headers(message.raw_headers)
        base_url = base_url_of(headers, secure=secure, default=self._api_url)
        attempt = self.attempt(request_id)
        try:
            attempt.request = Request(
                method=message.method,
                target=message.path,
                headers=headers,
                base_url=base_url,
                source=source,
            )
            reply = await self._handle(attempt, attempt.request, incoming)
            self._note(attempt, reply, None)
        except CloudError as error:
            reply = self._told(error, base_url, request_id)
            self._note(attempt, reply, error)
        except Exception:
            # The last line of defence: a bug, of which the client learns nothing but its number.
            log.exception("request %s failed: %s", request_id, message.method)
            reply = self.refusal(500, INTERNAL)
        reply.headers = {**reply.headers, "X-Openstack-Request-Id": request_id}
        self.finish(reply, attempt.request)
        return reply

    def _note(self, attempt: Attempt, reply: Reply, error: CloudError | None) -> None:
        """Record a login, a refusal or a read."""
        reason = "" if error is None else self.statuses.message(error)
        record = attempt.record(reply.status, error, reason, now_us=self._clock.now_us())
        if record is not None:
            self._records.add(record)

    async def _handle(self, attempt: Attempt, request: Request, incoming: Incoming) -> Reply:
        token = request.headers.get("x-auth-token", "")
        caller = None
        if 0 < len(token) <= TOKEN_SIZE_MAX:
            caller = attempt.caller = await self._callers.caller(token)
        try:
            route, params = self._routes.find(request.method, self.path(request))
        except CloudError:
            if caller is None:
                raise NotAuthenticated() from None  # a stranger does not learn what there is
            raise
        if not route.is_open:
            if caller is None:
                raise NotAuthenticated()
            self.admit(caller, request)
        content, body = b"", {}
        if route.reads is not Reads.STREAM:
            content = await _read(incoming)
        if route.reads is Reads.OBJECT:
            body = parse_body(content, request.headers.get("content-type", ""))
        asked = Asked(
            request=request,
            request_id=attempt.request_id,
            operation=route.operation,
            params=params,
            body=body,
            content=content,
            incoming=incoming,
            caller=caller,
        )
        call = attempt.call = self.call(asked)
        return await self.run(route, call)

    def _told(self, error: CloudError, base_url: str, request_id: str) -> Reply:
        status = self.statuses.of(error)
        if status == 500:
            log.error("request %s: %s", request_id, error)
        elif isinstance(error, Unavailable):
            log.warning("request %s: %s", request_id, error)
        reply = self.refusal(status, self.statuses.message(error))
        headers = {}
        if status == 401:
            headers["WWW-Authenticate"] = f'Keystone uri="{base_url}/identity"'
        elif isinstance(error, NoSuchMethod):
            headers["Allow"] = str(error.allowed)
        elif isinstance(error, Unavailable):
            headers["Retry-After"] = str(error.retry_after_s)
        reply.headers = {**reply.headers, **headers}
        return reply


async def _read(incoming: Incoming) -> bytes:
    """Return the whole body. Raises BodyTooLarge before more than that is held."""
    if incoming.length is not None and incoming.length > BODY_SIZE_MAX:
        raise BodyTooLarge(limit=BODY_SIZE_MAX)
    body = bytearray()
    while piece := await incoming.read():
        body += piece
        if len(body) > BODY_SIZE_MAX:
            raise BodyTooLarge(limit=BODY_SIZE_MAX)
    return bytes(body)
