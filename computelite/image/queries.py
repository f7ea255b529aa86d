"""Looking at the image tables."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import TypeVar

from computelite.image import rows
from computelite.image.errors import NoSuchImage, NoSuchMember
from computelite.image.keys import id_key, pair_key, under
from eventlog.log import Log

_PAGE = 500
_EVERYTHING: tuple[bytes, None] = (b"", None)

R = TypeVar("R", bound=rows.Row)


async def every(
    log: Log, table: str, shape: type[R], within: tuple[bytes, bytes | None] = _EVERYTHING
) -> AsyncIterator[R]:
    """Yield every row of a table, or of a range of it, in key order."""
    lo, hi = within
    while page := await log.scan(table, lo, hi, limit=_PAGE):
        for _, row in page:
            assert isinstance(row, shape)
            yield row
        lo = page[-1][0] + b"\0"


async def find_image(log: Log, image_id: str) -> rows.Image | None:
    """Return an image, or None."""
    row = await log.get("image", id_key(image_id))
    assert row is None or isinstance(row, rows.Image)
    return row


async def get_image(log: Log, image_id: str) -> rows.Image:
    """Raises:  NoSuchImage."""
    image = await find_image(log, image_id)
    if image is None:
        raise NoSuchImage(id=image_id)
    return image


async def find_member(log: Log, image_id: str, member: str) -> rows.Member | None:
    """Return the membership of a project, or None."""
    row = await log.get("image_member", pair_key(image_id, member))
    assert row is None or isinstance(row, rows.Member)
    return row


async def get_member(log: Log, image_id: str, member: str) -> rows.Member:
    """Raises:  NoSuchMember."""
    found = await find_member(log, image_id, member)
    if found is None:
        raise NoSuchMember(id=image_id, member=member)
    return found


async def members_of(log: Log, image_id: str) -> list[rows.Member]:
    """Return the projects with which an image is shared, by their ids."""
    return [row async for row in every(log, "image_member", rows.Member, under(image_id))]


async def memberships_of(log: Log, project_id: str) -> list[rows.Member]:
    """Return what is shared with a project, by image."""
    return [row async for row in every(log, "image_for", rows.Member, under(project_id))]


async def all_images(log: Log) -> list[rows.Image]:
    """Return every image."""
    return [row async for row in every(log, "image", rows.Image)]


async def images_of(log: Log, owner: str) -> list[rows.Image]:
    """Return a project's own images."""
    refs = [row async for row in every(log, "image_of", rows.Ref, under(owner))]
    return await images_by_id(log, (ref.id for ref in refs))


async def open_images(log: Log, visibility: str) -> list[rows.Image]:
    """Return the images of everybody's that are public, or community's."""
    refs = [row async for row in every(log, "image_open", rows.Ref, under(visibility))]
    return await images_by_id(log, (ref.id for ref in refs))


async def images_by_id(log: Log, ids: Iterable[str]) -> list[rows.Image]:
    """Return those of the images that are there."""
    found = await log.get_many("image", [id_key(id_) for id_ in ids])
    return [row for row in found if row is not None]


async def held_by(log: Log, owner: str) -> rows.Held:
    """Return what a project has."""
    row = await log.get("image_held", id_key(owner))
    assert row is None or isinstance(row, rows.Held)
    return row or rows.Held()


async def is_waste(log: Log, image_id: str, transfer_id: str) -> bool:
    """Whether the bytes of a transfer have to go, and nobody said yet that they did."""
    return await log.get("image_waste", pair_key(image_id, transfer_id)) is not None
