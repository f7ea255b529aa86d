"""The composition root: the one file that knows every package and joins them."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from swiftlite.store import Store

from computelite.config import Config
from computelite.errors import LogMissing
from computelite.folder import Folder, Record, read_record
from computelite.identity.authenticator import LogAuthenticator
from computelite.identity.view import IdentityView
from computelite.keystore import KeyStore, open_keystore
from eventlog.clock import Clock, Ids, SystemClock, SystemIds
from eventlog.sqlite import SqliteLog
from eventlog.view import TableView
from swiftlite.catalog.view import CatalogView


def views() -> list[TableView]:
    """Return the table views of a cloud; whoever writes to its log must have all of them."""
    return [CatalogView(), IdentityView()]


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
    ) -> None:
        self.folder = folder
        self.record = record
        self.config = config
        self.log = log
        self.keystore = keystore
        self.store = store
        self.clock = clock
        self.ids = ids
        self.authenticator = LogAuthenticator(log, keystore)

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
        log = await SqliteLog.open(folder.log, views=views(), clock=clock, ids=ids)
        try:
            store = await Store.open(log, cloud_id=record.cloud_id, clock=clock, ids=ids)
            try:
                yield Cloud(
                    folder=folder,
                    record=record,
                    config=config or Config(),
                    log=log,
                    keystore=keystore,
                    store=store,
                    clock=clock,
                    ids=ids,
                )
            finally:
                await store.close()
        finally:
            await log.close()
