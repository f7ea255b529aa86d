"""Codes, cells and codecs for coding tests."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import shake_128
from itertools import combinations

import pytest

from swiftlite.coding.codec import FRAGMENTS_MAX, K_MAX, M_MAX, Codec, ZfecCodec
from swiftlite.coding.isal import Isal, IsalCodec

SUPPORTED = [
    (k, m) for k in range(1, K_MAX + 1) for m in range(1, M_MAX + 1) if k + m <= FRAGMENTS_MAX
]
COMMON = [
    (1, 1), (1, 2), (2, 1), (2, 2), (3, 2), (4, 2), (4, 3), (5, 2), (6, 2), (6, 3),
    (8, 2), (8, 3), (8, 4), (10, 4), (12, 4), (16, 4),
]  # fmt: skip


def noise(size: int, name: str = "") -> bytes:
    return shake_128(f"{size} {name}".encode()).digest(size)


def data_cells(k: int, length: int) -> list[bytes]:
    return [noise(length, f"cell {i} of {k}") for i in range(k)]


def erasures(k: int, m: int) -> Iterator[tuple[int, ...]]:
    """Every set of up to m of the k + m cells."""
    for count in range(m + 1):
        yield from combinations(range(k + m), count)


def made(name: str, k: int, m: int) -> Codec:
    """The codec of that name, or the test is skipped where it cannot be had."""
    reference = ZfecCodec(k, m)
    if name == "zfec":
        return reference
    library = Isal.find()
    if library is None:
        pytest.skip("libisal is not installed (Debian: libisal2)")
    return IsalCodec(library, reference)


CODECS = ["zfec", "isal"]
