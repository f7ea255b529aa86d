"""A version that somebody reads keeps its bytes, in whatever process."""

from __future__ import annotations

import fcntl
import gc
import os
from pathlib import Path

from eventlog.clock import SystemIds
from swiftlite.gateway.readers import Readers
from swiftlite.heal.sweep import sweep
from tests.swiftlite.clouds import ACTOR, SETTINGS, cloud, pattern

DATA = pattern(9 * SETTINGS.stripe)


async def test_a_version_is_not_swept_while_it_is_read(tmp_path: Path) -> None:
    async with cloud(tmp_path) as it:
        await it.put("o", DATA)
        reader = await it.gateway.open_object(it.bucket, "o")
        pieces = reader.stream()
        got = bytes(await anext(pieces))
        await it.delete("o")
        assert (await sweep(it.engine, retention_s=0, actor=ACTOR)).entries == 0
        got += b"".join([bytes(piece) async for piece in pieces])
        assert got == DATA
        del reader, pieces
        gc.collect()
        assert (await sweep(it.engine, retention_s=0, actor=ACTOR)).entries == 1


async def test_a_reader_in_another_process_counts_until_it_has_published_its_end(
    tmp_path: Path,
) -> None:
    async with cloud(tmp_path) as it, cloud(tmp_path) as other:
        await it.put("o", DATA)
        other.engine.readers.publish(other.log.head())
        reader = await other.gateway.open_object(other.bucket, "o")
        await it.delete("o")
        other.engine.readers.publish(other.log.head())
        assert (await sweep(it.engine, retention_s=0, actor=ACTOR)).entries == 0
        assert b"".join([bytes(piece) async for piece in reader.stream()]) == DATA
        del reader
        gc.collect()
        other.engine.readers.publish(other.log.head())
        assert (await sweep(it.engine, retention_s=0, actor=ACTOR)).entries == 1


def test_a_dead_process_holds_nothing_back_and_its_file_goes(tmp_path: Path) -> None:
    dead = tmp_path / "99999-dead"
    dead.write_bytes((3).to_bytes(8, "big"))
    readers = Readers(tmp_path, SystemIds(), 50)
    assert readers.low_water() == 50
    assert not dead.exists()
    alive = tmp_path / "99998-alive"
    alive.write_bytes((7).to_bytes(8, "big"))
    fd = os.open(alive, os.O_RDONLY)
    fcntl.flock(fd, fcntl.LOCK_EX)
    assert readers.low_water() == 7
    os.close(fd)
    assert readers.low_water() == 50
    readers.close()
    assert list(tmp_path.iterdir()) == []


def test_the_oldest_lease_counts(tmp_path: Path) -> None:
    readers = Readers(tmp_path, SystemIds(), 10)
    first = readers.lease()
    readers.publish(20)
    second = readers.lease()
    readers.publish(30)
    assert readers.low_water() == 10
    del first
    readers.publish(30)
    assert readers.low_water() == 20
    del second
    readers.publish(30)
    assert readers.low_water() == 30
    readers.close()
