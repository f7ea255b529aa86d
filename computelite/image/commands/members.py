"""Members: the projects with which an image is shared."""

from __future__ import annotations

from computelite.image import events
from computelite.image.errors import MemberTaken, NoSuchMember, NotAllowed
from computelite.image.events import image_stream
from computelite.image.guards import Judged, MemberIs, MemberRoom
from computelite.image.queries import get_member
from computelite.image.rows import SHARED, Image, Member
from eventlog.log import Actor, Guard, Log


async def add_member(log: Log, image_id: str, member: str, *, actor: Actor) -> Member:
    """Share an image with another project.

    Raises:  NoSuchImage, NotAllowed if its visibility is not shared, MemberTaken, OverLimit.
    """

    def taken() -> MemberTaken:
        return MemberTaken(id=image_id, member=member)

    guards: list[Guard] = [
        Judged(image_id, check_shared),
        MemberIs(image_id, member, False, taken),
        MemberRoom(image_id),
    ]
    added = events.MemberAdded(image_id=image_id, member=member)
    await log.append(image_stream(image_id), [added], actor=actor, guards=guards)
    return await get_member(log, image_id, member)


async def answer_member(
    log: Log, image_id: str, member: str, status: str, *, actor: Actor
) -> Member:
    """Say whether a project lists an image that is shared with it.

    Raises:  NoSuchImage, NotAllowed, NoSuchMember.
    """
    answered = events.MemberAnswered(image_id=image_id, member=member, status=status)
    guards: list[Guard] = [Judged(image_id, check_shared), _there(image_id, member)]
    await log.append(image_stream(image_id), [answered], actor=actor, guards=guards)
    return await get_member(log, image_id, member)


async def remove_member(log: Log, image_id: str, member: str, *, actor: Actor) -> None:
    """Share an image no more.

    Raises:  NoSuchImage, NotAllowed, NoSuchMember.
    """
    removed = events.MemberRemoved(image_id=image_id, member=member)
    guards: list[Guard] = [Judged(image_id, check_shared), _there(image_id, member)]
    await log.append(image_stream(image_id), [removed], actor=actor, guards=guards)


def check_shared(image: Image) -> None:
    """Return if an image can have members. Raises: NotAllowed."""
    if image.visibility != SHARED:
        raise NotAllowed(reason="Only shared images have members.")


def _there(image_id: str, member: str) -> MemberIs:
    return MemberIs(image_id, member, True, lambda: NoSuchMember(id=image_id, member=member))
