"""Every erasure pattern of every supported code can be undone, shown on the matrix itself.

A systematic code is MDS (any k cells suffice) if and only if every square submatrix of its parity
rows is nonsingular: MacWilliams and Sloane, "The Theory of Error-Correcting Codes", chapter 11,
theorem 8.
"""

from __future__ import annotations

from itertools import combinations

import pytest

from swiftlite.coding.codec import FRAGMENTS_MAX, K_MAX, M_MAX, ZfecCodec
from tests.swiftlite.coding.codes import SUPPORTED

POLYNOMIAL = 0x11D


def tables() -> tuple[list[int], list[int]]:
    powers, logs = [0] * 510, [0] * 256
    value = 1
    for exponent in range(255):
        powers[exponent] = powers[exponent + 255] = value
        logs[value] = exponent
        value = value << 1 ^ (POLYNOMIAL if value & 0x80 else 0)
    return powers, logs


POWERS, LOGS = tables()


def parity_rows(k: int, m: int) -> list[list[int]]:
    units = [bytes(i == j for j in range(k)) for i in range(k)]
    return [list(bytes(row)) for row in ZfecCodec(k, m).encode(units)]


def singular_minors(matrix: list[list[int]]) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Return (rows, columns) of every singular square submatrix, by expansion along a row."""
    height, width = len(matrix), len(matrix[0])
    singular = []
    smaller = {((), ()): 1}
    for order in range(1, min(height, width) + 1):
        minors = {}
        for rows in combinations(range(height), order):
            first, others = matrix[rows[0]], rows[1:]
            for columns in combinations(range(width), order):
                total = 0
                for place, column in enumerate(columns):
                    minor = smaller[others, columns[:place] + columns[place + 1 :]]
                    if minor and first[column]:
                        total ^= POWERS[LOGS[minor] + LOGS[first[column]]]
                minors[rows, columns] = total
                if total == 0:
                    singular.append((rows, columns))
        smaller = minors
    return singular


@pytest.mark.parametrize(("k", "m"), SUPPORTED)
def test_a_code_with_less_parity_is_the_beginning_of_one_with_more(k: int, m: int) -> None:
    """So that the widest code of each k, below, speaks for all of them."""
    widest = min(M_MAX, FRAGMENTS_MAX - k)
    assert parity_rows(k, m) == parity_rows(k, widest)[:m]


@pytest.mark.parametrize("k", range(1, K_MAX + 1))
def test_no_erasure_pattern_of_any_supported_code_is_beyond_repair(k: int) -> None:
    assert singular_minors(parity_rows(k, min(M_MAX, FRAGMENTS_MAX - k))) == []


def test_the_matrix_of_isal_that_is_not_used_would_fail_this() -> None:
    """Its plain Vandermonde rows for 10+5 lose data: Swift bug 1639691."""
    rows = [[POWERS[row * column % 255] for column in range(10)] for row in range(5)]
    assert len(singular_minors(rows)) == 10
