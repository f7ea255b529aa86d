"""Copies share bytes, and keep them."""

from __future__ import annotations

from pathlib import Path

import pytest

from swiftlite.errors import NoSuchKey
from swiftlite.gateway.copy import CopySource
from swiftlite.heal.sweep import sweep
from tests.swiftlite.clouds import ACTOR, SETTINGS, Bytes, Cloud, cloud, pattern

DATA = pattern(3 * SETTINGS.stripe)


async def copy(it: Cloud, source: str, target: str) -> None:
    await it.gateway.copy_object(
        CopySource(bucket=it.bucket, key=source), it.bucket, target, owner="t", actor=ACTOR
    )


async def put_with_metadata(it: Cloud) -> None:
    await it.gateway.put_object(
        it.bucket,
        "a",
        Bytes(DATA),
        headers={"content-type": "text/a"},
        meta={"m": "a"},
        tags={"t": "a"},
        owner="t",
        actor=ACTOR,
    )


async def test_a_copy_writes_no_byte_and_outlives_the_original(tmp_path: Path) -> None:
    async with cloud(tmp_path) as it:
        await it.put("a", DATA)
        await copy(it, "a", "b")
        await copy(it, "b", "c")
        manifests = [
            (await it.gateway.head_object(it.bucket, key)).manifest for key in ("a", "b", "c")
        ]
        assert manifests[0] == manifests[1] == manifests[2]
        for gone in ("a", "b"):
            await it.delete(gone)
            swept = await sweep(it.engine, retention_s=0, actor=ACTOR)
            assert (swept.entries, swept.blobs) == (1, 0)
        assert await it.get("c") == DATA
        await it.delete("c")
        assert (await sweep(it.engine, retention_s=0, actor=ACTOR)).blobs == 1


async def test_metadata_is_the_source_s_unless_it_is_given(tmp_path: Path) -> None:
    async with cloud(tmp_path) as it:
        await put_with_metadata(it)
        await copy(it, "a", "same")
        same = await it.gateway.head_object(it.bucket, "same")
        assert (same.headers, same.meta) == ({"content-type": "text/a"}, {"m": "a"})
        assert same.tags == {"t": "a"}
        await it.gateway.copy_object(
            CopySource(bucket=it.bucket, key="a"),
            it.bucket,
            "other",
            headers={},
            meta={"n": "b"},
            tags={},
            owner="t",
            actor=ACTOR,
        )
        other = await it.gateway.head_object(it.bucket, "other")
        assert (other.headers, other.meta, other.tags) == ({}, {"n": "b"}, {})
        assert other.etag == same.etag


async def test_an_object_copied_onto_itself_keeps_its_bytes(tmp_path: Path) -> None:
    async with cloud(tmp_path) as it:
        await put_with_metadata(it)
        await copy(it, "a", "a")
        await sweep(it.engine, retention_s=0, actor=ACTOR)
        assert await it.get("a") == DATA


async def test_what_does_not_exist_is_not_copied(tmp_path: Path) -> None:
    async with cloud(tmp_path) as it:
        with pytest.raises(NoSuchKey):
            await copy(it, "absent", "b")
