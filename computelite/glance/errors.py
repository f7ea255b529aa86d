"""Errors as Glance tells them, and what its edge refuses by itself.

Pure: no clock, no IO.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from computelite.api.errors import ApiRefused, Statuses
from computelite.diskformat import errors as disk
from computelite.image import errors as image


class UnsupportedMedia(ApiRefused):
    """{reason}"""


class RangeMissed(ApiRefused):
    """The range is not one of the image's {size} bytes."""


STATUSES = Statuses(
    {
        UnsupportedMedia: 415,
        RangeMissed: 416,
        # As Glance has it: the body is not of the media type that the image declares.
        disk.BadImage: 415,
        image.NoSuchImage: 404,
        image.NoSuchMember: 404,
        image.NotFound: 404,
        image.ImageTaken: 409,
        image.MemberTaken: 409,
        image.WrongStatus: 409,
        image.NotAllowed: 403,
        image.OverLimit: 413,
        image.TransferOver: 410,
        image.BadSource: 400,
        image.SourceFailed: 400,
    }
)


def error_document(status: int, message: str) -> dict[str, Any]:
    """Return an error as Glance writes it for those who take JSON."""
    title = HTTPStatus(status).phrase
    return {"message": message, "code": f"{status} {title}", "title": title}
