"""Projects: /v3/projects, in a hierarchy under their domain. A domain is shown as a project too."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from computelite.api.call import no_content
from computelite.api.errors import BadRequest, Forbidden
from computelite.api.fields import Id, Name64, Text, changes_of
from computelite.api.routing import Route
from computelite.identity.commands.domains import change_domain, create_domain, delete_domain
from computelite.identity.commands.projects import (
    TAGS_MAX,
    change_project,
    create_project,
    delete_project,
)
from computelite.identity.events.actors import DEFAULT_DOMAIN
from computelite.identity.keys import id_key, under
from computelite.identity.queries import (
    all_roles,
    assignments_of,
    every,
    get_domain,
    get_project,
    get_user,
    implications,
    lineage_of,
    project_named,
    project_target,
)
from computelite.identity.roles import effective_role_ids
from computelite.identity.rows import Domain, Project, Ref
from computelite.keystone.call import Call
from computelite.keystone.fields import Options, Tag, check_mutable, extras_of, merged_options
from computelite.keystone.hierarchy import add_parents, add_subtree
from computelite.keystone.listing import listed
from computelite.keystone.permit import permit, permitted_domain, seen
from computelite.keystone.project_document import domain_as_project, project_fields
from swiftlite.http.replies import Reply

DEPTH_MAX = 5  # projects above one another, as in Keystone's default
FILTERS = ("domain_id", "enabled", "name", "parent_id", "id", "description")

Tags = Annotated[list[Tag], Meta(max_length=TAGS_MAX)]


class NewProject(msgspec.Struct, frozen=True, kw_only=True):
    """What makes a project."""

    name: Name64
    domain_id: Id | None = None
    parent_id: Id | None = None
    is_domain: bool = False
    description: Text | None = None
    enabled: bool = True
    tags: Tags = []
    options: Options | UnsetType = UNSET


class ProjectPatch(msgspec.Struct, frozen=True, kw_only=True):
    """What changes one; the domain, the parent and being a domain are for ever."""

    name: Name64 | UnsetType = UNSET
    description: Text | UnsetType | None = UNSET
    enabled: bool | UnsetType = UNSET
    tags: Tags | UnsetType = UNSET
    options: Options | UnsetType = UNSET
    domain_id: Id | UnsetType | None = UNSET
    parent_id: Id | UnsetType | None = UNSET
    is_domain: bool | UnsetType = UNSET


async def list_projects(call: Call) -> Reply:
    own = permitted_domain(call)
    if call.query.truth("is_domain"):
        return await listed(
            call,
            "projects",
            every(call.log, "domain", Domain),
            domain_as_project,
            filters=("enabled", "name", "id"),
            keep=lambda domain: own in (None, domain.id),
        )
    fits = tags_wanted(call)
    return await listed(
        call,
        "projects",
        _candidates(call),
        project_fields,
        filters=FILTERS,
        keep=lambda project: own in (None, project.domain_id) and fits(project.tags),
    )


async def _candidates(call: Call) -> AsyncIterator[Project]:
    """Yield the projects that the filters leave, by an index where they name one."""
    name, domain_id = call.query.get("name"), call.query.get("domain_id")
    if name and domain_id:
        project = await project_named(call.log, domain_id, name)
        if project is not None:
            yield project
        return
    if parent_id := call.query.get("parent_id"):
        async for ref in every(call.log, "project_child", Ref, under(parent_id)):
            child = await call.log.get("project", id_key(ref.id))
            if child is not None:
                yield child
        return
    async for project in every(call.log, "project", Project):
        yield project


def tags_wanted(call: Call) -> Callable[[tuple[str, ...]], bool]:
    """Return the test that the query's filters on tags make."""

    def tags(name: str) -> set[str] | None:
        text = call.query.get(name)
        return None if text is None else {tag for tag in text.split(",") if tag}

    all_of, any_of = tags("tags"), tags("tags-any")
    not_all_of, not_any_of = tags("not-tags"), tags("not-tags-any")

    def fits(had: tuple[str, ...]) -> bool:
        has = set(had)
        return (
            (all_of is None or all_of <= has)
            and (any_of is None or bool(any_of & has))
            and (not_all_of is None or not not_all_of <= has)
            and (not_any_of is None or not not_any_of & has)
        )

    return fits


async def create(call: Call) -> Reply:
    new = call.read("project", NewProject)
    if new.is_domain:
        return await _create_domain(call, new)
    domain_id = new.domain_id
    parent_id = new.parent_id
    if parent_id is not None and domain_id is None:
        parent = await call.log.get("project", id_key(parent_id))
        domain_id = parent.domain_id if parent is not None else parent_id
    if domain_id is None:
        domain_id = domain_of_caller(call)
    permit(call, domain_id)
    parent_id = parent_id or domain_id
    if parent_id != domain_id:
        parent = await get_project(call.log, parent_id)
        if len(await lineage_of(call.log, parent)) >= DEPTH_MAX:
            raise Forbidden(reason=f"Projects are at most {DEPTH_MAX} deep under their domain.")
    project = await create_project(
        call.log,
        call.ids,
        domain_id=domain_id,
        parent_id=parent_id,
        name=new.name,
        description=new.description or "",
        enabled=new.enabled,
        tags=_unique(new.tags),
        options=merged_options({}, new.options),
        extra=extras_of(call, "project", NewProject),
        actor=call.actor,
    )
    return call.member("project", project_fields(project), "projects", project.id, status=201)


