"""Times as people read them.

Pure: no clock, no IO.
"""

from __future__ import annotations

from datetime import UTC, datetime


def utc_text(us: int) -> str:
    """Return microseconds since 1970 as 2026-11-22T10:00:00.123456Z."""
    return datetime.fromtimestamp(us / 1_000_000, UTC).isoformat().replace("+00:00", "Z")


def utc_seconds(us: int) -> str:
    """Return microseconds since 1970 as 2026-11-22T10:00:00Z, the rest cut off."""
    return datetime.fromtimestamp(us // 1_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
