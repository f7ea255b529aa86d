"""Tokens, and what can be had for them: /v3/auth."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from computelite.api.call import json_reply, no_content
from computelite.api.errors import Forbidden
from computelite.api.routing import Route
from computelite.identity.callers import Known
from computelite.identity.commands.tokens import LATE_S_MAX, revoke_token
from computelite.identity.errors import NoSuch
from computelite.identity.queries import (
    all_roles,
    assignments_of,
    endpoints_added_to,
    every,
    implications,
    is_in_force,
    project_target,
)
from computelite.identity.roles import Target, effective_role_ids
from computelite.identity.rows import Domain, Endpoint, Project, Service
from computelite.keystone.auth_request import parse_auth
from computelite.keystone.call import Call
from computelite.keystone.catalog_document import catalog_document
from computelite.keystone.domains import domain_fields
from computelite.keystone.listing import listed
from computelite.keystone.permit import permit
from computelite.keystone.project_document import project_fields
from computelite.keystone.token_document import token_document
from swiftlite.http.replies import Reply


async def issue(call: Call) -> Reply:
    """POST /v3/auth/tokens"""
    asked = parse_auth(call.body)
    issued = await call.service.login.token(asked.proofs, asked.scope, call.actor)
    call.issued = issued.known.caller
    return await token_reply(call, issued.known, issued.text.reveal(), 201)


async def validate(call: Call) -> Reply:
    """GET, HEAD /v3/auth/tokens: whose token is it, and what is it for."""
    late = call.query.truth("allow_expired")
    text, known = await _subject(call, LATE_S_MAX if late else 0)
    credential = known.caller.credential
    is_bound = credential is not None and credential.access_rules
    # Only for services that say that they check the rules: others would let anything pass.
    if is_bound and not call.headers.get("openstack-identity-access-rules"):
        raise NoSuch(kind="token", id="it is bound by access rules")
    return await token_reply(call, known, text, 200)


async def revoke(call: Call) -> Reply:
    """DELETE /v3/auth/tokens"""
    _, known = await _subject(call, 0)
    await revoke_token(call.log, known.token, actor=call.actor)
    return no_content()


async def show_catalog(call: Call) -> Reply:
    """GET /v3/auth/catalog"""
    if call.caller.project is None:
        raise Forbidden(reason="A project-scoped token is required to produce a service catalog.")
    catalog = await catalog_for(call, call.caller.user_id, call.caller.project_id)
    return json_reply({"catalog": catalog, "links": {"self": call.url("auth", "catalog")}})


async def list_projects(call: Call) -> Reply:
    """GET /v3/auth/projects: those that the user can have a token for."""
    log = call.log
    assignments = await assignments_of(log, call.caller.user_id)
    implied, roles = await implications(log), await all_roles(log)

    async def found() -> AsyncIterator[Project]:
        async for project in every(log, "project", Project):
            held = effective_role_ids(assignments, implied, await project_target(log, project))
            if _counts(held, roles) and await is_in_force(log, project):
                yield project

    return await listed(call, "projects", found(), project_fields)


async def list_domains(call: Call) -> Reply:
    """GET /v3/auth/domains: those that the user can have a token for."""
    log = call.log
    assignments = await assignments_of(log, call.caller.user_id)
    implied, roles = await implications(log), await all_roles(log)

    async def found() -> AsyncIterator[Domain]:
        async for domain in every(log, "domain", Domain):
            held = effective_role_ids(assignments, implied, Target(domain_id=domain.id))
            if _counts(held, roles) and domain.enabled:
                yield domain

    return await listed(call, "domains", found(), domain_fields)


async def show_system(call: Call) -> Reply:
    """GET /v3/auth/system: whether the user can have a token for the system."""
    log = call.log
    assignments = await assignments_of(log, call.caller.user_id)
    held = effective_role_ids(assignments, await implications(log), Target(system=True))
    scopes = [{"all": True}] if _counts(held, await all_roles(log)) else []
    return json_reply({"system": scopes, "links": {"self": call.url("auth", "system")}})


async def catalog_for(call: Call, user_id: str, project_id: str | None) -> list[dict[str, Any]]:
    """Return the catalog as it is now, for a user and a project."""
    endpoints = [row async for row in every(call.log, "endpoint", Endpoint)]
    added = None
    if project_id is not None:
        added = await endpoints_added_to(call.log, project_id, endpoints)
    return catalog_document(
        [row async for row in every(call.log, "service", Service)],
        endpoints if added is None else added,
        base_url=call.base_url,
        user_id=user_id,
        project_id=project_id,
        is_filtered=added is not None,
    )


async def token_reply(call: Call, known: Known, text: str, status: int) -> Reply:
    """Answer what a token says, and with `text` the token itself."""
    caller = known.caller
    catalog = None
    if caller.is_scoped and "nocatalog" not in call.query:
        catalog = await catalog_for(call, caller.user_id, caller.project_id)
    headers = {"X-Subject-Token": text} if text else {}
    return json_reply(token_document(caller, catalog), status, headers)


async def _subject(call: Call, late_s: int) -> tuple[str, Known]:
    """Return the token that is asked about, and what it is.

    Raises:  NoSuch, Forbidden.
    """
    text = call.headers.get("x-subject-token", "")
    known = await call.service.tokens.known(text, late_s=late_s) if text else None
    if known is None:
        raise NoSuch(kind="token", id="none that is in force was named")
    permit(call, user_id=known.caller.user_id)
    return text, known


def _counts(role_ids: frozenset[str], roles: dict[str, Any]) -> bool:
    """Whether one of the roles is there, and not only a domain's own."""
    return any(role_id in roles and not roles[role_id].domain_id for role_id in role_ids)


ROUTES = (
    Route("POST", "/v3/auth/tokens", issue, ""),
    Route("GET", "/v3/auth/tokens", validate, "validate_token"),
    Route("DELETE", "/v3/auth/tokens", revoke, "revoke_token"),
    Route("GET", "/v3/auth/catalog", show_catalog, "get_auth_catalog"),
    Route("GET", "/v3/auth/projects", list_projects, "get_auth_projects"),
    Route("GET", "/v3/auth/domains", list_domains, "get_auth_domains"),
    Route("GET", "/v3/auth/system", show_system, "get_auth_system"),
)
