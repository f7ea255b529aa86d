"""Reads and writes while devices go."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from contextlib import aclosing
from pathlib import Path

import pytest

from swiftlite.errors import QuorumLost
from tests.swiftlite.clouds import ACTOR, SETTINGS, Bytes, Cloud, cloud, pattern

STRIPE = SETTINGS.stripe
SMALL, MEDIUM, LARGE = 100, STRIPE - 7, 9 * STRIPE + 5
PAIRS = list(itertools.combinations(range(6), 2))


class Interrupted(Bytes):
    """A body during which something happens, once so many bytes were handed out."""

    def __init__(self, data: bytes, *, after: int, happens: Callable[[], None]) -> None:
        super().__init__(data)
        self._left = after
        self._happens: Callable[[], None] | None = happens

    async def read(self) -> bytes:
        piece = await super().read()
        self._left -= len(piece)
        if self._left <= 0 and self._happens is not None:
            self._happens()
            self._happens = None
        return piece

    def check(self, digests: Mapping[str, bytes]) -> Mapping[str, str]:
        assert self._happens is None, "the body ended before anything happened"
        return super().check(digests)


async def put_interrupted(
    it: Cloud, key: str, data: bytes, after: int, happens: Callable[[], None]
) -> None:
    body = Interrupted(data, after=after, happens=happens)
    await it.gateway.put_object(it.bucket, key, body, owner="t", actor=ACTOR)


@pytest.mark.parametrize("lost", PAIRS)
async def test_two_devices_deleted_during_a_read_are_not_noticed(
    tmp_path: Path, lost: tuple[int, int]
) -> None:
    data = pattern(LARGE)
    async with cloud(tmp_path) as it:
        await it.put("o", data)
        reader = await it.gateway.open_object(it.bucket, "o")
        got = b""
        async with aclosing(reader.stream()) as pieces:
            async for piece in pieces:
                got += bytes(piece)
                if len(got) >= LARGE // 2 and it.device(lost[0]).exists():
                    it.destroy(*lost)
        assert got == data


@pytest.mark.parametrize("lost", PAIRS)
async def test_two_devices_deleted_during_a_write_do_not_fail_it_and_one_more_may_go(
    tmp_path: Path, lost: tuple[int, int]
) -> None:
    data = pattern(LARGE)
    third = next(i for i in range(6) if i not in lost)
    async with cloud(tmp_path) as it:
        await put_interrupted(it, "o", data, LARGE // 2, lambda: it.destroy(*lost))
        assert await it.get("o") == data
    it.destroy(third)
    async with cloud(tmp_path) as it:
        assert await it.get("o") == data


@pytest.mark.parametrize("size", [SMALL, MEDIUM, LARGE])
@pytest.mark.parametrize("lost", PAIRS[::4])
async def test_what_is_written_without_two_devices_survives_the_loss_of_any_other(
    tmp_path: Path, lost: tuple[int, int], size: int
) -> None:
    async with cloud(tmp_path) as it:
        it.destroy(*lost)
        for round_ in range(3):  # the first write finds out, the others know
            await it.put(f"o{round_}", pattern(size, round_))
        held = [
            {hint.device for hint in version.manifest[0].hints}
            for round_ in range(3)
            if (version := await it.gateway.head_object(it.bucket, f"o{round_}")).manifest
        ]
        assert not any(devices & set(lost) for devices in held)
    for third in set(range(6)) - set(lost):
        moved = it.device(third).rename(tmp_path / "away")
        async with cloud(tmp_path) as it:
            for round_ in range(3):
                assert await it.get(f"o{round_}") == pattern(size, round_), third
        moved.rename(it.device(third))


@pytest.mark.parametrize("size", [SMALL, MEDIUM, LARGE])
async def test_with_four_of_six_devices_gone_a_write_is_refused_and_changes_nothing(
    tmp_path: Path, size: int
) -> None:
    async with cloud(tmp_path) as it:
        await it.put("before", pattern(size))
        it.destroy(0, 1, 2, 3, 4)
        head = it.log.head()
        for _ in range(2):
            with pytest.raises(QuorumLost):
                await it.put("new", pattern(size, 1))
        assert it.log.head() == head
        page = await it.gateway.list_objects(it.bucket)
        assert [key for key, _ in page.entries] == ["before"]
        await it.engine.settled()
        left = [item async for item in it.engine.devices[5].scan()]
        kept = await it.gateway.head_object(it.bucket, "before")
        assert kept.manifest
        assert {item.fragment.blob for item in left} <= {kept.manifest[0].id}


async def test_a_write_that_loses_its_quorum_half_way_leaves_no_fragments(tmp_path: Path) -> None:
    async with cloud(tmp_path) as it:
        with pytest.raises(QuorumLost):
            await put_interrupted(
                it, "o", pattern(LARGE), LARGE // 2, lambda: it.destroy(0, 1, 2, 3)
            )
        await it.engine.settled()
        for id_ in (4, 5):
            assert [item async for item in it.engine.devices[id_].scan()] == []
            assert not any((it.device(id_) / "tmp").iterdir())


@pytest.mark.parametrize(("devices", "loss"), [(1, 0), (2, 0), (3, 1), (5, 1), (7, 2)])
async def test_with_another_number_of_devices_what_the_ring_promises_is_kept(
    tmp_path: Path, devices: int, loss: int
) -> None:
    sizes = [SMALL, MEDIUM, LARGE]
    async with cloud(tmp_path, devices=devices) as it:
        assert it.store.tolerance().devices == loss
        for size in sizes:
            await it.put(f"o{size}", pattern(size))
            assert await it.get(f"o{size}") == pattern(size)
    for lost in itertools.combinations(range(devices), loss):
        away = [(it.device(id_), tmp_path / f"away{id_}") for id_ in lost]
        for here, there in away:
            here.rename(there)
        async with cloud(tmp_path, devices=devices) as it:
            for size in sizes:
                assert await it.get(f"o{size}") == pattern(size), lost
        for here, there in away:
            there.rename(here)


async def test_two_devices_keep_small_objects_through_the_loss_of_either(tmp_path: Path) -> None:
    async with cloud(tmp_path, devices=2) as it:
        await it.put("o", pattern(SMALL))
        it.destroy(1)
        assert await it.get("o") == pattern(SMALL)


async def test_a_device_that_comes_back_is_written_to_again(tmp_path: Path) -> None:
    async with cloud(tmp_path) as it:
        away = it.device(2).rename(tmp_path / "away")
        await it.put("without", pattern(LARGE))
        assert it.engine.devices.out() == {2}
        away.rename(it.device(2))
        await it.engine.devices.reopen()
        assert it.engine.devices.out() == set()
        version = await it.put("with", pattern(LARGE))
        assert version.manifest
        assert {hint.device for hint in version.manifest[0].hints} == set(range(6))


async def test_an_empty_folder_in_a_device_s_place_is_never_made_one(tmp_path: Path) -> None:
    async with cloud(tmp_path) as it:
        it.destroy(2)
        it.device(2).mkdir()
        await it.put("o", pattern(LARGE))
        await it.engine.devices.reopen()
        conditions = {c.id: c for c in (await it.store.health()).devices}
        assert conditions[2].state == "out"
        assert "empty" in conditions[2].reason
    async with cloud(tmp_path) as it:
        assert not any(it.device(2).iterdir())
        assert it.engine.devices.out() == {2}
