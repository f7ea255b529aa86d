"""Images: made, changed, deleted, deactivated and reactivated."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from computelite.image import events
from computelite.image.errors import ImageChanging, NotAllowed
from computelite.image.events import image_stream
from computelite.image.guards import Moved, NewImage, Room, Unchanged
from computelite.image.limits import Limits
from computelite.image.queries import get_image
from computelite.image.rows import ACTIVE, DEACTIVATED, Held, Image, held_by
from eventlog.clock import Ids
from eventlog.event import Event
from eventlog.log import Actor, Guard, Log

_TRIES = 16


def new_image_id(ids: Ids) -> str:
    """Draw an id: a UUID with dashes."""
    return str(UUID(bytes=ids.uuid7()))


async def create_image(
    log: Log, ids: Ids, *, image_id: str = "", limits: Limits, actor: Actor, **facts: Any
) -> Image:
    """Make an image without bytes; `facts` as in `image.created`.

    Raises:  ImageTaken, OverLimit.
    """
    image_id = image_id or new_image_id(ids)
    created = events.ImageCreated(image_id=image_id, **facts)
    guards: list[Guard] = [NewImage(image_id), Room(created.owner, limits, Held(images=1))]
    await log.append(image_stream(image_id), [created], actor=actor, guards=guards)
    return await get_image(log, image_id)


async def decide(
    log: Log,
    image_id: str,
    decider: Callable[[Image], Sequence[Event]],
    *,
    actor: Actor,
    guards: Sequence[Guard] = (),
) -> Image:
    """Append what `decider` says of the image as it is then; return the image it decided on.

    Raises:  NoSuchImage, what `decider` raises, ImageChanging.
    """
    for _ in range(_TRIES):
        image = await get_image(log, image_id)
        decided = decider(image)
        if not decided:
            return image
        try:
            await log.append(
                image_stream(image_id),
                decided,
                actor=actor,
                guards=[Unchanged(image), *guards],
            )
        except Moved:
            continue
        return image
    raise ImageChanging(id=image_id)


async def change_image(
    log: Log,
    image_id: str,
    change: Callable[[Image], Mapping[str, Any]],
    *,
    limits: Limits,
    actor: Actor,
) -> Image:
    """Change attributes of an image, as in `image.changed`; `change` says which, of how it is.

    Raises:  NoSuchImage, what `change` raises, OverLimit if another project gets it and has no
             room, ImageChanging.
    """
    for _ in range(_TRIES):
        image = await get_image(log, image_id)
        changes = change(image)
        changes = {name: value for name, value in changes.items() if getattr(image, name) != value}
        if not changes:
            return image
        guards: list[Guard] = [Unchanged(image)]
        if "owner" in changes:
            guards.append(Room(changes["owner"], limits, held_by(image)))
        changed = events.ImageChanged(image_id=image_id, **changes)
        try:
            await log.append(image_stream(image_id), [changed], actor=actor, guards=guards)
        except Moved:
            continue
        return await get_image(log, image_id)
    raise ImageChanging(id=image_id)


async def delete_image(
    log: Log, image_id: str, permit: Callable[[Image], None], *, actor: Actor
) -> Image:
    """Delete an image with its members; return what it was. Its bytes are waste then.

    Raises:  NoSuchImage, what `permit` raises, NotAllowed while it is protected.
    """

    def decider(image: Image) -> list[Event]:
        permit(image)
        if image.protected:
            reason = f"Image {image.id} is protected and cannot be deleted."
            raise NotAllowed(reason=reason)
        return [events.ImageDeleted(image_id=image.id)]

    return await decide(log, image_id, decider, actor=actor)


async def deactivate_image(
    log: Log, image_id: str, permit: Callable[[Image], None], *, actor: Actor
) -> None:
    """Keep an image's bytes from everybody but admins.

    Raises:  NoSuchImage, what `permit` raises, NotAllowed if it has no bytes.
    """

    def decider(image: Image) -> list[Event]:
        permit(image)
        if image.status not in (ACTIVE, DEACTIVATED):
            raise NotAllowed(reason=f"Not allowed to deactivate image in status '{image.status}'")
        return [] if image.deactivated else [events.ImageDeactivated(image_id=image.id)]

    await decide(log, image_id, decider, actor=actor)


async def reactivate_image(
    log: Log, image_id: str, permit: Callable[[Image], None], *, actor: Actor
) -> None:
    """Take `deactivate_image` back.

    Raises:  NoSuchImage, what `permit` raises, NotAllowed if it has no bytes.
    """

    def decider(image: Image) -> list[Event]:
        permit(image)
        if image.status not in (ACTIVE, DEACTIVATED):
            raise NotAllowed(reason=f"Not allowed to reactivate image in status '{image.status}'")
        return [events.ImageReactivated(image_id=image.id)] if image.deactivated else []

    await decide(log, image_id, decider, actor=actor)
