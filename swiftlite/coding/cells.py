"""What a codec may be given, and which cells it rebuilds from.

Pure: no clock, no IO.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable


class CellsUnfit(ValueError):
    """Cells that cannot be coded: too few, empty, of different lengths, or of no such number."""


def common_length(lengths: Iterable[int]) -> int:
    """Return the one length that all cells have.

    Raises: CellsUnfit if it differs or is 0.
    """
    found = set(lengths)
    if len(found) != 1 or 0 in found:
        raise CellsUnfit(f"cells of {sorted(found)} bytes; they need one length of at least 1")
    return found.pop()


def survivors(given: Collection[int], wanted: Collection[int], k: int, m: int) -> tuple[int, ...]:
    """Return the k cells to rebuild from: data first, then parity, in order.

    Raises: CellsUnfit if fewer than k are given, or a number is not one of the code's.
    """
    unknown = [number for number in (*given, *wanted) if not 0 <= number < k + m]
    if unknown:
        raise CellsUnfit(f"no cell of {k}+{m} has number {unknown[0]}")
    if len(given) < k:
        raise CellsUnfit(f"{len(given)} cells of {k}+{m}; {k} are needed")
    return tuple(sorted(given)[:k])
