"""A device gives back what it took, wherever it put it."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from swiftlite.manifest import Hint
from swiftlite.node.device import Device, Fragment, Label, ScannedDamage, ScannedFragment
from swiftlite.node.disk import PosixDisk
from swiftlite.node.errors import (
    DeviceBusy,
    DeviceOut,
    FragmentDamaged,
    FragmentMissing,
    LabelTooLong,
)
from swiftlite.node.large import clear_leftovers

from .conftest import IDENTITY, LABEL, Opener, fragment


async def write_large(device: Device, which: Fragment, cells: list[bytes]) -> Hint:
    writer = await device.create(which, LABEL)
    for cell in cells:
        await writer.write(cell)
    return await writer.commit()


async def everything(device: Device) -> list[ScannedFragment | ScannedDamage]:
    return [item async for item in device.scan(deep=True)]


async def test_a_small_fragment_is_read_back(opened: Opener) -> None:
    device = await opened()
    hint = await device.append(fragment(1), LABEL, size=10, payload=b"payload")
    assert hint.device == 3
    assert hint.volume
    assert [bytes(block) for block in await device.read(fragment(1), hint)] == [b"payload"]
    cached = device.read_cached(fragment(1), hint)
    assert cached is None or bytes(cached) == b"payload"
    await device.check(fragment(1), hint)


async def test_a_large_fragment_is_read_back_in_any_pieces(opened: Opener) -> None:
    device = await opened()
    cells = [os.urandom(5000) for _ in range(5)] + [b"end"]
    hint = await write_large(device, fragment(1), cells)
    assert hint.volume == 0
    for first in range(6):
        for count in range(1, 7 - first):
            blocks = await device.read(fragment(1), hint, first=first, count=count)
            assert [bytes(block) for block in blocks] == cells[first : first + count]
    with pytest.raises(FragmentDamaged):
        await device.read(fragment(1), hint, first=5, count=2)


@pytest.mark.parametrize("cells", [[], [b""], [b"x"], [b"x" * 9, b""], [b"x" * 9, b"y" * 9]])
async def test_large_fragments_of_odd_shapes_are_whole(opened: Opener, cells: list[bytes]) -> None:
    device = await opened()
    hint = await write_large(device, fragment(1), cells)
    await device.check(fragment(1), hint)
    if cells:
        blocks = await device.read(fragment(1), hint, first=0, count=len(cells))
        assert [bytes(block) for block in blocks] == cells


async def test_a_fragment_that_is_not_committed_is_nowhere(opened: Opener, path: str) -> None:
    device = await opened()
    writer = await device.create(fragment(1), LABEL)
    await writer.write(b"x")
    assert await device.find(fragment(1)) is None
    assert await everything(device) == []
    await writer.abort()
    await writer.abort()
    assert os.listdir(os.path.join(path, "tmp")) == []


async def test_leftovers_are_removed_unless_somebody_is_at_them(opened: Opener, path: str) -> None:
    device = await opened()
    writer = await device.create(fragment(1), LABEL)
    Path(path, "tmp", "dead").write_bytes(b"x")
    other = await opened()
    assert len(os.listdir(os.path.join(path, "tmp"))) == 1
    await writer.write(b"x")
    hint = await writer.commit()
    await other.check(fragment(1), hint)


async def test_many_at_once_are_all_there(opened: Opener) -> None:
    device = await opened(volume_bytes=200_000)
    payloads = {fragment(n): os.urandom(n * 13 % 20_000) for n in range(300)}
    hints = await asyncio.gather(
        *(device.append(f, LABEL, size=1, payload=data) for f, data in payloads.items())
    )
    assert len({hint.volume for hint in hints}) > 0
    for (which, data), hint in zip(payloads.items(), hints, strict=True):
        assert bytes((await device.read(which, hint))[0]) == data


async def test_volumes_roll(opened: Opener) -> None:
    device = await opened(volume_bytes=4096)
    hints = [await device.append(fragment(n), LABEL, size=1, payload=bytes(3000)) for n in range(6)]
    assert [hint.volume for hint in hints] == [1, 1, 2, 2, 3, 3]


async def test_a_clean_volume_is_appended_to_after_a_restart(opened: Opener) -> None:
    device = await opened()
    before = await device.append(fragment(1), LABEL, size=1, payload=b"x")
    await device.close()
    device = await opened()
    after = await device.append(fragment(2), LABEL, size=1, payload=b"y")
    assert after.volume == before.volume
    assert after.offset > before.offset
    await device.check(fragment(1), before)


async def test_a_volume_with_a_torn_tail_is_left_alone(opened: Opener, path: str) -> None:
    device = await opened()
    before = await device.append(fragment(1), LABEL, size=1, payload=b"x" * 500)
    await device.append(fragment(2), LABEL, size=1, payload=b"y" * 500)
    await device.close()
    volume = Path(path, "volumes", f"{before.volume:08d}.vol")
    os.truncate(volume, volume.stat().st_size - 64)
    length = volume.stat().st_size
    device = await opened()
    after = await device.append(fragment(3), LABEL, size=1, payload=b"z")
    assert after.volume != before.volume
    assert volume.stat().st_size == length, "nothing is ever truncated"
    await device.check(fragment(1), before)


async def test_a_volume_that_is_being_written_is_not_shared(opened: Opener) -> None:
    first, second = await opened(), await opened()
    one = await first.append(fragment(1), LABEL, size=1, payload=b"x")
    two = await second.append(fragment(2), LABEL, size=1, payload=b"y")
    assert one.volume != two.volume
    assert await first.find(fragment(2)) == two
    assert await second.find(fragment(1)) == one


async def test_a_stale_hint_is_no_hindrance(opened: Opener) -> None:
    device = await opened()
    hint = await device.append(fragment(1), LABEL, size=1, payload=b"right")
    other = await device.append(fragment(2), LABEL, size=1, payload=b"wrong")
    large = await write_large(device, fragment(3), [b"large"])
    stale: list[Hint | None] = [
        other,
        None,
        Hint(0, 3, 99, 0, 100),
        Hint(0, 3, 1, 1 << 40, 100),
        Hint(0, 3, 1, hint.offset, 60),
        Hint(0, 3, 0, 0, 0),
        Hint(0, 3, 1, 0, 1 << 60),
    ]
    for wrong in stale:
        for _ in range(2):  # the second time it is remembered
            assert bytes((await device.read(fragment(1), wrong))[0]) == b"right"
            assert bytes((await device.read(fragment(3), wrong))[0]) == b"large"
    assert await device.find(fragment(3)) == large


async def test_a_fragment_that_is_not_there_is_missing_not_damaged(opened: Opener) -> None:
    device = await opened()
    hint = await device.append(fragment(1), LABEL, size=1, payload=b"x")
    for wrong in (None, hint, Hint(0, 3)):
        with pytest.raises(FragmentMissing):
            await device.read(fragment(2), wrong)
        with pytest.raises(FragmentMissing):
            await device.check(fragment(2), wrong)
    with pytest.raises(FragmentMissing):
        await device.read(Fragment(fragment(1).blob, 1), hint)
    assert await device.find(fragment(2)) is None


async def test_the_newest_copy_serves_when_an_older_one_is_damaged(
    opened: Opener, path: str
) -> None:
    device = await opened()
    old = await device.append(fragment(1), LABEL, size=1, payload=b"x" * 100)
    volume = Path(path, "volumes", f"{old.volume:08d}.vol")
    with volume.open("r+b") as file:
        file.seek(old.offset + old.length - 1)
        file.write(b"!")
    with pytest.raises(FragmentDamaged):
        await device.read(fragment(1), old)
    await device.append(fragment(1), LABEL, size=1, payload=b"x" * 100)
    assert bytes((await device.read(fragment(1), old))[0]) == b"x" * 100
    assert bytes((await device.read(fragment(1), None))[0]) == b"x" * 100


async def test_a_repaired_large_fragment_replaces_the_damaged_one(
    opened: Opener, path: str
) -> None:
    device = await opened()
    hint = await write_large(device, fragment(1), [b"x" * 100])
    [name] = [p for p in Path(path, "large").rglob("*") if p.is_file()]
    with name.open("r+b") as file:
        file.seek(-100, os.SEEK_END)
        file.write(b"!")
    with pytest.raises(FragmentDamaged):
        await device.read(fragment(1), hint)
    other = await opened()  # another process, which the cached descriptor of ours knows nothing of
    await write_large(other, fragment(1), [b"x" * 100])
    assert bytes((await device.read(fragment(1), hint))[0]) == b"x" * 100


@pytest.mark.parametrize("damage", ["removed", "garbage", "truncated", "foreign"])
async def test_without_its_index_a_device_answers_the_same(
    opened: Opener, path: str, damage: str
) -> None:
    device = await opened(volume_bytes=20_000)
    hints = {
        n: await device.append(fragment(n), LABEL, size=1, payload=bytes([n]) * 1000)
        for n in range(40)
    }
    for n in hints:
        assert await device.find(fragment(n)) == hints[n]
    await device.close()
    for name in ("index.db", "index.db-wal", "index.db-shm"):
        file = Path(path, name)
        if not file.exists():
            continue
        if damage == "removed":
            file.unlink()
        elif damage == "garbage":
            file.write_bytes(os.urandom(file.stat().st_size))
        elif damage == "truncated":
            os.truncate(file, file.stat().st_size // 2)
        elif name == "index.db":
            file.write_bytes(b"this is no database at all, " * 200)
    device = await opened()
    for n in hints:
        assert await device.find(fragment(n)) == hints[n]
    assert await device.find(fragment(99)) is None


async def test_an_index_that_is_removed_under_us_is_made_anew(opened: Opener, path: str) -> None:
    device = await opened()
    hint = await device.append(fragment(1), LABEL, size=1, payload=b"x")
    assert await device.find(fragment(1)) == hint
    for name in ("index.db", "index.db-wal", "index.db-shm"):
        Path(path, name).unlink(missing_ok=True)
    second = await device.append(fragment(2), LABEL, size=1, payload=b"y")
    assert await device.find(fragment(1)) == hint
    assert await device.find(fragment(2)) == second


async def test_a_new_volume_with_an_old_number_is_indexed_from_its_start(
    opened: Opener, path: str
) -> None:
    device = await opened()
    for n in range(10):
        await device.append(fragment(n), LABEL, size=1, payload=b"x" * 100)
    assert await device.find(fragment(9))
    await device.close()
    os.unlink(os.path.join(path, "volumes", "00000001.vol"))  # as a power cut may
    device = await opened()
    for n in range(10, 20):
        hint = await device.append(fragment(n), LABEL, size=1, payload=b"x" * 100)
        assert hint.volume == 1
    for n in range(10, 20):
        assert await device.find(fragment(n))
    assert await device.find(fragment(9)) is None


async def test_a_scan_finds_everything_and_what_it_is_for(opened: Opener) -> None:
    device = await opened(volume_bytes=5000)
    label = Label(b"bucket-id", "ключ\n<&>", b"\0sealed")
    hints = {}
    for n in range(12):
        payload = bytes(n * 100)
        hints[fragment(n)] = await device.append(fragment(n), label, size=7, payload=payload)
    hints[fragment(50)] = await write_large(device, fragment(50), [bytes(300), bytes(20)])
    found = await everything(device)
    assert all(isinstance(item, ScannedFragment) for item in found)
    assert {item.fragment: item.hint for item in found} == hints  # type: ignore[union-attr]
    small = [item for item in found if item.hint.volume]  # type: ignore[union-attr]
    assert [item.length for item in small] == [n * 100 for n in range(12)]
    assert {(item.label, item.size) for item in small} == {(label, 7)}  # type: ignore[union-attr]
    [large] = [item for item in found if not item.hint.volume]  # type: ignore[union-attr]
    assert (large.length, large.label) == (320, LABEL)  # type: ignore[union-attr]


async def test_deleting_frees_the_space_of_small_fragments(opened: Opener, path: str) -> None:
    device = await opened()
    hints = [
        await device.append(fragment(n), LABEL, size=1, payload=os.urandom(4096)) for n in range(64)
    ]
    volume = Path(path, "volumes", "00000001.vol")
    before = volume.stat().st_blocks
    order = [n for n in range(64) if n % 3] + [n for n in range(64) if not n % 3]
    for n in order[:-1]:
        await device.delete(fragment(n), hints[n] if n % 2 else None)
    left = order[-1]
    assert volume.stat().st_blocks * 512 <= 6 * 4096 < before * 512
    await device.check(fragment(left), hints[left])
    assert [item.fragment for item in await everything(device)] == [fragment(left)]
    for n in order[:-1]:
        assert await device.find(fragment(n)) is None
        assert device.read_cached(fragment(n), hints[n]) is None
        with pytest.raises(FragmentMissing):
            await device.read(fragment(n), hints[n])


async def test_deleting_frees_the_space_of_large_fragments(opened: Opener, path: str) -> None:
    device = await opened()
    hint = await write_large(device, fragment(1), [b"x" * 100_000])
    await device.read(fragment(1), hint)
    await device.delete(fragment(1), hint)
    assert not [p for p in Path(path, "large").rglob("*") if p.is_file()]
    held = [os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd") if
            os.path.lexists(f"/proc/self/fd/{fd}")]  # fmt: skip
    assert not [name for name in held if fragment(1).blob.hex() in name], "an open file keeps it"


@pytest.mark.parametrize("large", [False, True])
async def test_deleting_twice_is_no_error_also_after_a_restart(opened: Opener, large: bool) -> None:
    device = await opened()
    if large:
        hint = await write_large(device, fragment(1), [b"x"])
    else:
        hint = await device.append(fragment(1), LABEL, size=1, payload=b"x")
    kept = await device.append(fragment(2), LABEL, size=1, payload=b"y")
    for _ in range(2):
        await device.delete(fragment(1), hint)
        await device.delete(fragment(1), None)
        await device.close()
        device = await opened()
        assert await device.find(fragment(1)) is None
    await device.check(fragment(2), kept)
    assert [item.fragment for item in await everything(device)] == [fragment(2)]


async def test_deleting_with_a_wrong_hint_harms_nobody(opened: Opener) -> None:
    device = await opened()
    mine = await device.append(fragment(1), LABEL, size=1, payload=b"x")
    other = await device.append(fragment(2), LABEL, size=1, payload=b"y")
    await device.delete(fragment(1), other)
    await device.check(fragment(2), other)
    assert await device.find(fragment(1)) is None
    with pytest.raises(FragmentMissing):
        await device.read(fragment(1), mine)


async def test_all_copies_of_a_fragment_are_deleted(opened: Opener) -> None:
    device = await opened()
    for _ in range(3):
        hint = await device.append(fragment(1), LABEL, size=1, payload=b"x")
    await device.delete(fragment(1), None)
    assert await everything(device) == []
    with pytest.raises(FragmentMissing):
        await device.read(fragment(1), hint)


async def test_a_label_that_is_too_long_is_refused(opened: Opener) -> None:
    device = await opened()
    long = Label(b"b", "k", bytes(65536))
    with pytest.raises(LabelTooLong):
        await device.append(fragment(1), long, size=1, payload=b"x")
    with pytest.raises(LabelTooLong):
        await device.create(fragment(1), long)
    fits = Label(b"b", "k" * 1024, bytes(60_000))
    await device.check(fragment(1), await device.append(fragment(1), fits, size=1, payload=b"x"))
    writer = await device.create(fragment(2), fits)
    await writer.write(b"y")
    await device.check(fragment(2), await writer.commit())


async def test_the_queue_is_bounded(opened: Opener) -> None:
    device = await opened(queue_bytes=10_000)
    outcomes = await asyncio.gather(
        *(device.append(fragment(n), LABEL, size=1, payload=bytes(1000)) for n in range(20)),
        return_exceptions=True,
    )
    assert {type(outcome) for outcome in outcomes} == {Hint, DeviceBusy}
    await device.append(fragment(99), LABEL, size=1, payload=bytes(1000))


async def test_closing_finishes_what_is_queued(opened: Opener) -> None:
    device = await opened()
    waiting = [
        asyncio.ensure_future(device.append(fragment(n), LABEL, size=1, payload=b"x"))
        for n in range(20)
    ]
    await asyncio.sleep(0)
    await device.close()
    for n, hint in enumerate(await asyncio.gather(*waiting)):
        assert hint.length, n
    with pytest.raises(DeviceOut):
        await device.append(fragment(99), LABEL, size=1, payload=b"x")


async def test_a_cancelled_append_harms_no_other(opened: Opener) -> None:
    device = await opened()
    waiting = [
        asyncio.ensure_future(device.append(fragment(n), LABEL, size=1, payload=b"x"))
        for n in range(20)
    ]
    await asyncio.sleep(0)
    for task in waiting[::2]:
        task.cancel()
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    for n in range(1, 20, 2):
        hint = outcomes[n]
        assert isinstance(hint, Hint)
        await device.check(fragment(n), hint)


async def test_space_is_what_may_still_be_written(opened: Opener, path: str) -> None:
    device = await opened(reserve_bytes=1 << 20)
    free, total = await device.free_bytes()
    assert 0 < free < total
    assert abs(PosixDisk().space(path).free - (1 << 20) - free) < 1 << 30


_WRITER = """
import asyncio, sys
from swiftlite.node.device import Device, Fragment, Label
from swiftlite.node.disk import PosixDisk

