"""A call: one request on its way to the handler that answers it, and how handlers answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, TypeVar
from urllib.parse import quote

import msgspec

from computelite.api.errors import NotAuthenticated
from computelite.api.request import Query, Request, checked
from computelite.identity.caller import Caller
from eventlog.log import Actor
from swiftlite.http.incoming import Incoming
from swiftlite.http.replies import Reply

ANONYMOUS = "anonymous"
_AGENT_SIZE_MAX = 256

S = TypeVar("S", bound=msgspec.Struct)


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What every call begins with.

    params      the path's parameters: {"user_id": "..."} for /v3/users/{user_id}, never empty
    operation   the name that the route gives the policy's row
    body        the decoded JSON object where the route reads one, {} where none was sent
    content     the body's bytes, where the route reads those
    incoming    the body itself; what the route did not read of it is still there
    """

    request: Request
    request_id: str
    operation: str
    params: Mapping[str, str]
    body: dict[str, Any]
    content: bytes
    incoming: Incoming
    caller: Caller | None


class Call:
    """What a handler works with; each service adds what its handlers work on.

    params, operation, body, content, incoming
                as in `Asked`; `read` gives the body's members typed
    query       `"name" in query`, `.get(name)`, `.all(name)`, `.flag(name)`, `.truth(name)`
    headers     lower-case names; none of them carries trust
    caller      the token's facts as of now; raises NotAuthenticated on an open route without one
    base_url    http://host:port of the API port, as the client reaches it
    actor       for `log.append(..., actor=call.actor)`
    """

    PREFIX: ClassVar[str]
    """What the paths of the service's resources begin with: /identity/v3."""

    def __init__(self, asked: Asked) -> None:
        self.request = asked.request
        self.request_id = asked.request_id
        self.operation = asked.operation
        self.params = asked.params
        self.body = asked.body
        self.content = asked.content
        self.incoming = asked.incoming
        self._caller = asked.caller

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
    def actor(self) -> Actor:
        """On whose behalf events are appended."""
        agent = self.headers.get("user-agent", "")[:_AGENT_SIZE_MAX]
        return Actor(
            id=ANONYMOUS if self._caller is None else self._caller.user_id,
            request_id=self.request_id,
            source=self.request.source,
            agent=agent,
        )

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
        return "/".join([self.base_url + self.PREFIX, *(quote(part, safe="") for part in parts)])

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
