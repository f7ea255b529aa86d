"""Effective roles: what a user has somewhere, directly, through groups, from above, by implication.

Pure: no clock, no IO.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import msgspec

from computelite.identity.rows import Assignment, Implication, Role


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """Where roles are asked for: one of the three.

    `lineage` are the ids of the project's parents up to its domain, the domain's included.
    """

    project_id: str = ""
    domain_id: str = ""
    system: bool = False
    lineage: tuple[str, ...] = ()


def applies(assignment: Assignment, target: Target) -> bool:
    """Whether an assignment gives its role on the target.

    What is inherited counts on the projects below a domain or a project, and not on those
    themselves.
    """
    if target.system:
        return assignment.system
    if target.project_id:
        if assignment.inherited:
            above = assignment.project_id or assignment.domain_id
            return above in target.lineage
        return assignment.project_id == target.project_id
    return bool(target.domain_id) and (
        assignment.domain_id == target.domain_id and not assignment.inherited
    )


def implied_by(
    role_ids: Iterable[str], implications: Mapping[str, Collection[str]]
) -> frozenset[str]:
    """Return the roles and all that they imply, whatever circles there are."""
    found: set[str] = set()
    waiting = list(role_ids)
    while waiting:
        role_id = waiting.pop()
        if role_id not in found:
            found.add(role_id)
            waiting += implications.get(role_id, ())
    return frozenset(found)


def implication_map(implications: Iterable[Implication]) -> dict[str, tuple[str, ...]]:
    """Return what each role implies by itself."""
    found: dict[str, tuple[str, ...]] = {}
    for one in implications:
        found[one.role_id] = (*found.get(one.role_id, ()), one.implied_id)
    return found


def effective_role_ids(
    assignments: Iterable[Assignment],
    implications: Mapping[str, Collection[str]],
    target: Target,
) -> frozenset[str]:
    """Return the roles that `assignments`, a user's and their groups', give on the target."""
    direct = (each.role_id for each in assignments if applies(each, target))
    return implied_by(direct, implications)


def effective_roles(
    assignments: Iterable[Assignment],
    implications: Mapping[str, Collection[str]],
    roles: Mapping[str, Role],
    target: Target,
) -> tuple[Role, ...]:
    """Return the same as roles, by name; a domain's own roles count through what they imply."""
    found = (
        roles[role_id]
        for role_id in effective_role_ids(assignments, implications, target)
        if role_id in roles
    )
    return tuple(sorted((role for role in found if not role.domain_id), key=lambda role: role.name))
