"""Many clients at one key: every read is of one write, and every condition is decided once."""

from __future__ import annotations

import asyncio
from pathlib import Path

from swiftlite.catalog.conditions import Conditions
from swiftlite.errors import PreconditionFailed
from tests.swiftlite.clouds import ACTOR, SETTINGS, Bytes, cloud, pattern

STRIPE = SETTINGS.stripe


def content(writer: int) -> bytes:
    """Return what one writer writes: its size says whose it is, and its layout differs."""
    sizes = [100, STRIPE - 7, 4 * STRIPE + 5, 3 * STRIPE]
    return pattern(sizes[writer % 4] + writer, writer)


async def test_reads_beside_overwrites_never_mix_two_writes(tmp_path: Path) -> None:
    async with cloud(tmp_path) as it, cloud(tmp_path) as other:
        await it.put("o", content(0))
        whole = {content(writer) for writer in range(40)}
        seen = set()
        stop = asyncio.Event()

        async def read(through: object) -> None:
            store = it if through is it else other
            while not stop.is_set():
                got = await store.get("o")
                assert got in whole
                seen.add(got)
                await asyncio.sleep(0)  # what is in memory is read without ever waiting

        async def write(first: int) -> None:
            for writer in range(first, 40, 4):
                await it.put("o", content(writer))

        readers = [asyncio.create_task(read(through)) for through in (it, it, other, other)]
        await asyncio.gather(*(write(first) for first in range(4)))
        stop.set()
        await asyncio.gather(*readers)
        assert len(seen) > 4, "the readers saw next to nothing of it"


async def test_a_read_that_began_before_an_overwrite_ends_with_the_old_bytes(
    tmp_path: Path,
) -> None:
    old, new = pattern(9 * STRIPE, 1), pattern(9 * STRIPE, 2)
    async with cloud(tmp_path) as it:
        await it.put("o", old)
        reader = await it.gateway.open_object(it.bucket, "o")
        got = b""
        async for piece in reader.stream():
            got += bytes(piece)
            if len(got) <= STRIPE:
                await it.put("o", new)
        assert got == old
        assert await it.get("o") == new


async def test_a_counter_behind_if_match_loses_no_increment_of_twenty_clients(
    tmp_path: Path,
) -> None:
    async with cloud(tmp_path) as it, cloud(tmp_path) as other:
        await it.put("counter", b"0")

        async def count(through: int) -> None:
            store = (it, other)[through % 2]
            while True:
                reader = await store.gateway.open_object(store.bucket, "counter")
                value = int(b"".join([bytes(piece) async for piece in reader.stream()]))
                try:
                    await store.gateway.put_object(
                        store.bucket,
                        "counter",
                        Bytes(str(value + 1).encode()),
                        conditions=Conditions(if_match=(reader.version.etag,)),
                        owner="t",
                        actor=ACTOR,
                    )
                except PreconditionFailed:
                    continue
                return

        await asyncio.gather(*(count(client) for client in range(20)))
        assert await it.get("counter") == b"20"


async def test_of_many_who_create_only_if_absent_exactly_one_succeeds(tmp_path: Path) -> None:
    async with cloud(tmp_path) as it, cloud(tmp_path) as other:

        async def create(client: int) -> int | None:
            store = (it, other)[client % 2]
            try:
                await store.gateway.put_object(
                    store.bucket,
                    "lock",
                    Bytes(b"%d" % client),
                    conditions=Conditions(if_none_match=("*",)),
                    owner="t",
                    actor=ACTOR,
                )
            except PreconditionFailed:
                return None
            return client

        won = [n for n in await asyncio.gather(*(create(n) for n in range(20))) if n is not None]
        assert len(won) == 1
        assert await it.get("lock") == b"%d" % won[0]
