"""Tags and actions: /v2/images/{image_id}/tags/{tag} and /actions/..."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from computelite.api.call import no_content
from computelite.api.routing import Route
from computelite.glance.access import owned_image, permits
from computelite.glance.call import Call
from computelite.glance.fields import attribute
from computelite.glance.policy import POLICY
from computelite.image.commands.images import (
    change_image,
    deactivate_image,
    reactivate_image,
)
from computelite.image.errors import NotFound
from computelite.image.rows import Image
from swiftlite.http.replies import Reply


async def add_tag(call: Call) -> Reply:
    await owned_image(call)
    tag = call.params["tag"]

    def change(image: Image) -> Mapping[str, Any]:
        POLICY.permit(call, image.owner)
        _, tags = attribute("tags", [*image.tags, tag])
        return {"tags": tags}

    await _change(call, change)
    return no_content()


async def remove_tag(call: Call) -> Reply:
    await owned_image(call)
    tag = call.params["tag"]

    def change(image: Image) -> Mapping[str, Any]:
        POLICY.permit(call, image.owner)
        if tag not in image.tags:
            raise NotFound(reason="Could not find tag.")
        return {"tags": tuple(each for each in image.tags if each != tag)}

    await _change(call, change)
    return no_content()


async def deactivate(call: Call) -> Reply:
    image = await owned_image(call)
    await deactivate_image(call.log, image.id, permits(call), actor=call.actor)
    return no_content()


async def reactivate(call: Call) -> Reply:
    image = await owned_image(call)
    await reactivate_image(call.log, image.id, permits(call), actor=call.actor)
    return no_content()


async def _change(call: Call, change: Any) -> None:
    await change_image(
        call.log, call.params["image_id"], change, limits=call.service.limits, actor=call.actor
    )


ROUTES = (
    Route("PUT", "/v2/images/{image_id}/tags/{tag}", add_tag, "modify_image"),
    Route("DELETE", "/v2/images/{image_id}/tags/{tag}", remove_tag, "modify_image"),
    Route("POST", "/v2/images/{image_id}/actions/deactivate", deactivate, "deactivate"),
    Route("POST", "/v2/images/{image_id}/actions/reactivate", reactivate, "reactivate"),
)
