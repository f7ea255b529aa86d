"""What happens to images.

Pure: no clock, no IO.
"""

from __future__ import annotations

from typing import TypeAlias, TypeVar

from msgspec import UNSET, UnsetType, field

from eventlog.event import Event, event

T = TypeVar("T")

Maybe: TypeAlias = T | UnsetType
"""A field of `image.changed`: UNSET, which is left out of the stored bytes, is unchanged."""


@event("image.created", v=1)
class ImageCreated(Event):
    """An image without bytes. `owner` is a project's id, "" for nobody's."""

    image_id: str
    owner: str = ""
    name: str | None = None
    visibility: str = "shared"
    disk_format: str | None = None
    container_format: str | None = None
    min_disk: int = 0
    min_ram: int = 0
    protected: bool = False
    hidden: bool = False
    tags: tuple[str, ...] = ()
    properties: dict[str, str] = field(default_factory=dict)


@event("image.changed", v=1)
class ImageChanged(Event):
    """Some attributes of an image are others now; `properties` and `tags` are all of them."""

    image_id: str
    owner: Maybe[str] = UNSET
    name: Maybe[str | None] = UNSET
    visibility: Maybe[str] = UNSET
    disk_format: Maybe[str | None] = UNSET
    container_format: Maybe[str | None] = UNSET
    min_disk: Maybe[int] = UNSET
    min_ram: Maybe[int] = UNSET
    protected: Maybe[bool] = UNSET
    hidden: Maybe[bool] = UNSET
    tags: Maybe[tuple[str, ...]] = UNSET
    properties: Maybe[dict[str, str]] = UNSET


@event("image.deleted", v=1)
class ImageDeleted(Event):
    """The image is gone, with its members; its bytes are to go."""

    image_id: str


@event("image.deactivated", v=1)
class ImageDeactivated(Event):
    """Nobody but admins gets the image's bytes any more."""

    image_id: str


@event("image.reactivated", v=1)
class ImageReactivated(Event):
    """The image is as before it was deactivated."""

    image_id: str


@event("image.transfer-started", v=1)
class TransferStarted(Event):
    """Bytes are on their way, for at most a lease unless it is renewed.

    `kind`: "upload", "stage", or "web-download" from `source`, a URL without its query.
    """

    image_id: str
    transfer_id: str
    kind: str
    lease_s: int
    source: str = ""


@event("image.transfer-renewed", v=1)
class TransferRenewed(Event):
    """The bytes still come; the lease begins anew."""

    image_id: str
    transfer_id: str
    lease_s: int


@event("image.transfer-failed", v=1)
class TransferFailed(Event):
    """The bytes did not come; the image is as before, and what came of them is to go."""

    image_id: str
    transfer_id: str
    reason: str = ""


@event("image.filled", v=1)
class ImageFilled(Event):
    """All bytes came and are stored: the image is active, or staged where it was a stage.

    Units:   size, virtual_size: bytes; checksum: MD5 in hex; hash_value: SHA-512 in hex.
    """

    image_id: str
    transfer_id: str
    size: int
    checksum: str
    hash_value: str
    virtual_size: int | None = None


@event("image.imported", v=1)
class ImageImported(Event):
    """What was staged is the image's: it is active."""

    image_id: str


@event("image.data-dropped", v=1)
class DataDropped(Event):
    """The bytes of a transfer, which no image has any more, are out of storage."""

    image_id: str
    transfer_id: str


@event("image.member-added", v=1)
class MemberAdded(Event):
    """The image is shared with another project, which has not answered yet."""

    image_id: str
    member: str


@event("image.member-answered", v=1)
class MemberAnswered(Event):
    """A project to which the image is shared lists it or not: "accepted", "rejected", "pending"."""

    image_id: str
    member: str
    status: str


@event("image.member-removed", v=1)
class MemberRemoved(Event):
    """The image is not shared with the project any more."""

    image_id: str
    member: str


IMAGE_EVENTS: frozenset[type[Event]] = frozenset(
    {
        ImageCreated,
        ImageChanged,
        ImageDeleted,
        ImageDeactivated,
        ImageReactivated,
        TransferStarted,
        TransferRenewed,
        TransferFailed,
        ImageFilled,
        ImageImported,
        DataDropped,
        MemberAdded,
        MemberAnswered,
        MemberRemoved,
    }
)


def image_stream(image_id: str) -> str:
    """Return the stream of an image and everything about it."""
    return f"image/{image_id}"
