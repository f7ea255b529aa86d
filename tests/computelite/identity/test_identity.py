"""Users, keys and what the authenticator says of them at each moment."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from computelite.errors import KeyStoreMissing, NameTaken, NoSuchKey, NoSuchUser, SealBroken
from computelite.identity.authenticator import LogAuthenticator
from computelite.identity.commands import (
    IssuedKey,
    create_access_key,
    draw_key,
    found_admin,
    switch_access_key,
    switch_user,
)
from computelite.identity.view import IdentityView, Ref
from computelite.keystore import KeyStore, create_keystore, open_keystore
from computelite.secret import Secret
from eventlog.clock import SystemIds
from eventlog.log import Actor
from eventlog.sqlite import SqliteLog

IDS = SystemIds()
ME = Actor(id="test")


@pytest.fixture
def keystore(tmp_path: Path) -> KeyStore:
    create_keystore(tmp_path / "keystore", IDS)
    return open_keystore(tmp_path / "keystore", IDS)


@pytest.fixture
async def log(tmp_path: Path) -> AsyncIterator[SqliteLog]:
    log = await SqliteLog.open(tmp_path / "log.db", views=[IdentityView()])
    yield log
    await log.close()


@pytest.fixture
async def root(log: SqliteLog, keystore: KeyStore) -> IssuedKey:
    issued = draw_key(IDS)
    await found_admin(
        log, IDS, keystore, name="admin", password=Secret("a-pass-word"), issued=issued, actor=ME
    )
    return issued


def stored_bytes(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.glob("log.db*"))


async def admin_ids(log: SqliteLog) -> dict[str, bytes]:
    user = await log.get("user_name", b"admin")
    project = await log.get("project_name", b"admin")
    assert isinstance(user, Ref)
    assert isinstance(project, Ref)
    return {"user_id": user.id, "project_id": project.id}


async def test_the_root_key_signs_as_the_admin_of_the_admin_project(
    log: SqliteLog, keystore: KeyStore, root: IssuedKey
) -> None:
    key = await LogAuthenticator(log, keystore).signing_key(root.key_id)
    ids = await admin_ids(log)
    assert key is not None
    assert key.secret == root.secret.reveal()
    principal = key.principal
    assert (principal.user_id, principal.project_id) == (
        ids["user_id"].hex(),
        ids["project_id"].hex(),
    )
    assert (principal.roles, principal.bucket, principal.read_only) == (("admin",), None, False)


@pytest.mark.parametrize("key_id", ["", "nobody", "\udcff", "x" * 10_000])
async def test_an_unknown_key_id_is_nobody(log: SqliteLog, keystore: KeyStore, key_id: str) -> None:
    assert await LogAuthenticator(log, keystore).signing_key(key_id) is None


async def test_restrictions_of_a_key_are_in_its_principal(
    log: SqliteLog, keystore: KeyStore, root: IssuedKey
) -> None:
    issued = await create_access_key(
        log, IDS, keystore, **await admin_ids(log), bucket="photos", read_only=True, actor=ME
    )
    key = await LogAuthenticator(log, keystore).signing_key(issued.key_id)
    assert key is not None
    assert (key.principal.bucket, key.principal.read_only) == ("photos", True)


async def test_a_key_disabled_by_another_process_is_refused_at_once(
    log: SqliteLog, keystore: KeyStore, root: IssuedKey
) -> None:
    other = await SqliteLog.open(log.path, views=[IdentityView()])
    authenticator = LogAuthenticator(log, keystore)
    assert await authenticator.signing_key(root.key_id) is not None
    await switch_access_key(other, root.key_id, enabled=False, actor=ME)
    assert await authenticator.signing_key(root.key_id) is None
    await switch_access_key(other, root.key_id, enabled=True, actor=ME)
    assert await authenticator.signing_key(root.key_id) is not None
    await other.close()


async def test_no_key_of_a_disabled_user_works(
    log: SqliteLog, keystore: KeyStore, root: IssuedKey
) -> None:
    authenticator = LogAuthenticator(log, keystore)
    user_id = (await admin_ids(log))["user_id"]
    await switch_user(log, user_id, enabled=False, actor=ME)
    assert await authenticator.signing_key(root.key_id) is None
    await switch_user(log, user_id, enabled=True, actor=ME)
    assert await authenticator.signing_key(root.key_id) is not None


async def test_disabling_twice_is_one_event(
    log: SqliteLog, keystore: KeyStore, root: IssuedKey
) -> None:
    await switch_access_key(log, root.key_id, enabled=False, actor=ME)
    head = log.head()
    await switch_access_key(log, root.key_id, enabled=False, actor=ME)
    assert log.head() == head


async def test_a_key_that_is_not_there_cannot_be_disabled(log: SqliteLog) -> None:
    with pytest.raises(NoSuchKey, match="CLNOBODY"):
        await switch_access_key(log, "CLNOBODY", enabled=False, actor=ME)


async def test_no_key_is_made_for_a_user_who_is_not_there(
    log: SqliteLog, keystore: KeyStore
) -> None:
    nobody = {"user_id": bytes(16), "project_id": bytes(16)}
    with pytest.raises(NoSuchUser):
        await create_access_key(log, IDS, keystore, **nobody, actor=ME)
    assert log.head() == 0


async def test_a_user_s_name_is_taken_once(
    log: SqliteLog, keystore: KeyStore, root: IssuedKey
) -> None:
    with pytest.raises(NameTaken, match="admin"):
        await found_admin(
            log, IDS, keystore, name="admin", password=Secret("x"), issued=draw_key(IDS), actor=ME
        )


async def test_the_log_holds_no_secret_in_clear(
    log: SqliteLog, keystore: KeyStore, root: IssuedKey, tmp_path: Path
) -> None:
    issued = await create_access_key(log, IDS, keystore, **await admin_ids(log), actor=ME)
    await log.checkpoint(truncate=True)
    stored = stored_bytes(tmp_path)
    assert issued.key_id.encode() in stored
    for secret in (issued.secret, root.secret, Secret("a-pass-word")):
        assert secret.reveal().encode() not in stored


async def test_with_another_key_store_no_secret_opens(
    log: SqliteLog, keystore: KeyStore, root: IssuedKey, tmp_path: Path
) -> None:
    with pytest.raises(KeyStoreMissing):
        open_keystore(tmp_path / "other", IDS)
    create_keystore(tmp_path / "other", IDS)
    authenticator = LogAuthenticator(log, open_keystore(tmp_path / "other", IDS))
    with pytest.raises(SealBroken):
        await authenticator.signing_key(root.key_id)
