"""Groups and who is in them: /v3/groups, /v3/users/{user_id}/groups."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from computelite.api.call import no_content
from computelite.api.errors import BadRequest
from computelite.api.fields import Id, Name64, Text, changes_of
from computelite.api.routing import Route
from computelite.identity.commands.groups import (
    add_member,
    change_group,
    create_group,
    delete_group,
    remove_member,
)
from computelite.identity.errors import NoSuch
from computelite.identity.keys import id_key, under
from computelite.identity.queries import every, get_group, get_user, is_member
from computelite.identity.rows import Group, Member, User
from computelite.keystone.call import Call
from computelite.keystone.fields import extras_of
from computelite.keystone.listing import listed
from computelite.keystone.permit import permit, permitted_domain, seen
from computelite.keystone.projects import domain_of_caller
from computelite.keystone.standing import permit_over_group, permit_over_user
from computelite.keystone.users import FILTERS as USER_FILTERS
from computelite.keystone.users import user_fields
from swiftlite.http.replies import Reply


class NewGroup(msgspec.Struct, frozen=True, kw_only=True):
    """What makes a group."""

    name: Name64
    domain_id: Id | None = None
    description: Text | None = None


class GroupPatch(msgspec.Struct, frozen=True, kw_only=True):
    """What changes one; the domain is for ever."""

    name: Name64 | UnsetType = UNSET
    domain_id: Id | UnsetType = UNSET
    description: Text | UnsetType | None = UNSET


def group_fields(group: Group) -> dict[str, Any]:
    """Return a group as the API shows it."""
    return {
        **group.extra,
        "id": group.id,
        "name": group.name,
        "domain_id": group.domain_id,
        "description": group.description,
    }


async def list_groups(call: Call) -> Reply:
    own = permitted_domain(call)
    return await listed(
        call,
        "groups",
        every(call.log, "group", Group),
        group_fields,
        filters=("domain_id", "name", "id"),
        keep=lambda group: own in (None, group.domain_id),
    )


async def create(call: Call) -> Reply:
    new = call.read("group", NewGroup)
    domain_id = new.domain_id or domain_of_caller(call)
    permit(call, domain_id)
    group = await create_group(
        call.log,
        call.ids,
        domain_id=domain_id,
        name=new.name,
        description=new.description or "",
        extra=extras_of(call, "group", NewGroup),
        actor=call.actor,
    )
    return call.member("group", group_fields(group), "groups", group.id, status=201)


async def show(call: Call) -> Reply:
    group = await _group(call)
    return call.member("group", group_fields(group), "groups", group.id)


async def update(call: Call) -> Reply:
    group = await _group(call)
    patch = call.read("group", GroupPatch)
    if patch.domain_id not in (UNSET, group.domain_id):
        raise BadRequest(reason="The domain of a group cannot be changed.")
    changes = changes_of(patch, "name", "description")
    if "description" in changes:
        changes["description"] = changes["description"] or ""
    if call.extras("group", GroupPatch):
        changes["extra"] = extras_of(call, "group", GroupPatch, group.extra)
    group = await change_group(call.log, group, changes, actor=call.actor)
    return call.member("group", group_fields(group), "groups", group.id)


async def delete(call: Call) -> Reply:
    group = await _group(call)
    await permit_over_group(call, group)
    await delete_group(call.log, group.id, actor=call.actor)
    return no_content()


async def list_members(call: Call) -> Reply:
    group = await _group(call)

    async def members() -> AsyncIterator[User]:
        async for member in every(call.log, "member", Member, under(group.id)):
            user = await call.log.get("user", id_key(member.user_id))
            if isinstance(user, User):
                yield user

    return await listed(call, "users", members(), user_fields, filters=USER_FILTERS)


async def list_of_user(call: Call) -> Reply:
    user = await seen(call, get_user(call.log, call.params["user_id"]))
    permit(call, user.domain_id, user_id=user.id)

    async def groups() -> AsyncIterator[Group]:
        async for member in every(call.log, "member_of", Member, under(user.id)):
            group = await call.log.get("group", id_key(member.group_id))
            if isinstance(group, Group):
                yield group

    return await listed(call, "groups", groups(), group_fields, filters=("name", "id"))


async def add(call: Call) -> Reply:
    group, user = await _both(call)
    await permit_over_group(call, group)
    await permit_over_user(call, user)
    await add_member(call.log, group.id, user.id, actor=call.actor)
    return no_content()


async def check(call: Call) -> Reply:
    group, user = await _both(call)
    if not await is_member(call.log, group.id, user.id):
        raise NoSuch(kind="user in the group", id=user.id)
    return no_content()


async def remove(call: Call) -> Reply:
    group, user = await _both(call)
    await permit_over_group(call, group)
    await remove_member(call.log, group.id, user.id, actor=call.actor)
    return no_content()


async def _group(call: Call) -> Group:
    group = await seen(call, get_group(call.log, call.params["group_id"]))
    permit(call, group.domain_id)
    return group


async def _both(call: Call) -> tuple[Group, User]:
    group = await seen(call, get_group(call.log, call.params["group_id"]))
    user = await seen(call, get_user(call.log, call.params["user_id"]))
    permit(call, group.domain_id, user.domain_id)
    return group, user


ROUTES = (
    Route("GET", "/v3/groups", list_groups, "list_groups"),
    Route("POST", "/v3/groups", create, "create_group"),
    Route("GET", "/v3/groups/{group_id}", show, "get_group"),
    Route("PATCH", "/v3/groups/{group_id}", update, "update_group"),
    Route("DELETE", "/v3/groups/{group_id}", delete, "delete_group"),
    Route("GET", "/v3/groups/{group_id}/users", list_members, "list_users_in_group"),
    Route("PUT", "/v3/groups/{group_id}/users/{user_id}", add, "add_user_to_group"),
    Route("GET", "/v3/groups/{group_id}/users/{user_id}", check, "check_user_in_group"),
    Route("DELETE", "/v3/groups/{group_id}/users/{user_id}", remove, "remove_user_from_group"),
    Route("GET", "/v3/users/{user_id}/groups", list_of_user, "list_groups_for_user"),
)
