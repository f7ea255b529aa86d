"""Unreadable: what is told of a version whose bytes cannot be read now.

Pure: no clock, no IO.
"""

from __future__ import annotations

import msgspec

from swiftlite.catalog.blobs import Place

LISTED_MAX = 100_000  # unreadable versions named one by one; beyond it they are counted


class Unreadable(msgspec.Struct, frozen=True, kw_only=True):
    """A version, or a part, of which too few good fragments can be reached now."""

    bucket_id: bytes
    key: str
    begin: int  # position of its event; 0 for a part
    kind: str  # "current", "noncurrent", "past", "part"
    blob: bytes
    good: int
    needed: int


def unreadable(place: Place, good: int) -> Unreadable:
    """Return what is told of the version at a place, of which so many fragments are good."""
    return Unreadable(
        bucket_id=place.bucket_id,
        key=place.key,
        begin=place.begin,
        kind=place.kind,
        blob=place.blob.id,
        good=good,
        needed=place.blob.needed,
    )
