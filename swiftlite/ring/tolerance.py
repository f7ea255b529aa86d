"""Which losses a ring survives, worst case, and in words.

Pure: no clock, no IO.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Hashable, Mapping
from typing import NamedTuple

from swiftlite.ring.ring import Ring


class Tolerance(NamedTuple):
    """How many devices, nodes or zones may be gone, whichever they are: every blob is readable."""

    devices: int
    nodes: int
    zones: int

    def __str__(self) -> str:
        """Return one clause per level: "any 2 devices; any 1 node; no zone"."""
        return "; ".join(_in_words(count, level) for level, count in self._asdict().items())


class Balance(NamedTuple):
    """How far devices are from their share by weight.

    Units: fractions of the share: fullest 0.25 is a device with 25 % more than its share, and the
    devices together hold 1 / 1.25 of what their weights promise before that one is full.
    """

    fullest: float
    emptiest: float


def tolerance(ring: Ring, k: int) -> Tolerance:
    """Return which losses leave at least k fragments of every partition. Exact.

    A partition's worst loss of j groups is that of the j that hold most of it, so each partition
    is looked at alone, and the ring is as good as its worst one. Copies (k = 1 of the first m + 1
    fragments) survive whatever their ring survives when coded.
    """
    found = tolerance_without(ring, k, ())
    assert found is not None, "a ring of fewer fragments than are read"
    return found


def tolerance_without(ring: Ring, k: int, gone: Collection[int]) -> Tolerance | None:
    """Return which further losses are survived when the devices `gone` are lost; None: not these.

    What was written to other devices since they went is not counted: it survives at least this.
    """
    rows = {tuple(device for device in row if device not in gone) for row in ring.rows()}
    if any(len(row) < k for row in rows):
        return None
    nodes = {d.id: (d.zone, d.node) for d in ring.devices}
    zones = {d.id: d.zone for d in ring.devices}
    devices = {d.id: d.id for d in ring.devices}
    return Tolerance(
        devices=min(_losses(row, devices, len(row) - k) for row in rows),
        nodes=min(_losses(row, nodes, len(row) - k) for row in rows),
        zones=min(_losses(row, zones, len(row) - k) for row in rows),
    )


def balance(ring: Ring) -> Balance:
    """Return the largest deviations from sharing by weight alone, which spread may ask for."""
    counts = ring.counts()
    share = ring.partitions * ring.fragments / sum(d.weight for d in ring.devices)
    ratios = [counts[d.id] / (d.weight * share) - 1 for d in ring.devices if d.weight > 0]
    return Balance(fullest=max(ratios), emptiest=min(ratios))


def _losses(row: tuple[int, ...], group_of: Mapping[int, Hashable], spare: int) -> int:
    survived = 0
    for _, held in Counter(group_of[device] for device in row).most_common():
        spare -= held
        if spare < 0:
            break
        survived += 1
    return survived


def _in_words(count: int, level: str) -> str:
    one = level.removesuffix("s")
    return f"no {one}" if count == 0 else f"any {count} {one if count == 1 else level}"
