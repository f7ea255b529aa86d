"""Regions and services of the catalog: /v3/regions, /v3/services."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from computelite.api.call import no_content
from computelite.api.errors import BadRequest
from computelite.api.fields import Name255, Text, changes_of
from computelite.api.request import checked
from computelite.api.routing import Route
from computelite.identity.commands import catalog as commands
from computelite.identity.commands.common import new_id
from computelite.identity.queries import every, get_region, get_service
from computelite.identity.rows import Region, Service
from computelite.keystone.call import Call
from computelite.keystone.fields import extras_of
from computelite.keystone.listing import listed
from computelite.keystone.permit import permit
from swiftlite.http.replies import Reply

RegionId = Annotated[str, Meta(max_length=255, pattern=r"^[^\x00-\x1f\x7f]*\Z")]


class NewRegion(msgspec.Struct, frozen=True, kw_only=True):
    """What makes a region."""

    id: RegionId | None = None
    description: Text | None = None
    parent_region_id: RegionId | None = None


class RegionPatch(msgspec.Struct, frozen=True, kw_only=True):
    """What changes one."""

    description: Text | UnsetType | None = UNSET
    parent_region_id: RegionId | UnsetType | None = UNSET


class NewService(msgspec.Struct, frozen=True, kw_only=True):
    """What makes a service."""

    type: Name255
    name: Annotated[str, Meta(max_length=255)] | None = None
    description: Text | None = None
    enabled: bool = True


class ServicePatch(msgspec.Struct, frozen=True, kw_only=True):
    """What changes one."""

    type: Name255 | UnsetType = UNSET
    name: Annotated[str, Meta(max_length=255)] | UnsetType | None = UNSET
    description: Text | UnsetType | None = UNSET
    enabled: bool | UnsetType = UNSET


# -- regions -------------------------------------------------------------------------------------


def region_fields(region: Region) -> dict[str, Any]:
    """Return a region as the API shows it."""
    return {
        **region.extra,
        "id": region.id,
        "description": region.description,
        "parent_region_id": region.parent_region_id or None,
    }


async def list_regions(call: Call) -> Reply:
    permit(call)
    rows = every(call.log, "region", Region)
    return await listed(call, "regions", rows, region_fields, filters=("parent_region_id", "id"))


async def create_region(call: Call) -> Reply:
    permit(call)
    new = call.read("region", NewRegion)
    return await _create_region(call, new, new.id or new_id(call.ids))


async def put_region(call: Call) -> Reply:
    permit(call)
    new = call.read("region", NewRegion)
    region_id = call.params["region_id"]
    checked({"id": region_id}, NewRegion, at="region")
    if new.id not in (None, region_id):
        raise BadRequest(reason="The region's id is not the path's.")
    return await _create_region(call, new, region_id)


async def _create_region(call: Call, new: NewRegion, region_id: str) -> Reply:
    region = await commands.create_region(
        call.log,
        region_id=region_id,
        description=new.description or "",
        parent_region_id=new.parent_region_id or "",
        extra=extras_of(call, "region", NewRegion),
        actor=call.actor,
    )
    return call.member("region", region_fields(region), "regions", region.id, status=201)


async def show_region(call: Call) -> Reply:
    permit(call)
    region = await get_region(call.log, call.params["region_id"])
    return call.member("region", region_fields(region), "regions", region.id)


async def update_region(call: Call) -> Reply:
    permit(call)
    region = await get_region(call.log, call.params["region_id"])
    patch = call.read("region", RegionPatch)
    changes = texts(changes_of(patch, "description", "parent_region_id"))
    if call.extras("region", RegionPatch):
        changes["extra"] = extras_of(call, "region", RegionPatch, region.extra)
    region = await commands.change_region(call.log, region, changes, actor=call.actor)
    return call.member("region", region_fields(region), "regions", region.id)


async def delete_region(call: Call) -> Reply:
    permit(call)
    await commands.delete_region(call.log, call.params["region_id"], actor=call.actor)
    return no_content()


# -- services ------------------------------------------------------------------------------------


def service_fields(service: Service) -> dict[str, Any]:
    """Return a service as the API shows it."""
    return {
        **service.extra,
        "id": service.id,
        "type": service.type,
        "name": service.name,
        "description": service.description,
        "enabled": service.enabled,
    }


async def list_services(call: Call) -> Reply:
    permit(call)
    rows = every(call.log, "service", Service)
    return await listed(call, "services", rows, service_fields, filters=("name", "type", "id"))


async def create_service(call: Call) -> Reply:
    permit(call)
    new = call.read("service", NewService)
    service = await commands.create_service(
        call.log,
        call.ids,
        kind=new.type,
        name=new.name or "",
        description=new.description or "",
        enabled=new.enabled,
        extra=extras_of(call, "service", NewService),
        actor=call.actor,
    )
    return call.member("service", service_fields(service), "services", service.id, status=201)


async def show_service(call: Call) -> Reply:
    permit(call)
    service = await get_service(call.log, call.params["service_id"])
    return call.member("service", service_fields(service), "services", service.id)


async def update_service(call: Call) -> Reply:
    permit(call)
    service = await get_service(call.log, call.params["service_id"])
    patch = call.read("service", ServicePatch)
    changes = texts(changes_of(patch, "type", "name", "description", "enabled"))
    if call.extras("service", ServicePatch):
        changes["extra"] = extras_of(call, "service", ServicePatch, service.extra)
    service = await commands.change_service(call.log, service, changes, actor=call.actor)
    return call.member("service", service_fields(service), "services", service.id)


async def delete_service(call: Call) -> Reply:
    permit(call)
    await commands.delete_service(call.log, call.params["service_id"], actor=call.actor)
    return no_content()


def texts(changes: dict[str, Any]) -> dict[str, Any]:
    """Return changes with "" for null: what has no text has an empty one."""
    return {name: "" if value is None else value for name, value in changes.items()}


ROUTES = (
    Route("GET", "/v3/regions", list_regions, "list_regions"),
    Route("POST", "/v3/regions", create_region, "create_region"),
    Route("PUT", "/v3/regions/{region_id}", put_region, "create_region"),
    Route("GET", "/v3/regions/{region_id}", show_region, "get_region"),
    Route("PATCH", "/v3/regions/{region_id}", update_region, "update_region"),
    Route("DELETE", "/v3/regions/{region_id}", delete_region, "delete_region"),
    Route("GET", "/v3/services", list_services, "list_services"),
    Route("POST", "/v3/services", create_service, "create_service"),
    Route("GET", "/v3/services/{service_id}", show_service, "get_service"),
    Route("PATCH", "/v3/services/{service_id}", update_service, "update_service"),
    Route("DELETE", "/v3/services/{service_id}", delete_service, "delete_service"),
)
