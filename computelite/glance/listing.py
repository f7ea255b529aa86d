"""Lists of images: /v2/images."""

from __future__ import annotations

from urllib.parse import urlencode

from computelite.api.call import json_reply
from computelite.api.errors import BadRequest
from computelite.glance.access import sees_all
from computelite.glance.call import Call
from computelite.glance.documents import image_document
from computelite.glance.policy import POLICY
from computelite.glance.query import ALL, Asked, asked_of, page_of
from computelite.image.queries import (
    all_images,
    images_by_id,
    images_of,
    memberships_of,
    open_images,
)
from computelite.image.rows import COMMUNITY, PUBLIC, SHARED, Image
from swiftlite.http.replies import Reply

_PATH = "/v2/images"


async def list_images(call: Call) -> Reply:
    """Answer a page of the images that the caller sees and asks for."""
    POLICY.permit(call)
    asked = asked_of(call.query)
    seen = await _seen(call, asked)
    marker = None
    if asked.marker is not None:
        marker = next((image for image in seen if image.id == asked.marker), None)
        if marker is None:
            raise BadRequest(reason=f"No image found with ID {asked.marker}")
    found = page_of((image for image in seen if asked.wants(image)), asked, marker)
    page = found[: asked.limit]
    document = {
        "images": [image_document(image) for image in page],
        "first": _link(call, None),
        "schema": "/v2/schemas/images",
    }
    if page and len(found) > len(page):
        document["next"] = _link(call, page[-1].id)
    return json_reply(document)


def _link(call: Call, marker: str | None) -> str:
    pairs = [(name, value) for name, value in call.query if name != "marker"]
    if marker is not None:
        pairs.append(("marker", marker))
    return f"{_PATH}?{urlencode(pairs)}" if pairs else _PATH


async def _seen(call: Call, asked: Asked) -> list[Image]:
    """Return the images among which the filters choose: by default all but others' community."""
    log, project_id = call.log, call.project_id
    if sees_all(call.caller):
        return await all_images(log)
    found = {image.id: image for image in await images_of(log, project_id)} if project_id else {}
    if asked.visibility in ("", PUBLIC, ALL):
        found |= {image.id: image for image in await open_images(log, PUBLIC)}
    if asked.visibility in (COMMUNITY, ALL):
        found |= {image.id: image for image in await open_images(log, COMMUNITY)}
    if project_id and asked.visibility in ("", SHARED, ALL):
        shared = [
            member.image_id
            for member in await memberships_of(log, project_id)
            if asked.member_status in (ALL, member.status)
        ]
        images = await images_by_id(log, shared)
        found |= {image.id: image for image in images if image.visibility == SHARED}
    return list(found.values())
