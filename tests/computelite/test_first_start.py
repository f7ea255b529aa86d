"""The first start: cut anywhere, starting again makes one whole cloud."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from computelite import files, first_start
from computelite.credentials import Chosen, read_credentials
from computelite.errors import WrongUsage
from computelite.first_start import prepare, settle_record
from computelite.folder import Folder, lock_folder, make_folder
from computelite.identity import passwords
from computelite.identity.authenticator import LogAuthenticator
from computelite.identity.callers import Callers
from computelite.identity.commands.access_keys import key_created
from computelite.identity.commands.common import new_id
from computelite.identity.commands.users import password_set
from computelite.identity.events.actors import (
    ProjectCreated,
    UserCreated,
    project_stream,
    user_stream,
)
from computelite.identity.events.roles import RoleGranted, built_in_role_id
from computelite.identity.queries import roles_of
from computelite.identity.roles import Target
from computelite.keystore import KeyStore, open_keystore
from computelite.secret import Secret
from computelite.views import VIEWS
from eventlog.clock import Ids, SystemClock, SystemIds
from eventlog.sqlite import SqliteLog

CUT = 77
NOTHING_CHOSEN = Chosen()


@pytest.fixture(autouse=True)
def quick_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Dozens of first starts need not be slow to attack."""
    monkeypatch.setattr(passwords, "_MEMORY_KIB", 64)
    monkeypatch.setattr(passwords, "_LANES", 1)


def start(folder: Folder, chosen: Chosen = NOTHING_CHOSEN) -> None:
    """Do what `serve` does before it forks its children."""
    clock, ids = SystemClock(), SystemIds()
    make_folder(folder)
    lock = lock_folder(folder, clock)
    record = settle_record(folder, devices="3", code="2+1", log="", ids=ids)
    urls = {"s3": "http://s3", "api": "http://api"}
    asyncio.run(prepare(folder, record, chosen=chosen, **urls, clock=clock, ids=ids))
    os.close(lock)


def start_cut_at(folder: Folder, step: int) -> bool:
    """The same in a process that dies before its `step`-th change; say whether it came so far."""
    pid = os.fork()
    if pid == 0:
        left = [step]

        def count(*_: object) -> None:
            left[0] -= 1
            if left[0] <= 0:
                os._exit(CUT)

        for module, name in ((os, "fsync"), (os, "fdatasync"), (os, "replace"), (os, "mkdir")):
            before(module, name, count)
        before(SqliteLog, "append", count)
        try:
            start(folder)
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == CUT


def before(owner: object, name: str, count: object) -> None:
    original = getattr(owner, name)
    assert callable(count)

    def counted(*args: object, **named: object) -> object:
        count()
        return original(*args, **named)

    setattr(owner, name, counted)


async def kinds(folder: Folder) -> list[str]:
    log = await SqliteLog.open(folder.log, views=VIEWS)
    found = [rec.type async for rec in log.read()]
    await log.close()
    return found


def check_whole(folder: Folder) -> None:
    found = asyncio.run(kinds(folder))
    assert found.count("device.added") == 3
    assert found.count("role.created") == 6
    assert found.count("project.created") == 2
    for once in ("ring.built", "domain.created", "user.created", "access-key.created"):
        assert found.count(once) == 1, found
    for device in ("d1", "d2", "d3"):
        assert (folder.root / "devices" / device / "device.json").exists()
    assert read_credentials(folder) is not None


@pytest.mark.parametrize(
    "offset", [0, *(pytest.param(offset, marks=pytest.mark.slow) for offset in range(1, 7))]
)
def test_cut_before_any_of_its_changes_it_is_finished_by_the_next_start(
    tmp_path: Path, offset: int
) -> None:
    step, cuts = 1 + offset, 0
    while True:
        folder = Folder(tmp_path / str(step) / "data")
        (tmp_path / str(step)).mkdir()
        if not start_cut_at(folder, step):
            break
        cuts += 1
        start(folder)
        check_whole(folder)
        step += 7
    assert cuts >= 4


def test_the_secrets_that_were_written_first_are_those_that_work_later(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "data")
    pid = os.fork()
    if pid == 0:
        first_start.found_identity = lambda *_, **__: os._exit(CUT)  # type: ignore[assignment]
        start(folder)
        os._exit(0)
    os.waitpid(pid, 0)
    drawn = read_credentials(folder)
    start(folder)
    assert drawn is not None
    assert read_credentials(folder) == drawn


