"""What identity refuses, in words that its edge tells on."""

from __future__ import annotations

from eventlog.errors import Refused


class NoSuch(Refused):
    """Could not find {kind}: {id}."""


class Taken(Refused):
    """There is such a {kind} already: {reason}."""


class ChangedMeanwhile(Refused):
    """The {kind} {id} was changed at the same time; try again."""


class NotAllowed(Refused):
    """{reason}"""
