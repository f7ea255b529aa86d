"""Uploads in parts, on a whole store."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from eventlog.errors import LogFull
from swiftlite.catalog import uploads
from swiftlite.catalog.rows import Part, Upload
from swiftlite.catalog.uploads import PartClaim
from swiftlite.errors import (
    BadDigest,
    EntityTooSmall,
    InvalidArgument,
    InvalidPart,
    InvalidPartOrder,
    InvalidRequest,
    NoSuchUpload,
)
from swiftlite.gateway.copy import CopySource
from swiftlite.heal.scrub import scrub
from tests.swiftlite.clouds import ACTOR, SETTINGS, Bytes, Cloud, cloud, pattern

STRIPE = SETTINGS.stripe


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let parts be as small as 1,000 bytes, so that tests need not write megabytes."""
    monkeypatch.setattr(uploads, "PART_BYTES_MIN", 1000)


async def begin(it: Cloud, algorithm: str = "", kind: str = "") -> Upload:
    return await it.gateway.create_upload(
        it.bucket,
        "o",
        headers={"content-type": "text/x-parts"},
        meta={"a": "b"},
        owner="t",
        checksum_algorithm=algorithm,
        checksum_type=kind,
        actor=ACTOR,
    )


async def put(it: Cloud, upload: Upload, number: int, data: bytes) -> Part:
    return await it.gateway.put_part(it.bucket, "o", upload.id, number, Bytes(data), actor=ACTOR)


def claims(*parts: Part) -> list[PartClaim]:
    return [PartClaim(part.number, part.etag) for part in parts]


async def test_parts_of_every_layout_become_one_object_readable_in_any_range(
    tmp_path: Path,
) -> None:
    datas = [pattern(size, size) for size in (1000, 1024, 1025, 5 * STRIPE + 3, 10)]
    whole = b"".join(datas)
    async with cloud(tmp_path) as it:
        version = await it.multipart("o", datas)
        md5s = b"".join(hashlib.md5(data).digest() for data in datas)
        assert version.etag == f"{hashlib.md5(md5s).hexdigest()}-5"
        assert version.parts == tuple(len(data) for data in datas)
        assert await it.get("o") == whole
        edges = [0, 999, 1000, 1001, 2024, 3049, 3050, len(whole) - 10, len(whole)]
        for start in edges:
            for end in edges:
                if start <= end:
                    assert await it.get("o", start, end) == whole[start:end], (start, end)


async def test_what_the_upload_was_started_with_is_the_object_s(tmp_path: Path) -> None:
    async with cloud(tmp_path) as it:
        upload = await begin(it)
        part = await put(it, upload, 7, b"x")
        version = await it.gateway.complete_upload(
            it.bucket, "o", upload.id, claims(part), actor=ACTOR
        )
        assert (version.headers, version.meta) == ({"content-type": "text/x-parts"}, {"a": "b"})


async def test_an_upload_is_no_object_until_it_is_completed(tmp_path: Path) -> None:
    async with cloud(tmp_path) as it:
        upload = await begin(it)
        await put(it, upload, 1, b"x")
        assert (await it.gateway.list_objects(it.bucket)).entries == []
        listed = await it.gateway.list_uploads(it.bucket)
        assert [(key, found.id) for key, found in listed.entries] == [("o", upload.id)]


async def test_a_part_written_again_replaces_the_first(tmp_path: Path) -> None:
    async with cloud(tmp_path) as it:
        upload = await begin(it)
        old = await put(it, upload, 1, pattern(2000, 1))
        new = await put(it, upload, 1, pattern(3000, 2))
        with pytest.raises(InvalidPart):
            await it.gateway.complete_upload(it.bucket, "o", upload.id, claims(old), actor=ACTOR)
        await it.gateway.complete_upload(it.bucket, "o", upload.id, claims(new), actor=ACTOR)
        assert await it.get("o") == pattern(3000, 2)


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        (lambda a, b: claims(b, a), InvalidPartOrder),
        (lambda a, b: claims(a, a), InvalidPartOrder),
        (lambda a, b: [PartClaim(3, a.etag)], InvalidPart),
        (lambda a, b: [PartClaim(1, "0" * 32)], InvalidPart),
    ],
)
async def test_a_wrong_list_of_parts_is_refused_and_the_upload_goes_on(
    tmp_path: Path,
    wrong: Callable[[Part, Part], list[PartClaim]],
    error: type[Exception],
) -> None:
    async with cloud(tmp_path) as it:
        upload = await begin(it)
        a = await put(it, upload, 1, pattern(1000))
        b = await put(it, upload, 2, pattern(1000))
        with pytest.raises(error):
            await it.gateway.complete_upload(it.bucket, "o", upload.id, wrong(a, b), actor=ACTOR)
        await it.gateway.complete_upload(it.bucket, "o", upload.id, claims(a, b), actor=ACTOR)


