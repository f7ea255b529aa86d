"""Times as Keystone writes and reads them: UTC to the microsecond.

Pure: no clock, no IO.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def utc_micros(us: int) -> str:
    """Return microseconds since 1970 as 2026-11-22T10:00:00.000000, which is UTC."""
    when = _EPOCH + timedelta(microseconds=us)
    return when.strftime("%Y-%m-%dT%H:%M:%S.%f")


def micros_from(text: str) -> int | None:
    """Return what a time in ISO 8601 means; None if it is none. Without a zone it is UTC."""
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return None
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    try:
        # In UTC it must be a time that can be shown, too.
        return (when.astimezone(UTC) - _EPOCH) // timedelta(microseconds=1)
    except OverflowError:
        return None
