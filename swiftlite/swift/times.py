"""Times as Swift spells them.

Pure: no clock, no IO.
"""

from __future__ import annotations

from datetime import UTC, datetime

from swiftlite.http.times import http_from_s


def timestamp(at_us: int) -> str:
    """Return seconds since 1970 with five decimals: 1795342500.12345."""
    return f"{at_us // 1_000_000}.{at_us % 1_000_000 // 10:05d}"


def modified_s(at_us: int) -> int:
    """Return the first full second that is not before a time: what Swift calls Last-Modified."""
    return -(-at_us // 1_000_000)


def modified(at_us: int) -> str:
    """Return Last-Modified as a header: Sun, 22 Nov 2026 10:15:01 GMT."""
    return http_from_s(modified_s(at_us))


def iso(at_us: int) -> str:
    """Return 2026-11-22T10:15:00.123450, in UTC: what listings show."""
    second = datetime.fromtimestamp(at_us // 1_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{second}.{at_us % 1_000_000:06d}"