def test_a_lost_credentials_file_is_written_again_without_the_password(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "data")
    start(folder)
    first = read_credentials(folder)
    folder.credentials.unlink()
    start(folder)
    again = read_credentials(folder)
    assert first is not None
    assert again is not None
    assert again.key == first.key
    assert (first.password is not None, again.password) == (True, None)


def test_a_start_changes_nothing_in_the_log_of_a_cloud_that_is_there(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "data")
    start(folder)
    before = asyncio.run(kinds(folder))
    start(folder)
    assert asyncio.run(kinds(folder)) == before


async def found_as_once(log: SqliteLog, ids: Ids, keystore: KeyStore, **how: Any) -> None:
    """Found identity as the first version did: a project, a user, a role on it, a key."""
    project_id, user_id = new_id(ids), new_id(ids)
    name, actor = how["name"], how["actor"]
    created = ProjectCreated(project_id=project_id, name=name)
    await log.append(project_stream(project_id), [created], actor=actor)
    verifier = passwords.password_verifier(how["password"], ids)
    role_id = built_in_role_id("admin")
    events = [
        UserCreated(user_id=user_id, name=name),
        password_set(keystore, user_id, verifier),
        RoleGranted(user_id=user_id, project_id=project_id, role_id=role_id),
        key_created(keystore, how["issued"], user_id=user_id, project_id=project_id),
    ]
    await log.append(user_stream(user_id), events, actor=actor)


async def what_the_root_key_may(folder: Folder) -> set[str]:
    """Return the roles of the root key, and "system" if its user is admin of that too."""
    root = read_credentials(folder)
    assert root is not None
    clock, ids = SystemClock(), SystemIds()
    log = await SqliteLog.open(folder.log, views=VIEWS)
    keystore = open_keystore(folder.keystore, ids)
    authenticator = LogAuthenticator(log, keystore, clock, Callers(log, keystore, clock))
    key = await authenticator.signing_key(root.key.key_id)
    assert key is not None, "storage does not know the root key"
    system = await roles_of(log, key.principal.user_id, Target(system=True))
    await log.close()
    return {*key.principal.roles, *(["system"] if "admin" in {r.name for r in system} else [])}


def test_a_cloud_of_the_first_version_is_given_what_it_lacks_wherever_that_is_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for step in range(1, 100, 2):
        folder = Folder(tmp_path / str(step) / "data")
        (tmp_path / str(step)).mkdir()
        with monkeypatch.context() as patched:
            patched.setattr(first_start, "found_identity", found_as_once)
            start(folder)
        assert "domain.created" not in asyncio.run(kinds(folder))
        was_cut = start_cut_at(folder, step)
        start(folder)
        check_whole(folder)
        may = asyncio.run(what_the_root_key_may(folder))
        assert may == {"admin", "manager", "member", "reader", "system"}
        if not was_cut:
            break
    assert step > 12


def test_another_root_key_than_the_recorded_one_is_refused_without_showing_it(
    tmp_path: Path,
) -> None:
    folder = Folder(tmp_path / "data")
    start(folder)
    chosen = Chosen(access_key="somebody", secret_key=Secret("some-secret"))
    with pytest.raises(WrongUsage, match="CUMULOG_ROOT_ACCESS_KEY") as error:
        start(folder, chosen)
    assert "some-secret" not in str(error.value)


@pytest.mark.parametrize(
    ("env", "named"),
    [
        ({"CUMULOG_ROOT_ACCESS_KEY": "only"}, "go together"),
        ({"CUMULOG_ROOT_ACCESS_KEY": "a/b", "CUMULOG_ROOT_SECRET_KEY": "12345678"}, "ACCESS_KEY"),
        ({"CUMULOG_ROOT_ACCESS_KEY": "abc", "CUMULOG_ROOT_SECRET_KEY": "short"}, "SECRET_KEY"),
        ({"CUMULOG_ADMIN_PASSWORD": "has a space"}, "ADMIN_PASSWORD"),
        ({"CUMULOG_ADMIN_PASSWORD": "line\nbreak-here"}, "ADMIN_PASSWORD"),
    ],
)
def test_secrets_that_could_not_be_used_are_refused(env: dict[str, str], named: str) -> None:
    with pytest.raises(WrongUsage, match=named) as error:
        Chosen.from_environment(env)
    assert not any(value in str(error.value) for value in env.values() if value != "only")


def test_a_small_file_is_replaced_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    files.write_new(path, b"old", mode=0o600)

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space"):
        files.write_new(path, b"new", mode=0o600)
    assert path.read_bytes() == b"old"
