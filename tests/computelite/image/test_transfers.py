"""Bytes of images come in: whole, inspected and durable, or not at all."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

import pytest

from computelite.diskformat.errors import BadImage, UnsafeImage, WrongFormat
from computelite.image.commands import transfers
from computelite.image.commands.images import delete_image
from computelite.image.errors import ImageTaken, OverLimit, TransferOver, WrongStatus
from computelite.image.limits import Limits
from computelite.image.queries import held_by
from computelite.image.rows import STAGE, UPLOAD, Held
from computelite.image.service import Start
from computelite.image.upkeep import drop_waste, fail_lost_transfers
from swiftlite.http.errors import IncompleteBody
from tests import disks
from tests.computelite.image.house import ME, PART, House, Pieces, cut, house_in
from tests.swiftlite.clouds import pattern


def anyone(image: object) -> None:
    """Permit everything."""


@pytest.mark.parametrize("size", [0, 1, 100_000, PART, PART + 1, 2 * PART + 12345])
async def test_an_image_is_kept_as_it_came_with_its_hashes(house: House, size: int) -> None:
    data = pattern(size)
    image = await house.fill(await house.image(), *cut(data))
    content = image.content
    assert content is not None
    assert (image.status, content.size, content.virtual_size) == ("active", size, size)
    assert content.checksum == hashlib.md5(data).hexdigest()
    assert content.hash_value == hashlib.sha512(data).hexdigest()
    assert await house.bytes_of(image) == data
    assert await house.bytes_of(image, size // 3, size // 2) == data[size // 3 : size // 2]


async def test_the_life_of_an_image_stands_in_the_log(house: House) -> None:
    image = await house.image()
    assert image.status == "queued"
    start = await house.service.start(image.id, UPLOAD, anyone, actor=ME)
    assert (await house.now(image)).status == "saving"
    await house.service.receive(start, Pieces(b"bytes"), actor=ME)
    await delete_image(house.log, image.id, anyone, actor=ME)
    await drop_waste(house.log, house.service.vault, actor=ME)
    assert await house.types(image) == [
        "created", "transfer-started", "filled", "deleted", "data-dropped",
    ]  # fmt: skip
    assert await house.stored() == []


@pytest.mark.parametrize(
    ("declared", "data", "error"),
    [
        ("qcow2", disks.qcow2(backing=b"/etc/passwd"), UnsafeImage),
        ("qcow2", disks.qcow2(incompatible=4), UnsafeImage),
        ("raw", disks.qcow2(), WrongFormat),
        ("qcow2", pattern(300_000), WrongFormat),
        ("qcow2", disks.qcow2()[:90], BadImage),
        ("vhd", pattern(300_000), WrongFormat),  # which shows at the end only
    ],
)
async def test_a_bad_image_leaves_nothing_and_can_be_tried_again(
    house: House, declared: str, data: bytes, error: type[BadImage]
) -> None:
    image = await house.image(disk_format=declared)
    with pytest.raises(error):
        await house.fill(image, *cut(data, 10_000))
    after = await house.now(image)
    assert after.status == "queued"
    assert after.outcome is not None
    assert "The data is" in after.outcome.failure or "refused" in after.outcome.failure
    assert await house.stored() == []
    good = disks.qcow2() if declared == "qcow2" else b"raw"
    if declared != "vhd":
        assert (await house.fill(image, good)).status == "active"


async def test_nothing_of_a_bad_head_is_read_further(house: House) -> None:
    image = await house.image(disk_format="raw")
    source = Pieces(*cut(disks.qcow2(1 << 30) + bytes(10 << 20), 64 << 10))
    start = await house.service.start(image.id, UPLOAD, anyone, actor=ME)
    with pytest.raises(WrongFormat):
        await house.service.receive(start, source, actor=ME)
    assert source.taken <= 128 << 10


async def test_what_an_image_is_packed_in_is_not_looked_into(house: House) -> None:
    image = await house.image(disk_format="vmdk", container_format="ova")
    assert (await house.fill(image, b"a tar")).status == "active"


@pytest.mark.parametrize("error", [IncompleteBody(), asyncio.CancelledError(), OSError("bug")])
async def test_a_source_that_breaks_leaves_the_image_queued(
    house: House, error: BaseException
) -> None:
    image = await house.image()
    with pytest.raises(type(error)):
        await house.fill(image, pattern(PART + 100), b"more", error)
    after = await house.now(image)
    assert (after.status, after.transfer) == ("queued", None)
    assert await house.stored() == []
    assert await held_by(house.log, "p") == Held(images=1)


async def test_too_many_bytes_are_refused(tmp_path: Path) -> None:
    async with house_in(tmp_path, limits=Limits(image_bytes=1000)) as house:
        image = await house.image()
        with pytest.raises(OverLimit):
            await house.fill(image, bytes(600), bytes(401))
        assert (await house.fill(image, bytes(600), bytes(400))).status == "active"


async def test_a_project_has_room_for_so_many_bytes(tmp_path: Path) -> None:
    limits = Limits(bytes=1000, transfers=2, images=3)
    async with house_in(tmp_path, limits=limits) as house:
        first, second, third = [await house.image() for _ in range(3)]
        with pytest.raises(OverLimit, match="3 images"):
            await house.image()
        await house.image(owner="q")
        await house.fill(first, bytes(600))
        with pytest.raises(OverLimit, match="storage quota"):
            await house.fill(second, bytes(401))
        await house.fill(second, bytes(400))
        assert await held_by(house.log, "p") == Held(images=3, bytes=1000)
        await delete_image(house.log, first.id, anyone, actor=ME)
        assert await held_by(house.log, "p") == Held(images=2, bytes=400)
        fourth = await house.image()
        for image in (third, fourth):
            await house.fill(image, b"", kind=STAGE)
        await delete_image(house.log, second.id, anyone, actor=ME)
        with pytest.raises(OverLimit, match="2 uploads"):
            await house.fill(await house.image(), b"", kind=STAGE)


async def test_only_one_brings_the_bytes_of_an_image(house: House) -> None:
    image = await house.image()
    tries = [house.service.start(image.id, UPLOAD, anyone, actor=ME) for _ in range(8)]
    found = await asyncio.gather(*tries, return_exceptions=True)
    (start,) = [each for each in found if isinstance(each, Start)]
    assert sum(isinstance(each, WrongStatus) for each in found) == 7
    await house.service.receive(start, Pieces(b"one"), actor=ME)
    with pytest.raises(WrongStatus):
        await house.service.start(image.id, UPLOAD, anyone, actor=ME)


async def test_a_lost_transfer_is_given_up_when_its_lease_is_over(house: House) -> None:
    image = await house.image()
    start = await house.service.start(image.id, UPLOAD, anyone, actor=ME)
    vault = house.service.vault
    # The process dies with all bytes stored, and nobody told.
    await vault.store(image.id, start.transfer_id, Pieces(b"bytes"), limit=99, actor=ME)
    assert await fail_lost_transfers(house.log, house.clock, actor=ME) == 0
    assert (await house.now(image)).status == "saving"
    house.clock.ahead_s += transfers.LEASE_S + 1
    assert await fail_lost_transfers(house.log, house.clock, actor=ME) == 1
    assert (await house.now(image)).status == "queued"
    assert await house.stored() != []
    assert await drop_waste(house.log, vault, actor=ME) == 1
    assert await drop_waste(house.log, vault, actor=ME) == 0
    assert await house.stored() == []


async def test_a_new_transfer_takes_over_from_a_lost_one_at_once(house: House) -> None:
    image = await house.image()
    lost = await house.service.start(image.id, UPLOAD, anyone, actor=ME)
    house.clock.ahead_s += transfers.LEASE_S + 1
    assert (await house.fill(image, b"second")).status == "active"
    # Who was lost comes back, and changes nothing.
    with pytest.raises(TransferOver):
        await house.service.receive(lost, Pieces(b"first"), actor=ME)
    assert await house.bytes_of(await house.now(image)) == b"second"
    await drop_waste(house.log, house.service.vault, actor=ME)
    assert len(await house.stored()) == 1


async def test_a_lease_that_is_renewed_holds(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("computelite.image.service.RENEW_S", 0.01)
    image = await house.image()
    start = await house.service.start(image.id, UPLOAD, anyone, actor=ME)
    before = (await house.now(image)).transfer

    class Slow(Pieces):
        async def read(self) -> bytes:
            await asyncio.sleep(0.1)
            return await super().read()

    await house.service.receive(start, Slow(b"slow", b"ly"), actor=ME)
    assert "transfer-renewed" in await house.types(image)
    assert before is not None
    after = await house.now(image)
    assert after.status == "active"


async def test_an_image_deleted_while_its_bytes_come_stays_deleted(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("computelite.image.service.RENEW_S", 0.01)
    image = await house.image()
    start = await house.service.start(image.id, UPLOAD, anyone, actor=ME)

    class Deleting(Pieces):
        async def read(self) -> bytes:
            data = await super().read()
            if data == b"second":
                await delete_image(house.log, image.id, anyone, actor=ME)
                await asyncio.sleep(5)  # and it is told long before this is over
            return data

    with pytest.raises(TransferOver):
        async with asyncio.timeout(4):
            await house.service.receive(start, Deleting(b"first", b"second"), actor=ME)
    await drop_waste(house.log, house.service.vault, actor=ME)
    assert await house.stored() == []


async def test_an_id_is_not_used_again_while_bytes_of_its_image_are_left(house: House) -> None:
    image = await house.fill(await house.image(), b"old")
    await delete_image(house.log, image.id, anyone, actor=ME)
    with pytest.raises(ImageTaken):
        await house.image(image_id=image.id)
    await drop_waste(house.log, house.service.vault, actor=ME)
    assert (await house.image(image_id=image.id)).status == "queued"


async def test_a_stage_waits_for_its_import(house: House) -> None:
    image = await house.image()
    with pytest.raises(WrongStatus, match="staged"):
        await house.service.import_staged(image.id, anyone, actor=ME)
    staged = await house.fill(image, b"staged", kind=STAGE)
    assert (staged.status, staged.content) == ("uploading", None)
    with pytest.raises(WrongStatus):
        await house.service.start(image.id, UPLOAD, anyone, actor=ME)
    await house.service.import_staged(image.id, anyone, actor=ME)
    imported = await house.now(image)
    assert imported.status == "active"
    assert await house.bytes_of(imported) == b"staged"


async def test_a_staged_image_that_is_deleted_leaves_no_bytes(house: House) -> None:
    image = await house.fill(await house.image(), b"staged", kind=STAGE)
    await delete_image(house.log, image.id, anyone, actor=ME)
    await drop_waste(house.log, house.service.vault, actor=ME)
    assert await house.stored() == []
    assert await held_by(house.log, "p") == Held()
