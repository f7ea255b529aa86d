"""The edge of identity: authenticate, route, read the body, let the handler answer.

/identity            versions
/identity/v3         version 3
/identity/v3/...     its resources, by the table in routes.py
"""

from __future__ import annotations

import logging
from contextlib import suppress
from uuid import UUID

from aiohttp.http import RawRequestMessage

from computelite.identity.errors import ChangedMeanwhile
from computelite.keystone.bounds import check_bounds
from computelite.keystone.call import Call, json_reply
from computelite.keystone.errors import (
    BodyTooLarge,
    NoSuchMethod,
    NotAuthenticated,
    error_document,
    internal_document,
    message_of,
    status_of,
)
from computelite.keystone.recorded import Attempt
from computelite.keystone.request import (
    BODY_SIZE_MAX,
    Request,
    base_url_of,
    parse_body,
    parse_headers,
)
from computelite.keystone.routes import ROUTES
from computelite.keystone.routing import Routes
from computelite.keystone.service import IdentityService
from eventlog.errors import CloudError, Unavailable
from eventlog.records.record import Records, Unrecorded
from swiftlite.http.incoming import Incoming
from swiftlite.http.replies import Reply

log = logging.getLogger(__name__)

TOKEN_SIZE_MAX = 1024
_TRIES = 8  # of a change that others at the same time may have been before


class KeystoneApp:
    """Answers the requests under /identity."""

    def __init__(
        self,
        service: IdentityService,
        *,
        api_url: str,
        routes: Routes = ROUTES,
        records: Records | None = None,
    ) -> None:
        """`api_url`: the API port's root, for clients that do not say which host they mean."""
        self._records = records or Unrecorded()
        self._service = service
        self._api_url = api_url
        self._routes = routes

    async def answer(
        self, message: RawRequestMessage, incoming: Incoming, *, secure: bool, source: str
    ) -> Reply:
        """Return the reply. Raises nothing but CancelledError."""
        request_id = f"req-{UUID(bytes=self._service.ids.uuid7())}"
        headers = parse_headers(message.raw_headers)
        base_url = base_url_of(headers, secure=secure, default=self._api_url)
        attempt = Attempt(request_id)
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
            reply = _told(error, base_url, request_id)
            self._note(attempt, reply, error)
        except Exception:
            # The last line of defence: a bug, of which the client learns nothing but its number.
            log.exception("request %s failed: %s", request_id, message.method)
            reply = json_reply(internal_document(), 500)
        reply.headers = {
            **reply.headers,
            "X-Openstack-Request-Id": request_id,
            "Vary": "X-Auth-Token",
        }
        return reply

    def _note(self, attempt: Attempt, reply: Reply, error: CloudError | None) -> None:
        """Record a login, a refusal or a read."""
        now_us = self._service.clock.now_us()
        record = attempt.record(reply.status, error, now_us=now_us)
        if record is not None:
            self._records.add(record)

    async def _handle(self, attempt: Attempt, request: Request, incoming: Incoming) -> Reply:
        token = request.headers.get("x-auth-token", "")
        caller = None
        if 0 < len(token) <= TOKEN_SIZE_MAX:
            caller = attempt.caller = await self._service.tokens.caller(token)
        try:
            route, params = self._routes.find(request.method, request.segments[1:] or ("",))
        except CloudError:
            if caller is None:
                raise NotAuthenticated() from None  # a stranger does not learn what there is
            raise
        if not route.is_open:
            if caller is None:
                raise NotAuthenticated()
            check_bounds(caller, request.method, request.segments[1:])
        content = await _read(incoming)
        call = attempt.call = Call(
            self._service,
            request,
            request_id=attempt.request_id,
            operation=route.operation,
            params=params,
            body=parse_body(content, request.headers.get("content-type", "")),
            caller=caller,
        )
        for _ in range(_TRIES):
            with suppress(ChangedMeanwhile):
                return await route.handler(call)
        return await route.handler(call)


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


def _told(error: CloudError, base_url: str, request_id: str) -> Reply:
    status = status_of(error)
    if status == 500:
        log.error("request %s: %s", request_id, error)
    elif isinstance(error, Unavailable):
        log.warning("request %s: %s", request_id, error)
    headers = {}
    if status == 401:
        headers["WWW-Authenticate"] = f'Keystone uri="{base_url}/identity"'
    elif isinstance(error, NoSuchMethod):
        headers["Allow"] = str(error.allowed)
    elif isinstance(error, Unavailable):
        headers["Retry-After"] = str(error.retry_after_s)
    return json_reply(error_document(status, message_of(error)), status, headers)
