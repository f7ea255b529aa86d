"""The rows of the image tables.

Rows are arrays on disk: fields are only ever added at the end, under a new version of the view.
Pure: no clock, no IO.
"""

from __future__ import annotations

from typing import dataclass_transform

import msgspec

QUEUED, SAVING, UPLOADING, IMPORTING = "queued", "saving", "uploading", "importing"
ACTIVE, DEACTIVATED = "active", "deactivated"

UPLOAD, STAGE, WEB_DOWNLOAD = "upload", "stage", "web-download"
GLANCE_DIRECT = "glance-direct"  # an import of what was staged
_STATUS_OF = {UPLOAD: SAVING, STAGE: UPLOADING, WEB_DOWNLOAD: IMPORTING}

PUBLIC, COMMUNITY, SHARED, PRIVATE = "public", "community", "shared", "private"

PENDING, ACCEPTED, REJECTED = "pending", "accepted", "rejected"


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(msgspec.field,))
class Row(msgspec.Struct, array_like=True, frozen=True, kw_only=True):
    """What all rows have in common: a compact, deterministic form."""


class Transfer(Row):
    """Bytes on their way; nobody sends them any more once the lease is over."""

    id: str
    kind: str
    until_us: int
    source: str = ""
    started_us: int = 0
    request_id: str = ""


class Content(Row):
    """Bytes that are stored, and what is known of them."""

    transfer_id: str
    size: int
    checksum: str
    hash_value: str
    virtual_size: int | None = None


class Outcome(Row):
    """How the bytes came, or why they did not, the last time."""

    transfer_id: str
    kind: str
    started_us: int
    ended_us: int
    request_id: str
    source: str = ""
    failure: str = ""  # "" is success


class Image(Row):
    """An image that is there."""

    id: str
    owner: str
    name: str | None
    visibility: str
    disk_format: str | None
    container_format: str | None
    min_disk: int
    min_ram: int
    protected: bool
    hidden: bool
    tags: tuple[str, ...]
    properties: dict[str, str]
    created_us: int
    updated_us: int
    revision: int  # the position of the last event about it
    content: Content | None = None
    staged: Content | None = None
    transfer: Transfer | None = None
    deactivated: bool = False
    outcome: Outcome | None = None

    @property
    def status(self) -> str:
        """Where the image is in its life, as Glance calls it."""
        if self.content is not None:
            return DEACTIVATED if self.deactivated else ACTIVE
        if self.transfer is not None:
            return _STATUS_OF[self.transfer.kind]
        return UPLOADING if self.staged is not None else QUEUED


class Ref(Row):
    """Which image a key of another table stands for."""

    id: str


class Member(Row):
    """A project with which an image is shared."""

    image_id: str
    member: str
    status: str
    created_us: int
    updated_us: int


class Waste(Row):
    """Bytes in storage that no image has any more."""

    image_id: str
    transfer_id: str


class Held(Row):
    """What a project has."""

    images: int = 0
    bytes: int = 0
    transfers: int = 0  # under way, and stages


def held_by(image: Image) -> Held:
    """Return what one image is of its owner's."""
    contents = [each for each in (image.content, image.staged) if each is not None]
    return Held(
        images=1,
        bytes=sum(each.size for each in contents),
        transfers=int(image.transfer is not None or image.staged is not None),
    )
