"""TempAuth-style login at /auth/v1.0, for clients from before Keystone: headers in, headers out.

    GET /auth/v1.0     X-Auth-User: project:user (or X-Storage-User), X-Auth-Key (or X-Storage-Pass)
    200                X-Auth-Token, X-Storage-Token, X-Storage-Url, X-Auth-Token-Expires

Users and projects are those of the domain `default`; the token is one of Keystone's. Switched by
`identity.tempauth`.
"""

from __future__ import annotations

import logging
from typing import Any

from aiohttp.http import RawRequestMessage

from computelite.api.call import ANONYMOUS
from computelite.api.recorded import who
from computelite.api.request import base_url_of, parse_headers
from computelite.identity.events.actors import DEFAULT_DOMAIN
from computelite.identity.login.errors import LoginRefused
from computelite.identity.login.login import Issued, Login
from computelite.identity.login.shown import ByPassword, DomainRef, ProjectScope, UserRef
from computelite.identity.passwords import PASSWORD_SIZE_MAX
from computelite.keystone.recorded import claimed_by
from computelite.secret import Secret
from eventlog.clock import Clock, Ids
from eventlog.errors import CloudError, Unavailable
from eventlog.log import Actor
from eventlog.records.record import Kind, Record, Records, Unrecorded
from swiftlite.http.incoming import Incoming
from swiftlite.http.replies import Reply

log = logging.getLogger(__name__)

_PATHS = frozenset({"/auth", "/auth/v1", "/auth/v1.0"})
_DEFAULT = DomainRef(id=DEFAULT_DOMAIN)


class TempAuth:
    """Answers the requests under /auth."""

    def __init__(
        self,
        login: Login,
        *,
        api_url: str,
        clock: Clock,
        ids: Ids,
        records: Records | None = None,
    ) -> None:
        """`api_url`: the API port's root, for clients that do not say which host they mean."""
        self._records = records or Unrecorded()
        self._login = login
        self._api_url = api_url
        self._clock = clock
        self._ids = ids

    async def answer(
        self, message: RawRequestMessage, incoming: Incoming, *, secure: bool, source: str
    ) -> Reply:
        """Return the reply. Raises nothing but CancelledError."""
        now_s = self._clock.now_us() // 1_000_000
        trans_id = f"tx{self._ids.random(11).hex()[:21]}-{now_s:010x}"
        headers = parse_headers(message.raw_headers)
        try:
            reply = await self._handle(message, headers, secure, source, trans_id)
        except LoginRefused:
            realm = {"WWW-Authenticate": 'Swift realm="unknown"'}
            reply = _text(401, "This server could not verify that you may have access.", realm)
        except Unavailable as error:
            log.warning("request %s: %s", trans_id, error)
            reply = _text(503, "Try again later.", {"Retry-After": str(error.retry_after_s)})
        except CloudError as error:
            log.error("request %s: %s", trans_id, error)
            reply = _text(500, "An internal error.")
        except Exception:
            # The last line of defence: a bug, of which the client learns nothing but its number.
            log.exception("request %s failed: %s", trans_id, message.method)
            reply = _text(500, "An internal error.")
        own = {"X-Trans-Id": trans_id, "X-Openstack-Request-Id": trans_id}
        reply.headers = {**reply.headers, **own}
        return reply

    async def _handle(
        self,
        message: RawRequestMessage,
        headers: dict[str, str],
        secure: bool,
        source: str,
        trans_id: str,
    ) -> Reply:
        if message.path.partition("?")[0].rstrip("/") not in _PATHS:
            return _text(404, "There is nothing here.")
        if message.method not in ("GET", "HEAD"):
            return _text(405, f"{message.method} is not for this path.", {"Allow": "GET, HEAD"})
        actor = Actor(
            id=ANONYMOUS,
            request_id=trans_id,
            source=source,
            agent=headers.get("user-agent", "")[:256],
        )
        try:
            issued = await self._issued(headers, actor)
        except LoginRefused as error:
            self._note(Kind.LOGIN_REFUSED, 401, actor, reason=str(error), target=claimed_by(error))
            raise
        self._note(Kind.LOGIN, 200, actor, **who(issued.known.caller))
        project = issued.known.caller.project
        assert project is not None
        base_url = base_url_of(headers, secure=secure, default=self._api_url)
        text = issued.text.reveal()
        left_s = issued.known.token.expires_s - self._clock.now_us() // 1_000_000
        found = {
            "X-Auth-Token": text,
            "X-Storage-Token": text,
            "X-Auth-Token-Expires": str(max(0, left_s)),
            "X-Storage-Url": f"{base_url}/v1/AUTH_{project.id}",
            "Cache-Control": "no-store",
        }
        return _text(200, "", found)

    def _note(self, kind: Kind, status: int, actor: Actor, **facts: Any) -> None:
        record = Record(
            at_us=self._clock.now_us(),
            kind=kind,
            protocol="tempauth",
            action="login",
            status=status,
            rule="login" if kind is Kind.LOGIN_REFUSED else "password",
            request_id=actor.request_id,
            source=actor.source,
            agent=actor.agent,
            **facts,
        )
        self._records.add(record)

    async def _issued(self, headers: dict[str, str], actor: Actor) -> Issued:
        """Return a token for whom the headers name. Raises LoginRefused."""
        who = headers.get("x-auth-user") or headers.get("x-storage-user", "")
        key = headers.get("x-auth-key") or headers.get("x-storage-pass", "")
        project, colon, user = who.partition(":")
        if not (colon and project and user and key) or len(key) > PASSWORD_SIZE_MAX:
            raise LoginRefused()
        shown = ByPassword(UserRef(name=user, domain=_DEFAULT), Secret(key))
        scope = ProjectScope(name=project, domain=_DEFAULT)
        return await self._login.token([shown], scope, actor)


def _text(status: int, text: str, headers: dict[str, str] | None = None) -> Reply:
    kind = {"Content-Type": "text/plain; charset=UTF-8", **(headers or {})}
    return Reply(status, kind, text.encode())
