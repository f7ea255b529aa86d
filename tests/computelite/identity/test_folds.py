"""The identity tables: a fold of the log that a rebuild repeats, and in which nothing is left."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from computelite.identity.events import actors, catalog, credentials, roles
from computelite.identity.keys import id_key
from computelite.identity.view import FOLDS, IdentityView
from eventlog.event import Event
from eventlog.log import Actor
from eventlog.rebuild import rebuild
from eventlog.sqlite import SqliteLog
from tests.computelite.identity.test_events import SAMPLES

ME = Actor(id="test")


@pytest.fixture
async def log(tmp_path: Path) -> AsyncIterator[SqliteLog]:
    log = await SqliteLog.open(tmp_path / "log.db", views=[IdentityView()])
    yield log
    await log.close()


async def tables(log: SqliteLog) -> dict[str, list[tuple[bytes, Any]]]:
    return {name: await log.scan(name, b"", None, limit=10_000) for name in IdentityView.tables}


def test_every_event_has_a_fold() -> None:
    assert FOLDS.keys() == IdentityView.handles


@pytest.mark.parametrize("seed", range(4))
async def test_any_order_of_events_is_folded_without_fail_and_rebuilt_to_the_same(
    log: SqliteLog, seed: int
) -> None:
    """An event about something that was erased, or never was, changes nothing and fails nothing."""
    draw = random.Random(seed)
    for _ in range(6):
        for sample in draw.sample(SAMPLES, len(SAMPLES)):
            await log.append("any", [sample], actor=ME)
    before = await tables(log)
    await log.close()
    (rebuilt,) = rebuild(log.path, [IdentityView()], only=["identity"], compare=True)
    assert rebuilt.differences == []
    again = await SqliteLog.open(log.path, views=[IdentityView()])
    assert await tables(again) == before
    await again.close()


async def test_what_is_deleted_leaves_no_row_behind(log: SqliteLog) -> None:
    """All samples in the order of life, then everything deleted: the tables are empty."""
    making = [each for each in SAMPLES if type(each).__name__.endswith(("Created", "Added"))]
    making += [each for each in SAMPLES if isinstance(each, roles.RoleImplied)]
    grant = next(each for each in SAMPLES if isinstance(each, roles.RoleGranted))
    nobody = {"user_id": "", "group_id": "", "project_id": "", "domain_id": "", "system": False}
    for actor in ("user_id", "group_id"):
        for place in ("project_id", "domain_id"):
            named = {name: getattr(grant, name) for name in (actor, place)}
            making.append(msgspec.structs.replace(grant, **nobody | named))
    for event in making:
        await log.append("s", [event], actor=ME)
    full = {name for name, rows in (await tables(log)).items() if rows}
    assert full == set(IdentityView.tables) - {"revoked", "revoked_until"}
    gone = (
        "UserDeleted",
        "GroupDeleted",
        "ProjectDeleted",
        "RoleDeleted",
        "DomainDeleted",
        "ServiceDeleted",
        "EndpointGroupDeleted",
        "RegionDeleted",
        "PolicyDeleted",
        "RegisteredLimitDeleted",
        "LimitDeleted",
    )
    for name in gone:
        event = next(each for each in SAMPLES if type(each).__name__ == name)
        await log.append("s", [event], actor=ME)
    left = {name: rows for name, rows in (await tables(log)).items() if rows}
    assert set(left) == {"identity"}


async def test_a_project_that_goes_takes_the_keys_and_credentials_on_it(log: SqliteLog) -> None:
    def sample(kind: type[Event]) -> Event:
        return next(each for each in SAMPLES if isinstance(each, kind))

    for kind in (
        actors.ProjectCreated,
        actors.UserCreated,
        credentials.AccessKeyCreated,
        credentials.ApplicationCredentialCreated,
        actors.ProjectDeleted,
    ):
        await log.append("s", [sample(kind)], actor=ME)
    found = await tables(log)
    for table in ("access_key", "key_of_user", "application_credential", "key_on_project"):
        assert found[table] == [], table
    assert found["user"] != []


@pytest.mark.parametrize(
    "gone",
    [
        catalog.EndpointDeleted,
        catalog.ServiceDeleted,
        catalog.EndpointGroupDeleted,
        actors.ProjectDeleted,
    ],
)
async def test_what_a_project_was_shown_goes_with_either_side(
    log: SqliteLog, gone: type[Event]
) -> None:
    """And what others were shown, or what else the project was shown, stays."""

    def sample(kind: type[Event]) -> Any:
        return next(each for each in SAMPLES if isinstance(each, kind))

    added = [sample(catalog.EndpointProjectAdded), sample(catalog.EndpointGroupProjectAdded)]
    elsewhere = [msgspec.structs.replace(each, project_id="7" * 32) for each in added]
    made = [sample(catalog.EndpointCreated), sample(catalog.EndpointGroupCreated)]
    for event in (*made, *added, *elsewhere, sample(gone)):
        await log.append("s", [event], actor=ME)
    found = await tables(log)
    left = {
        (row.project_id, "group" if row.endpoint_group_id else "endpoint")
        for _, row in found["association"]
    }
    mine = {(added[0].project_id, "endpoint"), (added[0].project_id, "group")}
    others = {("7" * 32, "endpoint"), ("7" * 32, "group")}
    if gone is actors.ProjectDeleted:
        assert left == others
    else:
        kept = "endpoint" if gone is catalog.EndpointGroupDeleted else "group"
        assert left == {each for each in mine | others if each[1] == kept}
    assert [row for _, row in found["association"]] == sorted(
        (row for _, row in found["association_of"]),
        key=lambda row: (row.project_id, "e" if row.endpoint_id else "g"),
    )


async def test_a_renamed_user_is_found_by_the_new_name_alone(log: SqliteLog) -> None:
    user_id = "a" * 32
    await log.append("s", [actors.UserCreated(user_id=user_id, name="ann")], actor=ME)
    await log.append("s", [actors.UserChanged(user_id=user_id, name="eve")], actor=ME)
    names = [key for key, _ in (await tables(log))["user_name"]]
    assert names == [b"default\0eve"]


async def test_revoked_tokens_are_forgotten_once_they_had_expired_anyway(log: SqliteLog) -> None:
    def revoked(number: int, expires_us: int) -> Event:
        return credentials.TokenRevoked(
            user_id="u", audit_id=f"audit{number}", expires_us=expires_us
        )

    for number in range(10):
        await log.append("s", [revoked(number, 1)], actor=ME)
    for number in range(10, 20):
        await log.append("s", [revoked(number, 1 << 60)], actor=ME)
    found = await tables(log)
    assert {key.decode() for key, _ in found["revoked"]} == {f"audit{n}" for n in range(10, 20)}
    assert len(found["revoked_until"]) == 10
    await log.append("s", [revoked(10, 1)], actor=ME)  # again, with a shorter life
    assert (await log.get("revoked", id_key("audit10"))).expires_us == 1 << 60
    assert len((await tables(log))["revoked_until"]) == 10
