"""Roles: made, changed, deleted, and what they imply."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from computelite.identity.commands.common import (
    as_read,
    name_is_free,
    name_is_free_for,
    new_id,
    there,
)
from computelite.identity.errors import NoSuch, NotAllowed
from computelite.identity.events.roles import (
    RoleChanged,
    RoleCreated,
    RoleDeleted,
    RoleImplied,
    RoleUnimplied,
    built_in_role_id,
    role_stream,
)
from computelite.identity.guards import Decided, Present
from computelite.identity.keys import id_key, name_key, pair_key
from computelite.identity.queries import get_role
from computelite.identity.rows import Role
from eventlog.clock import Ids
from eventlog.log import Actor, Guard, Log

# Who has one of them may do what nobody should come to by implication unseen.
NEVER_IMPLIED = frozenset({"admin"})


async def create_role(
    log: Log, ids: Ids, *, name: str, actor: Actor, domain_id: str = "", **facts: Any
) -> Role:
    """Make a role, of all or of one domain; `facts` as in `role.created`.

    Raises:  NameTaken, whatever the case of its letters; NoSuch for the domain.
    """
    role_id = new_id(ids)
    created = RoleCreated(role_id=role_id, name=name, domain_id=domain_id, **facts)
    guards: list[Guard] = [name_is_free("role_name", name_key(domain_id, name), "role", name)]
    if domain_id:
        guards.append(there("domain", "domain", domain_id))
    await log.append(role_stream(role_id), [created], actor=actor, guards=guards)
    return await get_role(log, role_id)


async def change_role(log: Log, role: Role, changes: Mapping[str, Any], *, actor: Actor) -> Role:
    """Change a role's attributes, as in `role.changed`.

    Raises:  NoSuch, NameTaken, ChangedMeanwhile; NotAllowed for another name of the role `admin`.
    """
    if not changes:
        return role
    guards: list[Guard] = [
        there("role", "role", role.id),
        as_read("role", "role", role),
    ]
    if "name" in changes and changes["name"] != role.name:
        _check_is_not_admin(role.id)
        key = name_key(role.domain_id, changes["name"])
        guards.append(name_is_free_for("role_name", key, "role", changes["name"], role.id))
    changed = RoleChanged(role_id=role.id, **changes)
    await log.append(role_stream(role.id), [changed], actor=actor, guards=guards)
    return await get_role(log, role.id)


async def delete_role(log: Log, role_id: str, *, actor: Actor) -> None:
    """Delete a role; who had it loses it.

    Raises:  NoSuch; NotAllowed for the role `admin`, without which nobody could do anything.
    """
    _check_is_not_admin(role_id)
    guards = [there("role", "role", role_id)]
    deleted = RoleDeleted(role_id=role_id)
    await log.append(role_stream(role_id), [deleted], actor=actor, guards=guards)


async def imply_role(log: Log, role: Role, implied: Role, *, actor: Actor) -> None:
    """Let who has `role` have `implied` too.

    Raises:  NoSuch; NotAllowed where `implied` is one that must be given in the open, or a
    domain's while `role` is not.
    """

    def judge(row: Role | None) -> None:
        if row is None:
            raise NoSuch(kind="role", id=implied.id)
        if row.name.lower() in NEVER_IMPLIED and not row.domain_id:
            raise NotAllowed(reason=f"The role {row.name} cannot be implied.")
        if row.domain_id and not role.domain_id:
            raise NotAllowed(reason="A role of all domains cannot imply one of a domain.")

    guards: list[Guard] = [
        there("role", "role", role.id),
        Decided("role", id_key(implied.id), judge),
    ]
    event = RoleImplied(role_id=role.id, implied_id=implied.id)
    await log.append(role_stream(role.id), [event], actor=actor, guards=guards)


async def unimply_role(log: Log, role_id: str, implied_id: str, *, actor: Actor) -> None:
    """Let who has the one role no longer have the other by that.

    Raises:  NoSuch if it was not so.
    """

    def refusal() -> NoSuch:
        return NoSuch(kind=f"role implied by {role_id}", id=implied_id)

    guards = [Present("implied", pair_key(role_id, implied_id), refusal)]
    event = RoleUnimplied(role_id=role_id, implied_id=implied_id)
    await log.append(role_stream(role_id), [event], actor=actor, guards=guards)


def _check_is_not_admin(role_id: str) -> None:
    if role_id == built_in_role_id("admin"):
        raise NotAllowed(reason="The role admin cannot be renamed or deleted.")
