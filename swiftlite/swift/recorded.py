"""Access records of Swift: what is told of a request that only read, or of what was refused.

Pure: no clock, no IO.
"""

from __future__ import annotations

from eventlog.records.record import Kind, Record
from swiftlite.auth import Principal
from swiftlite.swift.errors import Denied, status_of
from swiftlite.swift.request import Request

_AGENT_MAX = 256


def refusal(
    error: Denied, request: Request, principal: Principal, *, trans_id: str, now_us: int
) -> Record:
    """Return the record of a refusal: of what the request names, or of something else on its way.

    Never the query, which may hold a signature.
    """
    is_named = error.on_container in ("", request.container)
    return _record(
        request,
        principal,
        at_us=now_us,
        kind=Kind.REFUSED,
        action=error.action or request.method,
        status=status_of(error),
        rule=error.rule,
        reason=error.reason,
        request_id=trans_id,
        account=error.on_account or request.project_id,
        bucket=request.container if is_named else error.on_container,
        key=error.on_key or (request.name if is_named else ""),
    )


def reading(
    request: Request,
    principal: Principal,
    *,
    action: str,
    rule: str,
    status: int,
    trans_id: str,
    now_us: int,
) -> Record:
    """Return the record of a request that was allowed and only read."""
    return _record(
        request,
        principal,
        at_us=now_us,
        kind=Kind.READ,
        action=action,
        status=status,
        rule=rule,
        reason="",
        request_id=trans_id,
        account=request.project_id,
        bucket=request.container,
        key=request.name,
    )


def _record(
    request: Request,
    principal: Principal,
    *,
    at_us: int,
    kind: Kind,
    action: str,
    status: int,
    rule: str,
    reason: str,
    request_id: str,
    account: str,
    bucket: str,
    key: str,
) -> Record:
    return Record(
        at_us=at_us,
        kind=kind,
        protocol="swift",
        action=action,
        status=status,
        rule=rule,
        reason=reason,
        request_id=request_id,
        user=principal.user_id,
        project=principal.project_id,
        credential=principal.key_id,
        source=request.source,
        agent=request.headers.get("user-agent", "")[:_AGENT_MAX],
        account=account,
        bucket=bucket,
        key=key,
    )
