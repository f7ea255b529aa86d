"""Conditions: what a client wants to be true of a key at the moment its write is committed.

Source: RFC 9110 section 13.1; S3 User Guide, "Conditional requests" (2025-11).
Pure: no clock, no IO.
"""

from __future__ import annotations

import msgspec

from swiftlite.catalog.rows import Version
from swiftlite.errors import NoSuchKey, PreconditionFailed

ANY = "*"


class Conditions(msgspec.Struct, frozen=True, kw_only=True):
    """If-Match and If-None-Match of a write; None where the header is absent.

    Shapes:  ETags without quotes, or "*".
    """

    if_match: tuple[str, ...] | None = None
    if_none_match: tuple[str, ...] | None = None

    def __bool__(self) -> bool:
        return self.if_match is not None or self.if_none_match is not None


def check_write(conditions: Conditions, current: Version | None, key: str) -> None:
    """Pass if a write may go on, given the key's latest version; None, or a delete marker: none.

    Raises:  NoSuchKey if something is to match and there is nothing; PreconditionFailed.
    """
    found = None if current is None or current.marker else current
    if conditions.if_match is not None:
        if found is None:
            raise NoSuchKey(key=key)
        if not _matches(conditions.if_match, found):
            raise PreconditionFailed(condition="If-Match")
    if found is not None and _matches(conditions.if_none_match or (), found):
        raise PreconditionFailed(condition="If-None-Match")


def check_delete(conditions: Conditions, current: Version | None, key: str) -> None:
    """Pass if a delete may go on. As for writes, but a delete marker fails what is to match.

    Raises:  NoSuchKey if there is no version at all; PreconditionFailed.
    """
    if current is not None and current.marker and conditions.if_match is not None:
        raise PreconditionFailed(condition="If-Match")
    check_write(conditions, current, key)


def _matches(etags: tuple[str, ...], version: Version) -> bool:
    return ANY in etags or version.etag in etags
