"""Endpoints of the catalog: /v3/endpoints."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from computelite.api.call import no_content
from computelite.api.errors import BadRequest
from computelite.api.fields import Id, Text, changes_of
from computelite.api.routing import Route
from computelite.identity.commands import catalog as commands
from computelite.identity.errors import Taken
from computelite.identity.keys import id_key
from computelite.identity.queries import every, get_endpoint
from computelite.identity.rows import Endpoint
from computelite.keystone.call import Call
from computelite.keystone.catalog import RegionId, texts
from computelite.keystone.fields import extras_of
from computelite.keystone.listing import listed
from computelite.keystone.permit import permit
from swiftlite.http.replies import Reply

API = "{api}"
"""In front of an endpoint's URL: the API port's root, as the client reaches it."""

# What a URL may ask for; anything else would show what it is not meant to.
_SUBSTITUTED = frozenset({"tenant_id", "project_id", "user_id"})
_SUBSTITUTION = re.compile(r"[$%]\(([^)]*)\)")

Interface = Literal["public", "internal", "admin"]
Url = Annotated[str, Meta(max_length=2048, pattern=r"^[a-zA-Z0-9+.-]+:[!-~]+\Z")]


class NewEndpoint(msgspec.Struct, frozen=True, kw_only=True):
    """What makes an endpoint; `region` is how older clients call `region_id`."""

    service_id: Id
    interface: Interface
    url: Url
    region_id: RegionId | None = None
    region: RegionId | None = None
    enabled: bool = True
    name: Annotated[str, Meta(max_length=255)] | None = None
    description: Text | None = None


class EndpointPatch(msgspec.Struct, frozen=True, kw_only=True):
    """What changes one."""

    service_id: Id | UnsetType = UNSET
    interface: Interface | UnsetType = UNSET
    url: Url | UnsetType = UNSET
    region_id: RegionId | UnsetType | None = UNSET
    region: RegionId | UnsetType | None = UNSET
    enabled: bool | UnsetType = UNSET
    name: Annotated[str, Meta(max_length=255)] | UnsetType | None = UNSET
    description: Text | UnsetType | None = UNSET


def endpoint_fields(endpoint: Endpoint, base_url: str) -> dict[str, Any]:
    """Return an endpoint as the API shows it."""
    fields = {
        **endpoint.extra,
        "id": endpoint.id,
        "service_id": endpoint.service_id,
        "interface": endpoint.interface,
        "region_id": endpoint.region_id or None,
        "region": endpoint.region_id or None,
        "url": endpoint.url.replace(API, base_url, 1),
        "enabled": endpoint.enabled,
    }
    if endpoint.name:
        fields["name"] = endpoint.name
    if endpoint.description:
        fields["description"] = endpoint.description
    return fields


async def list_endpoints(call: Call) -> Reply:
    permit(call)
    base_url = call.base_url
    return await listed(
        call,
        "endpoints",
        every(call.log, "endpoint", Endpoint),
        lambda endpoint: endpoint_fields(endpoint, base_url),
        filters=("service_id", "interface", "region_id", "region", "name", "enabled", "id"),
    )


async def create_endpoint(call: Call) -> Reply:
    permit(call)
    new = call.read("endpoint", NewEndpoint)
    extra = extras_of(call, "endpoint", NewEndpoint)
    region_id = await _region_of(call, new.region_id, new.region)
    endpoint = await commands.create_endpoint(
        call.log,
        call.ids,
        service_id=new.service_id,
        interface=new.interface,
        url=_checked_url(new.url),
        region_id=region_id,
        enabled=new.enabled,
        name=new.name or "",
        description=new.description or "",
        extra=extra,
        actor=call.actor,
    )
    return _endpoint(call, endpoint, 201)


async def show_endpoint(call: Call) -> Reply:
    permit(call)
    return _endpoint(call, await get_endpoint(call.log, call.params["endpoint_id"]), 200)


async def update_endpoint(call: Call) -> Reply:
    permit(call)
    endpoint = await get_endpoint(call.log, call.params["endpoint_id"])
    patch = call.read("endpoint", EndpointPatch)
    changes = changes_of(patch, "service_id", "interface", "enabled")
    changes |= texts(changes_of(patch, "name", "description"))
    if not isinstance(patch.url, UnsetType):
        changes["url"] = _checked_url(patch.url)
    if not (isinstance(patch.region_id, UnsetType) and isinstance(patch.region, UnsetType)):
        changes["region_id"] = await _region_of(call, patch.region_id, patch.region)
    if call.extras("endpoint", EndpointPatch):
        changes["extra"] = extras_of(call, "endpoint", EndpointPatch, endpoint.extra)
    endpoint = await commands.change_endpoint(call.log, endpoint, changes, actor=call.actor)
    return _endpoint(call, endpoint, 200)


async def delete_endpoint(call: Call) -> Reply:
    permit(call)
    await commands.delete_endpoint(call.log, call.params["endpoint_id"], actor=call.actor)
    return no_content()


def _endpoint(call: Call, endpoint: Endpoint, status: int) -> Reply:
    fields = endpoint_fields(endpoint, call.base_url)
    return call.member("endpoint", fields, "endpoints", endpoint.id, status=status)


async def _region_of(
    call: Call, region_id: str | UnsetType | None, name: str | UnsetType | None
) -> str:
    """Return the region that an endpoint is in; one that is only named is made."""
    if isinstance(region_id, str):
        return region_id
    if not isinstance(name, str) or not name:
        return ""
    if await call.log.get("region", id_key(name)) is None:
        with suppress(Taken):  # somebody else was faster
            await commands.create_region(call.log, region_id=name, actor=call.actor)
    return name


def _checked_url(url: str) -> str:
    """Raises:  BadRequest for a URL that asks for something else than whose token it is."""
    for name in _SUBSTITUTION.findall(url):
        if name not in _SUBSTITUTED:
            known = ", ".join(sorted(_SUBSTITUTED))
            raise BadRequest(reason=f"Invalid input for endpoint.url: it may have {known} alone.")
    return url


ROUTES = (
    Route("GET", "/v3/endpoints", list_endpoints, "list_endpoints"),
    Route("POST", "/v3/endpoints", create_endpoint, "create_endpoint"),
    Route("GET", "/v3/endpoints/{endpoint_id}", show_endpoint, "get_endpoint"),
    Route("PATCH", "/v3/endpoints/{endpoint_id}", update_endpoint, "update_endpoint"),
    Route("DELETE", "/v3/endpoints/{endpoint_id}", delete_endpoint, "delete_endpoint"),
)
