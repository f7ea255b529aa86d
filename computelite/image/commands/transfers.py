"""Transfers: bytes of an image on their way, from their start to their end, whichever it is.

A transfer has a lease, which whoever brings the bytes renews. Once it is over nobody brings them
any more: the next one may begin, and upkeep.py says that this one failed. Who comes back after that
finds that the transfer is not the image's any more, and has nothing to end.
"""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from computelite.image import events
from computelite.image.commands.images import decide
from computelite.image.errors import NoSuchImage, TransferOver, WrongStatus
from computelite.image.events import image_stream
from computelite.image.guards import Judged, Room
from computelite.image.limits import Limits
from computelite.image.queries import get_image
from computelite.image.rows import QUEUED, UPLOADING, Content, Held, Image
from eventlog.clock import Clock, Ids
from eventlog.event import Event
from eventlog.log import Actor, Log

LEASE_S = 60
RENEW_S = 20.0
LOST = "the process that brought the bytes is gone"


async def start_transfer(
    log: Log,
    clock: Clock,
    ids: Ids,
    image_id: str,
    kind: str,
    permit: Callable[[Image], None],
    *,
    source: str = "",
    limits: Limits,
    actor: Actor,
) -> tuple[Image, str]:
    """Let bytes come for an image; return the image as it was, and the transfer's id.

    Raises:  NoSuchImage, what `permit` raises, WrongStatus if the image is not waiting for bytes,
             OverLimit.
    """
    transfer_id = UUID(bytes=ids.uuid7()).hex

    def decider(image: Image) -> list[Event]:
        permit(image)
        decided: list[Event] = []
        transfer = image.transfer
        if transfer is not None and transfer.until_us <= clock.now_us():
            decided.append(
                events.TransferFailed(image_id=image_id, transfer_id=transfer.id, reason=LOST)
            )
        elif image.status != QUEUED:
            raise WrongStatus(
                reason=f"Image status transition from {image.status} is not allowed: data comes "
                f"to images in status {QUEUED}"
            )
        started = events.TransferStarted(
            image_id=image_id, transfer_id=transfer_id, kind=kind, source=source, lease_s=LEASE_S
        )
        return [*decided, started]

    owner = (await get_image(log, image_id)).owner
    room = Room(owner, limits, Held(transfers=1))
    return await decide(log, image_id, decider, actor=actor, guards=[room]), transfer_id


async def renew_transfer(log: Log, image_id: str, transfer_id: str, *, actor: Actor) -> None:
    """Say that the bytes still come.

    Raises:  TransferOver.
    """
    event = events.TransferRenewed(image_id=image_id, transfer_id=transfer_id, lease_s=LEASE_S)
    await _append(log, event, image_id, transfer_id, actor)


async def fail_transfer(
    log: Log, image_id: str, transfer_id: str, reason: str, *, actor: Actor
) -> None:
    """Say that the bytes do not come; what came of them is waste.

    Raises:  TransferOver.
    """
    event = events.TransferFailed(image_id=image_id, transfer_id=transfer_id, reason=reason)
    await _append(log, event, image_id, transfer_id, actor)


async def fill_image(
    log: Log, image_id: str, content: Content, *, owner: str, limits: Limits, actor: Actor
) -> None:
    """Say that all bytes are there: the image is active or, after a stage, waits for its import.

    Raises:  TransferOver, OverLimit.
    """
    event = events.ImageFilled(
        image_id=image_id,
        transfer_id=content.transfer_id,
        size=content.size,
        checksum=content.checksum,
        hash_value=content.hash_value,
        virtual_size=content.virtual_size,
    )
    room = Room(owner, limits, Held(bytes=content.size))
    await _append(log, event, image_id, content.transfer_id, actor, room)


async def import_staged(
    log: Log, image_id: str, permit: Callable[[Image], None], *, actor: Actor
) -> None:
    """Let what was staged be the image's.

    Raises:  NoSuchImage, what `permit` raises, WrongStatus.
    """

    def decider(image: Image) -> list[Event]:
        permit(image)
        if image.staged is None:
            raise WrongStatus(
                reason="Image needs to be staged before 'glance-direct' method can be used"
                if image.status != UPLOADING
                else "Image is still being staged"
            )
        return [events.ImageImported(image_id=image.id)]

    await decide(log, image_id, decider, actor=actor)


async def data_dropped(log: Log, image_id: str, transfer_id: str, *, actor: Actor) -> None:
    """Say that the bytes of a transfer are out of storage."""
    dropped = events.DataDropped(image_id=image_id, transfer_id=transfer_id)
    await log.append(image_stream(image_id), [dropped], actor=actor)


async def _append(
    log: Log, event: Event, image_id: str, transfer_id: str, actor: Actor, *guards: Room
) -> None:
    def judge(image: Image) -> None:
        if image.transfer is None or image.transfer.id != transfer_id:
            raise TransferOver(id=image_id)

    try:
        await log.append(
            image_stream(image_id), [event], actor=actor, guards=[Judged(image_id, judge), *guards]
        )
    except NoSuchImage:
        raise TransferOver(id=image_id) from None