async def _create_domain(call: Call, new: NewProject) -> Reply:
    permit(call)
    if new.domain_id is not None or new.parent_id is not None:
        raise BadRequest(reason="What is a domain has neither a domain nor a parent.")
    domain = await create_domain(
        call.log,
        call.ids,
        name=new.name,
        description=new.description or "",
        enabled=new.enabled,
        options=merged_options({}, new.options),
        extra=extras_of(call, "project", NewProject),
        actor=call.actor,
    )
    return call.member("project", domain_as_project(domain), "projects", domain.id, status=201)


async def show(call: Call) -> Reply:
    project_id = call.params["project_id"]
    domain = await call.log.get("domain", id_key(project_id))
    if isinstance(domain, Domain):
        permit(call, domain.id, project_id=domain.id)
        return call.member("project", domain_as_project(domain), "projects", domain.id)
    project = await seen(call, get_project(call.log, project_id))
    permit(call, project.domain_id, project_id=project.id)
    fields = project_fields(project)
    await add_parents(call, project, fields)
    await add_subtree(call, project, fields)
    return call.member("project", fields, "projects", project.id)


async def update(call: Call) -> Reply:
    project_id = call.params["project_id"]
    if isinstance(await call.log.get("domain", id_key(project_id)), Domain):
        return await _update_domain(call, project_id)
    project = await seen(call, get_project(call.log, project_id))
    permit(call, project.domain_id)
    patch = call.read("project", ProjectPatch)
    if patch.domain_id not in (UNSET, project.domain_id):
        raise BadRequest(reason="The domain of a project cannot be changed.")
    if patch.parent_id not in (UNSET, project.parent_id):
        raise Forbidden(reason="The parent of a project cannot be changed.")
    if patch.is_domain not in (UNSET, False):
        raise BadRequest(reason="Whether a project is a domain cannot be changed.")
    check_mutable("project", project.options, patch.options)
    changes = changes_of(patch, "name", "description", "enabled")
    if "description" in changes:
        changes["description"] = changes["description"] or ""
    if not isinstance(patch.tags, UnsetType):
        changes["tags"] = _unique(patch.tags)
    if patch.options is not UNSET:
        changes["options"] = merged_options(project.options, patch.options)
    if call.extras("project", ProjectPatch):
        changes["extra"] = extras_of(call, "project", ProjectPatch, project.extra)
    project = await change_project(call.log, project, changes, actor=call.actor)
    return call.member("project", project_fields(project), "projects", project.id)


async def _update_domain(call: Call, domain_id: str) -> Reply:
    permit(call)
    domain = await get_domain(call.log, domain_id)
    patch = call.read("project", ProjectPatch)
    if {patch.domain_id, patch.parent_id} - {UNSET, None} or patch.is_domain is False:
        raise BadRequest(reason="A domain has neither a domain nor a parent, and stays a domain.")
    check_mutable("domain", domain.options, patch.options)
    changes = changes_of(patch, "name", "description", "enabled")
    if "description" in changes:
        changes["description"] = changes["description"] or ""
    domain = await change_domain(call.log, domain, changes, actor=call.actor)
    return call.member("project", domain_as_project(domain), "projects", domain.id)


async def delete(call: Call) -> Reply:
    project_id = call.params["project_id"]
    domain = await call.log.get("domain", id_key(project_id))
    if isinstance(domain, Domain):
        permit(call)
        check_mutable("domain", domain.options)
        await delete_domain(call.log, domain.id, actor=call.actor)
        return no_content()
    project = await seen(call, get_project(call.log, project_id))
    permit(call, project.domain_id)
    check_mutable("project", project.options)
    await delete_project(call.log, project.id, actor=call.actor)
    return no_content()


async def list_of_user(call: Call) -> Reply:
    """GET /v3/users/{user_id}/projects: where a user has a role."""
    user = await seen(call, get_user(call.log, call.params["user_id"]))
    permit(call, user.domain_id, user_id=user.id)
    log = call.log
    assignments = await assignments_of(log, user.id)
    implied, roles = await implications(log), await all_roles(log)

    async def found() -> AsyncIterator[Project]:
        async for project in every(log, "project", Project):
            target = await project_target(log, project)
            if roles.keys() & effective_role_ids(assignments, implied, target):
                yield project

    path = f"users/{user.id}/projects"
    return await listed(call, "projects", found(), project_fields, filters=FILTERS, path=path)


def domain_of_caller(call: Call) -> str:
    """Return the domain that something is made in when the request names none.

    With the system's scope that is the domain `default`, as clients of the first v3 expect.
    Raises:  Forbidden who could make it in no domain.
    """
    caller = call.caller
    if caller.domain_id is not None:
        return caller.domain_id
    if caller.project is not None:
        return caller.project.domain.id
    permit(call)
    return DEFAULT_DOMAIN


def _unique(tags: list[str]) -> tuple[str, ...]:
    if len(set(tags)) != len(tags):
        raise BadRequest(reason="A tag is there twice.")
    return tuple(tags)


ROUTES = (
    Route("GET", "/v3/projects", list_projects, "list_projects"),
    Route("POST", "/v3/projects", create, "create_project"),
    Route("GET", "/v3/projects/{project_id}", show, "get_project"),
    Route("PATCH", "/v3/projects/{project_id}", update, "update_project"),
    Route("DELETE", "/v3/projects/{project_id}", delete, "delete_project"),
    Route("GET", "/v3/users/{user_id}/projects", list_of_user, "list_user_projects"),
)
