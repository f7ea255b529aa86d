"""Endpoint groups, which catalogs of projects are made of: /v3/OS-EP-FILTER/endpoint_groups."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from computelite.api.call import no_content
from computelite.api.fields import Id, Name255, Text, changes_of
from computelite.api.routing import Route
from computelite.identity.commands.endpoint_filter import (
    change_endpoint_group,
    create_endpoint_group,
    delete_endpoint_group,
)
from computelite.identity.endpoint_filter import selects
from computelite.identity.queries import every, get_endpoint_group
from computelite.identity.rows import Endpoint, EndpointGroup
from computelite.keystone.call import Call
from computelite.keystone.catalog import RegionId
from computelite.keystone.endpoints import Interface, endpoint_fields
from computelite.keystone.listing import listed
from computelite.keystone.permit import permit
from swiftlite.http.replies import Reply

GROUPS = "OS-EP-FILTER/endpoint_groups"


class Filters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the endpoints of a group have in common; the region null is no region."""

    service_id: Id | UnsetType = UNSET
    interface: Interface | UnsetType = UNSET
    region_id: RegionId | UnsetType | None = UNSET


class NewEndpointGroup(msgspec.Struct, frozen=True, kw_only=True):
    """What makes an endpoint group."""

    name: Name255
    filters: Filters
    description: Text | None = None


class EndpointGroupPatch(msgspec.Struct, frozen=True, kw_only=True):
    """What changes one. Clients send null for a name and for filters that stay."""

    name: Name255 | UnsetType | None = UNSET
    filters: Filters | UnsetType | None = UNSET
    description: Text | UnsetType | None = UNSET


def endpoint_group_fields(group: EndpointGroup) -> dict[str, Any]:
    """Return an endpoint group as the API shows it."""
    return {
        "id": group.id,
        "name": group.name,
        "description": group.description,
        "filters": group.filters,
    }


async def list_groups(call: Call) -> Reply:
    permit(call)
    rows = every(call.log, "endpoint_group", EndpointGroup)
    return await listed(
        call, "endpoint_groups", rows, endpoint_group_fields, path=GROUPS, filters=("name", "id")
    )


async def create(call: Call) -> Reply:
    permit(call)
    new = call.read("endpoint_group", NewEndpointGroup)
    group = await create_endpoint_group(
        call.log,
        call.ids,
        name=new.name,
        description=new.description or "",
        filters=_stored(new.filters),
        actor=call.actor,
    )
    return _group(call, group, 201)


async def show(call: Call) -> Reply:
    permit(call)
    return _group(call, await get_endpoint_group(call.log, call.params["endpoint_group_id"]), 200)


async def update(call: Call) -> Reply:
    permit(call)
    group = await get_endpoint_group(call.log, call.params["endpoint_group_id"])
    patch = call.read("endpoint_group", EndpointGroupPatch)
    changes: dict[str, Any] = {}
    if isinstance(patch.name, str):
        changes["name"] = patch.name
    if isinstance(patch.filters, Filters):
        changes["filters"] = _stored(patch.filters)
    if not isinstance(patch.description, UnsetType):
        changes["description"] = patch.description or ""
    group = await change_endpoint_group(call.log, group, changes, actor=call.actor)
    return _group(call, group, 200)


async def delete(call: Call) -> Reply:
    permit(call)
    await delete_endpoint_group(call.log, call.params["endpoint_group_id"], actor=call.actor)
    return no_content()


async def list_endpoints(call: Call) -> Reply:
    """GET .../{endpoint_group_id}/endpoints: those that its filters select now."""
    permit(call)
    group = await get_endpoint_group(call.log, call.params["endpoint_group_id"])
    return await listed(
        call,
        "endpoints",
        every(call.log, "endpoint", Endpoint),
        lambda endpoint: endpoint_fields(endpoint, call.base_url),
        keep=lambda endpoint: selects(group, endpoint),
    )


def _stored(filters: Filters) -> dict[str, Any]:
    found = changes_of(filters, "service_id", "interface", "region_id")
    # No endpoint's region is "": that is how the tables say that it has none.
    return {name: value or None for name, value in found.items()}


def _group(call: Call, group: EndpointGroup, status: int) -> Reply:
    fields = endpoint_group_fields(group)
    return call.member("endpoint_group", fields, *GROUPS.split("/"), group.id, status=status)


_ONE = f"/v3/{GROUPS}/{{endpoint_group_id}}"

ROUTES = (
    Route("GET", f"/v3/{GROUPS}", list_groups, "list_endpoint_groups"),
    Route("POST", f"/v3/{GROUPS}", create, "create_endpoint_group"),
    Route("GET", _ONE, show, "get_endpoint_group"),
    Route("PATCH", _ONE, update, "update_endpoint_group"),
    Route("DELETE", _ONE, delete, "delete_endpoint_group"),
    Route(
        "GET", f"{_ONE}/endpoints", list_endpoints, "list_endpoints_associated_with_endpoint_group"
    ),
)
