"""Whether what was written so far survives a further loss.

Pure: no clock, no IO.
"""

from __future__ import annotations

from collections.abc import Mapping


def survives_one_loss(devices_of_fragments: Mapping[int, int], needed: int) -> bool:
    """Say whether any one device can be lost and the blob still be read.

    Shapes: devices_of_fragments: fragment number -> the device on which it is synced; for copies,
            the copy's number. needed: k when coded, 1 for copies.
    Law:    the write law of the design: only when this holds may a write be acknowledged.
    """
    devices = list(devices_of_fragments.values())
    return len(devices) - max(map(devices.count, devices), default=0) >= needed
