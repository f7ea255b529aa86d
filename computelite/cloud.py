"""The composition root: the one file that knows every package and joins them."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import msgspec

from computelite.config import Config
from computelite.errors import LogMissing
from computelite.folder import Folder, Record, read_record
from computelite.identity.authenticator import LogAuthenticator
from computelite.identity.doors import Doors, open_doors
from computelite.identity.login.lockout import Rules
from computelite.image.fetch import Fetcher
from computelite.image.limits import Limits as ImageLimits
from computelite.image.service import ImageService
from computelite.image.vault import Vault
from computelite.keystore import KeyStore, open_keystore
from computelite.views import VIEWS
from eventlog.clock import Clock, Ids, SystemClock, SystemIds
from eventlog.sqlite import SqliteLog
from swiftlite.gateway.devices import Condition
from swiftlite.store import Store


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """How a cloud is."""

    devices: list[Condition]
    position: int
    log_failure: str  # "" while it can be written

    @property
    def out(self) -> list[Condition]:
        """Devices that are not in use."""
        return [device for device in self.devices if device.state == "out"]

    @property
    def serving(self) -> bool:
        """Whether objects can be written: the log takes events, and some devices take fragments."""
        return not self.log_failure and len(self.out) < len(self.devices)

    def public(self) -> dict[str, Any]:
        """Return what anyone may know: no paths, no reasons."""
        state = "ok" if self.serving and not self.out else "degraded" if self.serving else "down"
        return {
            "status": state,
            "log": {"state": "failed" if self.log_failure else "ok", "position": self.position},
            "devices": {str(device.id): device.state for device in self.devices},
        }


class Cloud:
    """One process's hold of a cloud: its log, its keys, its devices."""

    def __init__(
        self,
        *,
        folder: Folder,
        record: Record,
        config: Config,
        log: SqliteLog,
        keystore: KeyStore,
        store: Store,
        clock: Clock,
        ids: Ids,
        doors: Doors,
        images: ImageService,
    ) -> None:
        self.folder = folder
        self.record = record
        self.config = config
        self.log = log
        self.keystore = keystore
        self.store = store
        self.clock = clock
        self.ids = ids
        self.doors = doors
        self.images = images
        self.authenticator = LogAuthenticator(log, keystore, clock, doors.callers)

    async def health(self) -> Health:
        """Return how the cloud is, as this process sees it."""
        devices = await self.store.devices.conditions()
        return Health(
            devices=devices,
            position=self.log.head(),
            log_failure=str(self.log.failure) if self.log.failure else "",
        )

    @staticmethod
    @contextlib.asynccontextmanager
    async def open(folder: Folder, config: Config | None = None) -> AsyncIterator[Cloud]:
        """Open a cloud that had its first start; close it at the end.

        Raises:  CloudMissing, LogMissing, KeyStoreMissing and what opening the log raises. Devices
        that are missing or foreign are out, with a reason; they raise nothing.
        """
        record = read_record(folder)
        if not folder.log.exists():
            raise LogMissing(path=folder.log)
        clock, ids = SystemClock(), SystemIds()
        keystore = open_keystore(folder.keystore, ids)
        log = await SqliteLog.open(folder.log, views=VIEWS, clock=clock, ids=ids)
        try:
            k, m = record.k_m
            store = await Store.open(log, cloud_id=record.cloud_id, k=k, m=m, clock=clock, ids=ids)
            config = config or Config()
            knobs = config.identity
            rules = Rules(attempts=knobs.lockout_attempts, lock_s=knobs.lockout_s)
            doors = open_doors(log, keystore, clock, ids, token_s=knobs.token_s, rules=rules)
            knobs_of_images = config.images
            images = ImageService(
                log=log,
                clock=clock,
                ids=ids,
                vault=Vault(store.gateway),
                fetcher=Fetcher(knobs_of_images.import_from),
                limits=ImageLimits(
                    images=knobs_of_images.count,
                    bytes=knobs_of_images.bytes or None,
                    image_bytes=knobs_of_images.image_bytes,
                ),
            )
            try:
                yield Cloud(
                    folder=folder,
                    record=record,
                    config=config,
                    log=log,
                    keystore=keystore,
                    store=store,
                    clock=clock,
                    ids=ids,
                    doors=doors,
                    images=images,
                )
            finally:
                await images.close()
                await doors.close()
                await store.close()
        finally:
            await log.close()
