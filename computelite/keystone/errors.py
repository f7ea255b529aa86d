"""What Keystone's edge refuses by itself, and every expected error as Keystone tells it.

Pure: no clock, no IO.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from computelite import errors as cloud
from computelite.identity import errors as identity
from computelite.identity.login import errors as login
from eventlog.errors import CloudError, Conflict, Corrupt, KeyReused, Refused, Unavailable
from swiftlite.http import errors as http


class KeystoneRefused(Refused):
    """{reason}"""


class BadRequest(KeystoneRefused):
    """{reason}"""


class NotAuthenticated(KeystoneRefused):
    """The request you have made requires authentication."""


class Forbidden(KeystoneRefused):
    """{reason}"""


class NotFound(KeystoneRefused):
    """{reason}"""


class NoSuch(NotFound):
    """Could not find {kind}: {name}."""


class NoSuchPath(NotFound):
    """There is nothing at this path."""


class NoSuchMethod(KeystoneRefused):
    """{method} is not for this path, {allowed} are."""


class Conflicting(KeystoneRefused):
    """{reason}"""


class BodyTooLarge(KeystoneRefused):
    """The request's body is larger than {limit} bytes."""


_LATER = "The service cannot do this at present. Please try again."
_INTERNAL = "An internal error; the cloud's stderr has it by the request id."

# An error's status; its nearest base's where it has no row of its own.
STATUSES: Mapping[type[CloudError], int] = {
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
    login.LoginRefused: 401,
    login.NoSuchToken: 404,  # as Keystone has it, where a token is the proof
    login.NotFromHere: 403,
    identity.NoSuch: 404,
    identity.NotAllowed: 403,
    identity.Taken: 409,
    identity.ChangedMeanwhile: 409,
    cloud.NoSuchUser: 404,
    cloud.NoSuchKey: 404,
    cloud.NameTaken: 409,
    cloud.KeyExists: 409,
    http.HttpRefused: 400,
    http.RequestTimeout: 408,
}


def status_of(error: CloudError) -> int:
    """Return the status that tells the error.

    Law:     every CloudError has a row, its own or its nearest base's.
    """
    return next(STATUSES[cls] for cls in type(error).__mro__ if cls in STATUSES)


def message_of(error: CloudError) -> str:
    """Return what the client is told: nothing of the inside."""
    status = status_of(error)
    if status == 500:
        return _INTERNAL
    return _LATER if status == 503 else str(error)


def error_document(status: int, message: str) -> dict[str, Any]:
    """Return an error as Keystone writes it."""
    title = HTTPStatus(status).phrase
    return {"error": {"code": status, "title": title, "message": message}}


def internal_document() -> dict[str, Any]:
    """Return what a client is told of a bug."""
    return error_document(500, _INTERNAL)
