"""Flipped bits on devices: never in an answer, and made good in the background."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from swiftlite.errors import ObjectDamaged, ObjectUnreachable
from swiftlite.heal.scrub import scrub
from swiftlite.manifest import Blob
from swiftlite.node.format import Fragment, Label
from tests.swiftlite.clouds import SETTINGS, Cloud, cloud, pattern

STRIPE = SETTINGS.stripe
SIZES = [100, STRIPE - 7, 9 * STRIPE + 5]


def places(it: Cloud, blob: Blob) -> Iterator[tuple[int, Path, int, int]]:
    """Yield (fragment, file, offset, length) of each fragment of a blob."""
    for hint in blob.hints:
        if hint.volume:
            path = it.device(hint.device) / "volumes" / f"{hint.volume:08d}.vol"
            yield hint.fragment, path, hint.offset, hint.length
        else:
            name = f"{blob.id.hex()}.{hint.fragment}"
            (path,) = it.device(hint.device).glob(f"large/*/{name}")
            yield hint.fragment, path, 0, path.stat().st_size


def flip(path: Path, offset: int) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ 0x10]))


async def blob_of(it: Cloud, key: str) -> Blob:
    version = await it.gateway.head_object(it.bucket, key)
    assert version.manifest
    return version.manifest[0]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("where", [0.1, 0.5, 0.9])
async def test_flipped_bits_in_m_fragments_do_not_reach_a_reader_and_are_repaired(
    tmp_path: Path, size: int, where: float
) -> None:
    async with cloud(tmp_path, run=True) as it:
        await it.put("o", pattern(size))
        blob = await blob_of(it, "o")
        hurt = {0, 2}
        for fragment, path, offset, length in places(it, blob):
            if fragment in hurt:
                flip(path, offset + int(length * where))
        for _ in range(4):  # copies are read in turn
            assert await it.get("o") == pattern(size)
        async with asyncio.timeout(5):
            while (await scrub(it.engine, orphans=False)).ok < blob.fragments:
                await asyncio.sleep(0.01)
            while len(it.engine.repairs):
                await asyncio.sleep(0.01)
    # What was repaired carries the weight alone.
    async with cloud(tmp_path) as it:
        for fragment, path, offset, length in places(it, blob):
            if fragment not in hurt and fragment in {1, 3}:
                flip(path, offset + int(length * where))
        assert await it.get("o") == pattern(size)


@pytest.mark.parametrize("size", SIZES)
async def test_one_fragment_too_few_is_reported_and_nothing_wrong_is_ever_read(
    tmp_path: Path, size: int
) -> None:
    async with cloud(tmp_path) as it:
        await it.put("o", pattern(size))
        blob = await blob_of(it, "o")
        for fragment, path, offset, length in places(it, blob):
            if fragment < blob.fragments - blob.needed + 1:
                flip(path, offset + length // 2)
        with pytest.raises(ObjectDamaged):
            await it.get("o")


@pytest.mark.parametrize("size", SIZES[1:])
async def test_a_range_that_touches_no_damaged_cell_needs_no_other_fragment(
    tmp_path: Path, size: int
) -> None:
    async with cloud(tmp_path) as it:
        await it.put("o", pattern(size))
        blob = await blob_of(it, "o")
        cell = -(-min(size, STRIPE) // 4)
        it.destroy(*(hint.device for hint in blob.hints if hint.fragment != 1))
        assert await it.get("o", cell, 2 * cell) == pattern(size)[cell : 2 * cell]
        with pytest.raises(ObjectUnreachable):
            await it.get("o", cell, 2 * cell + 1)


async def test_a_fragment_that_moved_is_found_by_its_ring_device_and_by_search(
    tmp_path: Path,
) -> None:
    data = pattern(STRIPE - 7)
    async with cloud(tmp_path) as it:
        await it.put("o", data)
        blob = await blob_of(it, "o")
        label = Label(it.bucket.id, "o")
        # Each fragment goes to the device after its own; the hints stay as they are.
        for hint in blob.hints:
            name = Fragment(blob.id, hint.fragment)
            (cell,) = await it.engine.devices[hint.device].read(name, hint)
            there = it.engine.devices[(hint.device + 1) % 6]
            await there.append(name, label, size=len(data), payload=bytes(cell))
            await it.engine.devices[hint.device].delete(name, hint)
        assert await it.get("o") == data
