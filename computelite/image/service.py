"""Images as one process holds them: the tables, the bytes, and how bytes come in."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from typing import NamedTuple

import msgspec

from computelite.image.commands import transfers
from computelite.image.commands.transfers import RENEW_S
from computelite.image.errors import TooManyImports, TransferOver
from computelite.image.fetch import Fetcher
from computelite.image.inspected import Inspected
from computelite.image.limits import Limits
from computelite.image.queries import is_waste
from computelite.image.rows import WEB_DOWNLOAD, Image
from computelite.image.vault import Source, Vault
from eventlog.clock import Clock, Ids
from eventlog.errors import CloudError
from eventlog.log import Actor, Log

log = logging.getLogger(__name__)

IMPORTS_MAX = 64  # of one process at once
_REASON_MAX = 512

Permit = Callable[[Image], None]


class Start(NamedTuple):
    """A transfer that was started, and what the image was then."""

    image: Image
    transfer_id: str


class ImageService:
    """What Glance's edge, and whoever makes images from servers, works with."""

    def __init__(
        self,
        *,
        log: Log,
        clock: Clock,
        ids: Ids,
        vault: Vault,
        fetcher: Fetcher,
        limits: Limits,
    ) -> None:
        self.log = log
        self.clock = clock
        self.ids = ids
        self.vault = vault
        self.fetcher = fetcher
        self.limits = limits
        self._imports: set[asyncio.Task[None]] = set()

    async def start(
        self, image_id: str, kind: str, permit: Permit, *, source: str = "", actor: Actor
    ) -> Start:
        """Let bytes come for an image; `receive` brings them.

        Raises:  NoSuchImage, what `permit` raises, WrongStatus, OverLimit.
        """
        found = await transfers.start_transfer(
            self.log,
            self.clock,
            self.ids,
            image_id,
            kind,
            permit,
            source=source,
            limits=self.limits,
            actor=actor,
        )
        return Start(*found)

    async def receive(self, start: Start, source: Source, *, actor: Actor) -> None:
        """Return when the image has its bytes, inspected and durable.

        Whatever ends it before that, the image is as it was before `start`.
        Raises:  BadImage and its like, OverLimit, TransferOver if it was given up meanwhile, what
                 the source and storage raise.
        """
        image, transfer_id = start
        inspected = Inspected(source, image.disk_format, image.container_format)
        try:
            async with self._renewing(start, actor):
                content = await self.vault.store(
                    image.id, transfer_id, inspected, limit=self.limits.image_bytes, actor=actor
                )
            content = msgspec.structs.replace(content, virtual_size=inspected.virtual_size)
            await transfers.fill_image(
                self.log, image.id, content, owner=image.owner, limits=self.limits, actor=actor
            )
        except BaseException as error:
            # Also when the client went, or the process ends: upkeep would do it a lease later.
            await asyncio.shield(self._give_up(start, _reason(error), actor))
            raise

    async def import_staged(self, image_id: str, permit: Permit, *, actor: Actor) -> None:
        """Make what was staged the image's.

        Raises:  NoSuchImage, what `permit` raises, WrongStatus.
        """
        await transfers.import_staged(self.log, image_id, permit, actor=actor)

    async def import_from(self, image_id: str, uri: str, permit: Permit, *, actor: Actor) -> None:
        """Begin to fetch an image's bytes from a URL; how it ends shows in the image.

        Raises:  BadSource at once for a URL that is not to be fetched from; NoSuchImage, what
                 `permit` raises, WrongStatus, OverLimit, TooManyImports.
        """
        target = self.fetcher.target(uri)
        if len(self._imports) >= IMPORTS_MAX:
            raise TooManyImports()
        start = await self.start(image_id, WEB_DOWNLOAD, permit, source=target.shown, actor=actor)

        async def fetch() -> None:
            try:
                async with self.fetcher.open(target) as source:
                    await self.receive(start, source, actor=actor)
            except CloudError as error:
                await self._give_up(start, _reason(error), actor)
                log.info("import of image %s: %s", image_id, error)
            except BaseException as error:
                await asyncio.shield(self._give_up(start, _reason(error), actor))
                raise

        task = asyncio.create_task(fetch(), name=f"import of image {image_id}")
        self._imports.add(task)
        task.add_done_callback(self._imports.discard)

    async def close(self) -> None:
        """End the imports that are under way; their images can be imported again."""
        await asyncio.sleep(0)  # so that each has begun, and can say that it ends
        for task in list(self._imports):
            task.cancel()
        await asyncio.gather(*self._imports, return_exceptions=True)

    async def drop(self, image_id: str, transfer_id: str, *, actor: Actor) -> None:
        """Have no bytes of a transfer that no image has any more."""
        await self.vault.drop(image_id, transfer_id, actor=actor)
        if await is_waste(self.log, image_id, transfer_id):
            await transfers.data_dropped(self.log, image_id, transfer_id, actor=actor)

    async def _give_up(self, start: Start, reason: str, actor: Actor) -> None:
        image, transfer_id = start
        try:
            with contextlib.suppress(TransferOver):
                await transfers.fail_transfer(self.log, image.id, transfer_id, reason, actor=actor)
            await self.drop(image.id, transfer_id, actor=actor)
        except CloudError as error:
            log.warning("giving up a transfer of image %s: %s; upkeep will", image.id, error)

    @contextlib.asynccontextmanager
    async def _renewing(self, start: Start, actor: Actor) -> AsyncIterator[None]:
        """Renew the lease as long as the block runs, which is cancelled if it is over.

        Raises:  TransferOver.
        """
        image, transfer_id = start

        async def renew() -> None:
            while True:
                await asyncio.sleep(RENEW_S)
                try:
                    await transfers.renew_transfer(self.log, image.id, transfer_id, actor=actor)
                except TransferOver:
                    raise
                except CloudError as error:
                    log.warning("renewing a transfer of image %s: %s", image.id, error)

        try:
            async with asyncio.TaskGroup() as tasks:
                renewal = tasks.create_task(renew())
                yield
                renewal.cancel()
        except BaseExceptionGroup as group:
            # One error at a time: the block's own, or that the lease is over.
            raise group.exceptions[0] from None


def _reason(error: BaseException) -> str:
    text = str(error) if isinstance(error, CloudError) else "it was interrupted"
    return text[:_REASON_MAX]
