"""What the edge of every service refuses by itself, and the status that tells an error.

Pure: no clock, no IO.
"""

from __future__ import annotations

from collections.abc import Mapping

from eventlog.errors import CloudError, Conflict, Corrupt, KeyReused, Refused, Unavailable
from swiftlite.http import errors as http


class ApiRefused(Refused):
    """{reason}"""


class BadRequest(ApiRefused):
    """{reason}"""


class NotAuthenticated(ApiRefused):
    """The request you have made requires authentication."""


class Forbidden(ApiRefused):
    """{reason}"""


class NotFound(ApiRefused):
    """{reason}"""


class NoSuch(NotFound):
    """Could not find {kind}: {name}."""


class NoSuchPath(NotFound):
    """There is nothing at this path."""


class NoSuchMethod(ApiRefused):
    """{method} is not for this path, {allowed} are."""


class Conflicting(ApiRefused):
    """{reason}"""


class BodyTooLarge(ApiRefused):
    """The request's body is larger than {limit} bytes."""


LATER = "The service cannot do this at present. Please try again."
INTERNAL = "An internal error; the cloud's stderr has it by the request id."

# What holds for every service; each adds what its own state refuses.
COMMON: Mapping[type[CloudError], int] = {
    Unavailable: 503,
    Corrupt: 500,
    # a refusal that no request should meet, since it is about operating the cloud
    Refused: 500,
    BadRequest: 400,
    NotAuthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    NoSuchMethod: 405,
    Conflicting: 409,
    BodyTooLarge: 413,
    Conflict: 409,
    KeyReused: 409,
    http.HttpRefused: 400,
    http.RequestTimeout: 408,
}


class Statuses:
    """The statuses of one service's errors: an error's own, or its nearest base's."""

    def __init__(self, own: Mapping[type[CloudError], int]) -> None:
        """`own`: the service's, beside the common ones and before them."""
        self.table = {**COMMON, **own}

    def of(self, error: CloudError) -> int:
        """Return the status that tells the error.

        Law:     every CloudError has one.
        """
        return next(self.table[cls] for cls in type(error).__mro__ if cls in self.table)

    def message(self, error: CloudError) -> str:
        """Return what the client is told: nothing of the inside."""
        status = self.of(error)
        if status == 500:
            return INTERNAL
        return LATER if status == 503 else str(error)
