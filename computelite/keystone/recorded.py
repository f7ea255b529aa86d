"""Access records of identity: logins, refusals, reads. Never what was shown to log in.

Pure: no clock, no IO.
"""

from __future__ import annotations

from typing import Any

from computelite.identity.caller import Caller
from computelite.identity.login.errors import LoginRefused, NotFromHere
from computelite.keystone.call import Call
from computelite.keystone.errors import Forbidden, NotAuthenticated, message_of
from computelite.keystone.request import Request
from eventlog.errors import CloudError
from eventlog.records.record import Kind, Record

_PATH_MAX = 256
_PART_MAX = 64  # ids are no longer, tokens are
_AGENT_MAX = 256


class Attempt:
    """What is known of a request by the time that it is answered: more, the further it came."""

    __slots__ = ("call", "caller", "request", "request_id")

    def __init__(self, request_id: str) -> None:
        self.request_id = request_id
        self.request: Request | None = None
        self.caller: Caller | None = None
        self.call: Call | None = None

    def record(self, status: int, error: CloudError | None, *, now_us: int) -> Record | None:
        """Return the record, or None for what is an event, or no matter of access."""
        request, call = self.request, self.call
        if request is None:
            return None
        rule = f"identity:{call.operation}" if call is not None else ""
        caller, target = self.caller, ""
        match error:
            case LoginRefused() | NotFromHere():
                kind, rule, target = Kind.LOGIN_REFUSED, "login", claimed_by(error)
            case NotAuthenticated():
                has_token = bool(request.headers.get("x-auth-token"))
                kind, rule = Kind.REFUSED, "token" if has_token else "no-token"
            case Forbidden():
                kind = Kind.REFUSED
            case None if call is not None and call.issued is not None:
                kind, caller = Kind.LOGIN, call.issued
                rule = ",".join(caller.methods)
            case None if caller is not None and request.method in ("GET", "HEAD"):
                kind = Kind.READ
            case _:
                return None
        return Record(
            at_us=now_us,
            kind=kind,
            protocol="identity",
            action=_action(request, call),
            status=status,
            rule=rule,
            reason="" if error is None else message_of(error),
            request_id=self.request_id,
            source=request.source,
            agent=request.headers.get("user-agent", "")[:_AGENT_MAX],
            target=target or _named(call),
            **who(caller),
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


def claimed_by(error: CloudError) -> str:
    """Return whose login failed, where that is known: it is nobody's until it succeeds."""
    return error.user_id if isinstance(error, LoginRefused) else ""


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
