"""Endpoint groups: made, changed, deleted. Endpoints and groups: added to projects, and removed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from computelite.identity.commands.common import new_id, there
from computelite.identity.errors import NoSuch, Taken
from computelite.identity.events import catalog as events
from computelite.identity.events.catalog import endpoint_group_stream, endpoint_stream
from computelite.identity.guards import Absent, Present
from computelite.identity.keys import association_key
from computelite.identity.queries import get_endpoint_group
from computelite.identity.rows import Association, EndpointGroup
from eventlog.clock import Ids
from eventlog.event import Event
from eventlog.log import Actor, Guard, Log


async def create_endpoint_group(
    log: Log, ids: Ids, *, name: str, actor: Actor, **facts: Any
) -> EndpointGroup:
    """Make an endpoint group; `facts` as in `endpoint-group.created`.

    What its filters name need not be there, nor stay: they select what there is at each look.
    """
    id_ = new_id(ids)
    created = events.EndpointGroupCreated(endpoint_group_id=id_, name=name, **facts)
    await log.append(endpoint_group_stream(id_), [created], actor=actor)
    return await get_endpoint_group(log, id_)


async def change_endpoint_group(
    log: Log, group: EndpointGroup, changes: Mapping[str, Any], *, actor: Actor
) -> EndpointGroup:
    """Change an endpoint group's attributes, as in `endpoint-group.changed`.

    Raises:  NoSuch.
    """
    if not changes:
        return group
    changed = events.EndpointGroupChanged(endpoint_group_id=group.id, **changes)
    guards = [there("endpoint_group", "endpoint group", group.id)]
    await log.append(endpoint_group_stream(group.id), [changed], actor=actor, guards=guards)
    return await get_endpoint_group(log, group.id)


async def delete_endpoint_group(log: Log, endpoint_group_id: str, *, actor: Actor) -> None:
    """Delete an endpoint group; projects that it was added to see its endpoints no more by it.

    Raises:  NoSuch.
    """
    guards = [there("endpoint_group", "endpoint group", endpoint_group_id)]
    deleted = events.EndpointGroupDeleted(endpoint_group_id=endpoint_group_id)
    stream = endpoint_group_stream(endpoint_group_id)
    await log.append(stream, [deleted], actor=actor, guards=guards)


async def add_to_project(log: Log, association: Association, *, actor: Actor) -> None:
    """Let a project's catalog show an endpoint, or those of a group.

    Raises:  NoSuch for the project, the endpoint or the group; Taken if it is added already.
    """

    def refusal() -> Taken:
        return Taken(kind="association", reason="it was added to the project before")

    guards: list[Guard] = [
        there("project", "project", association.project_id),
        Absent("association", association_key(association), refusal),
    ]
    event: Event
    if id_ := association.endpoint_id:
        guards.append(there("endpoint", "endpoint", id_))
        event = events.EndpointProjectAdded(endpoint_id=id_, project_id=association.project_id)
    else:
        id_ = association.endpoint_group_id
        guards.append(there("endpoint_group", "endpoint group", id_))
        event = events.EndpointGroupProjectAdded(
            endpoint_group_id=id_, project_id=association.project_id
        )
    await log.append(_stream(association), [event], actor=actor, guards=guards)


async def remove_from_project(log: Log, association: Association, *, actor: Actor) -> None:
    """Take an endpoint or a group from a project; the last one leaves it all endpoints again.

    Raises:  NoSuch if it is not added.
    """
    event: Event
    if id_ := association.endpoint_id:
        event = events.EndpointProjectRemoved(endpoint_id=id_, project_id=association.project_id)
    else:
        event = events.EndpointGroupProjectRemoved(
            endpoint_group_id=association.endpoint_group_id, project_id=association.project_id
        )
    guards = [Present("association", association_key(association), lambda: not_added(association))]
    await log.append(_stream(association), [event], actor=actor, guards=guards)


def not_added(association: Association) -> NoSuch:
    """Return the refusal of what is about an association that is not there."""
    kind = "endpoint" if association.endpoint_id else "endpoint group"
    id_ = association.endpoint_id or association.endpoint_group_id
    return NoSuch(kind=f"{kind} in the project {association.project_id}", id=id_)


def _stream(association: Association) -> str:
    if association.endpoint_id:
        return endpoint_stream(association.endpoint_id)
    return endpoint_group_stream(association.endpoint_group_id)
