"""Operations on accounts: what a project says of its own, and which containers it has.

Every project has an account; nobody makes or deletes one here.
"""

from __future__ import annotations

from swiftlite.http.replies import Reply
from swiftlite.swift import quotas
from swiftlite.swift.call import Call
from swiftlite.swift.formats import listing, wanted
from swiftlite.swift.limits import POLICY
from swiftlite.swift.listings import container_entry, limit_of, window_of
from swiftlite.swift.metadata import account_place, said_of, shown_of
from swiftlite.swift.request import account_of
from swiftlite.swift.times import timestamp


async def head_account(call: Call) -> Reply:
    """Return what an account holds, and what was said of it."""
    media = wanted(call.request)
    return Reply(204, {"Content-Type": f"{media}; charset=utf-8", **await _headers(call)})


async def get_account(call: Call) -> Reply:
    """Return a page of an account's containers."""
    media = wanted(call.request)
    limit = limit_of(call.request)
    window = window_of(call.request, has_path=False)
    found = await call.gateway.walk_buckets(call.project_id, window, limit=limit)
    return listing(
        [container_entry(name, row) for name, row in found],
        media,
        root="account",
        element="container",
        name=account_of(call.project_id),
        fields=("name", "count", "bytes", "last_modified", "storage_policy"),
        headers=await _headers(call),
    )


async def post_account(call: Call) -> Reply:
    """Say something of an account."""
    said = said_of(
        call.request.headers,
        "account",
        sealer=call.world.sealer,
        place=account_place(call.project_id),
        is_owner=call.is_owner,
    )
    said = quotas.account_said(call, said)
    await call.gateway.describe_account(call.project_id, said.set, said.removed, actor=call.actor)
    return Reply(204)


async def _headers(call: Call) -> dict[str, str]:
    account = await call.gateway.account(call.project_id)
    count, usage = await call.gateway.account_usage(call.project_id)
    policy = f"X-Account-Storage-Policy-{POLICY}-"
    shown = shown_of(
        account,
        "account",
        sealer=call.world.sealer,
        place=account_place(call.project_id),
        is_owner=call.is_owner,
    )
    made = timestamp(account.created_us)
    who = call.principal
    if who.project_id == call.project_id and who.project_domain_id:
        shown["X-Account-Project-Domain-Id"] = who.project_domain_id
    return {
        "X-Account-Container-Count": str(count),
        "X-Account-Object-Count": str(usage.objects),
        "X-Account-Bytes-Used": str(usage.bytes),
        policy + "Container-Count": str(count),
        policy + "Object-Count": str(usage.objects),
        policy + "Bytes-Used": str(usage.bytes),
        "X-Timestamp": made,
        "X-Put-Timestamp": made,
        "Accept-Ranges": "bytes",
        **shown,
    }
