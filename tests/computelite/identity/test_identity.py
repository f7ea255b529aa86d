"""Users, keys and what the authenticator says of them at each moment."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from computelite.errors import KeyStoreMissing, NameTaken, NoSuchKey, SealBroken
from computelite.identity.authenticator import LogAuthenticator
from computelite.identity.callers import Callers
from computelite.identity.commands.access_keys import (
    IssuedKey,
    create_access_key,
    draw_key,
    switch_access_key,
)
from computelite.identity.commands.founding import found_identity
from computelite.identity.commands.users import change_user
from computelite.identity.errors import NoSuch
from computelite.identity.queries import get_user, project_named, user_named
from computelite.identity.view import IdentityView
from computelite.keystore import KeyStore, create_keystore, open_keystore
from computelite.secret import Secret
from eventlog.clock import SystemClock, SystemIds
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
    await found(log, keystore, issued)
    return issued


async def found(log: SqliteLog, keystore: KeyStore, issued: IssuedKey) -> None:
    await found_identity(
        log,
        IDS,
        keystore,
        name="admin",
        region="RegionOne",
        password=Secret("a-pass-word"),
        issued=issued,
        actor=ME,
    )


async def new_key(log: SqliteLog, keystore: KeyStore, **facts: object) -> IssuedKey:
    issued = draw_key(IDS)
    who = {**await admin_ids(log), **facts}
    await create_access_key(log, keystore, issued, actor=ME, **who)  # type: ignore[arg-type]
    return issued


def asked(log: SqliteLog, keystore: KeyStore) -> LogAuthenticator:
    clock = SystemClock()
    return LogAuthenticator(log, keystore, clock, Callers(log, keystore, clock))


def stored_bytes(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.glob("log.db*"))


async def admin_ids(log: SqliteLog) -> dict[str, str]:
    user = await user_named(log, "default", "admin")
    project = await project_named(log, "default", "admin")
    assert user is not None
    assert project is not None
    return {"user_id": user.id, "project_id": project.id}


async def test_the_root_key_signs_as_the_admin_of_the_admin_project(
    log: SqliteLog, keystore: KeyStore, root: IssuedKey
) -> None:
    key = await asked(log, keystore).signing_key(root.key_id)
    ids = await admin_ids(log)
    assert key is not None
    assert key.secret == root.secret.reveal()
    principal = key.principal
    assert (principal.user_id, principal.project_id) == (
        ids["user_id"],
        ids["project_id"],
    )
    assert (principal.roles, principal.bucket, principal.read_only) == (
        ("admin", "manager", "member", "reader"),
        None,
        False,
    )


@pytest.mark.parametrize("key_id", ["", "nobody", "\udcff", "x" * 10_000])
async def test_an_unknown_key_id_is_nobody(log: SqliteLog, keystore: KeyStore, key_id: str) -> None:
    assert await asked(log, keystore).signing_key(key_id) is None


async def test_restrictions_of_a_key_are_in_its_principal(
    log: SqliteLog, keystore: KeyStore, root: IssuedKey
) -> None:
    issued = await new_key(log, keystore, bucket="photos", read_only=True)
    key = await asked(log, keystore).signing_key(issued.key_id)
    assert key is not None
    assert (key.principal.bucket, key.principal.read_only) == ("photos", True)


async def test_a_key_disabled_by_another_process_is_refused_at_once(
    log: SqliteLog, keystore: KeyStore, root: IssuedKey
) -> None:
    other = await SqliteLog.open(log.path, views=[IdentityView()])
    authenticator = asked(log, keystore)
    assert await authenticator.signing_key(root.key_id) is not None
    await switch_access_key(other, root.key_id, enabled=False, actor=ME)
    assert await authenticator.signing_key(root.key_id) is None
    await switch_access_key(other, root.key_id, enabled=True, actor=ME)
    assert await authenticator.signing_key(root.key_id) is not None
    await other.close()


async def test_no_key_of_a_disabled_user_works(
    log: SqliteLog, keystore: KeyStore, root: IssuedKey
) -> None:
    authenticator = asked(log, keystore)
    user_id = (await admin_ids(log))["user_id"]
    await change_user(log, keystore, await get_user(log, user_id), {}, enabled=False, actor=ME)
    assert await authenticator.signing_key(root.key_id) is None
    await change_user(log, keystore, await get_user(log, user_id), {}, enabled=True, actor=ME)
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
    nobody = {"user_id": "0" * 32, "project_id": "0" * 32}
    with pytest.raises(NoSuch, match="user"):
        await create_access_key(log, keystore, draw_key(IDS), **nobody, actor=ME)
    assert log.head() == 0


async def test_a_user_s_name_is_taken_once(
    log: SqliteLog, keystore: KeyStore, root: IssuedKey
) -> None:
    with pytest.raises(NameTaken, match="admin"):
        await found(log, keystore, draw_key(IDS))


async def test_the_log_holds_no_secret_in_clear(
    log: SqliteLog, keystore: KeyStore, root: IssuedKey, tmp_path: Path
) -> None:
    issued = await new_key(log, keystore)
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
    authenticator = asked(log, open_keystore(tmp_path / "other", IDS))
    with pytest.raises(SealBroken):
        await authenticator.signing_key(root.key_id)
