"""Images: /v2/images and /v2/images/{image_id}."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import UNSET

from computelite.api.call import json_reply, no_content
from computelite.api.errors import Forbidden
from computelite.api.request import checked
from computelite.api.routing import Reads, Route
from computelite.glance.access import owned_image, permits, seen_image
from computelite.glance.call import Call
from computelite.glance.documents import IMPORT_METHODS, STORE, image_document
from computelite.glance.fields import (
    ATTRIBUTES,
    NewImage,
    check_properties,
    check_settable,
    facts_of,
    property_of,
)
from computelite.glance.listing import list_images
from computelite.glance.patch import DRAFT_4, DRAFT_10, parse_patch, patched
from computelite.glance.policy import POLICY
from computelite.image.commands.images import change_image, create_image, delete_image
from computelite.image.rows import COMMUNITY, PUBLIC, Image
from swiftlite.http.replies import Reply

_BY_VISIBILITY = {PUBLIC: "publicize_image", COMMUNITY: "communitize_image"}


async def create(call: Call) -> Reply:
    new = checked(call.body, NewImage)
    own = {name: value for name, value in call.body.items() if name not in {*ATTRIBUTES, "id"}}
    for name in own:
        check_settable(name)
    properties = {name: property_of(name, value) for name, value in own.items()}
    check_properties(properties)
    facts = {"owner": call.project_id, **facts_of(new)}
    POLICY.permit(call, call.project_id)
    if facts["owner"] != call.project_id:
        _permit(call, "change_owner", "")
    _permit_visibility(call, facts.get("visibility"), facts["owner"])
    image = await create_image(
        call.log,
        call.ids,
        image_id="" if new.id is UNSET else str(new.id).lower(),
        properties=properties,
        limits=call.service.limits,
        actor=call.actor,
        **facts,
    )
    headers = {
        "Location": call.url("images", image.id),
        "OpenStack-image-import-methods": ",".join(IMPORT_METHODS),
        "OpenStack-image-store-ids": STORE,
    }
    return json_reply(image_document(image), 201, headers)


async def show(call: Call) -> Reply:
    return json_reply(image_document(await seen_image(call)))


async def update(call: Call) -> Reply:
    await owned_image(call)
    changes = parse_patch(call.content, call.headers.get("content-type", ""))

    def change(image: Image) -> Mapping[str, Any]:
        POLICY.permit(call, image.owner)
        facts = patched(image, changes)
        if facts.get("owner", image.owner) != image.owner:
            _permit(call, "change_owner", "")
        if facts.get("visibility", image.visibility) != image.visibility:
            _permit_visibility(call, facts["visibility"], image.owner)
        return facts

    image = await change_image(
        call.log, call.params["image_id"], change, limits=call.service.limits, actor=call.actor
    )
    return json_reply(image_document(image))


async def delete(call: Call) -> Reply:
    await owned_image(call)
    image = await delete_image(call.log, call.params["image_id"], permits(call), actor=call.actor)
    # At once where that goes; else upkeep does it later.
    for part in (image.content, image.staged):
        if part is not None:
            await call.service.drop(image.id, part.transfer_id, actor=call.actor)
    return no_content()


def _permit_visibility(call: Call, visibility: str | None, owner: str) -> None:
    if visibility in _BY_VISIBILITY:
        _permit(call, _BY_VISIBILITY[visibility], owner)


def _permit(call: Call, operation: str, owner: str) -> None:
    if not POLICY.allows(call.caller, operation, owner):
        raise Forbidden(
            reason=f"You are not authorized to perform the requested action: image:{operation}."
        )


ACCEPT_PATCH = f"{DRAFT_4}, {DRAFT_10}"

ROUTES = (
    Route("GET", "/v2/images", list_images, "get_images"),
    Route("POST", "/v2/images", create, "add_image"),
    Route("GET", "/v2/images/{image_id}", show, "get_image"),
    Route("PATCH", "/v2/images/{image_id}", update, "modify_image", Reads.BYTES),
    Route("DELETE", "/v2/images/{image_id}", delete, "delete_image"),
)
