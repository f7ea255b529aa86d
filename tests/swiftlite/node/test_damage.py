"""Damage is reported, never read, and hides nothing that stands beside it."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from swiftlite.manifest import Hint
from swiftlite.node import format as fmt
from swiftlite.node.device import Device, ScannedDamage, ScannedFragment, format_device
from swiftlite.node.errors import FragmentDamaged, FragmentMissing
from swiftlite.testing import Fault, SimDisk

from .conftest import IDENTITY, LABEL, Opener, fragment

LABELLED = fmt.HEADER_SIZE + len(fmt.pack_label(LABEL))
SIZE = 300

# Where the regions of a small image are; within each, every byte is hit in `test_format`.
REGIONS = {
    "magic": range(8),
    "version": range(8, 9),
    "kind": range(9, 10),
    "index": range(10, 12),
    "device": range(12, 14),
    "label length": range(14, 16),
    "blob": range(16, 32),
    "size": range(32, 40),
    "payload length": range(40, 48),
    "header checksum": range(48, 56),
    "label": range(56, LABELLED),
    "block magic": range(LABELLED, LABELLED + 4),
    "block length": range(LABELLED + 4, LABELLED + 8),
    "block blob": range(LABELLED + 8, LABELLED + 24),
    "block index": range(LABELLED + 24, LABELLED + 28),
    "block number": range(LABELLED + 28, LABELLED + 32),
    "block checksum": range(LABELLED + 32, LABELLED + 40),
    "payload": range(LABELLED + 40, LABELLED + 40 + SIZE),
}


def flip(path: Path, at: int, bit: int = 0) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        [byte] = file.read(1)
        file.seek(at)
        file.write(bytes([byte ^ 1 << bit]))


async def three(device: Device) -> list[Hint]:
    return [
        await device.append(fragment(n), LABEL, size=1, payload=bytes([n]) * SIZE) for n in range(3)
    ]


async def scanned(device: Device) -> tuple[set[int], list[ScannedDamage]]:
    """Return the numbers of the fragments that were found, and the damage."""
    found, damage = set(), []
    async for item in device.scan(deep=True):
        if isinstance(item, ScannedFragment):
            found.add(int.from_bytes(item.fragment.blob[:8], "big"))
        else:
            damage.append(item)
    return found, damage


@pytest.mark.parametrize("region", REGIONS)
async def test_a_flipped_bit_in_a_volume_is_found_and_hides_nobody(
    opened: Opener, path: str, region: str
) -> None:
    device = await opened()
    hints = await three(device)
    volume = Path(path, "volumes", "00000001.vol")
    sure = random.Random(region)
    at = hints[1].offset + sure.choice(REGIONS[region])
    flip(volume, at, sure.randrange(8))

    for hint in (hints[1], None):
        with pytest.raises((FragmentDamaged, FragmentMissing)):
            await device.read(fragment(1), hint)
    with pytest.raises(FragmentDamaged):
        await device.check(fragment(1), hints[1])
    found, damage = await scanned(device)
    assert found == {0, 2}
    assert [d.offset for d in damage] == [hints[1].offset]
    assert damage[0].length == hints[2].offset - hints[1].offset
    assert not damage[0].torn
    if region.startswith(("block", "payload")) and region != "payload length":
        assert damage[0].fragment == fragment(1)
    for n in (0, 2):
        await device.check(fragment(n), hints[n])
        assert await device.find(fragment(n)) == hints[n]

    # Once it is written again and given up, nothing is left of it.
    again = await device.append(fragment(1), LABEL, size=1, payload=b"\1" * SIZE)
    await device.retire(damage[0])
    assert await scanned(device) == ({0, 1, 2}, [])
    await device.check(fragment(1), hints[1])
    assert await device.find(fragment(1)) == again


async def test_a_damaged_volume_header_or_gap_hides_nobody(opened: Opener, path: str) -> None:
    device = await opened()
    hints = await three(device)
    await device.delete(fragment(1), hints[1])
    sure = random.Random(1)
    for start in (0, hints[1].offset, hints[2].offset - 64):
        for at in sure.sample(range(start, start + fmt.HEADER_SIZE), 8):
            flip(Path(path, "volumes", "00000001.vol"), at)
            assert (await scanned(device))[0] == {0, 2}
            flip(Path(path, "volumes", "00000001.vol"), at)
    assert await scanned(device) == ({0, 2}, [])


async def test_a_damaged_fragment_can_be_deleted(opened: Opener, path: str) -> None:
    for region in ("header checksum", "payload", "label"):
        device = await opened()
        hints = await three(device)
        volume = Path(path, "volumes", f"{hints[1].volume:08d}.vol")
        flip(volume, hints[1].offset + REGIONS[region][0])
        await device.delete(fragment(1), hints[1])
        assert await scanned(device) == ({0, 2}, [])


@pytest.mark.parametrize("where", ["header", "label", "block header", "payload", "footer"])
async def test_a_flipped_bit_in_a_large_file_is_found(
    opened: Opener, path: str, where: str
) -> None:
    device = await opened()
    hints, cells = [], [b"x" * 1000, b"y" * 1000, b"z" * 10]
    for n in range(2):
        writer = await device.create(fragment(n), LABEL)
        for cell in cells:
            await writer.write(cell)
        hints.append(await writer.commit())
    [file] = Path(path, "large").rglob(f"{fragment(0).blob.hex()}.0")
    sound, sure = file.read_bytes(), random.Random(where)
    block = LABELLED + 1040  # the middle one
    ranges = {
        "header": range(fmt.HEADER_SIZE),
        "label": range(fmt.HEADER_SIZE, LABELLED),
        "block header": range(block, block + 40),
        "payload": range(block + 40, block + 1040),
        "footer": range(len(sound) - 64, len(sound)),
    }
    whole_range = ranges[where]
    for at in sure.sample(whole_range, min(40, len(whole_range))):
        flip(file, at, at % 8)
        with pytest.raises(FragmentDamaged):
            await device.check(fragment(0), hints[0])
        found, damage = await scanned(device)
        assert found == {1}
        assert [(d.volume, d.fragment) for d in damage] == [(0, fragment(0))]
        try:
            assert [bytes(b) for b in await device.read(fragment(0), hints[0], count=3)] == cells
            raise AssertionError("the middle block was read")
        except FragmentDamaged:
            pass
        if where in ("block header", "payload"):  # the others are as sound as before
            for n in (0, 2):
                [got] = await device.read(fragment(0), hints[0], first=n)
                assert bytes(got) == cells[n]
        file.write_bytes(sound)
    await device.check(fragment(0), hints[0])


async def test_a_large_file_cut_short_or_grown_is_damage(opened: Opener, path: str) -> None:
    device = await opened()
    writer = await device.create(fragment(0), LABEL)
    await writer.write(b"x" * 1000)
    hint = await writer.commit()
    [file] = Path(path, "large").rglob(f"{fragment(0).blob.hex()}.0")
    sound = file.read_bytes()
    for broken in [sound[:n] for n in range(0, len(sound), 37)] + [sound + b"\0", sound * 2]:
        file.write_bytes(broken)
        with pytest.raises(FragmentDamaged):
            await device.check(fragment(0), hint)


async def test_files_that_were_swapped_are_damage(opened: Opener, path: str) -> None:
    device = await opened()
    for n in range(2):
        writer = await device.create(fragment(n), LABEL)
        await writer.write(bytes([n]))
        await writer.commit()
    one, two = (next(Path(path, "large").rglob(f"{fragment(n).blob.hex()}.0")) for n in range(2))
    content = one.read_bytes()
    one.write_bytes(two.read_bytes())
    two.write_bytes(content)
    for n in range(2):
        with pytest.raises(FragmentDamaged):
            await device.read(fragment(n), None)


async def test_blocks_that_were_swapped_are_damage(opened: Opener, path: str) -> None:
    device = await opened()
    writer = await device.create(fragment(0), LABEL)
    for n in range(3):
        await writer.write(bytes([n]) * 100)
    hint = await writer.commit()
    [file] = Path(path, "large").rglob(f"{fragment(0).blob.hex()}.0")
    data = bytearray(file.read_bytes())
    one, two = slice(LABELLED, LABELLED + 140), slice(LABELLED + 140, LABELLED + 280)
    data[one], data[two] = data[two], data[one]
    file.write_bytes(data)
    for n in range(2):
        with pytest.raises(FragmentDamaged):
            await device.read(fragment(0), hint, first=n)
    assert bytes((await device.read(fragment(0), hint, first=2))[0]) == b"\2" * 100


async def test_a_block_of_an_earlier_write_of_the_fragment_is_noticed(
    opened: Opener, path: str
) -> None:
    device = await opened()
    versions = []
    for n in range(2):
        writer = await device.create(fragment(0), LABEL)
        await writer.write(bytes([n]) * 100)
        await writer.write(bytes([n]) * 100)
        hint = await writer.commit()
        [file] = Path(path, "large").rglob(f"{fragment(0).blob.hex()}.0")
        versions.append(file.read_bytes())
    mixed = versions[0][: LABELLED + 140] + versions[1][LABELLED + 140 :]
    file.write_bytes(mixed)
    with pytest.raises(FragmentDamaged, match="together"):
        await device.check(fragment(0), hint)


async def test_volumes_that_were_swapped_hold_nothing_that_verifies(
    opened: Opener, path: str
) -> None:
    device = await opened(volume_bytes=100)
    hints = await three(device)
    await device.close()
    one, two = (Path(path, "volumes", f"{n:08d}.vol") for n in (1, 2))
    os.rename(one, path + "/x")
    os.rename(two, one)
    os.rename(path + "/x", two)
    device = await opened()
    for n in range(2):
        with pytest.raises(FragmentDamaged):
            await device.read(fragment(n), hints[n])
    assert (await scanned(device))[0] == {2}


async def test_bytes_of_a_client_that_look_like_records_are_not_believed(
    opened: Opener, path: str
) -> None:
    device = await opened()
    hints = await three(device)
    volume = Path(path, "volumes", "00000001.vol")
    bait = volume.read_bytes()
    planted = await device.append(fragment(7), LABEL, size=1, payload=bait)
    flip(volume, planted.offset)  # now its header is damaged, and the walk goes through the bait
    found, damage = await scanned(device)
    assert found == {0, 1, 2}
    assert [d.offset for d in damage] == [planted.offset]
    assert await device.find(fragment(1)) == hints[1]


async def test_a_torn_last_record_is_stepped_over_at_every_length(
    opened: Opener, path: str
) -> None:
    device = await opened()
    hints = await three(device)
    await device.close()
    volume = Path(path, "volumes", "00000001.vol")
    sound = volume.read_bytes()
    lengths = list(range(hints[2].offset + 1, hints[2].offset + hints[2].length, 29))
    for length in [*lengths, hints[2].offset + hints[2].length - 1]:
        volume.write_bytes(sound[:length])
        for name in ("index.db", "index.db-wal", "index.db-shm"):
            Path(path, name).unlink(missing_ok=True)
        device = await opened()
        assert await device.find(fragment(2)) is None
        found, damage = await scanned(device)
        assert found == {0, 1}
        assert [(d.offset, d.torn) for d in damage] == [(hints[2].offset, True)]
        new = await device.append(fragment(3), LABEL, size=1, payload=b"new")
        assert new.volume != 1
        assert volume.read_bytes() == sound[:length]
        await device.close()
        Path(path, "volumes", f"{new.volume:08d}.vol").unlink()


async def test_a_sector_that_cannot_be_read_hides_nobody(opened: Opener, tmp_path: Path) -> None:
    disk = _BadSector(str(tmp_path))
    device = await opened(disk)
    hints = [await device.append(fragment(n), LABEL, size=1, payload=bytes(4000)) for n in range(9)]
    disk.bad = hints[4].offset + 2000
    assert device.read_cached(fragment(4), hints[4]) is None
    with pytest.raises(FragmentDamaged, match="Input/output"):
        await device.read(fragment(4), hints[4])
    found, damage = await scanned(device)
    assert {0, 1, 2, 7, 8} <= found
    assert 4 not in found
    assert damage
    assert device.state == "ok", "one bad sector is no reason to give up a disk"
    await device.append(fragment(9), LABEL, size=1, payload=b"x")


class _BadSector(SimDisk):
    """A disk with one sector that cannot be read."""

    bad = -1

    def pread(self, fd: int, size: int, offset: int) -> bytes:
        if offset <= self.bad < offset + size:
            raise OSError(5, "Input/output error")
        return super().pread(fd, size, offset)

    def preadv_nowait(self, fd: int, buffer: bytearray, offset: int) -> int | None:
        return None if self.bad >= 0 else super().preadv_nowait(fd, buffer, offset)


@pytest.mark.parametrize("how", ["flip", "misdirect"])
async def test_what_a_disk_wrote_wrongly_is_never_read(tmp_path: Path, how: str) -> None:
    for seed in range(15):
        root = tmp_path / f"{how}{seed}"
        root.mkdir()
        disk = SimDisk(str(root), seed=seed)

        format_device(disk, str(root / "d3"), **IDENTITY)
        device = await Device.open(disk, str(root / "d3"), **IDENTITY)
        hints = {}
        for n in range(8):
            if n == 4:
                disk.faults = [Fault("pwritev", how=how)]  # type: ignore[arg-type]
            hints[n] = await device.append(
                fragment(n), LABEL, size=1, payload=bytes([n]) * (SIZE + 100 * n)
            )
        wrong = set()
        for n, hint in hints.items():
            try:
                [got] = await device.read(fragment(n), hint)
                assert bytes(got) == bytes([n]) * (SIZE + 100 * n)
            except (FragmentDamaged, FragmentMissing):
                wrong.add(n)
        found, _ = await scanned(device)
        assert found == set(hints) - wrong
        if how == "flip":
            assert wrong == {4}
        else:
            assert len(wrong) <= 4, "only it, and what it was written over, is lost"
        await device.close()