async def test_only_the_last_part_may_be_small(tmp_path: Path) -> None:
    async with cloud(tmp_path) as it:
        upload = await begin(it)
        a = await put(it, upload, 1, pattern(999))
        b = await put(it, upload, 2, pattern(1))
        with pytest.raises(EntityTooSmall):
            await it.gateway.complete_upload(it.bucket, "o", upload.id, claims(a, b), actor=ACTOR)
        await it.gateway.complete_upload(it.bucket, "o", upload.id, claims(b), actor=ACTOR)
        assert await it.get("o") == pattern(1)


@pytest.mark.parametrize("number", [0, -1, 10_001])
async def test_part_numbers_go_from_1_to_10000(tmp_path: Path, number: int) -> None:
    async with cloud(tmp_path) as it:
        upload = await begin(it)
        with pytest.raises(InvalidArgument):
            await put(it, upload, number, b"x")
        await put(it, upload, 10_000, b"x")


async def test_complete_answers_the_same_when_it_is_repeated(tmp_path: Path) -> None:
    async with cloud(tmp_path) as it:
        upload = await begin(it)
        part = await put(it, upload, 1, pattern(2000))
        first = await it.gateway.complete_upload(
            it.bucket, "o", upload.id, claims(part), actor=ACTOR
        )
        head = it.log.head()
        again = await it.gateway.complete_upload(
            it.bucket, "o", upload.id, claims(part), actor=ACTOR
        )
        assert (again.begin, again.etag) == (first.begin, first.etag)
        assert it.log.head() == head


async def test_after_an_abort_nothing_goes_on(tmp_path: Path) -> None:
    async with cloud(tmp_path) as it:
        upload = await begin(it)
        part = await put(it, upload, 1, b"x")
        await it.gateway.abort_upload(it.bucket, "o", upload.id, actor=ACTOR)
        with pytest.raises(NoSuchUpload):
            await put(it, upload, 2, b"x")
        with pytest.raises(NoSuchUpload):
            await it.gateway.complete_upload(it.bucket, "o", upload.id, claims(part), actor=ACTOR)


async def test_complete_against_abort_has_one_winner_and_keeps_its_bytes(tmp_path: Path) -> None:
    data = pattern(3 * STRIPE)
    async with cloud(tmp_path) as it:
        winners = set()
        for round_ in range(20):
            upload = await begin(it)
            part = await put(it, upload, 1, data)
            complete = it.gateway.complete_upload(
                it.bucket, "o", upload.id, claims(part), actor=ACTOR
            )
            abort = it.gateway.abort_upload(it.bucket, "o", upload.id, actor=ACTOR)
            both = [complete, abort] if round_ % 2 else [abort, complete]
            done = await asyncio.gather(*both, return_exceptions=True)
            lost = [error for error in done if isinstance(error, Exception)]
            assert len(lost) == 1
            assert isinstance(lost[0], NoSuchUpload)
            listed = (await it.gateway.list_objects(it.bucket)).entries
            if listed:
                winners.add("complete")
                assert await it.get("o") == data
                await it.delete("o")
            else:
                winners.add("abort")
        assert winners == {"complete", "abort"}


async def test_a_part_copied_from_a_range_is_that_range(tmp_path: Path) -> None:
    source = pattern(5 * STRIPE + 100)
    async with cloud(tmp_path) as it:
        await it.put("source", source)
        upload = await begin(it, "CRC32")
        origin = CopySource(bucket=it.bucket, key="source")
        a = await it.gateway.copy_part(
            it.bucket, "o", upload.id, 1, origin, start=1000, end=4000, check=anyone, actor=ACTOR
        )
        b = await it.gateway.copy_part(
            it.bucket, "o", upload.id, 2, origin, check=anyone, actor=ACTOR
        )
        assert a.checksums == {"CRC32": text(zlib.crc32(source[1000:4000]))}
        await it.gateway.complete_upload(it.bucket, "o", upload.id, claims(a, b), actor=ACTOR)
        assert await it.get("o") == source[1000:4000] + source


def anyone(*_: object) -> None:
    """Whoever reads may read anything."""


def text(crc: int) -> str:
    return base64.b64encode(crc.to_bytes(4, "big")).decode()


