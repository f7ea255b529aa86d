"""The edge of identity.

/identity            versions
/identity/v3         version 3
/identity/v3/...     its resources, by the table in routes.py
"""

from __future__ import annotations

from contextlib import suppress

from computelite.api.call import Asked, json_reply
from computelite.api.edge import Edge
from computelite.api.errors import Forbidden
from computelite.api.request import Request
from computelite.api.routing import Route, Routes
from computelite.identity.caller import Caller
from computelite.identity.errors import ChangedMeanwhile
from computelite.keystone.call import Call
from computelite.keystone.errors import STATUSES, error_document
from computelite.keystone.recorded import Attempt
from computelite.keystone.routes import ROUTES
from computelite.keystone.service import IdentityService
from eventlog.records.record import Records
from swiftlite.http.replies import Reply

_TRIES = 8  # of a change that others at the same time may have been before


class KeystoneApp(Edge[Call]):
    """Answers the requests under /identity."""

    service = "identity"
    statuses = STATUSES

    def __init__(
        self,
        service: IdentityService,
        *,
        api_url: str,
        routes: Routes[Call] = ROUTES,
        records: Records | None = None,
    ) -> None:
        super().__init__(
            routes,
            callers=service.tokens,
            clock=service.clock,
            ids=service.ids,
            api_url=api_url,
            records=records,
        )
        self._service = service

    def call(self, asked: Asked) -> Call:
        return Call(self._service, asked)

    def refusal(self, status: int, message: str) -> Reply:
        return json_reply(error_document(status, message), status)

    def attempt(self, request_id: str) -> Attempt:
        return Attempt(self.service, request_id)

    async def run(self, route: Route[Call], call: Call) -> Reply:
        for _ in range(_TRIES):
            with suppress(ChangedMeanwhile):
                return await route.handler(call)
        return await route.handler(call)

    def admit(self, caller: Caller, request: Request) -> None:
        if "ec2credential" in caller.methods:
            raise Forbidden(reason="A token made from an access key is not for Keystone itself.")
        super().admit(caller, request)
