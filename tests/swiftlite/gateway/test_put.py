"""When a PUT is refused, nothing is left; when it may have happened, nothing is taken away."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from eventlog.errors import LogBusy, LogFailed
from swiftlite.catalog.conditions import Conditions
from swiftlite.errors import BadDigest, EntityTooLarge, KeyTooLong, PreconditionFailed
from swiftlite.gateway import intake
from tests.swiftlite.clouds import ACTOR, SETTINGS, Bytes, Cloud, cloud, pattern

STRIPE = SETTINGS.stripe
SIZES = [100, STRIPE - 7, 3 * STRIPE + 5]


class Lying(Bytes):
    """A body whose digest is not what was promised."""

    def check(self, digests: Mapping[str, bytes]) -> Mapping[str, str]:
        raise BadDigest(algorithm="MD5")


class Broken(Bytes):
    """A body whose client goes away after two thirds."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data[: len(data) * 2 // 3])

    async def read(self) -> bytes:
        if not (piece := await super().read()):
            raise ConnectionResetError
        return piece


class LogThat:
    """A log whose appends raise, before they are placed or after."""

    def __init__(self, real: Any, error: Exception, *, placed: bool) -> None:
        self._real = real
        self._error = error
        self._placed = placed

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    async def append(self, *args: Any, **kwargs: Any) -> None:
        if self._placed:
            await self._real.append(*args, **kwargs)
        raise self._error


async def fragments(it: Cloud) -> int:
    await it.engine.settled()
    count = 0
    for id_ in range(6):
        async for _ in it.engine.devices[id_].scan():
            count += 1
        assert not any((it.device(id_) / "tmp").iterdir())
    return count


@pytest.mark.parametrize("size", SIZES)
async def test_a_wrong_digest_leaves_nothing(tmp_path: Path, size: int) -> None:
    async with cloud(tmp_path) as it:
        head = it.log.head()
        with pytest.raises(BadDigest):
            await it.gateway.put_object(
                it.bucket, "o", Lying(pattern(size)), owner="t", actor=ACTOR
            )
        assert it.log.head() == head
        assert await fragments(it) == 0


@pytest.mark.parametrize("size", SIZES)
async def test_a_client_that_goes_away_leaves_nothing(tmp_path: Path, size: int) -> None:
    async with cloud(tmp_path) as it:
        with pytest.raises(ConnectionResetError):
            await it.gateway.put_object(
                it.bucket, "o", Broken(pattern(size)), owner="t", actor=ACTOR
            )
        assert await fragments(it) == 0


@pytest.mark.parametrize("size", SIZES)
async def test_a_refused_condition_leaves_the_old_object_and_no_new_bytes(
    tmp_path: Path, size: int
) -> None:
    async with cloud(tmp_path) as it:
        await it.put("o", b"first")
        before = await fragments(it)
        with pytest.raises(PreconditionFailed):
            await it.gateway.put_object(
                it.bucket,
                "o",
                Bytes(pattern(size)),
                conditions=Conditions(if_none_match=("*",)),
                owner="t",
                actor=ACTOR,
            )
        assert await it.get("o") == b"first"
        assert await fragments(it) == before


@pytest.mark.parametrize("size", SIZES)
async def test_a_busy_log_takes_the_bytes_back(tmp_path: Path, size: int) -> None:
    async with cloud(tmp_path) as it:
        it.engine.log = LogThat(it.log, LogBusy(waiting=1, limit=1), placed=False)  # type: ignore[assignment]
        with pytest.raises(LogBusy):
            await it.put("o", pattern(size))
        assert await fragments(it) == 0


@pytest.mark.parametrize("size", SIZES)
async def test_when_it_is_unknown_whether_the_event_is_placed_the_bytes_stay(
    tmp_path: Path, size: int
) -> None:
    async with cloud(tmp_path) as it:
        it.engine.log = LogThat(it.log, LogFailed(reason="power"), placed=True)  # type: ignore[assignment]
        with pytest.raises(LogFailed):
            await it.put("o", pattern(size))
        await it.engine.settled()
        assert await it.get("o") == pattern(size)


@pytest.mark.parametrize("size", SIZES)
async def test_a_cancelled_put_is_there_whole_or_not_at_all(tmp_path: Path, size: int) -> None:
    async with cloud(tmp_path) as it:
        for turn in range(12):
            put = asyncio.create_task(it.put(f"o{turn}", pattern(size, turn)))
            await asyncio.sleep(0.002 * turn)
            put.cancel()
            await asyncio.gather(put, return_exceptions=True)
        await it.engine.settled()
        await asyncio.sleep(0.05)  # an append that was cancelled may still be placed
        page = await it.gateway.list_objects(it.bucket)
        for key, _ in page.entries:
            assert await it.get(key) == pattern(size, int(key[1:]))


async def test_a_body_over_the_limit_is_refused_as_soon_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "PART_BYTES_MAX", 5000)
    async with cloud(tmp_path) as it:
        await it.put("fits", pattern(5000))
        before = await fragments(it)
        with pytest.raises(EntityTooLarge):
            await it.put("o", pattern(5001))
        assert await fragments(it) == before


async def test_a_key_that_is_too_long_is_refused_before_the_body_is_read(tmp_path: Path) -> None:
    async with cloud(tmp_path) as it:
        body = Broken(b"")
        with pytest.raises(KeyTooLong):
            await it.gateway.put_object(it.bucket, "k" * 1025, body, owner="t", actor=ACTOR)
        await it.put("k" * 1024, b"fits")


async def test_digests_that_the_body_asks_for_are_those_of_the_whole(tmp_path: Path) -> None:
    for size in (0, *SIZES, 200_000):
        data = pattern(size)
        body = Bytes(data, piece=4096, algorithms=frozenset({"sha256", "crc32c"}))
        async with cloud(tmp_path) as it:
            version = await it.gateway.put_object(it.bucket, "o", body, owner="t", actor=ACTOR)
            expected = intake.Digests({"sha256", "crc32c"})
            expected.update(data)
            assert body.digests == expected.result()
            assert version.etag == expected.result()["md5"].hex()


async def test_many_uploads_at_once_hold_a_bounded_number_of_stripes(tmp_path: Path) -> None:
    settings = SETTINGS.__class__(copies_max=256, stripe=1024, stripes_in_memory=4)
    async with cloud(tmp_path, settings=settings) as it:
        held = most = 0
        acquire, release = it.engine.stripes.acquire, it.engine.stripes.release

        async def acquired() -> bool:
            nonlocal held, most
            await acquire()
            held += 1
            most = max(most, held)
            return True

        def released() -> None:
            nonlocal held
            held -= 1
            release()

        it.engine.stripes.acquire = acquired  # type: ignore[method-assign]
        it.engine.stripes.release = released  # type: ignore[method-assign]
        await asyncio.gather(*(it.put(f"o{n}", pattern(20 * STRIPE + n, n)) for n in range(20)))
        assert most == 4
        assert held == 0
        for n in range(20):
            assert await it.get(f"o{n}") == pattern(20 * STRIPE + n, n)
