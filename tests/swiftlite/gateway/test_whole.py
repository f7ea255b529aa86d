"""Whole objects: manifests and links are read as what they stand for, or refused."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from eventlog.clock import SystemClock
from eventlog.errors import Refused
from swiftlite import segments
from swiftlite.access import Action
from swiftlite.catalog.rows import Bucket, Version
from swiftlite.errors import (
    LinkChanged,
    NoSuchBucket,
    NoSuchKey,
    SegmentsChanged,
    TooManyLinks,
)
from swiftlite.gateway import whole as whole_module
from swiftlite.gateway.copy import CopySource
from swiftlite.segments import NESTED_MAX, Segment
from tests.swiftlite.clouds import ACTOR, Bytes, Cloud, cloud, pattern


class Forbidden(Refused):
    """No."""


def anyone(action: Action, bucket: Bucket) -> None:
    """Whoever reads may read anything."""


@pytest.fixture
async def it(tmp_path: Path) -> AsyncIterator[Cloud]:
    async with cloud(tmp_path / "cloud") as made:
        yield made


async def put_slo(it: Cloud, key: str, entries: list[Segment], **facts: Any) -> Version:
    document = segments.encoded(entries)
    return await it.gateway.put_object(
        facts.get("bucket", it.bucket),
        key,
        Bytes(document),
        kind="slo",
        target=hashlib.md5(document).hexdigest(),
        size=segments.size_of(entries),
        etag=segments.etag_of(entries),
        owner="t",
        actor=ACTOR,
    )


async def put_dlo(it: Cloud, key: str, target: str) -> Version:
    return await it.gateway.put_object(
        it.bucket, key, Bytes(b""), kind="dlo", target=target, owner="t", actor=ACTOR
    )


async def put_link(it: Cloud, key: str, target: str, etag: str = "") -> Version:
    headers = {"x-symlink-target-etag": etag} if etag else {}
    return await it.gateway.put_object(
        it.bucket, key, Bytes(b""), kind="symlink", target=target, headers=headers,
        owner="t", actor=ACTOR,
    )  # fmt: skip


def entry(version: Version, key: str, **facts: Any) -> Segment:
    return Segment(name=f"/bucket/{key}", bytes=version.size, hash=version.etag, **facts)


async def read(
    it: Cloud, key: str, start: int = 0, end: int | None = None, *, check: Any = anyone
) -> bytes:
    found, reader = await it.gateway.open_whole(it.bucket, key, check=check)
    head = await it.gateway.head_whole(it.bucket, key, check=check)
    assert (head.version.size, head.version.etag) == (found.version.size, found.version.etag)
    async with aclosing(reader.stream(start, end)) as pieces:
        return b"".join([bytes(piece) async for piece in pieces])


async def three(it: Cloud) -> tuple[bytes, list[Segment]]:
    """Store two segments, and return the bytes and entries of an object of three."""
    a, b = pattern(700, 1), pattern(5000, 2)
    first, second = await it.put("seg/1", a), await it.put("seg/2", b)
    entries = [
        entry(first, "seg/1"),
        Segment(data="QUJD"),
        entry(second, "seg/2", range="100-2099"),
    ]
    return a + b"ABC" + b[100:2100], entries


async def test_a_static_large_object_is_read_as_its_segments(it: Cloud) -> None:
    data, entries = await three(it)
    version = await put_slo(it, "big", entries)
    assert version.size == len(data)
    assert await read(it, "big") == data
    for start, end in ((0, 1), (699, 704), (700, 703), (702, 1500), (2702, 2703), (5, 5)):
        assert await read(it, "big", start, end) == data[start:end], (start, end)
    found, kept = await it.gateway.open_manifest(it.bucket, "big")
    assert kept == entries
    assert found.kind == "slo"
    plain, none = await it.gateway.open_manifest(it.bucket, "seg/1")
    assert (plain.kind, none) == ("", [])


async def test_its_usage_is_that_of_its_manifest(it: Cloud) -> None:
    _, entries = await three(it)
    before = await it.gateway.usage(it.bucket)
    await put_slo(it, "big", entries)
    after = await it.gateway.usage(it.bucket)
    assert after.bytes - before.bytes == len(segments.encoded(entries))


async def test_a_segment_that_went_or_changed_is_told(it: Cloud) -> None:
    data, entries = await three(it)
    await put_slo(it, "big", entries)
    await it.put("seg/2", pattern(5000, 3))
    with pytest.raises(SegmentsChanged):
        await read(it, "big")
    # What lies before it, and what is given inline, is still there.
    assert await read(it, "big", 0, 703) == data[:703]
    await it.delete("seg/1")
    with pytest.raises(SegmentsChanged):
        await read(it, "big", 0, 1)
    assert await read(it, "big", 701, 702) == data[701:702]


async def test_manifests_nest_ten_deep_and_no_deeper(it: Cloud) -> None:
    first = await it.put("seg", b"x" * 10)
    below = await put_slo(it, "slo-1", [entry(first, "seg")])
    for depth in range(2, NESTED_MAX + 2):
        below = await put_slo(it, f"slo-{depth}", [entry(below, f"slo-{depth - 1}", sub_slo=True)])
    assert await read(it, f"slo-{NESTED_MAX}") == b"x" * 10
    with pytest.raises(SegmentsChanged, match="too deep"):
        await read(it, f"slo-{NESTED_MAX + 1}")


async def test_a_manifest_that_comes_to_name_itself_is_no_endless_read(it: Cloud) -> None:
    plain = await it.put("loop", b"x" * 10)
    inner = await put_slo(it, "inner", [entry(plain, "loop")])
    # "loop" is replaced by a manifest of a manifest of itself; it looks as what it replaces.
    entries = [entry(inner, "inner", sub_slo=True)]
    document = segments.encoded(entries)
    await it.gateway.put_object(
        it.bucket, "loop", Bytes(document), kind="slo", target="x",
        size=plain.size, etag=plain.etag, owner="t", actor=ACTOR,
    )  # fmt: skip
    with pytest.raises(SegmentsChanged, match="too deep"):
        await read(it, "loop")


async def test_a_dynamic_large_object_is_what_lies_under_its_prefix_now(it: Cloud) -> None:
    await put_dlo(it, "dlo", "bucket/seg%2F")
    assert await read(it, "dlo") == b""
    pieces = {f"seg/{i:03}": pattern(40 + i, i) for i in range(30)}
    versions = [await it.put(key, data) for key, data in pieces.items()]
    await it.put("segment", b"no")
    data = b"".join(pieces.values())
    assert await read(it, "dlo") == data
    for start, end in ((0, 1), (39, 42), (len(data) - 1, len(data)), (40, 40), (300, 800)):
        assert await read(it, "dlo", start, end) == data[start:end]
    head = await it.gateway.head_whole(it.bucket, "dlo", check=anyone)
    etags = "".join(version.etag for version in versions)
    assert head.version.etag == hashlib.md5(etags.encode()).hexdigest()
    await it.delete("seg/003")
    assert len(await read(it, "dlo")) == len(data) - 43


async def test_the_segments_of_a_dynamic_one_are_listed_page_by_page(
    it: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whole_module, "_PAGE", 7)
    await put_dlo(it, "dlo", "bucket/seg")
    for i in range(22):
        await it.put(f"seg{i:02}", bytes([i]))
    assert await read(it, "dlo") == bytes(range(22))
    assert await read(it, "dlo", 13, 16) == bytes([13, 14, 15])
    monkeypatch.setattr(whole_module, "DYNAMIC_SEGMENTS_MAX", 21)
    with pytest.raises(SegmentsChanged, match="too many"):
        await read(it, "dlo")


async def test_a_copy_of_a_dynamic_one_is_never_cut_short(it: Cloud) -> None:
    await put_dlo(it, "dlo", "bucket/seg")
    for at in range(3):
        await it.put(f"seg{at}", pattern(100, at))
    _, reader = await it.gateway.open_whole(it.bucket, "dlo", check=anyone)
    await it.delete("seg2")
    with pytest.raises(SegmentsChanged):
        async with aclosing(reader.stream()) as pieces:
            [bytes(piece) async for piece in pieces]
    async with aclosing(reader.stream(0, 200)) as pieces:
        assert len(b"".join([bytes(piece) async for piece in pieces])) == 200


async def test_a_dynamic_one_needs_its_container(it: Cloud) -> None:
    await put_dlo(it, "dlo", "gone/seg")
    with pytest.raises(NoSuchBucket):
        await read(it, "dlo")


async def test_a_link_is_read_as_its_target(it: Cloud) -> None:
    await it.put("target", b"hello")
    await put_link(it, "one", "AUTH_p/bucket/target")
    await put_link(it, "two", "AUTH_p/bucket/one")
    await put_link(it, "three", "AUTH_p/bucket/two")
    assert await read(it, "one") == b"hello"
    assert await read(it, "two") == b"hello"
    found = await it.gateway.head_whole(it.bucket, "two", check=anyone)
    assert (found.key, found.location) == ("target", "AUTH_p/bucket/target")
    with pytest.raises(TooManyLinks):
        await read(it, "three")


async def test_links_in_a_circle_end(it: Cloud) -> None:
    await put_link(it, "a", "AUTH_p/bucket/b")
    await put_link(it, "b", "AUTH_p/bucket/a")
    with pytest.raises(TooManyLinks):
        await read(it, "a")


async def test_a_link_to_nothing_leads_nowhere(it: Cloud) -> None:
    for target, error in (
        ("AUTH_p/bucket/gone", NoSuchKey),
        ("AUTH_p/gone/o", NoSuchBucket),
        ("AUTH_q/bucket/target", NoSuchBucket),
        ("odd/bucket/target", NoSuchBucket),
    ):
        await put_link(it, "link", target)
        with pytest.raises(error):
            await read(it, "link")


async def test_a_static_link_is_for_one_version_of_its_target(it: Cloud) -> None:
    version = await it.put("target", b"hello")
    await put_link(it, "link", "AUTH_p/bucket/target", version.etag)
    await put_link(it, "again", "AUTH_p/bucket/link", version.etag)
    assert await read(it, "again") == b"hello"
    await it.put("target", b"other")
    for key in ("link", "again"):
        with pytest.raises(LinkChanged):
            await read(it, key)
    # A static link to a link that may change is for that link's own (empty) bytes.
    await put_link(it, "dynamic", "AUTH_p/bucket/target")
    await put_link(it, "to-dynamic", "AUTH_p/bucket/dynamic", hashlib.md5(b"").hexdigest())
    assert await read(it, "to-dynamic") == b"other"
    await put_link(it, "to-dynamic", "AUTH_p/bucket/dynamic", version.etag)
    with pytest.raises(LinkChanged):
        await read(it, "to-dynamic")


async def test_a_static_link_to_a_manifest_is_for_that_manifest(it: Cloud) -> None:
    data, entries = await three(it)
    version = await put_slo(it, "big", entries)
    await put_link(it, "link", "AUTH_p/bucket/big", version.target)
    assert await read(it, "link", 10, 1000) == data[10:1000]
    await put_link(it, "link", "AUTH_p/bucket/big", version.etag)
    with pytest.raises(LinkChanged):
        await read(it, "link")


async def test_nothing_is_read_where_the_reader_may_not(it: Cloud) -> None:
    other = await it.gateway.create_container(
        "other", project_id="p", owner="t", region="", actor=ACTOR
    )
    secret = await it.gateway.put_object(other, "s", Bytes(b"secret"), owner="t", actor=ACTOR)
    await put_link(it, "link", "AUTH_p/other/s")
    await put_dlo(it, "dlo", "other/s")
    await put_slo(it, "slo", [Segment(name="/other/s", bytes=6, hash=secret.etag)])
    for key in ("link", "dlo", "slo"):
        assert await read(it, key) == b"secret"

    def not_there(action: Action, bucket: Bucket) -> None:
        if bucket.name == "other":
            raise Forbidden

    def no_listing(action: Action, bucket: Bucket) -> None:
        if action is Action.LIST:
            raise Forbidden

    for key, check, error in (
        ("link", not_there, Forbidden),
        ("dlo", not_there, Forbidden),
        ("dlo", no_listing, Forbidden),
        ("slo", not_there, SegmentsChanged),
    ):
        with pytest.raises(error):
            await read(it, key, check=check)
    assert await read(it, "slo", check=no_listing) == b"secret"


async def test_a_copy_of_the_whole_holds_the_bytes_and_needs_no_segments(it: Cloud) -> None:
    data, entries = await three(it)
    await put_slo(it, "big", entries)
    await put_dlo(it, "dlo", "bucket/seg/")
    source = CopySource(bucket=it.bucket, key="big")
    copied = await it.gateway.copy_object(
        source, it.bucket, "copy", check=anyone, owner="t", actor=ACTOR
    )
    assert (copied.kind, copied.etag) == ("", hashlib.md5(data).hexdigest())
    again = await it.gateway.copy_object(source, it.bucket, "manifest", owner="t", actor=ACTOR)
    assert again.kind == "slo"
    segments_data = await read(it, "dlo")
    dynamic = CopySource(bucket=it.bucket, key="dlo")
    await it.gateway.copy_object(
        dynamic, it.bucket, "dlo-copy", check=anyone, owner="t", actor=ACTOR
    )
    await it.delete("seg/1")
    await it.delete("seg/2")
    assert await it.get("copy") == data
    assert await it.get("dlo-copy") == segments_data
    with pytest.raises(SegmentsChanged):
        await read(it, "manifest")
    with pytest.raises(SegmentsChanged):
        await it.gateway.copy_object(
            source, it.bucket, "none", check=anyone, owner="t", actor=ACTOR
        )
    with pytest.raises(NoSuchKey):
        await it.gateway.head_object(it.bucket, "none")


async def test_parts_are_copied_from_the_whole(it: Cloud) -> None:
    data, entries = await three(it)
    await put_slo(it, "big", entries)
    upload = await it.gateway.create_upload(it.bucket, "parts", owner="t", actor=ACTOR)
    part = await it.gateway.copy_part(
        it.bucket, "parts", upload.id, 1, CopySource(bucket=it.bucket, key="big"),
        start=600, end=1000, check=anyone, actor=ACTOR,
    )  # fmt: skip
    assert part.etag == hashlib.md5(data[600:1000]).hexdigest()


async def test_an_expired_segment_is_missing(it: Cloud) -> None:
    now_s = SystemClock().now_us() // 1_000_000
    gone = await it.gateway.put_object(
        it.bucket, "seg", Bytes(b"x"), delete_at_s=now_s - 1, owner="t", actor=ACTOR
    )
    await put_slo(it, "big", [entry(gone, "seg")])
    with pytest.raises(SegmentsChanged):
        await read(it, "big")
    await put_dlo(it, "dlo", "bucket/seg")
    assert await read(it, "dlo") == b""
