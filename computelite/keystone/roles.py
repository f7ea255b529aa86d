"""Roles and what they imply: /v3/roles, /v3/roles/{prior}/implies, /v3/role_inferences."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from computelite.api.call import json_reply, no_content
from computelite.api.errors import BadRequest
from computelite.api.fields import Id, Name255, Text, changes_of
from computelite.api.routing import Route
from computelite.identity.commands.roles import (
    change_role,
    create_role,
    delete_role,
    imply_role,
    unimply_role,
)
from computelite.identity.errors import NoSuch
from computelite.identity.keys import pair_key
from computelite.identity.queries import all_roles, every, get_role, implications
from computelite.identity.rows import Role
from computelite.keystone.call import Call
from computelite.keystone.fields import Options, check_mutable, extras_of, merged_options
from computelite.keystone.listing import listed
from computelite.keystone.permit import permit, permitted_domain, seen
from swiftlite.http.replies import Reply


class NewRole(msgspec.Struct, frozen=True, kw_only=True):
    """What makes a role."""

    name: Name255
    domain_id: Id | None = None
    description: Text | None = None
    options: Options | UnsetType = UNSET


class RolePatch(msgspec.Struct, frozen=True, kw_only=True):
    """What changes one; the domain is for ever."""

    name: Name255 | UnsetType = UNSET
    domain_id: Id | UnsetType | None = UNSET
    description: Text | UnsetType | None = UNSET
    options: Options | UnsetType = UNSET


def role_fields(role: Role) -> dict[str, Any]:
    """Return a role as the API shows it."""
    return {
        **role.extra,
        "id": role.id,
        "name": role.name,
        "domain_id": role.domain_id or None,
        "description": role.description or None,
        "options": role.options,
    }


async def list_roles(call: Call) -> Reply:
    own = permitted_domain(call)
    wanted = call.query.get("domain_id")
    if own is not None and wanted not in (None, own):
        permit(call)

    # Without a domain_id those are listed that belong to none.
    return await listed(
        call,
        "roles",
        every(call.log, "role", Role),
        role_fields,
        filters=("name", "id"),
        keep=lambda role: role.domain_id == (wanted or ""),
    )


async def create(call: Call) -> Reply:
    permit(call)
    new = call.read("role", NewRole)
    role = await create_role(
        call.log,
        call.ids,
        name=new.name,
        domain_id=new.domain_id or "",
        description=new.description or "",
        options=merged_options({}, new.options),
        extra=extras_of(call, "role", NewRole),
        actor=call.actor,
    )
    return call.member("role", role_fields(role), "roles", role.id, status=201)


async def show(call: Call) -> Reply:
    own = permitted_domain(call)
    role = await seen(call, get_role(call.log, call.params["role_id"]))
    if own is not None:
        permit(call, role.domain_id or own)
    return call.member("role", role_fields(role), "roles", role.id)


async def update(call: Call) -> Reply:
    permit(call)
    role = await get_role(call.log, call.params["role_id"])
    patch = call.read("role", RolePatch)
    if patch.domain_id not in (UNSET, role.domain_id or None):
        raise BadRequest(reason="The domain of a role cannot be changed.")
    check_mutable("role", role.options, patch.options)
    changes = changes_of(patch, "name", "description")
    if "description" in changes:
        changes["description"] = changes["description"] or ""
    if patch.options is not UNSET:
        changes["options"] = merged_options(role.options, patch.options)
    if call.extras("role", RolePatch):
        changes["extra"] = extras_of(call, "role", RolePatch, role.extra)
    role = await change_role(call.log, role, changes, actor=call.actor)
    return call.member("role", role_fields(role), "roles", role.id)


async def delete(call: Call) -> Reply:
    permit(call)
    role = await get_role(call.log, call.params["role_id"])
    check_mutable("role", role.options)
    await delete_role(call.log, role.id, actor=call.actor)
    return no_content()


# -- what roles imply ----------------------------------------------------------------------------


async def list_implied(call: Call) -> Reply:
    permit(call)
    prior = await get_role(call.log, call.params["prior_role_id"])
    roles = await all_roles(call.log)
    implied = (await implications(call.log)).get(prior.id, ())
    return _inference(call, prior, [roles[id_] for id_ in implied if id_ in roles])


async def show_implied(call: Call) -> Reply:
    permit(call)
    prior, implied = await _pair(call)
    if await call.log.get("implied", pair_key(prior.id, implied.id)) is None:
        raise NoSuch(kind=f"role implied by {prior.id}", id=implied.id)
    if call.request.method == "HEAD":
        return no_content()
    return _inference_of_one(call, prior, implied, 200)


async def create_implied(call: Call) -> Reply:
    permit(call)
    prior, implied = await _pair(call)
    await imply_role(call.log, prior, implied, actor=call.actor)
    return _inference_of_one(call, prior, implied, 201)


async def delete_implied(call: Call) -> Reply:
    permit(call)
    prior, implied = await _pair(call)
    await unimply_role(call.log, prior.id, implied.id, actor=call.actor)
    return no_content()


async def list_inferences(call: Call) -> Reply:
    permit(call)
    roles = await all_roles(call.log)
    found = [
        {
            "prior_role": _short(call, roles[prior]),
            "implies": [_short(call, roles[id_]) for id_ in implied if id_ in roles],
        }
        for prior, implied in (await implications(call.log)).items()
        if prior in roles
    ]
    links = {"self": call.url("role_inferences"), "previous": None, "next": None}
    return json_reply({"role_inferences": found, "links": links})


async def _pair(call: Call) -> tuple[Role, Role]:
    prior = await get_role(call.log, call.params["prior_role_id"])
    return prior, await get_role(call.log, call.params["implied_role_id"])


def _inference(call: Call, prior: Role, implied: list[Role]) -> Reply:
    found = {
        "prior_role": _short(call, prior),
        "implies": [_short(call, role) for role in implied],
    }
    links = {"self": call.url("roles", prior.id, "implies")}
    return json_reply({"role_inference": found, "links": links})


def _inference_of_one(call: Call, prior: Role, implied: Role, status: int) -> Reply:
    found = {"prior_role": _short(call, prior), "implies": _short(call, implied)}
    links = {"self": call.url("roles", prior.id, "implies", implied.id)}
    return json_reply({"role_inference": found, "links": links}, status)


def _short(call: Call, role: Role) -> dict[str, Any]:
    return {
        "id": role.id,
        "name": role.name,
        "domain_id": role.domain_id or None,
        "links": {"self": call.url("roles", role.id)},
    }


_IMPLIED = "/v3/roles/{prior_role_id}/implies/{implied_role_id}"

ROUTES = (
    Route("GET", "/v3/roles", list_roles, "list_roles"),
    Route("POST", "/v3/roles", create, "create_role"),
    Route("GET", "/v3/roles/{role_id}", show, "get_role"),
    Route("PATCH", "/v3/roles/{role_id}", update, "update_role"),
    Route("DELETE", "/v3/roles/{role_id}", delete, "delete_role"),
    Route("GET", "/v3/roles/{prior_role_id}/implies", list_implied, "list_implied_roles"),
    Route("GET", _IMPLIED, show_implied, "get_implied_role"),
    Route("PUT", _IMPLIED, create_implied, "create_implied_role"),
    Route("DELETE", _IMPLIED, delete_implied, "delete_implied_role"),
    Route("GET", "/v3/role_inferences", list_inferences, "list_role_inference_rules"),
)
