"""How much a Swift client may ask for: Swift's own defaults, which /info shows.

Units: bytes, unless the name says otherwise.
Pure: no clock, no IO.
"""

from __future__ import annotations

import msgspec

from swiftlite.catalog.limits import CONTAINER_NAME_BYTES_MAX, KEY_BYTES_MAX, NOTES_BYTES_MAX
from swiftlite.catalog.limits import NOTES_MAX as META_COUNT_MAX

FILE_MAX = 5 * (1 << 30) + 2  # Swift's 5 GiB, to the byte
META_NAME_MAX = 128
META_VALUE_MAX = 256
META_TOTAL_MAX = NOTES_BYTES_MAX
HEADER_MAX = 8192
ACCOUNT_NAME_MAX = 256
CONTAINER_NAME_MAX = CONTAINER_NAME_BYTES_MAX
OBJECT_NAME_MAX = KEY_BYTES_MAX
LISTING_MAX = 10_000  # entries of a page
POLICY = "Policy-0"  # the one storage policy, named as Swift names its first

__all__ = [
    "ACCOUNT_NAME_MAX",
    "CONTAINER_NAME_MAX",
    "FILE_MAX",
    "HEADER_MAX",
    "LISTING_MAX",
    "META_COUNT_MAX",
    "META_NAME_MAX",
    "META_TOTAL_MAX",
    "META_VALUE_MAX",
    "OBJECT_NAME_MAX",
    "POLICY",
    "Settings",
]


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """How one listener speaks Swift."""

    region: str = ""
    """What S3 calls the region of containers that are made here."""

    strict_cors: bool = True
    """Whether only the origins that a container names get cross-origin headers."""