async def main(path, first, count):
    device = await Device.open(PosixDisk(), path, cloud_id="cloud", device_id=3, uuid="u-3")
    async def one(n):
        which = Fragment(n.to_bytes(8, "big") + b"blob" * 2, 0)
        hint = await device.append(which, Label(b"b", "k"), size=1, payload=bytes([n % 251]) * 999)
        print(n, hint.volume, hint.offset, hint.length)
    await one(first)
    print(flush=True)
    sys.stdin.readline()
    await asyncio.gather(*(one(n) for n in range(first + 1, first + count)))
    await device.close()

asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
"""


async def test_two_processes_append_to_one_device(opened: Opener, path: str) -> None:
    device = await opened()
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", _WRITER, path, str(first), "400"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for first in (0, 1000)
    ]
    lines = []
    for writer in writers:  # both have begun before either goes on
        assert writer.stdout
        lines += [writer.stdout.readline(), writer.stdout.readline()]
    for writer in writers:
        assert writer.stdin
        writer.stdin.write("\n")
        writer.stdin.flush()
    hints = {}
    for writer in writers:
        out, _ = await asyncio.to_thread(writer.communicate)
        assert writer.returncode == 0
        lines += out.splitlines()
    for line in lines:
        if line.strip():
            number, *place = map(int, line.split())
            hints[number] = Hint(0, 3, *place)
    assert len(hints) == 800
    assert len({hint.volume for hint in hints.values()}) == 2
    for n, hint in hints.items():
        assert bytes((await device.read(fragment(n), hint))[0]) == bytes([n % 251]) * 999
        assert await device.find(fragment(n)) == hint
    assert len(await everything(device)) == 800


async def test_a_device_for_reading_leaves_the_folder_as_it_is(opened: Opener, path: str) -> None:
    device = await opened()
    hint = await device.append(fragment(1), LABEL, size=1, payload=b"x")
    reader = await Device.open(PosixDisk(), path, writer=False, **IDENTITY)
    assert bytes((await reader.read(fragment(1), hint))[0]) == b"x"
    assert os.listdir(os.path.join(path, "volumes")) == ["00000001.vol"]
    await reader.close()


async def test_a_copy_that_was_written_again_is_deleted_though_nobody_looked_for_it(
    opened: Opener,
) -> None:
    device = await opened()
    old = await device.append(fragment(1), LABEL, size=9, payload=b"one")
    assert await device.find(fragment(1)) == old  # so that the index knows this one alone
    await device.append(fragment(1), LABEL, size=9, payload=b"one")  # what a repair does
    await device.delete(fragment(1), old)
    assert [item async for item in device.scan()] == []


async def test_a_device_that_was_closed_says_that_it_is_out(opened: Opener) -> None:
    device = await opened()
    hint = await device.append(fragment(1), LABEL, size=3, payload=b"one")
    writer = await device.create(fragment(2), LABEL)
    await device.close()
    for call in (
        device.read(fragment(1), hint),
        device.find(fragment(1)),
        device.check(fragment(1), hint),
        writer.write(b"two"),
    ):
        with pytest.raises(DeviceOut):
            await call


async def test_a_file_that_was_tidied_away_before_it_was_locked_is_begun_again(
    opened: Opener, path: str
) -> None:
    class Tidied(PosixDisk):
        times = 0

        def create(self, name: str) -> int:
            fd = super().create(name)
            if name.startswith(f"{path}/tmp/") and not self.times:
                self.times += 1
                clear_leftovers(PosixDisk(), os.path.join(path, "tmp"))
            return fd

    disk = Tidied()
    device = await opened(disk)
    writer = await device.create(fragment(1), LABEL)
    await writer.write(b"one")
    hint = await writer.commit()
    assert disk.times == 1
    await device.check(fragment(1), hint)


async def test_a_volume_that_another_thread_lets_go_of_is_still_read_by_the_first(
    opened: Opener,
) -> None:
    class Crowded(PosixDisk):
        drop: Callable[[], object] | None = None

        def pread(self, fd: int, size: int, offset: int) -> bytes:
            if self.drop is not None:
                self.drop()
            return super().pread(fd, size, offset)

    disk = Crowded()
    device = await opened(disk)
    hint = await device.append(fragment(1), LABEL, size=3, payload=b"one")
    disk.drop = device._store.volumes.close
    assert bytes((await device.read(fragment(1), hint))[0]) == b"one"
    await device.check(fragment(1), hint)
    assert await device.find(fragment(1)) == hint
