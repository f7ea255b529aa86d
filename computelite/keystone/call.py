"""A call: one request on its way to the handler that answers it, and how handlers answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import quote

import msgspec

from computelite.identity.caller import Caller
from computelite.keystone.errors import NotAuthenticated
from computelite.keystone.request import Query, Request, checked
from computelite.keystone.service import IdentityService
from computelite.keystore import KeyStore
from computelite.secret import Secret
from eventlog.clock import Clock, Ids
from eventlog.log import Actor, Log
from swiftlite.http.replies import Reply

PREFIX = "/identity/v3"
ANONYMOUS = "anonymous"
_AGENT_SIZE_MAX = 256

S = TypeVar("S", bound=msgspec.Struct)


class Call:
    """What a handler works with.

    params      the path's parameters: {"user_id": "..."} for /v3/users/{user_id}, never empty
    query       `"name" in query`, `.get(name)`, `.all(name)`, `.flag(name)`, `.truth(name)`
    body        the decoded JSON object, {} where none was sent; `read` gives it typed
    headers     lower-case names; none of them carries trust
    operation   the name that the route gives the policy's row
    caller      the token's facts as of now; raises NotAuthenticated on an open route without one
    log, ids, clock, keystore
                the ports: rows and appends, new ids, the time, seal and unseal
    verifier    `await call.verifier(secret)`: what is kept of a new password
    issued      whom a token was made for by this call, for its record
    service     the whole of identity: also `tokens`, `passwords`, `login`
    base_url    http://host:port of the API port, as the client reaches it; for the catalog
    actor       for `log.append(..., actor=call.actor)`
    """

    __slots__ = (
        "_caller",
        "body",
        "issued",
        "operation",
        "params",
        "request",
        "request_id",
        "service",
    )

    def __init__(
        self,
        service: IdentityService,
        request: Request,
        *,
        request_id: str,
        operation: str,
        params: Mapping[str, str],
        body: dict[str, Any],
        caller: Caller | None,
    ) -> None:
        self.service = service
        self.request = request
        self.request_id = request_id
        self.operation = operation
        self.params = params
        self.body = body
        self._caller = caller
        self.issued: Caller | None = None

    @property
    def caller(self) -> Caller:
        """Who asks. Raises NotAuthenticated where nobody has to be, and nobody is."""
        if self._caller is None:
            raise NotAuthenticated()
        return self._caller

    @property
    def query(self) -> Query:
        """The query's parameters."""
        return self.request.query

    @property
    def headers(self) -> Mapping[str, str]:
        """The request's headers, names in lower case."""
        return self.request.headers

    @property
    def base_url(self) -> str:
        """The API port's root as the client reaches it, without a slash at its end."""
        return self.request.base_url

    @property
    def log(self) -> Log:
        """The event log and its tables."""
        return self.service.log

    @property
    def ids(self) -> Ids:
        """Where new ids come from."""
        return self.service.ids

    @property
    def clock(self) -> Clock:
        """What time it is."""
        return self.service.clock

    @property
    def keystore(self) -> KeyStore:
        """What seals secrets."""
        return self.service.keystore

    @property
    def actor(self) -> Actor:
        """On whose behalf events are appended."""
        agent = self.headers.get("user-agent", "")[:_AGENT_SIZE_MAX]
        return Actor(
            id=ANONYMOUS if self._caller is None else self._caller.user_id,
            request_id=self.request_id,
            source=self.request.source,
            agent=agent,
        )

    async def verifier(self, secret: Secret) -> bytes:
        """Return what is kept of a new password or secret, made without holding others up.

        Raises:  TooManyPasswords.
        """
        return await self.service.passwords.verifier(secret)

    def read(self, name: str, shape: type[S]) -> S:
        """Return the body's member `name` as a struct: {"user": {...}} by read("user", NewUser).

        Fields that the struct does not name are ignored; `extras` returns them. A field that may be
        left out has a default, one where leaving out and null differ is `| UnsetType = UNSET`.
        Raises:  BadRequest that names the field.
        """
        return checked(self.body.get(name, {}), shape, at=name)

    def extras(self, name: str, shape: type[msgspec.Struct]) -> dict[str, Any]:
        """Return what the body's member has beside the struct's fields, as it was sent."""
        member = self.body.get(name)
        if not isinstance(member, dict):
            return {}
        known = {field.encode_name for field in msgspec.structs.fields(shape)}
        return {key: value for key, value in member.items() if key not in known}

    def url(self, *parts: str) -> str:
        """Return the absolute URL of a path: url("users", user_id)."""
        return "/".join([self.base_url + PREFIX, *(quote(part, safe="") for part in parts)])

    def member(self, name: str, fields: Mapping[str, Any], *path: str, status: int = 200) -> Reply:
        """Return one resource, linked to itself: {"user": {..., "links": {"self": ...}}}."""
        return json_reply({name: {**fields, "links": {"self": self.url(*path)}}}, status)

    def collection(self, name: str, members: Sequence[Mapping[str, Any]], **more: Any) -> Reply:
        """Return resources that have their own links: {"users": [...], "links": {...}}."""
        links = {"self": self.base_url + self.request.target, "previous": None, "next": None}
        return json_reply({name: members, "links": links, **more})


def json_reply(
    document: object, status: int = 200, headers: Mapping[str, str] | None = None
) -> Reply:
    """Return a document as JSON."""
    kind = {"Content-Type": "application/json", **(headers or {})}
    return Reply(status, kind, msgspec.json.encode(document))


def no_content() -> Reply:
    """Return 204."""
    return Reply(204)
