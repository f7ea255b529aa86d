"""Registered limits and limits: /v3/registered_limits, /v3/limits."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from computelite.api.call import json_reply, no_content
from computelite.api.errors import BadRequest
from computelite.api.fields import Id, Name255, Text, changes_of
from computelite.api.request import checked
from computelite.api.routing import Route
from computelite.identity.commands import limits as commands
from computelite.identity.queries import every, get_project
from computelite.identity.rows import Limit, RegisteredLimit
from computelite.keystone.call import Call
from computelite.keystone.listing import listed
from computelite.keystone.permit import permit, seen
from computelite.keystone.policy import Target, allows
from swiftlite.http.replies import Reply

Amount = Annotated[int, Meta(ge=-1, le=2**31 - 1)]
RegionId = Annotated[str, Meta(max_length=255)]
AT_ONCE_MAX = 100


class NewRegisteredLimit(msgspec.Struct, frozen=True, kw_only=True):
    """What makes a registered limit."""

    service_id: Id
    resource_name: Name255
    default_limit: Amount
    region_id: RegionId | None = None
    description: Text | None = None


class NewRegisteredLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Several at once."""

    registered_limits: Annotated[
        list[NewRegisteredLimit], Meta(min_length=1, max_length=AT_ONCE_MAX)
    ]


class RegisteredLimitPatch(msgspec.Struct, frozen=True, kw_only=True):
    """What changes one."""

    service_id: Id | UnsetType = UNSET
    resource_name: Name255 | UnsetType = UNSET
    default_limit: Amount | UnsetType = UNSET
    region_id: RegionId | UnsetType | None = UNSET
    description: Text | UnsetType | None = UNSET


class NewLimit(msgspec.Struct, frozen=True, kw_only=True):
    """What makes a limit."""

    service_id: Id
    resource_name: Name255
    resource_limit: Amount
    project_id: Id | None = None
    domain_id: Id | None = None
    region_id: RegionId | None = None
    description: Text | None = None


class NewLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Several at once."""

    limits: Annotated[list[NewLimit], Meta(min_length=1, max_length=AT_ONCE_MAX)]


class LimitPatch(msgspec.Struct, frozen=True, kw_only=True):
    """What changes one."""

    resource_limit: Amount | UnsetType = UNSET
    description: Text | UnsetType | None = UNSET


def registered_fields(limit: RegisteredLimit) -> dict[str, Any]:
    """Return a registered limit as the API shows it."""
    return {
        "id": limit.id,
        "service_id": limit.service_id,
        "region_id": limit.region_id or None,
        "resource_name": limit.resource_name,
        "default_limit": limit.default_limit,
        "description": limit.description,
    }


def limit_fields(limit: Limit) -> dict[str, Any]:
    """Return a limit as the API shows it."""
    return {
        "id": limit.id,
        "service_id": limit.service_id,
        "region_id": limit.region_id or None,
        "resource_name": limit.resource_name,
        "resource_limit": limit.resource_limit,
        "project_id": limit.project_id or None,
        "domain_id": limit.domain_id or None,
        "description": limit.description,
    }


async def show_model(call: Call) -> Reply:
    permit(call)
    about = "Limits of different projects do not count together."
    return json_reply({"model": {"name": "flat", "description": about}})


async def list_registered(call: Call) -> Reply:
    permit(call)
    return await listed(
        call,
        "registered_limits",
        every(call.log, "registered_limit", RegisteredLimit),
        registered_fields,
        filters=("service_id", "region_id", "resource_name"),
    )


async def create_registered(call: Call) -> Reply:
    permit(call)
    new = checked(call.body, NewRegisteredLimits).registered_limits
    wanted = [{**msgspec.structs.asdict(each), "region_id": each.region_id or ""} for each in new]
    made = await commands.create_registered_limits(call.log, call.ids, wanted, actor=call.actor)
    shown = [_linked(call, "registered_limits", registered_fields(each)) for each in made]
    return _several(call, "registered_limits", shown)


async def show_registered(call: Call) -> Reply:
    permit(call)
    limit = await commands.get_registered_limit(call.log, call.params["limit_id"])
    return _registered(call, limit)


async def update_registered(call: Call) -> Reply:
    permit(call)
    limit = await commands.get_registered_limit(call.log, call.params["limit_id"])
    patch = call.read("registered_limit", RegisteredLimitPatch)
    names = ("service_id", "resource_name", "default_limit", "region_id", "description")
    changes = changes_of(patch, *names)
    if "region_id" in changes:
        changes["region_id"] = changes["region_id"] or ""
    limit = await commands.change_registered_limit(call.log, limit, changes, actor=call.actor)
    return _registered(call, limit)


async def delete_registered(call: Call) -> Reply:
    permit(call)
    limit = await commands.get_registered_limit(call.log, call.params["limit_id"])
    await commands.delete_registered_limit(call.log, limit, actor=call.actor)
    return no_content()


def _registered(call: Call, limit: RegisteredLimit) -> Reply:
    return call.member("registered_limit", registered_fields(limit), "registered_limits", limit.id)


async def list_limits(call: Call) -> Reply:
    permit(call)
    caller = call.caller
    all_of_them = allows(caller, "get_limit", Target())

    def mine(limit: Limit) -> bool:
        own_project = limit.project_id != "" and limit.project_id == caller.project_id
        own_domain = limit.domain_id != "" and limit.domain_id == caller.domain_id
        return all_of_them or own_project or own_domain

    return await listed(
        call,
        "limits",
        every(call.log, "limit", Limit),
        limit_fields,
        filters=("service_id", "region_id", "resource_name", "project_id", "domain_id"),
        keep=mine,
    )


async def create_limits(call: Call) -> Reply:
    permit(call)
    new = checked(call.body, NewLimits).limits
    wanted: list[dict[str, Any]] = []
    for each in new:
        if (each.project_id is None) == (each.domain_id is None):
            raise BadRequest(reason="A limit is of one project or of one domain.")
        empty_for_none = {
            name: getattr(each, name) or "" for name in ("project_id", "domain_id", "region_id")
        }
        wanted.append(msgspec.structs.asdict(each) | empty_for_none)
    made = await commands.create_limits(call.log, call.ids, wanted, actor=call.actor)
    return _several(call, "limits", [_linked(call, "limits", limit_fields(each)) for each in made])


async def show_limit(call: Call) -> Reply:
    limit = await seen(call, commands.get_limit(call.log, call.params["limit_id"]))
    if limit.domain_id:
        permit(call, limit.domain_id)
    else:
        project = await get_project(call.log, limit.project_id)
        permit(call, project.domain_id, project_id=project.id)
    return call.member("limit", limit_fields(limit), "limits", limit.id)


async def update_limit(call: Call) -> Reply:
    permit(call)
    limit = await commands.get_limit(call.log, call.params["limit_id"])
    changes = changes_of(call.read("limit", LimitPatch), "resource_limit", "description")
    limit = await commands.change_limit(call.log, limit, changes, actor=call.actor)
    return call.member("limit", limit_fields(limit), "limits", limit.id)


async def delete_limit(call: Call) -> Reply:
    permit(call)
    await commands.delete_limit(call.log, call.params["limit_id"], actor=call.actor)
    return no_content()


def _linked(call: Call, collection: str, fields: dict[str, Any]) -> dict[str, Any]:
    return {**fields, "links": {"self": call.url(collection, fields["id"])}}


def _several(call: Call, collection: str, shown: list[dict[str, Any]]) -> Reply:
    links = {"self": call.url(collection), "previous": None, "next": None}
    return json_reply({collection: shown, "links": links}, 201)


_REGISTERED = "/v3/registered_limits/{limit_id}"

ROUTES = (
    Route("GET", "/v3/registered_limits", list_registered, "list_registered_limits"),
    Route("POST", "/v3/registered_limits", create_registered, "create_registered_limits"),
    Route("GET", _REGISTERED, show_registered, "get_registered_limit"),
    Route("PATCH", _REGISTERED, update_registered, "update_registered_limit"),
    Route("DELETE", _REGISTERED, delete_registered, "delete_registered_limit"),
    Route("GET", "/v3/limits/model", show_model, "get_limit_model"),
    Route("GET", "/v3/limits", list_limits, "list_limits"),
    Route("POST", "/v3/limits", create_limits, "create_limits"),
    Route("GET", "/v3/limits/{limit_id}", show_limit, "get_limit"),
    Route("PATCH", "/v3/limits/{limit_id}", update_limit, "update_limit"),
    Route("DELETE", "/v3/limits/{limit_id}", delete_limit, "delete_limit"),
)
