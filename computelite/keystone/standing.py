"""How far a domain's manager reaches: over nobody who stands above them.

A manager may change users and groups of their domain. If among those is one who has rights beyond
the domain, a new password, or a place in the group, would be a way up: only an admin of the cloud
may change such a one.
"""

from __future__ import annotations

from collections.abc import Iterable

from computelite.api.errors import Forbidden
from computelite.identity.keys import id_key, under
from computelite.identity.queries import all_roles, assignments_of, every, implications
from computelite.identity.roles import implied_by
from computelite.identity.rows import Assignment, Domain, Group, Project, Role, User
from computelite.keystone.call import Call
from computelite.keystone.policy import Target, Who, kinds_of

# What a domain's manager may give, and what its admin may not: who has these is above them.
MANAGED_ROLES = frozenset({"manager", "member", "reader"})
HIGH_ROLES = frozenset({"admin", "service", "reselleradmin"})


def is_admin(call: Call) -> bool:
    """Whether the caller is an admin of the cloud, and not of a domain alone."""
    return Who.ADMIN in kinds_of(call.caller, Target())


async def permit_over_user(call: Call, user: User) -> None:
    """Return unless the user stands above the caller. Raises: Forbidden."""
    if not is_admin(call):
        await _check(call, await assignments_of(call.log, user.id), user.domain_id)


async def permit_over_group(call: Call, group: Group) -> None:
    """Return unless being in the group would put somebody above the caller. Raises: Forbidden."""
    if not is_admin(call):
        held = every(call.log, "assignment", Assignment, under(f"g-{group.id}"))
        await _check(call, [each async for each in held], group.domain_id)


async def permit_giving(call: Call, role: Role) -> None:
    """Return if the caller may give and take this role in their domain. Raises: Forbidden."""
    if is_admin(call):
        return
    roles = await all_roles(call.log)
    names = _names(implied_by([role.id], await implications(call.log)), roles.values())
    own = role.domain_id in ("", call.caller.domain_id)
    if "admin" in call.caller.role_names:
        good = own and not names & HIGH_ROLES
    else:
        good = role.domain_id == "" and names <= MANAGED_ROLES
    if not good:
        raise Forbidden(reason=f"The role {role.name} is not a domain's manager's to give.")


async def _check(call: Call, held: Iterable[Assignment], domain_id: str) -> None:
    roles = await all_roles(call.log)
    implied = await implications(call.log)
    for each in held:
        names = _names(implied_by([each.role_id], implied), roles.values())
        if each.system or names & HIGH_ROLES or await _domain_of(call, each) != domain_id:
            raise Forbidden(
                reason="This user or group has rights beyond the domain: "
                "only an admin of the cloud may do this."
            )


def _names(role_ids: Iterable[str], roles: Iterable[Role]) -> frozenset[str]:
    wanted = set(role_ids)
    return frozenset(
        role.name.lower() for role in roles if role.id in wanted and not role.domain_id
    )


async def _domain_of(call: Call, assignment: Assignment) -> str:
    if assignment.domain_id:
        domain = await call.log.get("domain", id_key(assignment.domain_id))
        return domain.id if isinstance(domain, Domain) else ""
    project = await call.log.get("project", id_key(assignment.project_id))
    return project.domain_id if isinstance(project, Project) else ""
