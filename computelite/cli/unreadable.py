"""Which objects cannot be read, and what can be done about it; for scrub and repair."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from eventlog.shown import escaped

_SHOWN = 100


def unreadable_lines(
    count: int, unreadable: Sequence[dict[str, Any]], devices_out: Sequence[int]
) -> list[str]:
    """Return lines that name the versions, and end with the ways out."""
    lines = [f"UNREADABLE: {count:,} blobs"]
    for each in unreadable[:_SHOWN]:
        bucket = each["bucket"] if each["bucket"] is not None else "(deleted bucket)"
        kind = "" if each["kind"] == "current" else f" ({each['kind']})"
        lines.append(
            f"  {escaped(bucket)}/{escaped(each['key'])}{kind}:"
            f" {each['good']} of the {each['needed']} fragments that it is read from"
        )
    if count > _SHOWN:
        lines.append(f"  and {count - _SHOWN:,} more: --json has them")
    missing = ", ".join(map(str, devices_out))
    disks = f"put the missing disks back (out: {missing})" if missing else "put lost disks back"
    lines.append(f"{disks}, or restore each object from a copy, or delete it")
    return lines
