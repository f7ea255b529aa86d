"""Which images a caller sees, and who may do what to those."""

from __future__ import annotations

from collections.abc import Callable

from computelite.api.policy import Who, kinds_of
from computelite.glance.call import Call
from computelite.glance.policy import POLICY
from computelite.identity.caller import Caller
from computelite.image.errors import NoSuchImage
from computelite.image.queries import find_image, find_member
from computelite.image.rows import COMMUNITY, PUBLIC, SHARED, Image

_SEE_ALL = frozenset({Who.ADMIN, Who.SYSTEM_READER})


def sees_all(caller: Caller) -> bool:
    """Whether the caller sees the images of every project."""
    return not _SEE_ALL.isdisjoint(kinds_of(caller, ""))


async def seen_image(call: Call) -> Image:
    """Return the path's image, if the caller may look at it at all.

    Raises:  NoSuchImage, Forbidden.
    """
    image_id = call.params["image_id"]
    image = await find_image(call.log, image_id)
    if image is None or not await _is_seen(call, image):
        raise NoSuchImage(id=image_id)
    if not POLICY.allows(call.caller, "get_image", call.project_id):
        raise POLICY.denied(call)
    return image


async def owned_image(call: Call) -> Image:
    """Return the path's image, if the caller may do the route's operation to it.

    Raises:  NoSuchImage for who does not see it, Forbidden for who does.
    """
    image = await seen_image(call)
    POLICY.permit(call, image.owner)
    return image


def permits(call: Call) -> Callable[[Image], None]:
    """Return what raises Forbidden for images that the route's operation is not allowed to."""
    return lambda image: POLICY.permit(call, image.owner)


async def _is_seen(call: Call, image: Image) -> bool:
    if image.visibility in (PUBLIC, COMMUNITY) or sees_all(call.caller):
        return True
    if not call.project_id:
        return False
    if image.owner == call.project_id:
        return True
    if image.visibility != SHARED:
        return False
    return await find_member(call.log, image.id, call.project_id) is not None
