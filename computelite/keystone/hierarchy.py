"""What is above and below a project. Lists show those alone on which the caller has a role."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

from computelite.api.errors import BadRequest
from computelite.identity.keys import id_key, under
from computelite.identity.queries import assignments_of, every, lineage_of, project_target
from computelite.identity.roles import effective_role_ids
from computelite.identity.rows import Project, Ref
from computelite.keystone.call import Call
from computelite.keystone.project_document import project_fields


async def add_parents(call: Call, project: Project, fields: dict[str, Any]) -> None:
    """Add a project's parents, as a list or as a tree of ids, where the query asks for them.

    Raises:  BadRequest where it asks for both.
    """
    as_list, as_ids = call.query.flag("parents_as_list"), call.query.flag("parents_as_ids")
    if as_list and as_ids:
        raise BadRequest(reason="Parents are shown as a list or as ids, not both.")
    if not (as_list or as_ids):
        return
    above = (await lineage_of(call.log, project))[:-1]
    rows = await call.log.get_many("project", [id_key(id_) for id_ in above])
    if as_list:
        mine = await _reachable(call)
        shown = [project_fields(row) for row in rows if row is not None and mine(row)]
        fields["parents"] = [_linked(call, each) for each in shown]
        return
    tree: dict[str, Any] | None = {project.domain_id: None}
    for id_ in reversed(above):
        tree = {id_: tree}
    fields["parents"] = tree


async def add_subtree(call: Call, project: Project, fields: dict[str, Any]) -> None:
    """Add the projects under a project, as a list or as a tree of ids, where the query asks.

    Raises:  BadRequest where it asks for both.
    """
    as_list, as_ids = call.query.flag("subtree_as_list"), call.query.flag("subtree_as_ids")
    if as_list and as_ids:
        raise BadRequest(reason="A subtree is shown as a list or as ids, not both.")
    if as_ids:
        fields["subtree"] = await _tree_of_ids(call, project.id)
    if as_list:
        mine = await _reachable(call)
        found = [row async for row in subtree_of(call, project.id)]
        fields["subtree"] = [_linked(call, project_fields(row)) for row in found if mine(row)]


async def _tree_of_ids(call: Call, project_id: str) -> dict[str, Any] | None:
    refs = [ref.id async for ref in every(call.log, "project_child", Ref, under(project_id))]
    return {id_: await _tree_of_ids(call, id_) for id_ in refs} or None


async def subtree_of(call: Call, project_id: str) -> AsyncIterator[Project]:
    """Yield the projects under one, in no order that means anything."""
    waiting = [project_id]
    while waiting:
        async for ref in every(call.log, "project_child", Ref, under(waiting.pop())):
            row = await call.log.get("project", id_key(ref.id))
            if isinstance(row, Project):
                yield row
                waiting.append(row.id)


async def _reachable(call: Call) -> Callable[[Project], bool]:
    """Return which projects the caller has a role on: trees show those alone."""
    log = call.log
    assignments = await assignments_of(log, call.caller.user_id)
    lineages = {
        project.id: await project_target(log, project)
        async for project in every(log, "project", Project)
    }
    return lambda project: bool(effective_role_ids(assignments, {}, lineages[project.id]))


def _linked(call: Call, fields: dict[str, Any]) -> dict[str, Any]:
    links = {"self": call.url("projects", fields["id"])}
    return {"project": {**fields, "links": links}}
