"""Domains: made, changed, deleted with all that is in them."""

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
from computelite.identity.commands.groups import delete_group
from computelite.identity.commands.projects import delete_project
from computelite.identity.commands.roles import delete_role
from computelite.identity.commands.users import delete_user
from computelite.identity.errors import NoSuch, NotAllowed, Taken
from computelite.identity.events.actors import (
    DEFAULT_DOMAIN,
    DomainChanged,
    DomainCreated,
    DomainDeleted,
    domain_stream,
)
from computelite.identity.guards import Absent, Decided, Empty
from computelite.identity.keys import domain_name_key, id_key, in_domain, under
from computelite.identity.queries import get_domain
from computelite.identity.rows import Domain
from eventlog.clock import Ids
from eventlog.errors import Refused
from eventlog.log import Actor, Guard, Log

_PAGE = 100
# What lies in a domain, by tables whose keys begin with the domain's id.
_INSIDE = ("user_name", "group_name", "project_name", "role_name")


class _StillThere(Refused):
    """Something came into the domain meanwhile."""


async def create_domain(
    log: Log, ids: Ids, *, name: str, actor: Actor, domain_id: str = "", **facts: Any
) -> Domain:
    """Make a domain; `facts` as in `domain.created`, `domain_id` for an id of one's own.

    Raises:  NameTaken, Taken.
    """
    domain_id = domain_id or new_id(ids)
    created = DomainCreated(domain_id=domain_id, name=name, **facts)
    guards: list[Guard] = [
        name_is_free("domain_name", domain_name_key(name), "domain", name),
        Absent("domain", id_key(domain_id), lambda: Taken(kind="domain", reason="the id is taken")),
        Absent("project", id_key(domain_id), lambda: Taken(kind="project", reason="so is the id")),
    ]
    await log.append(domain_stream(domain_id), [created], actor=actor, guards=guards)
    return await get_domain(log, domain_id)


async def change_domain(
    log: Log, domain: Domain, changes: Mapping[str, Any], *, actor: Actor
) -> Domain:
    """Change a domain's attributes, as in `domain.changed`.

    Raises:  NoSuch, NameTaken, ChangedMeanwhile; NotAllowed for disabling the default domain, whose
    users are those who could enable it again.
    """
    if domain.id == DEFAULT_DOMAIN and changes.get("enabled") is False:
        raise NotAllowed(reason="The default domain cannot be disabled.")
    if not changes:
        return domain
    guards: list[Guard] = [
        there("domain", "domain", domain.id),
        as_read("domain", "domain", domain),
    ]
    if "name" in changes:
        name = changes["name"]
        key = domain_name_key(name)
        guards.append(name_is_free_for("domain_name", key, "domain", name, domain.id))
    changed = DomainChanged(domain_id=domain.id, **changes)
    await log.append(domain_stream(domain.id), [changed], actor=actor, guards=guards)
    return await get_domain(log, domain.id)


async def delete_domain(log: Log, domain_id: str, *, actor: Actor) -> None:
    """Delete a disabled domain, and before it every user, group, project and role in it.

    Raises:  NoSuch; NotAllowed while it is enabled, and for the default domain.
    """
    if domain_id == DEFAULT_DOMAIN:
        raise NotAllowed(reason="The default domain cannot be deleted.")

    def judge(domain: Domain | None) -> None:
        if domain is None:
            raise NoSuch(kind="domain", id=domain_id)
        if domain.enabled:
            raise NotAllowed(reason="A domain that is enabled cannot be deleted: disable it first.")

    judge(await log.get("domain", id_key(domain_id)))
    guards: list[Guard] = [Decided("domain", id_key(domain_id), judge)]
    guards += [Empty(table, in_domain(domain_id), _StillThere) for table in _INSIDE]
    while True:
        await _empty(log, domain_id, actor)
        try:
            deleted = DomainDeleted(domain_id=domain_id)
            await log.append(domain_stream(domain_id), [deleted], actor=actor, guards=guards)
        except _StillThere:
            continue
        return


async def _empty(log: Log, domain_id: str, actor: Actor) -> None:
    for table, delete in (
        ("user_name", delete_user),
        ("group_name", delete_group),
        ("role_name", delete_role),
    ):
        while page := await log.scan(table, *in_domain(domain_id), limit=_PAGE):
            for _, ref in page:
                try:
                    await delete(log, ref.id, actor=actor)
                except NoSuch:
                    continue  # somebody else was faster
    while page := await log.scan("project_name", *in_domain(domain_id), limit=_PAGE):
        for _, ref in page:
            await _delete_tree(log, ref.id, actor)


async def _delete_tree(log: Log, project_id: str, actor: Actor) -> None:
    while children := await log.scan("project_child", *under(project_id), limit=_PAGE):
        for _, ref in children:
            await _delete_tree(log, ref.id, actor)
    try:
        await delete_project(log, project_id, actor=actor)
    except (NoSuch, NotAllowed):
        return  # it is gone, or has a new child: whoever called looks again
