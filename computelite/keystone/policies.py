"""Policy documents that other services keep here: /v3/policies. Nothing here reads them."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from computelite.api.call import no_content
from computelite.api.fields import changes_of
from computelite.api.routing import Route
from computelite.identity.commands.catalog import (
    change_policy,
    create_policy,
    delete_policy,
    get_policy,
)
from computelite.identity.queries import every
from computelite.identity.rows import Policy
from computelite.keystone.call import Call
from computelite.keystone.fields import extras_of
from computelite.keystone.listing import listed
from computelite.keystone.permit import permit
from swiftlite.http.replies import Reply

Kind = Annotated[str, Meta(min_length=1, max_length=255)]
Blob = Annotated[str, Meta(max_length=65536)]


class NewPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """What makes a policy."""

    blob: Blob
    type: Kind


class PolicyPatch(msgspec.Struct, frozen=True, kw_only=True):
    """What changes one."""

    blob: Blob | UnsetType = UNSET
    type: Kind | UnsetType = UNSET


def policy_fields(policy: Policy) -> dict[str, Any]:
    """Return a policy as the API shows it."""
    return {**policy.extra, "id": policy.id, "type": policy.type, "blob": policy.blob}


async def list_policies(call: Call) -> Reply:
    permit(call)
    rows = every(call.log, "policy", Policy)
    return await listed(call, "policies", rows, policy_fields, filters=("type", "id"))


async def create(call: Call) -> Reply:
    permit(call)
    new = call.read("policy", NewPolicy)
    policy = await create_policy(
        call.log,
        call.ids,
        kind=new.type,
        blob=new.blob,
        extra=extras_of(call, "policy", NewPolicy),
        actor=call.actor,
    )
    return call.member("policy", policy_fields(policy), "policies", policy.id, status=201)


async def show(call: Call) -> Reply:
    permit(call)
    policy = await get_policy(call.log, call.params["policy_id"])
    return call.member("policy", policy_fields(policy), "policies", policy.id)


async def update(call: Call) -> Reply:
    permit(call)
    policy = await get_policy(call.log, call.params["policy_id"])
    changes = changes_of(call.read("policy", PolicyPatch), "blob", "type")
    if call.extras("policy", PolicyPatch):
        changes["extra"] = extras_of(call, "policy", PolicyPatch, policy.extra)
    policy = await change_policy(call.log, policy, changes, actor=call.actor)
    return call.member("policy", policy_fields(policy), "policies", policy.id)


async def delete(call: Call) -> Reply:
    permit(call)
    await delete_policy(call.log, call.params["policy_id"], actor=call.actor)
    return no_content()


ROUTES = (
    Route("GET", "/v3/policies", list_policies, "list_policies"),
    Route("POST", "/v3/policies", create, "create_policy"),
    Route("GET", "/v3/policies/{policy_id}", show, "get_policy"),
    Route("PATCH", "/v3/policies/{policy_id}", update, "update_policy"),
    Route("DELETE", "/v3/policies/{policy_id}", delete, "delete_policy"),
)
