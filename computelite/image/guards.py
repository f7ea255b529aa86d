"""Guards: what a command found when it decided, asserted again under the log's lock.

Pure: no clock, no IO.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from computelite.image.errors import ImageTaken, NoSuchImage, OverLimit
from computelite.image.keys import id_key, pair_key, under
from computelite.image.limits import MEMBERS_MAX, Limits
from computelite.image.rows import Held, Image
from eventlog.errors import Refused
from eventlog.view import Rows


class Moved(Refused):
    """Image {id} is not as it was looked at."""


class Unchanged(msgspec.Struct, frozen=True):
    """An image is as it was looked at.

    Raises:  NoSuchImage, Moved.
    """

    image: Image

    def keys(self) -> Iterable[tuple[str, bytes]]:
        return [("image", id_key(self.image.id))]

    def check(self, rows: Rows) -> None:
        found = rows.get("image", id_key(self.image.id))
        if found is None:
            raise NoSuchImage(id=self.image.id)
        if found.revision != self.image.revision:
            raise Moved(id=self.image.id)


class Judged(msgspec.Struct, frozen=True):
    """An image is such that `judge` raises nothing.

    Raises:  NoSuchImage, and what `judge` raises.
    """

    image_id: str
    judge: Callable[[Image], None]

    def keys(self) -> Iterable[tuple[str, bytes]]:
        return [("image", id_key(self.image_id))]

    def check(self, rows: Rows) -> None:
        found = rows.get("image", id_key(self.image_id))
        if found is None:
            raise NoSuchImage(id=self.image_id)
        self.judge(found)


class NewImage(msgspec.Struct, frozen=True):
    """Nobody has the id, and no bytes of one who had it are left.

    Raises:  ImageTaken.
    """

    image_id: str

    def keys(self) -> Iterable[tuple[str, bytes]]:
        return [("image", id_key(self.image_id))]

    def check(self, rows: Rows) -> None:
        if rows.get("image", id_key(self.image_id)) is not None:
            raise ImageTaken(id=self.image_id)
        # While bytes of an image of this id have to go, they must not be another one's.
        if rows.first("image_waste", *under(self.image_id)) is not None:
            raise ImageTaken(id=self.image_id)


class Room(msgspec.Struct, frozen=True):
    """A project has room for so much more.

    Raises:  OverLimit.
    """

    owner: str
    limits: Limits
    more: Held

    def keys(self) -> Iterable[tuple[str, bytes]]:
        return [("image_held", id_key(self.owner))]

    def check(self, rows: Rows) -> None:
        held = rows.get("image_held", id_key(self.owner)) or Held()
        limits = self.limits
        if self.more.images and held.images + self.more.images > limits.images:
            raise OverLimit(reason=f"A project has at most {limits.images} images.")
        if self.more.transfers and held.transfers + self.more.transfers > limits.transfers:
            raise OverLimit(
                reason=f"A project has at most {limits.transfers} uploads under way or staged."
            )
        if limits.bytes is not None and held.bytes + self.more.bytes > limits.bytes:
            raise OverLimit(
                reason=f"Image exceeds the storage quota: a project has {limits.bytes} bytes."
            )


class MemberIs(msgspec.Struct, frozen=True):
    """A member is there, or is not.

    Raises:  what `refusal` returns.
    """

    image_id: str
    member: str
    present: bool
    refusal: Callable[[], Refused]

    def keys(self) -> Iterable[tuple[str, bytes]]:
        return [("image_member", pair_key(self.image_id, self.member))]

    def check(self, rows: Rows) -> None:
        found = rows.get("image_member", pair_key(self.image_id, self.member))
        if (found is not None) != self.present:
            raise self.refusal()


class MemberRoom(msgspec.Struct, frozen=True):
    """An image has room for one more member.

    Raises:  OverLimit.
    """

    image_id: str

    def keys(self) -> Iterable[tuple[str, bytes]]:
        return []

    def check(self, rows: Rows) -> None:
        if len(rows.scan("image_member", *under(self.image_id), MEMBERS_MAX)) >= MEMBERS_MAX:
            raise OverLimit(reason=f"An image has at most {MEMBERS_MAX} members.")
