"""Tags of projects: /v3/projects/{project_id}/tags."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from computelite.api.call import json_reply, no_content
from computelite.api.errors import BadRequest, NoSuch
from computelite.api.request import checked
from computelite.api.routing import Route
from computelite.identity.commands.projects import (
    TAGS_MAX,
    change_project,
    tag_project,
    untag_project,
)
from computelite.identity.queries import get_project
from computelite.identity.rows import Project
from computelite.keystone.call import Call
from computelite.keystone.fields import Tag, check_mutable
from computelite.keystone.permit import permit, seen
from swiftlite.http.replies import Reply


class Tags(msgspec.Struct, frozen=True, kw_only=True):
    """All tags at once."""

    tags: Annotated[list[Tag], Meta(max_length=TAGS_MAX)]


class OneTag(msgspec.Struct, frozen=True, kw_only=True):
    """A tag of the path."""

    tag: Tag


async def _project(call: Call) -> Project:
    project = await seen(call, get_project(call.log, call.params["project_id"]))
    permit(call, project.domain_id, project_id=project.id)
    return project


async def list_tags(call: Call) -> Reply:
    return _shown(call, await _project(call))


async def replace_tags(call: Call) -> Reply:
    project = await _project(call)
    check_mutable("project", project.options)
    tags = checked(call.body, Tags).tags
    if len(set(tags)) != len(tags):
        raise BadRequest(reason="A tag is there twice.")
    changes = {"tags": tuple(tags)}
    return _shown(call, await change_project(call.log, project, changes, actor=call.actor))


async def delete_tags(call: Call) -> Reply:
    project = await _project(call)
    check_mutable("project", project.options)
    await change_project(call.log, project, {"tags": ()}, actor=call.actor)
    return no_content()


async def check_tag(call: Call) -> Reply:
    project = await _project(call)
    tag = call.params["tag"]
    if tag not in project.tags:
        raise NoSuch(kind="project tag", name=tag)
    return no_content()


async def add_tag(call: Call) -> Reply:
    project = await _project(call)
    check_mutable("project", project.options)
    tag = checked({"tag": call.params["tag"]}, OneTag).tag
    await tag_project(call.log, project.id, tag, actor=call.actor)
    where = {"Location": call.url("projects", project.id, "tags", tag)}
    return Reply(201, where)


async def delete_tag(call: Call) -> Reply:
    project = await _project(call)
    check_mutable("project", project.options)
    await untag_project(call.log, project.id, call.params["tag"], actor=call.actor)
    return no_content()


def _shown(call: Call, project: Project) -> Reply:
    links = {"self": call.url("projects", project.id, "tags"), "previous": None, "next": None}
    return json_reply({"tags": list(project.tags), "links": links})


ROUTES = (
    Route("GET", "/v3/projects/{project_id}/tags", list_tags, "list_project_tags"),
    Route("PUT", "/v3/projects/{project_id}/tags", replace_tags, "update_project_tags"),
    Route("DELETE", "/v3/projects/{project_id}/tags", delete_tags, "delete_project_tags"),
    Route("GET", "/v3/projects/{project_id}/tags/{tag}", check_tag, "get_project_tag"),
    Route("PUT", "/v3/projects/{project_id}/tags/{tag}", add_tag, "create_project_tag"),
    Route("DELETE", "/v3/projects/{project_id}/tags/{tag}", delete_tag, "delete_project_tag"),
)
