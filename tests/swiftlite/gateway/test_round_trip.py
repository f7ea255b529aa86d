"""What goes in comes out, at every size where something changes, with any two devices gone."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from tests.swiftlite.clouds import SETTINGS, Cloud, cloud, pattern

K, STRIPE, COPIES = 4, SETTINGS.stripe, SETTINGS.copies_max
SIZES = [
    *(0, 1, K - 1, K, K + 1),
    *(COPIES - 1, COPIES, COPIES + 1),
    *(STRIPE - 1, STRIPE, STRIPE + 1),
    *(5 * STRIPE - 1, 5 * STRIPE, 5 * STRIPE + 1),
]


async def check_all(it: Cloud) -> None:
    for size in SIZES:
        assert await it.get(f"o{size}") == pattern(size, size), size


@pytest.mark.parametrize("lost", list(itertools.combinations(range(6), 2)))
async def test_every_size_comes_back_with_any_two_devices_deleted(
    tmp_path: Path, lost: tuple[int, int]
) -> None:
    async with cloud(tmp_path) as it:
        for size in SIZES:
            version = await it.put(f"o{size}", pattern(size, size))
            assert version.size == size
        await check_all(it)
        it.destroy(*lost)
        await check_all(it)
    async with cloud(tmp_path) as it:  # and after a restart
        await check_all(it)
