"""What images refuse, in words that their edge tells on."""

from __future__ import annotations

from eventlog.errors import Refused, Unavailable


class NoSuchImage(Refused):
    """No image found with ID {id}."""


class NoSuchMember(Refused):
    """{member} not found in the member list of the image {id}."""


class NotFound(Refused):
    """{reason}"""


class ImageTaken(Refused):
    """Image ID {id} already exists!"""


class MemberTaken(Refused):
    """Member {member} is duplicated for image {id}."""


class WrongStatus(Refused):
    """{reason}"""


class NotAllowed(Refused):
    """{reason}"""


class OverLimit(Refused):
    """{reason}"""


class TransferOver(Refused):
    """The upload of image {id} is over: it was given up, or the image is gone."""


class BadSource(Refused):
    """URI for web-download does not pass filtering: {reason}."""


class SourceFailed(Refused):
    """The image could not be fetched: {reason}."""


class ImageChanging(Unavailable):
    """Image {id} is being changed by too many at once."""


class TooManyImports(Unavailable):
    """Too many images are being fetched; try again."""
