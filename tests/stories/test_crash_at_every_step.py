"""A store that dies at its N-th change of a disk, or of the log, for every N; then starts again.

What was acknowledged is there, byte for byte. What was not is there whole or not at all, and does
not change its mind. The same is asked of every path that commits: writes of each layout, an upload,
a delete, a repair and a sweep.
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from eventlog.errors import CloudError
from swiftlite.catalog import uploads
from swiftlite.catalog.uploads import PartClaim
from swiftlite.errors import NoSuchKey
from swiftlite.heal.repair import repair
from swiftlite.heal.scrub import scrub
from swiftlite.heal.sweep import sweep
from swiftlite.testing import Fault, SimDisk
from tests.swiftlite.clouds import ACTOR, SETTINGS, Bytes, Cloud, cloud, pattern

STRIPE = SETTINGS.stripe
SIZES = {"copies": 100, "coded": STRIPE - 7, "large": 3 * STRIPE + 5}
STEPS_MAX = 2000


class Died(BaseException):
    """The process is gone: nothing after this runs, no handler catches it."""


class MortalLog:
    """A log whose N-th append is the last thing that happens, before it is placed or after."""

    def __init__(self, real: Any, nth: int, *, placed: bool) -> None:
        self._real = real
        self._left = nth
        self._placed = placed
        self.is_dead = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    async def append(self, *args: Any, **kwargs: Any) -> Any:
        self._left -= 1
        if self._left > 0:
            return await self._real.append(*args, **kwargs)
        if self._placed and not self.is_dead:
            await self._real.append(*args, **kwargs)
        self.is_dead = True
        raise Died


class Witness:
    """What a client was told: for each key the contents that a read may show."""

    def __init__(self) -> None:
        self.may_be: dict[str, list[bytes | None]] = {}

    async def change(self, key: str, to: bytes | None, work: Awaitable[object]) -> None:
        """Do something that makes a key's content `to`; remember what may be so if it dies."""
        before = self.may_be.get(key, [None])
        self.may_be[key] = [*before, to]
        await work
        self.may_be[key] = [to]

    async def check(self, it: Cloud) -> None:
        for key, allowed in self.may_be.items():
            try:
                got: bytes | None = await it.get(key)
            except NoSuchKey:
                got = None
            assert got in allowed, f"{key}: {None if got is None else len(got)} bytes"
            self.may_be[key] = [got]


async def life(it: Cloud, witness: Witness) -> None:
    """Do one of everything that commits."""
    for name, size in SIZES.items():
        await witness.change(name, pattern(size), it.put(name, pattern(size)))
    await witness.change("copies", pattern(77), it.put("copies", pattern(77)))
    upload = await it.gateway.create_upload(it.bucket, "parts", owner="t", actor=ACTOR)
    datas = [pattern(STRIPE, 1), pattern(2 * STRIPE, 2)]
    claims = []
    for number, data in enumerate(datas, 1):
        part = await it.gateway.put_part(
            it.bucket, "parts", upload.id, number, Bytes(data), actor=ACTOR
        )
        claims.append(PartClaim(number, part.etag))
    complete = it.gateway.complete_upload(it.bucket, "parts", upload.id, claims, actor=ACTOR)
    await witness.change("parts", b"".join(datas), complete)
    await witness.change("coded", None, it.delete("coded"))
    await sweep(it.engine, retention_s=0, actor=ACTOR)


async def lose_and_repair(it: Cloud, witness: Witness) -> None:
    """Lose a device for good, and fill the one that takes its place."""
    if not any(it.device(2).iterdir()):
        await it.store.adopt(actor=ACTOR)
    await it.store.adopt(actor=ACTOR)
    await repair(it.engine)


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "PART_BYTES_MIN", 1)


@pytest.mark.parametrize("placed", [False, True])
async def test_the_process_dies_at_the_nth_append(tmp_path: Path, placed: bool) -> None:
    nth, is_dead = 0, True
    while is_dead:
        nth += 1
        assert nth < STEPS_MAX
        witness = Witness()
        path = tmp_path / str(nth)
        async with cloud(path) as it:
            log = MortalLog(it.log, nth, placed=placed)
            it.engine.log = it.gateway._log = log  # type: ignore[assignment]
            with contextlib.suppress(Died):
                await life(it, witness)
            is_dead = log.is_dead
        async with cloud(path) as it:
            await witness.check(it)
            assert (await scrub(it.engine)).is_clean
    assert nth > 10


async def die_by_power(
    path: Path,
    nth: int,
    *,
    seed: int,
    prepare: Callable[[Cloud, Witness], Awaitable[None]] | None,
    work: Callable[[Cloud, Witness], Awaitable[None]],
) -> bool:
    """Cut the power of all disks at their N-th change during `work`; say whether that came."""
    path.mkdir()
    disk = SimDisk(str(path / "disks"), seed=seed)
    (path / "disks").mkdir(exist_ok=True)
    witness = Witness()
    async with cloud(path, disk=disk, folder="disks") as it:
        if prepare is not None:
            await prepare(it, witness)
    fault = Fault("any", nth, how="power")
    async with cloud(path, disk=disk, folder="disks") as it:
        disk.faults = [fault]
        try:
            await work(it, witness)
        except CloudError:
            assert fault.seen >= nth, "it failed with the power on"
    struck = fault.seen >= nth
    disk.power_cut("some" if seed % 2 else "none")
    async with cloud(path, disk=disk, folder="disks") as it:
        await witness.check(it)
        await it.store.adopt(actor=ACTOR)
        assert it.engine.devices.out() == set()
        await witness.check(it)
        await repair(it.engine, deep=True)
        await witness.check(it)
        await life(it, witness)
        await witness.check(it)
    return struck


async def sweep_over_power(
    tmp_path: Path,
    steps: range,
    *,
    prepare: Callable[[Cloud, Witness], Awaitable[None]] | None = None,
    work: Callable[[Cloud, Witness], Awaitable[None]] = life,
) -> int:
    """Cut the power at each of these steps; return how often it came to that."""
    for struck, nth in enumerate(steps):
        path = tmp_path / str(nth)
        if not await die_by_power(path, nth, seed=nth, prepare=prepare, work=work):
            return struck
    raise AssertionError("the steps did not reach the end of the work")


async def test_the_power_goes_at_some_changes_of_the_disks(tmp_path: Path) -> None:
    assert await sweep_over_power(tmp_path, range(3, STEPS_MAX, 41)) >= 5


@pytest.mark.slow
async def test_the_power_goes_at_every_change_of_the_disks(tmp_path: Path) -> None:
    assert await sweep_over_power(tmp_path, range(1, STEPS_MAX)) >= 150


async def empty_one(it: Cloud, witness: Witness) -> None:
    await life(it, witness)
    it.destroy(2)
    it.device(2).mkdir()
    disk = it.store.disk
    assert isinstance(disk, SimDisk)
    for names in (disk._live, disk._durable):  # they went without the disk's doing
        for path in [path for path in names if path.startswith(f"{it.device(2)}/")]:
            del names[path]


@pytest.mark.parametrize("step", [17, pytest.param(1, marks=pytest.mark.slow)])
async def test_the_power_goes_during_a_repair(tmp_path: Path, step: int) -> None:
    struck = await sweep_over_power(
        tmp_path, range(2, STEPS_MAX, step), prepare=empty_one, work=lose_and_repair
    )
    assert struck >= 3
