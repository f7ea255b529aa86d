"""Commands from two processes at once: names are taken once, and nothing is left in the air."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from computelite.errors import NameTaken
from computelite.identity.commands.assignments import grant_role
from computelite.identity.commands.domains import change_domain, create_domain, delete_domain
from computelite.identity.commands.groups import add_member, create_group
from computelite.identity.commands.projects import (
    TAGS_MAX,
    change_project,
    create_project,
    delete_project,
    tag_project,
)
from computelite.identity.commands.roles import create_role, delete_role
from computelite.identity.commands.users import create_user, delete_user
from computelite.identity.errors import NoSuch, NotAllowed
from computelite.identity.queries import get_project
from computelite.identity.rows import Assignment
from computelite.identity.view import IdentityView
from computelite.keystore import KeyStore, create_keystore, open_keystore
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
async def logs(tmp_path: Path) -> AsyncIterator[list[SqliteLog]]:
    """The same log as two processes have it."""
    found = [await SqliteLog.open(tmp_path / "log.db", views=[IdentityView()]) for _ in range(2)]
    await create_domain(found[0], IDS, name="acme", domain_id="d" * 32, actor=ME)
    yield found
    for log in found:
        await log.close()


async def outcomes(*coroutines: Any) -> list[Any]:
    return [
        type(each) if isinstance(each, Exception) else None
        for each in await asyncio.gather(*coroutines, return_exceptions=True)
    ]


INSIDE = {"domain_id": "d" * 32, "actor": ME}


@pytest.mark.parametrize("kind", ["domain", "project", "user", "group", "role"])
async def test_of_two_processes_that_want_a_name_one_gets_it(
    logs: list[SqliteLog], keystore: KeyStore, kind: str
) -> None:
    def make(log: SqliteLog) -> Any:
        named = {"name": "wanted", **INSIDE}
        match kind:
            case "domain":
                return create_domain(log, IDS, name="wanted", actor=ME)
            case "project":
                return create_project(log, IDS, parent_id="d" * 32, **named)
            case "user":
                return create_user(log, IDS, keystore, **named)
            case "group":
                return create_group(log, IDS, **named)
            case _:
                return create_role(log, IDS, **named)

    found = await outcomes(*(make(log) for log in logs * 5))
    assert sorted(map(str, found)) == sorted(map(str, [None] + [NameTaken] * 9))


async def test_nobody_comes_into_a_domain_while_it_goes(
    logs: list[SqliteLog], keystore: KeyStore
) -> None:
    domain = await create_domain(logs[0], IDS, name="going", actor=ME, enabled=False)
    inside = {"domain_id": domain.id, "actor": ME}
    for number in range(5):
        await create_user(logs[0], IDS, keystore, name=f"u{number}", **inside)
    makers = [
        create_user(logs[1], IDS, keystore, name=f"late{number}", **inside) for number in range(20)
    ]
    found = await outcomes(delete_domain(logs[0], domain.id, actor=ME), *makers)
    assert found[0] is None
    assert set(found[1:]) <= {None, NoSuch}
    lo = domain.id.encode()
    for table in ("user_name", "project_name", "group_name", "role_name"):
        assert await logs[0].scan(table, lo, lo + b"\1", limit=10) == []
    users = await logs[0].scan("user", b"", None, limit=100)
    assert all(row.domain_id != domain.id for _, row in users)


async def test_a_role_given_while_it_or_its_holder_goes_is_given_or_refused(
    logs: list[SqliteLog], keystore: KeyStore
) -> None:
    for number in range(8):
        user = await create_user(logs[0], IDS, keystore, name=f"u{number}", **INSIDE)
        role = await create_role(logs[0], IDS, name=f"r{number}", actor=ME)
        grant = Assignment(
            role_id=role.id,
            user_id=user.id,
            group_id="",
            project_id="",
            domain_id="d" * 32,
            system=False,
            inherited=False,
        )
        going = (
            delete_user(logs[1], user.id, actor=ME)
            if number % 2
            else delete_role(logs[1], role.id, actor=ME)
        )
        found = await outcomes(grant_role(logs[0], grant, actor=ME), going)
        assert found in ([None, None], [NoSuch, None])
    for table in ("assignment", "assignment_on"):
        assert await logs[0].scan(table, b"", None, limit=10) == []


async def test_nobody_joins_a_group_as_they_go(logs: list[SqliteLog], keystore: KeyStore) -> None:
    group = await create_group(logs[0], IDS, name="them", **INSIDE)
    user = await create_user(logs[0], IDS, keystore, name="ann", **INSIDE)
    await outcomes(
        delete_user(logs[1], user.id, actor=ME), add_member(logs[0], group.id, user.id, actor=ME)
    )
    assert await logs[0].scan("member", b"", None, limit=10) == []


async def test_a_child_and_its_parent_s_end_do_not_cross(logs: list[SqliteLog]) -> None:
    for number in range(8):
        parent = await create_project(logs[0], IDS, name=f"p{number}", parent_id="d" * 32, **INSIDE)
        found = await outcomes(
            create_project(logs[0], IDS, name=f"c{number}", parent_id=parent.id, **INSIDE),
            delete_project(logs[1], parent.id, actor=ME),
        )
        assert found in ([None, NotAllowed], [NoSuch, None])


async def test_a_project_is_not_disabled_while_a_child_becomes_enabled(
    logs: list[SqliteLog],
) -> None:
    for number in range(8):
        parent = await create_project(logs[0], IDS, name=f"p{number}", parent_id="d" * 32, **INSIDE)
        child = await create_project(
            logs[0], IDS, name=f"c{number}", parent_id=parent.id, enabled=False, **INSIDE
        )
        await outcomes(
            change_project(logs[0], child, {"enabled": True}, actor=ME),
            change_project(logs[1], parent, {"enabled": False}, actor=ME),
        )
        now = [await get_project(logs[0], each.id) for each in (parent, child)]
        assert [each.enabled for each in now] != [False, True]


async def test_tags_given_at_once_are_all_there_up_to_the_limit(logs: list[SqliteLog]) -> None:
    project = await create_project(logs[0], IDS, name="web", parent_id="d" * 32, **INSIDE)
    found = await outcomes(
        *(
            tag_project(logs[number % 2], project.id, f"t{number}", actor=ME)
            for number in range(TAGS_MAX + 10)
        )
    )
    assert found.count(NotAllowed) == 10
    assert len((await get_project(logs[0], project.id)).tags) == TAGS_MAX


async def test_the_default_domain_stays(logs: list[SqliteLog]) -> None:
    domain = await create_domain(logs[0], IDS, name="Default", domain_id="default", actor=ME)
    with pytest.raises(NotAllowed):
        await change_domain(logs[0], domain, {"enabled": False}, actor=ME)
    with pytest.raises(NotAllowed):
        await delete_domain(logs[0], "default", actor=ME)
