"""Members: /v2/images/{image_id}/members."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from computelite.api.call import json_reply, no_content
from computelite.api.request import checked
from computelite.api.routing import Route
from computelite.glance.access import owned_image, seen_image
from computelite.glance.call import Call
from computelite.glance.documents import member_document
from computelite.glance.policy import POLICY
from computelite.image.commands.members import (
    add_member,
    answer_member,
    check_shared,
    remove_member,
)
from computelite.image.errors import NoSuchMember
from computelite.image.queries import get_member, members_of
from computelite.image.rows import Image
from swiftlite.http.replies import Reply


class NewMember(msgspec.Struct, frozen=True, kw_only=True):
    """Who gets to see an image."""

    member: Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9-]+\Z")]


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a member says to it."""

    status: Literal["pending", "accepted", "rejected"]


async def list_members(call: Call) -> Reply:
    """Answer all members to who owns the image; to a member, themselves."""
    image = await seen_image(call)
    check_shared(image)
    members = await members_of(call.log, image.id)
    if not POLICY.allows(call.caller, call.operation, image.owner):
        members = [member for member in members if member.member == call.project_id]
    documents = [member_document(member) for member in members]
    return json_reply({"members": documents, "schema": "/v2/schemas/members"})


async def create(call: Call) -> Reply:
    image = await owned_image(call)
    new = checked(call.body, NewMember)
    member = await add_member(call.log, image.id, new.member, actor=call.actor)
    return json_reply(member_document(member))


async def show(call: Call) -> Reply:
    image = await seen_image(call)
    check_shared(image)
    _check_own(call, image)
    found = await get_member(call.log, image.id, call.params["member_id"])
    return json_reply(member_document(found))


async def update(call: Call) -> Reply:
    image = await seen_image(call)
    check_shared(image)
    member = call.params["member_id"]
    answer = checked(call.body, Answer)
    if not POLICY.allows(call.caller, "get_member", image.owner):
        _check_own(call, image)
    POLICY.permit(call, member)
    found = await answer_member(call.log, image.id, member, answer.status, actor=call.actor)
    return json_reply(member_document(found))


async def delete(call: Call) -> Reply:
    image = await owned_image(call)
    await remove_member(call.log, image.id, call.params["member_id"], actor=call.actor)
    return no_content()


def _check_own(call: Call, image: Image) -> None:
    """Return if the caller owns the image or is the member. Raises: NoSuchMember."""
    member = call.params["member_id"]
    if member != call.project_id and not POLICY.allows(call.caller, "get_member", image.owner):
        raise NoSuchMember(id=image.id, member=member)


ROUTES = (
    Route("GET", "/v2/images/{image_id}/members", list_members, "get_members"),
    Route("POST", "/v2/images/{image_id}/members", create, "add_member"),
    Route("GET", "/v2/images/{image_id}/members/{member_id}", show, "get_member"),
    Route("PUT", "/v2/images/{image_id}/members/{member_id}", update, "modify_member"),
    Route("DELETE", "/v2/images/{image_id}/members/{member_id}", delete, "delete_member"),
)
