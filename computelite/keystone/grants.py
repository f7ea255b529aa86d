"""Grants: a user's or a group's roles on a project, a domain or the system, also for below.

/v3/{projects|domains}/{id}/{users|groups}/{id}/roles[/{role_id}]
/v3/OS-INHERIT/{projects|domains}/{id}/{users|groups}/{id}/roles[/{role_id}]/inherited_to_projects
/v3/system/{users|groups}/{id}/roles[/{role_id}]
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from computelite.api.call import no_content
from computelite.api.errors import Forbidden
from computelite.api.routing import Route
from computelite.identity.commands.assignments import grant_role, is_granted, revoke_role
from computelite.identity.errors import NoSuch
from computelite.identity.keys import actor_of, target_of, under
from computelite.identity.queries import (
    all_roles,
    every,
    get_domain,
    get_group,
    get_project,
    get_role,
    get_user,
)
from computelite.identity.rows import Assignment, Group, Role, User
from computelite.keystone.call import Call
from computelite.keystone.listing import in_turn, listed
from computelite.keystone.permit import permit, seen
from computelite.keystone.roles import role_fields
from computelite.keystone.standing import permit_giving
from swiftlite.http.replies import Reply

_INHERIT = "inherited_to_projects"


class Place(NamedTuple):
    """To whom, and where, with the domains that this touches; the role is still open."""

    assignment: Assignment
    domains: tuple[str, ...]
    target_domain: str


async def list_grants(call: Call) -> Reply:
    place = await _place(call)
    roles = await all_roles(call.log)
    wanted = place.assignment
    rows = every(call.log, "assignment", Assignment, under(actor_of(wanted)))
    found = [
        roles[row.role_id]
        async for row in rows
        if target_of(row) == target_of(wanted)
        and row.inherited == wanted.inherited
        and row.role_id in roles
    ]

    return await listed(call, "roles", in_turn(found), role_fields, filters=("name", "id"))


async def check_grant(call: Call) -> Reply:
    place, role = await _place_and_role(call)
    if not await is_granted(call.log, place.assignment):
        raise NoSuch(kind="role assignment", id=role.id)
    return no_content()


async def create_grant(call: Call) -> Reply:
    place, role = await _place_and_role(call)
    await permit_giving(call, role)
    if role.domain_id and place.target_domain != role.domain_id:
        raise Forbidden(reason="A domain's role can be given in that domain only.")
    await grant_role(call.log, place.assignment, actor=call.actor)
    return no_content()


async def revoke_grant(call: Call) -> Reply:
    place, role = await _place_and_role(call)
    await permit_giving(call, role)
    await revoke_role(call.log, place.assignment, actor=call.actor)
    return no_content()


async def _place_and_role(call: Call) -> tuple[Place, Role]:
    place = await _place(call)
    role = await seen(call, get_role(call.log, call.params["role_id"]))
    return place, role


async def _place(call: Call) -> Place:
    """Look up what the path names, and ask the policy about it."""
    log, params = call.log, call.params
    actor: User | Group
    if "user_id" in params:
        actor = await seen(call, get_user(log, params["user_id"]))
    else:
        actor = await seen(call, get_group(log, params["group_id"]))
    domains = [actor.domain_id]
    project_id = domain_id = target_domain = ""
    if "project_id" in params:
        project = await seen(call, get_project(log, params["project_id"]))
        project_id, target_domain = project.id, project.domain_id
    elif "domain_id" in params:
        domain = await seen(call, get_domain(log, params["domain_id"]))
        domain_id = target_domain = domain.id
    if target_domain:
        domains.append(target_domain)
        permit(call, *domains)
    else:
        permit(call)
    assignment = Assignment(
        role_id=params.get("role_id", ""),
        user_id=params.get("user_id", ""),
        group_id=params.get("group_id", ""),
        project_id=project_id,
        domain_id=domain_id,
        system=not target_domain,
        inherited=_INHERIT in call.request.segments[-1:],
    )
    return Place(assignment, tuple(domains), target_domain)


def _routes() -> Iterator[Route[Call]]:
    for actor in ("users/{user_id}", "groups/{group_id}"):
        for target in ("projects/{project_id}", "domains/{domain_id}"):
            roles = f"{target}/{actor}/roles"
            one = roles + "/{role_id}"
            for listing, single in (
                (f"/v3/{roles}", f"/v3/{one}"),
                (f"/v3/OS-INHERIT/{roles}/{_INHERIT}", f"/v3/OS-INHERIT/{one}/{_INHERIT}"),
            ):
                yield Route("GET", listing, list_grants, "list_grants")
                yield Route("GET", single, check_grant, "check_grant")
                yield Route("PUT", single, create_grant, "create_grant")
                yield Route("DELETE", single, revoke_grant, "revoke_grant")
        roles = f"/v3/system/{actor}/roles"
        one = roles + "/{role_id}"
        yield Route("GET", roles, list_grants, "list_system_grants")
        yield Route("GET", one, check_grant, "check_system_grant")
        yield Route("PUT", one, create_grant, "create_system_grant")
        yield Route("DELETE", one, revoke_grant, "revoke_system_grant")


ROUTES = tuple(_routes())
