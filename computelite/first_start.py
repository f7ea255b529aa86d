"""The first start: from an empty folder to a cloud, in steps that an interruption may cut anywhere.

Each step looks whether it was done. Starting again goes on where it stopped.
    1  folder, lock
    2  record: cloud id, devices, code, log                         (cumulog.json)
    3  key store: master key, signing key                           (keystore/)
    4  log, empty
    5  devices formatted, `device.added`, `ring.built`
    6  secrets drawn or taken from the environment                  (credentials.env)
    7  domain, roles, catalog, projects; then `user.created`, `role.granted`, `access-key.created`
From 7 on it is an ordinary start; the last event of step 7 says that the first start is over. A
cloud that an earlier version founded, without domains, is given the rest of step 7.
"""

from __future__ import annotations

from computelite.credentials import (
    ADMIN,
    REGION_OS,
    Chosen,
    Root,
    draw_root,
    read_credentials,
    write_credentials,
)
from computelite.errors import LogMissing, WrongUsage
from computelite.folder import Folder, Record, check_record, new_record, read_record, write_record
from computelite.identity.commands.access_keys import IssuedKey, secret_context
from computelite.identity.commands.founding import complete_identity, found_identity
from computelite.identity.events.credentials import AccessKeyCreated
from computelite.keystore import KeyStore, create_keystore, open_keystore
from computelite.new_devices import check_new_devices, is_of_cloud
from computelite.secret import Secret
from computelite.views import VIEWS
from eventlog.clock import Clock, Ids
from eventlog.log import Actor
from eventlog.sqlite import SqliteLog
from swiftlite.store import Store

_SELF = Actor(id="cumulog")


def settle_record(folder: Folder, *, devices: str, code: str, log: str, ids: Ids) -> Record:
    """Return the folder's record; at the first start write it (step 2).

    Raises:  Contradiction, WrongUsage.
    """
    if folder.record.exists():
        record = read_record(folder)
        check_record(folder, record, devices=devices, code=code, log=log)
        return record
    cloud_id = ids.uuid7().hex()
    record = new_record(folder, cloud_id=cloud_id, devices=devices, code=code, log=log)
    check_new_devices(folder, record)
    write_record(folder, record)
    return record


async def prepare(
    folder: Folder, record: Record, *, chosen: Chosen, s3: str, api: str, clock: Clock, ids: Ids
) -> None:
    """Do what is left of the first start, and write the credential files.

    Raises:  LogMissing, KeyStoreMissing, WrongUsage, and what formatting devices raises.
    """
    if folder.log.exists():
        keystore = open_keystore(folder.keystore, ids)
    elif any(is_of_cloud(folder.device(path), record.cloud_id) for path in record.devices):
        raise LogMissing(path=folder.log)
    else:
        check_new_devices(folder, record)
        create_keystore(folder.keystore, ids)
        keystore = open_keystore(folder.keystore, ids)
    log = await SqliteLog.open(folder.log, views=VIEWS, clock=clock, ids=ids)
    try:
        if not await log.scan("ring", b"", None, limit=1):
            await _found_devices(log, folder, record, clock, ids)
        root = await _root(log, keystore, folder)
        if root is None:
            key, password = draw_root(chosen, ids, read_credentials(folder))
            root = Root(key, password)
            write_credentials(folder, root, s3=s3, api=api)
            await found_identity(
                log,
                ids,
                keystore,
                name=ADMIN,
                region=REGION_OS,
                password=password,
                issued=key,
                actor=_SELF,
            )
        else:
            await complete_identity(log, ids, keystore, name=ADMIN, region=REGION_OS, actor=_SELF)
        _check_chosen(chosen, root)
        write_credentials(folder, root, s3=s3, api=api)
    finally:
        await log.close()


async def _found_devices(
    log: SqliteLog, folder: Folder, record: Record, clock: Clock, ids: Ids
) -> None:
    check_new_devices(folder, record)  # all of them, before the first is formatted
    paths = [folder.device(path) for path in record.devices]
    for path in paths:
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise WrongUsage(reason=f"--devices: {path} cannot be made: {error.strerror}") from None
    k, m = record.k_m
    await Store.found(
        log, cloud_id=record.cloud_id, paths=paths, k=k, m=m, actor=_SELF, clock=clock, ids=ids
    )


async def _root(log: SqliteLog, keystore: KeyStore, folder: Folder) -> Root | None:
    """Return the root key, which is the first key of all; None before step 7."""
    async for first in log.read(types={AccessKeyCreated}, limit=1):
        created = first.event
        assert isinstance(created, AccessKeyCreated)
        plain = keystore.unseal(created.sealed, context=secret_context(created.key_id))
        earlier = read_credentials(folder)
        password = earlier.password if earlier is not None else None
        return Root(IssuedKey(created.key_id, Secret(plain.decode())), password)
    return None


def _check_chosen(chosen: Chosen, root: Root) -> None:
    # The password cannot be compared: only a verifier of it was kept, and the file may be older.
    for name, given, recorded in (
        ("CUMULOG_ROOT_ACCESS_KEY", chosen.access_key, root.key.key_id),
        ("CUMULOG_ROOT_SECRET_KEY", chosen.secret_key, root.key.secret),
    ):
        if given is not None and given != recorded:
            raise WrongUsage(reason=f"{name} is not the one that this cloud was made with")
