"""What a listener refuses by itself, whatever is spoken on it.

Pure: no clock, no IO.
"""

from __future__ import annotations

from eventlog.errors import Refused, Unavailable


class HttpRefused(Refused):
    """The request breaks a rule of HTTP, or a bound of the listener."""


class BadHead(HttpRefused):
    """The request's head could not be understood."""


class HeadTooLarge(HttpRefused):
    """Your request header section exceeds the maximum allowed request header section size."""


class IncompleteBody(HttpRefused):
    """You did not provide the number of bytes specified by the Content-Length HTTP header."""


class RequestTimeout(HttpRefused):
    """Your socket connection to the server was not read from or written to within the timeout \
period. Idle connections will be closed."""


class TooManyConnections(Unavailable):
    """The limit of connections is reached. Please reduce your request rate."""


class Draining(Unavailable):
    """The server is being shut down. Please try again."""
