"""What the catalogs of projects show: endpoints and endpoint groups, added to projects.

/v3/OS-EP-FILTER/projects/{project_id}/endpoints, .../projects/{project_id}/endpoint_groups,
.../endpoints/{endpoint_id}/projects, .../endpoint_groups/{endpoint_group_id}/projects
"""

from __future__ import annotations

from computelite.api.call import no_content
from computelite.api.routing import Route
from computelite.identity.commands.endpoint_filter import (
    add_to_project,
    not_added,
    remove_from_project,
)
from computelite.identity.keys import association_key
from computelite.identity.queries import (
    endpoints_added_to,
    every,
    get_endpoint,
    get_endpoint_group,
    get_project,
    groups_added_to,
    projects_with,
)
from computelite.identity.rows import Association, Endpoint
from computelite.keystone.call import Call
from computelite.keystone.endpoint_groups import GROUPS, endpoint_group_fields
from computelite.keystone.endpoints import endpoint_fields
from computelite.keystone.listing import in_turn, listed
from computelite.keystone.permit import permit
from computelite.keystone.project_document import project_fields
from swiftlite.http.replies import Reply


def _association(call: Call) -> Association:
    """Return the association that the path names."""
    return Association(
        project_id=call.params.get("project_id", ""),
        endpoint_id=call.params.get("endpoint_id", ""),
        endpoint_group_id=call.params.get("endpoint_group_id", ""),
    )


async def add(call: Call) -> Reply:
    """PUT: 409 where it is added already, as Keystone has it."""
    permit(call)
    await add_to_project(call.log, _association(call), actor=call.actor)
    return no_content()


async def remove(call: Call) -> Reply:
    permit(call)
    await remove_from_project(call.log, _association(call), actor=call.actor)
    return no_content()


async def check_endpoint(call: Call) -> Reply:
    """GET, HEAD .../projects/{project_id}/endpoints/{endpoint_id}: 204 if it is added."""
    permit(call)
    await _check(call)
    return no_content()


async def show_group(call: Call) -> Reply:
    """GET, HEAD .../endpoint_groups/{endpoint_group_id}/projects/{project_id}"""
    permit(call)
    await _check(call)
    ids = {name: call.params[name] for name in ("endpoint_group_id", "project_id")}
    where = (*GROUPS.split("/"), ids["endpoint_group_id"], "projects", ids["project_id"])
    return call.member("project_endpoint_group", ids, *where)


async def list_endpoints(call: Call) -> Reply:
    """GET .../projects/{project_id}/endpoints: those added alone, and those of groups."""
    permit(call)
    project = await get_project(call.log, call.params["project_id"])
    endpoints = [row async for row in every(call.log, "endpoint", Endpoint)]
    added = await endpoints_added_to(call.log, project.id, endpoints) or []
    return await listed(
        call, "endpoints", in_turn(added), lambda each: endpoint_fields(each, call.base_url)
    )


async def list_groups(call: Call) -> Reply:
    """GET .../projects/{project_id}/endpoint_groups"""
    permit(call)
    project = await get_project(call.log, call.params["project_id"])
    groups = await groups_added_to(call.log, project.id)
    return await listed(
        call, "endpoint_groups", in_turn(groups), endpoint_group_fields, path=GROUPS
    )


async def list_projects_of_endpoint(call: Call) -> Reply:
    """GET .../endpoints/{endpoint_id}/projects: not those that it is added to by a group."""
    permit(call)
    await get_endpoint(call.log, call.params["endpoint_id"])
    return await _projects(call)


async def list_projects_of_group(call: Call) -> Reply:
    """GET .../endpoint_groups/{endpoint_group_id}/projects"""
    permit(call)
    await get_endpoint_group(call.log, call.params["endpoint_group_id"])
    return await _projects(call)


async def _projects(call: Call) -> Reply:
    projects = await projects_with(call.log, _association(call))
    return await listed(call, "projects", in_turn(projects), project_fields)


async def _check(call: Call) -> None:
    """Raises:  NoSuch unless what the path names is added."""
    association = _association(call)
    if await call.log.get("association", association_key(association)) is None:
        raise not_added(association)


_PROJECT = "/v3/OS-EP-FILTER/projects/{project_id}"
_ENDPOINT = f"{_PROJECT}/endpoints/{{endpoint_id}}"
_OF_ENDPOINT = "/v3/OS-EP-FILTER/endpoints/{endpoint_id}/projects"
_OF_GROUP = f"/v3/{GROUPS}/{{endpoint_group_id}}/projects"
_GROUP = f"{_OF_GROUP}/{{project_id}}"

ROUTES = (
    Route("GET", f"{_PROJECT}/endpoints", list_endpoints, "list_endpoints_for_project"),
    Route("PUT", _ENDPOINT, add, "add_endpoint_to_project"),
    Route("GET", _ENDPOINT, check_endpoint, "check_endpoint_in_project"),
    Route("DELETE", _ENDPOINT, remove, "remove_endpoint_from_project"),
    Route("GET", _OF_ENDPOINT, list_projects_of_endpoint, "list_projects_for_endpoint"),
    Route("GET", f"{_PROJECT}/endpoint_groups", list_groups, "list_endpoint_groups_for_project"),
    Route("GET", _OF_GROUP, list_projects_of_group, "list_projects_associated_with_endpoint_group"),
    Route("PUT", _GROUP, add, "add_endpoint_group_to_project"),
    Route("GET", _GROUP, show_group, "get_endpoint_group_in_project"),
    Route("DELETE", _GROUP, remove, "remove_endpoint_group_from_project"),
)
