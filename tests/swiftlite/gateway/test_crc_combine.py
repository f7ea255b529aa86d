"""CRCs of wholes from CRCs of parts, against the checksums of the concatenation."""

from __future__ import annotations

import zlib
from collections.abc import Callable

import pytest
from awscrt import checksums
from hypothesis import given
from hypothesis import strategies as st

from swiftlite.gateway.crc_combine import COMBINABLE, combined

DIRECT: dict[str, tuple[Callable[[bytes], int], int]] = {
    "crc32": (zlib.crc32, 4),
    "crc32c": (checksums.crc32c, 4),
    "crc64nvme": (checksums.crc64nvme, 8),
}


def crc(algorithm: str, data: bytes) -> bytes:
    function, size = DIRECT[algorithm]
    return function(data).to_bytes(size, "big")


def test_every_combinable_algorithm_is_compared() -> None:
    assert set(DIRECT) == COMBINABLE


@pytest.mark.parametrize("algorithm", sorted(DIRECT))
@given(parts=st.lists(st.binary(max_size=300), max_size=6))
def test_combining_parts_equals_the_checksum_of_the_whole(
    algorithm: str, parts: list[bytes]
) -> None:
    whole = combined(algorithm, [(crc(algorithm, part), len(part)) for part in parts])
    assert whole == crc(algorithm, b"".join(parts))


@pytest.mark.parametrize("algorithm", sorted(DIRECT))
def test_part_sizes_of_real_uploads_combine(algorithm: str) -> None:
    parts = [bytes([n]) * size for n, size in enumerate([5 << 20, 5 << 20, (5 << 20) + 7, 1])]
    whole = combined(algorithm, [(crc(algorithm, part), len(part)) for part in parts])
    assert whole == crc(algorithm, b"".join(parts))


def test_the_order_of_parts_matters() -> None:
    one, two = (crc("crc32", b"one"), 3), (crc("crc32", b"two"), 3)
    assert combined("crc32", [one, two]) != combined("crc32", [two, one])
