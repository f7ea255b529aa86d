"""How much of images a client may make the cloud hold.

Pure: no clock, no IO.
"""

from __future__ import annotations

import msgspec

PROPERTIES_MAX = 128  # of one image; the figures are Glance's
TAGS_MAX = 128
MEMBERS_MAX = 128
NAME_MAX = 255  # of an image, a tag, a property
PROPERTY_BYTES_MAX = 65_535  # one value
PROPERTIES_BYTES_MAX = 128 << 10  # names and values of one image together
IMAGE_BYTES_MAX = 1 << 40


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What one project may have."""

    images: int = 10_000
    bytes: int | None = None  # of all its images; None: as far as storage goes
    image_bytes: int = IMAGE_BYTES_MAX  # of one
    transfers: int = 100  # uploads and imports under way, stages included
