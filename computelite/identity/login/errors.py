"""What a login refuses. Who must not learn the reason is told the same as everybody.

Pure: no clock, no IO.
"""

from __future__ import annotations

from eventlog.errors import Refused


class LoginRefused(Refused):
    """The request you have made requires authentication."""

    user_id: str = ""  # whose login it was to be, for the record; the client is not told


class PasswordExpired(LoginRefused):
    """The password is expired and needs to be changed for user: {user_id}."""


class NoSuchToken(LoginRefused):
    """Could not find the token."""


class NotFromHere(Refused):
    """You are not authorized to make such a token: {reason}."""
