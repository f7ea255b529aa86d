"""Why a disk image is refused."""

from __future__ import annotations

from eventlog.errors import Refused


class BadImage(Refused):
    """The data is not a usable {format} image: {reason}."""


class UnsafeImage(BadImage):
    """The {format} image is refused: {reason}."""


class WrongFormat(BadImage):
    """The data is {found}, and not {format} as declared."""
