"""Conditions on reading: which of If-Match and its like decides, and what it says.

If-Unmodified-Since counts beside If-Match, as in Swift, where RFC 9110 would pass over it.
Source: RFC 9110, 13.2.2.
Pure: no clock, no IO.
"""

from __future__ import annotations

from collections.abc import Mapping

from swiftlite.http.times import s_from_http
from swiftlite.swift.errors import Declined
from swiftlite.swift.times import modified_s

ETAGS_MAX = 100


def check_read(headers: Mapping[str, str], etag: str, modified_us: int) -> bool:
    """Return whether the object is to be sent; if not, the client has it: 304.

    Raises:  Declined: 412 where it is not what the client wants.
    """
    modified_at_s = modified_s(modified_us)
    if "if-match" in headers and not matches(headers["if-match"], etag):
        raise Declined(412, Etag=etag)
    if "if-unmodified-since" in headers:
        since_s = s_from_http(headers["if-unmodified-since"])
        if since_s is not None and modified_at_s > since_s:
            raise Declined(412, Etag=etag)
    if "if-none-match" in headers:
        return not matches(headers["if-none-match"], etag)
    if "if-modified-since" in headers:
        since_s = s_from_http(headers["if-modified-since"])
        return since_s is None or modified_at_s > since_s
    return True


def takes_range(headers: Mapping[str, str], etag: str, modified_us: int) -> bool:
    """Return whether Range counts: not where If-Range says that the client's part is of another."""
    validator = headers.get("if-range")
    if validator is None:
        return True
    return _one(validator) == etag or s_from_http(validator) == modified_s(modified_us)


def matches(value: str, etag: str) -> bool:
    """Return whether a list of ETags names this one; "*" names any.

    Raises:  Declined: 400 for more ETags than anyone could mean.
    """
    named = value.split(",")
    if len(named) > ETAGS_MAX:
        raise Declined(400, "There are too many ETags")
    return any(_one(text) in ("*", etag) for text in named)


def _one(text: str) -> str:
    return text.strip().removeprefix("W/").strip('"')