async def test_a_full_object_checksum_is_that_of_all_bytes(tmp_path: Path) -> None:
    datas = [pattern(1500, 1), pattern(2500, 2), pattern(3, 3)]
    async with cloud(tmp_path) as it:
        upload = await begin(it, "CRC32", "FULL_OBJECT")
        parts = [await put(it, upload, n, data) for n, data in enumerate(datas, 1)]
        for wrong in ({"CRC32": text(1)}, {"CRC32": text(zlib.crc32(b"".join(datas))) + "-3"}):
            with pytest.raises(BadDigest):
                await it.gateway.complete_upload(
                    it.bucket, "o", upload.id, claims(*parts), checksums=wrong, actor=ACTOR
                )
        version = await it.gateway.complete_upload(
            it.bucket,
            "o",
            upload.id,
            claims(*parts),
            checksums={"CRC32": text(zlib.crc32(b"".join(datas)))},
            size=4003,
            actor=ACTOR,
        )
        assert version.checksums == {"CRC32": text(zlib.crc32(b"".join(datas)))}
        assert version.checksum_type == "FULL_OBJECT"


async def test_a_composite_checksum_is_that_of_the_parts_checksums(tmp_path: Path) -> None:
    datas = [pattern(1500, 1), pattern(3, 3)]
    async with cloud(tmp_path) as it:
        upload = await begin(it, "SHA256")
        parts = [await put(it, upload, n, data) for n, data in enumerate(datas, 1)]
        version = await it.gateway.complete_upload(
            it.bucket, "o", upload.id, claims(*parts), actor=ACTOR
        )
        digests = b"".join(hashlib.sha256(data).digest() for data in datas)
        expected = base64.b64encode(hashlib.sha256(digests).digest()).decode() + "-2"
        assert version.checksums == {"SHA256": expected}
        assert version.checksum_type == "COMPOSITE"


async def test_a_wrong_size_claimed_of_the_whole_is_refused(tmp_path: Path) -> None:
    async with cloud(tmp_path) as it:
        upload = await begin(it)
        part = await put(it, upload, 1, b"12345")
        with pytest.raises(InvalidRequest):
            await it.gateway.complete_upload(
                it.bucket, "o", upload.id, claims(part), size=6, actor=ACTOR
            )


@pytest.mark.parametrize(
    ("algorithm", "kind"),
    [("SHA256", "FULL_OBJECT"), ("CRC64NVME", "COMPOSITE"), ("", "COMPOSITE"), ("MD4", "")],
)
async def test_combinations_that_s3_does_not_have_are_refused(
    tmp_path: Path, algorithm: str, kind: str
) -> None:
    async with cloud(tmp_path) as it:
        with pytest.raises(InvalidRequest):
            await begin(it, algorithm, kind)


async def test_the_parts_of_an_upload_in_progress_are_scrubbed_and_survive_two_losses(
    tmp_path: Path,
) -> None:
    async with cloud(tmp_path) as it:
        upload = await begin(it)
        part = await put(it, upload, 1, pattern(3 * STRIPE))
        assert (await scrub(it.engine)).fragments == 6
        it.destroy(0, 5)
        await it.gateway.complete_upload(it.bucket, "o", upload.id, claims(part), actor=ACTOR)
        assert await it.get("o") == pattern(3 * STRIPE)


@pytest.mark.slow
async def test_ten_thousand_parts_become_an_object(tmp_path: Path) -> None:
    async with cloud(tmp_path) as it:
        upload = await begin(it, "CRC64NVME")
        parts: list[Part] = []
        for first in range(1, 10_001, 100):
            parts += await asyncio.gather(
                *(put(it, upload, n, pattern(1000, n)) for n in range(first, first + 100))
            )
        version = await it.gateway.complete_upload(
            it.bucket, "o", upload.id, claims(*parts), actor=ACTOR
        )
        assert version.size == 10_000_000
        assert version.manifest is None, "a manifest this long has a row of its own"
        whole = b"".join(pattern(1000, n) for n in range(1, 10_001))
        assert await it.get("o") == whole
        assert await it.get("o", 7_000_500, 7_001_500) == whole[7_000_500:7_001_500]


async def test_once_a_part_is_placed_nothing_can_take_its_bytes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with cloud(tmp_path) as it:
        upload = await it.gateway.create_upload(it.bucket, "o", owner="t", actor=ACTOR)

        def unreadable(**_: object) -> NoReturn:
            raise LogFull

        monkeypatch.setattr(it.log, "read", unreadable)
        with contextlib.suppress(LogFull):
            await it.gateway.put_part(it.bucket, "o", upload.id, 1, Bytes(b"part"), actor=ACTOR)
        await it.engine.settled()
        page = await it.gateway.list_parts(it.bucket, "o", upload.id)
        claims = [PartClaim(part.number, part.etag) for part in page.entries]
        await it.gateway.complete_upload(it.bucket, "o", upload.id, claims, actor=ACTOR)
        assert await it.get("o") == b"part"
