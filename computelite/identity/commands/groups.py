"""Groups: made, changed, deleted, and who is in them."""

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
from computelite.identity.errors import NoSuch
from computelite.identity.events.actors import (
    GroupChanged,
    GroupCreated,
    GroupDeleted,
    MemberAdded,
    MemberRemoved,
    group_stream,
)
from computelite.identity.guards import Present
from computelite.identity.keys import name_key, pair_key
from computelite.identity.queries import get_group, is_member
from computelite.identity.rows import Group
from eventlog.clock import Ids
from eventlog.log import Actor, Guard, Log


async def create_group(
    log: Log, ids: Ids, *, domain_id: str, name: str, actor: Actor, **facts: Any
) -> Group:
    """Make a group; `facts` as in `group.created`.

    Raises:  NameTaken; NoSuch for the domain.
    """
    group_id = new_id(ids)
    created = GroupCreated(group_id=group_id, domain_id=domain_id, name=name, **facts)
    guards: list[Guard] = [
        name_is_free("group_name", name_key(domain_id, name), "group", name),
        there("domain", "domain", domain_id),
    ]
    await log.append(group_stream(group_id), [created], actor=actor, guards=guards)
    return await get_group(log, group_id)


async def change_group(
    log: Log, group: Group, changes: Mapping[str, Any], *, actor: Actor
) -> Group:
    """Change a group's attributes, as in `group.changed`.

    Raises:  NoSuch, NameTaken, ChangedMeanwhile.
    """
    if not changes:
        return group
    guards: list[Guard] = [
        there("group", "group", group.id),
        as_read("group", "group", group),
    ]
    if "name" in changes:
        name = changes["name"]
        key = name_key(group.domain_id, name)
        guards.append(name_is_free_for("group_name", key, "group", name, group.id))
    changed = GroupChanged(group_id=group.id, **changes)
    await log.append(group_stream(group.id), [changed], actor=actor, guards=guards)
    return await get_group(log, group.id)


async def delete_group(log: Log, group_id: str, *, actor: Actor) -> None:
    """Delete a group; who was in it loses what it gave.

    Raises:  NoSuch.
    """
    guards = [there("group", "group", group_id)]
    deleted = GroupDeleted(group_id=group_id)
    await log.append(group_stream(group_id), [deleted], actor=actor, guards=guards)


async def add_member(log: Log, group_id: str, user_id: str, *, actor: Actor) -> None:
    """Let a user be in a group; they may be already.

    Raises:  NoSuch for either.
    """
    guards = [there("group", "group", group_id), there("user", "user", user_id)]
    if await is_member(log, group_id, user_id):
        return
    added = MemberAdded(group_id=group_id, user_id=user_id)
    await log.append(group_stream(group_id), [added], actor=actor, guards=guards)


async def remove_member(log: Log, group_id: str, user_id: str, *, actor: Actor) -> None:
    """Let a user be in a group no more.

    Raises:  NoSuch if they are not.
    """

    def refusal() -> NoSuch:
        return NoSuch(kind="user in the group", id=user_id)

    guards = [Present("member", pair_key(group_id, user_id), refusal)]
    removed = MemberRemoved(group_id=group_id, user_id=user_id)
    await log.append(group_stream(group_id), [removed], actor=actor, guards=guards)
