"""Domains: /v3/domains."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from computelite.api.call import no_content
from computelite.api.fields import Name64, Text, changes_of
from computelite.api.routing import Route
from computelite.identity.commands.domains import change_domain, create_domain, delete_domain
from computelite.identity.queries import every, get_domain
from computelite.identity.rows import Domain
from computelite.keystone.call import Call
from computelite.keystone.fields import Options, check_mutable, extras_of, merged_options
from computelite.keystone.listing import listed
from computelite.keystone.permit import permit, permitted_domain, seen
from swiftlite.http.replies import Reply

ExplicitId = Annotated[str, Meta(pattern=r"^[0-9a-f]{32}\Z")]


class NewDomain(msgspec.Struct, frozen=True, kw_only=True):
    """What makes a domain."""

    name: Name64
    description: Text | None = None
    enabled: bool = True
    options: Options | UnsetType = UNSET
    tags: Annotated[list[str], Meta(max_length=0)] = []  # projects have tags, domains have none
    explicit_domain_id: ExplicitId | None = None


class DomainPatch(msgspec.Struct, frozen=True, kw_only=True):
    """What changes one."""

    name: Name64 | UnsetType = UNSET
    description: Text | UnsetType | None = UNSET
    enabled: bool | UnsetType = UNSET
    options: Options | UnsetType = UNSET


def domain_fields(domain: Domain) -> dict[str, Any]:
    """Return a domain as the API shows it."""
    return {
        **domain.extra,
        "id": domain.id,
        "name": domain.name,
        "description": domain.description,
        "enabled": domain.enabled,
        "tags": [],
        "options": domain.options,
    }


async def list_domains(call: Call) -> Reply:
    own = permitted_domain(call)
    return await listed(
        call,
        "domains",
        every(call.log, "domain", Domain),
        domain_fields,
        filters=("name", "enabled", "id"),
        keep=lambda domain: own in (None, domain.id),
    )


async def create(call: Call) -> Reply:
    permit(call)
    new = call.read("domain", NewDomain)
    domain = await create_domain(
        call.log,
        call.ids,
        name=new.name,
        domain_id=new.explicit_domain_id or "",
        description=new.description or "",
        enabled=new.enabled,
        options=merged_options({}, new.options),
        extra=extras_of(call, "domain", NewDomain),
        actor=call.actor,
    )
    return call.member("domain", domain_fields(domain), "domains", domain.id, status=201)


async def show(call: Call) -> Reply:
    domain_id = call.params["domain_id"]
    project = call.caller.project
    # Whoever works in one of its projects may know a domain.
    own_project = project.id if project is not None and project.domain.id == domain_id else ""
    permit(call, domain_id, project_id=own_project)
    domain = await get_domain(call.log, domain_id)
    return call.member("domain", domain_fields(domain), "domains", domain.id)


async def update(call: Call) -> Reply:
    permit(call)
    domain = await seen(call, get_domain(call.log, call.params["domain_id"]))
    patch = call.read("domain", DomainPatch)
    check_mutable("domain", domain.options, patch.options)
    changes = changes_of(patch, "name", "description", "enabled")
    if "description" in changes:
        changes["description"] = changes["description"] or ""
    if patch.options is not UNSET:
        changes["options"] = merged_options(domain.options, patch.options)
    if call.extras("domain", DomainPatch):
        changes["extra"] = extras_of(call, "domain", DomainPatch, domain.extra)
    domain = await change_domain(call.log, domain, changes, actor=call.actor)
    return call.member("domain", domain_fields(domain), "domains", domain.id)


async def delete(call: Call) -> Reply:
    permit(call)
    domain = await seen(call, get_domain(call.log, call.params["domain_id"]))
    check_mutable("domain", domain.options)
    await delete_domain(call.log, domain.id, actor=call.actor)
    return no_content()


ROUTES = (
    Route("GET", "/v3/domains", list_domains, "list_domains"),
    Route("POST", "/v3/domains", create, "create_domain"),
    Route("GET", "/v3/domains/{domain_id}", show, "get_domain"),
    Route("PATCH", "/v3/domains/{domain_id}", update, "update_domain"),
    Route("DELETE", "/v3/domains/{domain_id}", delete, "delete_domain"),
)
