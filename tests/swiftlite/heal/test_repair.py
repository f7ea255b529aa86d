"""A lost disk, from the loss to the last fragment."""

from __future__ import annotations

import asyncio
import itertools
from pathlib import Path

import pytest

from swiftlite.catalog.rings import devices
from swiftlite.errors import ObjectUnreachable
from swiftlite.heal.pace import Progress
from swiftlite.heal.repair import repair
from swiftlite.heal.scrub import scrub
from swiftlite.manifest import Blob
from swiftlite.node.device import ScannedFragment, format_device
from swiftlite.node.format import Fragment
from tests.swiftlite.clouds import ACTOR, CLOUD, SETTINGS, Cloud, cloud, pattern

STRIPE = SETTINGS.stripe
SIZES = [0, 1, 100, STRIPE - 7, STRIPE, 4 * STRIPE + 5]
PAIRS = list(itertools.combinations(range(6), 2))


async def fill(it: Cloud) -> None:
    for size in SIZES:
        await it.put(f"o{size}", pattern(size, size))
    await it.put("ended", pattern(3 * STRIPE, 1))
    await it.delete("ended")


async def check(it: Cloud) -> None:
    for size in SIZES:
        assert await it.get(f"o{size}") == pattern(size, size)


def empty(it: Cloud, *ids: int) -> None:
    it.destroy(*ids)
    for id_ in ids:
        it.device(id_).mkdir()


async def blobs_on(it: Cloud, *ids: int) -> set[bytes]:
    found = set()
    for id_ in ids:
        async for item in it.engine.devices[id_].scan():
            assert isinstance(item, ScannedFragment)
            found.add(item.fragment.blob)
    return found


async def blob_of(it: Cloud, key: str) -> Blob:
    version = await it.gateway.head_object(it.bucket, key)
    assert version.manifest
    return version.manifest[0]


@pytest.mark.parametrize("lost", PAIRS[::3])
async def test_after_a_repair_of_two_emptied_devices_any_two_others_may_go(
    tmp_path: Path, lost: tuple[int, int]
) -> None:
    others = [id_ for id_ in range(6) if id_ not in lost]
    async with cloud(tmp_path) as it:
        await fill(it)
        empty(it, *lost)
        await it.engine.devices.reopen()
        assert it.engine.devices.out() == set(lost)
        assert (await it.store.adopt(actor=ACTOR)).replaced == list(lost)
        assert it.engine.devices.out() == set()
        done = await repair(it.engine)
        assert done.is_complete
        assert done.repaired == done.hurt
        found = await scrub(it.engine)
        assert found.is_clean
        assert found.misplaced == found.orphans == found.wrecks == 0
        assert (await repair(it.engine)).hurt == 0
        it.destroy(*others[:2])
        await check(it)
    async with cloud(tmp_path) as it:
        await check(it)


async def test_another_process_opens_an_adopted_device_by_itself(tmp_path: Path) -> None:
    async with cloud(tmp_path) as it, cloud(tmp_path, run=True) as other:
        await fill(it)
        empty(it, 2)
        await it.engine.devices.reopen()
        await it.store.adopt(actor=ACTOR)
        await repair(it.engine)
        uuid = (await devices(it.log))[2].uuid
        async with asyncio.timeout(5):
            while not any(
                other.engine.devices[id_].identity.uuid == uuid for id_ in other.engine.devices.up()
            ):
                await asyncio.sleep(0.02)
        await it.put("o", pattern(STRIPE))
        await check(other)


async def test_only_missing_and_empty_folders_are_adopted(tmp_path: Path) -> None:
    strange = cloud(tmp_path / "b", cloud_id="another")
    async with cloud(tmp_path / "a") as it, strange as stranger:
        it.destroy(0, 1, 2, 3)
        (it.device(1) / "photos").mkdir(parents=True)
        stranger.device(2).rename(it.device(2))
        it.device(3).mkdir()
        await it.engine.devices.reopen()
        adopted = await it.store.adopt(actor=ACTOR)
        assert (adopted.replaced, adopted.held, sorted(adopted.refused)) == ([0, 3], [], [1, 2])
        assert [path.name for path in it.device(1).iterdir()] == ["photos"]
        assert it.engine.devices.out() == {1, 2}


async def test_an_adoption_that_was_interrupted_goes_on_when_it_is_asked_again(
    tmp_path: Path,
) -> None:
    async with cloud(tmp_path) as it:
        await fill(it)
        empty(it, 4)
        await it.engine.devices.reopen()
        (row,) = [row for row in await devices(it.log) if row.id == 4]
        path = str(it.device(4))
        format_device(it.store.disk, path, cloud_id=CLOUD, device_id=4, uuid="half-way")
        assert row.uuid != "half-way"
        assert (await it.store.adopt(actor=ACTOR)).replaced == [4]
        assert (await repair(it.engine)).is_complete
        assert (await scrub(it.engine)).is_clean
        assert (await it.store.adopt(actor=ACTOR)).replaced == []


