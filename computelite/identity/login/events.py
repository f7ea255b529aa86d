"""What happens at the door: wrong passwords. Logins themselves change nothing, and are no events.

Pure: no clock, no IO.
"""

from __future__ import annotations

from eventlog.event import Event, event


@event("login.failed", v=1)
class LoginFailed(Event):
    """A wrong password was given for a user who has one.

    Those before count no more if the last of them was longer than `window_s` ago.
    """

    user_id: str
    window_s: int


@event("login.forgiven", v=1)
class LoginForgiven(Event):
    """The user gave the right password: the wrong ones before count no more."""

    user_id: str


LOGIN_EVENTS: frozenset[type[Event]] = frozenset({LoginFailed, LoginForgiven})
