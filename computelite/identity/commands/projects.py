"""Projects: made, changed, tagged, deleted."""

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
from computelite.identity.events.actors import (
    ProjectChanged,
    ProjectCreated,
    ProjectDeleted,
    ProjectTagged,
    ProjectUntagged,
    project_stream,
)
from computelite.identity.guards import Decided, Empty
from computelite.identity.keys import id_key, name_key, under
from computelite.identity.queries import get_project
from computelite.identity.rows import Domain, Project
from eventlog.clock import Ids
from eventlog.errors import Refused
from eventlog.log import Actor, Guard, Log

TAGS_MAX = 80


async def create_project(
    log: Log,
    ids: Ids,
    *,
    domain_id: str,
    parent_id: str,
    name: str,
    actor: Actor,
    **facts: Any,
) -> Project:
    """Make a project under a project of the same domain, or under the domain itself.

    `facts` as in `project.created`.
    Raises:  NameTaken, NoSuch; NotAllowed under what is disabled.
    """
    project_id = new_id(ids)
    created = ProjectCreated(
        project_id=project_id, domain_id=domain_id, parent_id=parent_id, name=name, **facts
    )

    def judge(parent: Domain | Project | None) -> None:
        if parent is None:
            kind = "domain" if parent_id == domain_id else "project"
            raise NoSuch(kind=kind, id=parent_id)
        if isinstance(parent, Project) and parent.domain_id != domain_id:
            raise NotAllowed(reason="A project is in the domain of its parent.")
        if isinstance(parent, Project) and not parent.enabled:
            raise NotAllowed(reason=f"The parent {parent_id} is disabled.")

    table = "domain" if parent_id == domain_id else "project"
    guards: list[Guard] = [
        name_is_free("project_name", name_key(domain_id, name), "project", name),
        there("domain", "domain", domain_id),
        Decided(table, id_key(parent_id), judge),
    ]
    await log.append(project_stream(project_id), [created], actor=actor, guards=guards)
    return await get_project(log, project_id)


async def change_project(
    log: Log, project: Project, changes: Mapping[str, Any], *, actor: Actor
) -> Project:
    """Change a project's attributes, as in `project.changed`.

    Raises:  NoSuch, NameTaken, ChangedMeanwhile; NotAllowed for enabling under a disabled parent,
    and for disabling above an enabled project.
    """
    if not changes:
        return project
    guards: list[Guard] = [
        there("project", "project", project.id),
        as_read("project", "project", project),
    ]
    if "name" in changes:
        name = changes["name"]
        key = name_key(project.domain_id, name)
        guards.append(name_is_free_for("project_name", key, "project", name, project.id))
    if changes.get("enabled") is True and project.parent_id != project.domain_id:
        guards.append(Decided("project", id_key(project.parent_id), _may_be_enabled))
    if changes.get("enabled") is False:
        guards.append(_ChildrenDisabled(project.id))
    changed = ProjectChanged(project_id=project.id, **changes)
    await log.append(project_stream(project.id), [changed], actor=actor, guards=guards)
    return await get_project(log, project.id)


async def tag_project(log: Log, project_id: str, tag: str, *, actor: Actor) -> None:
    """Give a project one more tag; it may have it already.

    Raises:  NoSuch; NotAllowed if it has as many as it may.
    """

    def judge(project: Project | None) -> None:
        if project is None:
            raise NoSuch(kind="project", id=project_id)
        if tag not in project.tags and len(project.tags) >= TAGS_MAX:
            raise NotAllowed(reason=f"A project has at most {TAGS_MAX} tags.")

    guards = [Decided("project", id_key(project_id), judge)]
    tagged = ProjectTagged(project_id=project_id, tag=tag)
    await log.append(project_stream(project_id), [tagged], actor=actor, guards=guards)


async def untag_project(log: Log, project_id: str, tag: str, *, actor: Actor) -> None:
    """Take a tag from a project.

    Raises:  NoSuch for the project or the tag.
    """

    def judge(project: Project | None) -> None:
        if project is None:
            raise NoSuch(kind="project", id=project_id)
        if tag not in project.tags:
            raise NoSuch(kind="project tag", id=tag)

    guards = [Decided("project", id_key(project_id), judge)]
    untagged = ProjectUntagged(project_id=project_id, tag=tag)
    await log.append(project_stream(project_id), [untagged], actor=actor, guards=guards)


async def delete_project(log: Log, project_id: str, *, actor: Actor) -> None:
    """Delete a project that has no children, with every role, key and credential on it.

    Raises:  NoSuch; NotAllowed if it has children.
    """
    reason = f"The project {project_id} has projects under it."
    guards: list[Guard] = [
        there("project", "project", project_id),
        Empty("project_child", under(project_id), lambda: NotAllowed(reason=reason)),
    ]
    deleted = ProjectDeleted(project_id=project_id)
    await log.append(project_stream(project_id), [deleted], actor=actor, guards=guards)


def _may_be_enabled(parent: Project | None) -> None:
    if parent is not None and not parent.enabled:
        raise NotAllowed(reason="A project under a disabled one cannot be enabled.")


class _ChildrenDisabled:
    """Guard: no project right below is enabled; below those none can be."""

    def __init__(self, project_id: str) -> None:
        self._project_id = project_id

    def keys(self) -> list[tuple[str, bytes]]:
        return []

    def check(self, rows: Any) -> None:
        lo, hi = under(self._project_id)
        while found := rows.first("project_child", lo, hi):
            child = rows.get("project", id_key(found[1].id))
            if child is not None and child.enabled:
                raise _enabled_below()
            lo = found[0] + b"\0"


def _enabled_below() -> Refused:
    return NotAllowed(reason="A project above an enabled one cannot be disabled.")
