"""Images in a real store, as one process holds them."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any

from computelite.image.commands.images import create_image
from computelite.image.fetch import Fetcher
from computelite.image.limits import Limits
from computelite.image.queries import get_image
from computelite.image.rows import UPLOAD, Image
from computelite.image.service import ImageService
from computelite.image.vault import BUCKET, PROJECT, Vault
from computelite.image.view import ImageView
from eventlog.clock import SystemClock, SystemIds
from eventlog.log import Actor
from tests.swiftlite import clouds
from tests.swiftlite.clouds import Cloud

ME = Actor(id="tester")
PART = 5 << 20  # as small as parts may be


class Clock(SystemClock):
    """The host's clock, put forward."""

    ahead_s = 0.0

    def now_us(self) -> int:
        return super().now_us() + int(self.ahead_s * 1_000_000)


class Pieces:
    """A source of bytes that are at hand; an error among them is raised when its turn comes."""

    def __init__(self, *pieces: bytes | BaseException) -> None:
        self._pieces: Iterator[bytes | BaseException] = iter(pieces)
        self.taken = 0

    async def read(self) -> bytes:
        piece = next(self._pieces, b"")
        if isinstance(piece, BaseException):
            raise piece
        self.taken += len(piece)
        return piece


def cut(data: bytes, size: int = 200_000) -> list[bytes]:
    """Return bytes in pieces."""
    return [data[at : at + size] for at in range(0, len(data), size)]


class House:
    """One process's images."""

    def __init__(self, cloud: Cloud, service: ImageService, clock: Clock) -> None:
        self.cloud = cloud
        self.log = cloud.log
        self.service = service
        self.clock = clock

    async def image(self, **facts: Any) -> Image:
        said = {"owner": "p", "name": "it", "disk_format": "raw", "container_format": "bare"}
        return await create_image(
            self.log,
            self.service.ids,
            limits=self.service.limits,
            actor=ME,
            **(said | facts),
        )

    async def now(self, image: Image) -> Image:
        return await get_image(self.log, image.id)

    async def fill(self, image: Image, *pieces: bytes | BaseException, kind: str = UPLOAD) -> Image:
        start = await self.service.start(image.id, kind, lambda image: None, actor=ME)
        await self.service.receive(start, Pieces(*pieces), actor=ME)
        return await self.now(image)

    async def bytes_of(self, image: Image, start: int = 0, end: int | None = None) -> bytes:
        assert image.content is not None
        stream = await self.service.vault.open(image.id, image.content, start, end)
        async with aclosing(stream):
            return b"".join([bytes(piece) async for piece in stream])

    async def stored(self) -> list[str]:
        """Return what lies in the vault: the keys of objects, and of uploads under way."""
        page = await self.cloud.gateway.list_buckets(PROJECT)
        if not page.entries:
            return []
        bucket = await self.cloud.gateway.container(PROJECT, BUCKET)
        objects = await self.cloud.gateway.list_objects(bucket)
        uploads = await self.cloud.gateway.list_uploads(bucket)
        return [key for key, _ in (*objects.entries, *uploads.entries)]

    async def types(self, image: Image) -> Sequence[str]:
        """Return the types of an image's events, in their order."""
        stream = f"image/{image.id}"
        return [rec.type.removeprefix("image.") async for rec in self.log.read(streams=stream)]


@contextlib.asynccontextmanager
async def house_in(
    path: Path, *, limits: Limits | None = None, allowed: Sequence[str] = ()
) -> AsyncIterator[House]:
    """Open images in a folder."""
    clock, ids = Clock(), SystemIds()
    settings = clouds.Settings(write_deadline_s=10.0, read_deadline_s=10.0)
    async with clouds.cloud(
        path / "cloud", clock=clock, ids=ids, views=[ImageView()], settings=settings
    ) as cloud:
        service = ImageService(
            log=cloud.log,
            clock=clock,
            ids=ids,
            vault=Vault(cloud.gateway, part_bytes=PART),
            fetcher=Fetcher(allowed),
            limits=limits or Limits(),
        )
        try:
            yield House(cloud, service, clock)
        finally:
            await service.close()
