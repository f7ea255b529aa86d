"""What can go wrong, named for who must act."""

from __future__ import annotations


class CloudError(Exception):
    """Something expected went wrong; anything that is not a CloudError is a bug.

    The constructor's keyword arguments become attributes; the class docstring's first line is the
    message, formatted with them. Errors hold facts, never a protocol's codes: each edge has a
    table of those.
    """

    def __init__(self, **facts: object) -> None:
        self.__dict__.update(facts)
        super().__init__((self.__doc__ or "").strip().splitlines()[0].format(**facts))

    def __getattr__(self, name: str) -> object:
        raise AttributeError(name)


class Refused(CloudError):
    """The caller must change the request."""


class Unavailable(CloudError):
    """Nothing is wrong with the request: try it again later."""

    retry_after_s: int = 1


class Corrupt(CloudError):
    """An operator must look; the data stays where it is."""


class Conflict(Refused):
    """{stream} is at version {actual}, not at {expected}."""


class KeyReused(Refused):
    """The idempotency key {key} was used before, for another request."""


class LogBusy(Unavailable):
    """The log has {waiting} appends waiting; the limit is {limit}."""


class LogFailed(Unavailable):
    """The log cannot be written ({reason}); whether this append is in it shows after recovery."""


class LogFull(Unavailable):
    """The disk under the log is full; reads go on."""


class Unreadable(Corrupt):
    """Event {position} cannot be read: {reason}."""


class Tampered(Corrupt):
    """Event {position} is not what was written: {reason}."""


class ViewParked(Unavailable):
    """The view {view} stopped at position {position}: {reason}."""
