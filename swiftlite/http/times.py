"""Times as S3 spells them: ISO 8601 in documents, RFC 9110 in headers.

Pure: no clock, no IO.
"""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def iso_from_us(at_us: int) -> str:
    """Return 2026-11-22T10:15:00.000Z: seconds, as Last-Modified has them, so that both agree."""
    return _iso(at_us // 1_000_000)


def http_from_us(at_us: int) -> str:
    """Return Sun, 22 Nov 2026 10:15:00 GMT."""
    return http_from_s(at_us // 1_000_000)


@lru_cache(4096)
def http_from_s(at_s: int) -> str:
    """Return Sun, 22 Nov 2026 10:15:00 GMT, whatever the locale."""
    at = datetime.fromtimestamp(at_s, UTC)
    return (
        f"{_DAYS[at.weekday()]}, {at.day:02d} {_MONTHS[at.month - 1]} {at.year:04d} "
        f"{at.hour:02d}:{at.minute:02d}:{at.second:02d} GMT"
    )


def s_from_http(text: str) -> int | None:
    """Return seconds since 1970 for an RFC 9110 date, or None where it is not one."""
    try:
        at = parsedate_to_datetime(text)
        return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp())
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


@lru_cache(4096)
def _iso(at_s: int) -> str:
    return datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
