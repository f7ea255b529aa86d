"""A whole store in one folder, for tests: a real log, real devices, and ways to hurt them."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

from eventlog.clock import Clock, Ids, SystemClock, SystemIds
from eventlog.log import Actor
from eventlog.sqlite import SqliteLog
from eventlog.view import TableView
from swiftlite.catalog.rows import Bucket, Part, Version
from swiftlite.catalog.uploads import PartClaim
from swiftlite.catalog.view import CatalogView
from swiftlite.gateway.settings import Settings
from swiftlite.node.device import Limits
from swiftlite.node.disk import Disk
from swiftlite.store import Store

ACTOR = Actor(id="tester")
CLOUD = "c10ad"
# Small stripes make large objects of a few KiB; six devices and 4+2 unless a test says otherwise.
SETTINGS = Settings(copies_max=256, stripe=1024, write_deadline_s=5.0, read_deadline_s=5.0)
LIMITS = Limits(reserve_bytes=0)


def pattern(size: int, seed: int = 0) -> bytes:
    """Return bytes in which no two places look alike."""
    return hashlib.shake_128(seed.to_bytes(8, "big")).digest(size)


class Bytes:
    """A body that is at hand, in pieces."""

    def __init__(
        self, data: bytes, *, piece: int = 700, algorithms: frozenset[str] = frozenset()
    ) -> None:
        self.size: int | None = len(data)
        self.algorithms = algorithms
        self.digests: Mapping[str, bytes] = {}
        self._pieces: Iterator[bytes] = (data[at : at + piece] for at in range(0, len(data), piece))

    async def read(self) -> bytes:
        return next(self._pieces, b"")

    def check(self, digests: Mapping[str, bytes]) -> Mapping[str, str]:
        self.digests = digests
        return {}


class Cloud:
    """One process's store, with a bucket."""

    def __init__(self, disks: Path, log: SqliteLog, store: Store, bucket: Bucket) -> None:
        self._disks = disks
        self.log = log
        self.store = store
        self.engine = store.engine
        self.gateway = store.gateway
        self.bucket = bucket

    def device(self, id_: int) -> Path:
        return self._disks / f"d{id_}"

    def destroy(self, *ids: int) -> None:
        """Delete device folders, as an administrator's mistake would."""
        for id_ in ids:
            shutil.rmtree(self.device(id_))

    async def put(self, key: str, data: bytes) -> Version:
        return await self.gateway.put_object(
            self.bucket, key, Bytes(data), owner="tester", actor=ACTOR
        )

    async def get(self, key: str, start: int = 0, end: int | None = None) -> bytes:
        reader = await self.gateway.open_object(self.bucket, key)
        async with aclosing(reader.stream(start, end)) as pieces:
            return b"".join([bytes(piece) async for piece in pieces])

    async def delete(self, key: str) -> None:
        await self.gateway.delete_object(self.bucket, key, actor=ACTOR)

    async def multipart(self, key: str, datas: Sequence[bytes]) -> Version:
        upload = await self.gateway.create_upload(self.bucket, key, owner="t", actor=ACTOR)
        parts: list[Part] = []
        for number, data in enumerate(datas, 1):
            parts.append(
                await self.gateway.put_part(
                    self.bucket, key, upload.id, number, Bytes(data), actor=ACTOR
                )
            )
        claims = [PartClaim(part.number, part.etag) for part in parts]
        return await self.gateway.complete_upload(self.bucket, key, upload.id, claims, actor=ACTOR)


@asynccontextmanager
async def cloud(
    path: Path,
    *,
    devices: int = 6,
    k: int = 4,
    m: int = 2,
    disk: Disk | None = None,
    settings: Settings = SETTINGS,
    limits: Limits = LIMITS,
    clock: Clock | None = None,
    ids: Ids | None = None,
    run: bool = False,
    cloud_id: str = CLOUD,
    folder: str = "",
    views: Sequence[TableView] = (),
) -> AsyncIterator[Cloud]:
    """Open the store at `path`, made the first time; with `run`, its background work goes on.

    `folder`: where in it the devices are, beside the log; `views`: beside the catalog's own.
    """
    path.mkdir(exist_ok=True)
    clock, ids = clock or SystemClock(), ids or SystemIds()
    log = await SqliteLog.open(path / "log.db", views=[CatalogView(), *views], clock=clock, ids=ids)
    try:
        await Store.found(
            log,
            cloud_id=cloud_id,
            paths=[path / folder / f"d{id_}" for id_ in range(devices)],
            k=k,
            m=m,
            actor=ACTOR,
            clock=clock,
            ids=ids,
            disk=disk,
        )
        store = await Store.open(
            log,
            cloud_id=cloud_id,
            k=k,
            m=m,
            clock=clock,
            ids=ids,
            disk=disk,
            settings=settings,
            limits=limits,
        )
        background = asyncio.create_task(store.run()) if run else None
        try:
            page = await store.gateway.list_buckets("p")
            bucket = next(iter(page.entries), None) or await store.gateway.create_bucket(
                "bucket", project_id="p", owner="tester", region="", actor=ACTOR
            )
            yield Cloud(path / folder, log, store, bucket)
        finally:
            if background is not None:
                background.cancel()
                await asyncio.gather(background, return_exceptions=True)
            await store.close()
    finally:
        await log.close()