async def test_while_a_device_is_out_a_repair_spreads_its_fragments_over_the_others(
    tmp_path: Path,
) -> None:
    async with cloud(tmp_path) as it:
        await fill(it)
        it.destroy(3)
        await it.engine.devices.reopen()
        assert (await repair(it.engine)).is_complete
        found = await scrub(it.engine, orphans=False)
        assert found.ok == found.fragments
        for pair in itertools.combinations((0, 1, 2, 4, 5), 1):
            moved = it.device(pair[0]).rename(tmp_path / "away")
            await it.engine.devices.reopen()
            await check(it)
            moved.rename(it.device(pair[0]))
            await it.engine.devices.reopen()


async def test_a_device_that_was_away_gets_what_was_written_meanwhile(tmp_path: Path) -> None:
    async with cloud(tmp_path) as it:
        await it.put("before", pattern(STRIPE))
        away = [it.device(id_).rename(tmp_path / f"away{id_}") for id_ in (1, 2)]
        await fill(it)
        for id_, path in zip((1, 2), away, strict=True):
            path.rename(it.device(id_))
        await it.engine.devices.reopen()
        assert (await scrub(it.engine)).misplaced > 0
        assert (await repair(it.engine)).is_complete
        it.destroy(0, 3)
        await check(it)
        assert await it.get("before") == pattern(STRIPE)


async def test_with_too_few_good_fragments_nothing_is_written_and_all_is_well_when_one_returns(
    tmp_path: Path,
) -> None:
    async with cloud(tmp_path) as it:
        await fill(it)
        away = [it.device(id_).rename(tmp_path / f"away{id_}") for id_ in (0, 1, 2)]
        await it.engine.devices.reopen()
        before = await blobs_on(it, 3, 4, 5)
        done = await repair(it.engine)
        coded = [size for size in SIZES if size > SETTINGS.copies_max]
        lost = [
            size
            for size in SIZES
            if size in coded
            or (size and {h.device for h in (await blob_of(it, f"o{size}")).hints} <= {0, 1, 2})
        ]
        assert done.unreadable == len(lost) + 1, "and the ended one"
        assert {u.key for u in done.named} == {f"o{size}" for size in lost} | {"ended"}
        assert "Repaired(" not in str(done)
        found = await scrub(it.engine, orphans=False)
        assert {u.key for u in found.unreadable} == {f"o{size}" for size in lost} | {"ended"}
        with pytest.raises(ObjectUnreachable):
            await it.get(f"o{STRIPE}")
        assert await blobs_on(it, 3, 4, 5) == before
        for id_, path in enumerate(away):
            path.rename(it.device(id_))
        await it.engine.devices.reopen()
        await check(it)
        assert (await scrub(it.engine)).is_clean


@pytest.mark.parametrize("size", [100, STRIPE - 7, 4 * STRIPE + 5])
async def test_damaged_fragments_are_found_by_a_deep_repair(tmp_path: Path, size: int) -> None:
    async with cloud(tmp_path) as it:
        await it.put("o", pattern(size))
        blob = await blob_of(it, "o")
        hint = blob.hints[1]
        if hint.volume:
            path = it.device(hint.device) / "volumes" / f"{hint.volume:08d}.vol"
            at = hint.offset + hint.length // 2
        else:
            (path,) = it.device(hint.device).glob(f"large/*/{blob.id.hex()}.1")
            at = path.stat().st_size // 2
        data = bytearray(path.read_bytes())
        data[at] ^= 1
        path.write_bytes(data)
        found = await scrub(it.engine, orphans=False)
        assert (found.damaged, found.ok) == (1, blob.fragments - 1)
        assert not found.is_clean
        assert (await repair(it.engine, deep=True)).repaired == 1
        found = await scrub(it.engine, orphans=False)
        assert (found.damaged, found.ok) == (0, blob.fragments)


async def test_the_most_endangered_are_repaired_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from swiftlite.heal import repair as module

    order: list[int] = []
    rebuild = module.rebuild

    async def noted(engine, blob, label, targets):  # type: ignore[no-untyped-def]
        order.append(len(targets))
        return await rebuild(engine, blob, label, targets)

    monkeypatch.setattr(module, "rebuild", noted)
    async with cloud(tmp_path) as it:
        for n in range(12):
            await it.put(f"o{n:02}", pattern(STRIPE, n))
            blob = await blob_of(it, f"o{n:02}")
            for hint in blob.hints[: 1 + n % 2]:
                await it.engine.devices[hint.device].delete(Fragment(blob.id, hint.fragment), hint)
        told: list[Progress] = []
        done = await repair(it.engine, report=told.append)
        assert order == [2] * 6 + [1] * 6
        assert done.fragments == 18
        assert (told[-1].done, told[-1].total) == (6, 6)
        assert told[-1].bytes_done == told[-1].bytes_total == 6 * STRIPE
