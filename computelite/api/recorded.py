"""Access records of the services on the API port: refusals and reads.

Pure: no clock, no IO.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from computelite.api.call import Call
from computelite.api.errors import Forbidden, NotAuthenticated
from computelite.api.request import Request
from computelite.identity.caller import Caller
from eventlog.errors import CloudError
from eventlog.records.record import Kind, Record

_PATH_MAX = 256
_PART_MAX = 64  # ids are no longer, tokens are
_AGENT_MAX = 256


class Decided(NamedTuple):
    """What a record says of the decision: its kind, the rule, who asked, about whom it was."""

    kind: Kind
    rule: str
    caller: Caller | None
    target: str = ""


class Attempt:
    """What is known of a request by the time that it is answered: more, the further it came."""

    def __init__(self, service: str, request_id: str) -> None:
        self.service = service
        self.request_id = request_id
        self.request: Request | None = None
        self.caller: Caller | None = None
        self.call: Call | None = None

    def decided(self, request: Request, error: CloudError | None) -> Decided | None:
        """Return what was decided, or None for what is an event, or no matter of access."""
        rule = f"{self.service}:{self.call.operation}" if self.call is not None else ""
        match error:
            case NotAuthenticated():
                has_token = bool(request.headers.get("x-auth-token"))
                return Decided(Kind.REFUSED, "token" if has_token else "no-token", self.caller)
            case Forbidden():
                return Decided(Kind.REFUSED, rule, self.caller)
            case None if self.caller is not None and request.method in ("GET", "HEAD"):
                return Decided(Kind.READ, rule, self.caller)
        return None

    def record(
        self, status: int, error: CloudError | None, reason: str, *, now_us: int
    ) -> Record | None:
        """Return the record, or None if there is none to be made."""
        if self.request is None or (found := self.decided(self.request, error)) is None:
            return None
        return Record(
            at_us=now_us,
            kind=found.kind,
            protocol=self.service,
            action=_action(self.request, self.call),
            status=status,
            rule=found.rule,
            reason=reason,
            request_id=self.request_id,
            source=self.request.source,
            agent=self.request.headers.get("user-agent", "")[:_AGENT_MAX],
            target=found.target or _named(self.call),
            **who(found.caller),
        )


def who(caller: Caller | None) -> dict[str, Any]:
    """Return a record's fields of who asks; nobody is without any."""
    if caller is None:
        return {}
    return {
        "user": caller.user_id,
        "project": caller.project_id or "",
        "credential": caller.audit_ids[0] if caller.audit_ids else "",
    }


def _action(request: Request, call: Call | None) -> str:
    """Return the policy's name for it; the path where there is none, but never the query.

    Nor a token, which clients from before version 3 put into the path.
    """
    if call is not None and call.operation:
        return call.operation
    path = "/".join(
        part if len(part) <= _PART_MAX else "..."
        for part in request.target.partition("?")[0].split("/")
    )
    return f"{request.method} {path[:_PATH_MAX]}"


def _named(call: Call | None) -> str:
    return "" if call is None else " ".join(f"{k}={v}" for k, v in call.params.items())
