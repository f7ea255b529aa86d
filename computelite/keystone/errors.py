"""Errors as Keystone tells them.

Pure: no clock, no IO.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from computelite import errors as cloud
from computelite.api.errors import Statuses
from computelite.identity import errors as identity
from computelite.identity.login import errors as login

STATUSES = Statuses(
    {
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
    }
)


def error_document(status: int, message: str) -> dict[str, Any]:
    """Return an error as Keystone writes it."""
    title = HTTPStatus(status).phrase
    return {"error": {"code": status, "title": title, "message": message}}
