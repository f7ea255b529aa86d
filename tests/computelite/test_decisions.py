"""Access, from identity's tables to the decision: by key, by token, and after a replay."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from itertools import product
from pathlib import Path

import pytest

from computelite.identity.authenticator import LogAuthenticator
from computelite.identity.callers import Callers
from computelite.identity.commands.access_keys import create_access_key, draw_key
from computelite.identity.commands.assignments import grant_role, revoke_role
from computelite.identity.commands.domains import create_domain
from computelite.identity.commands.founding import found_identity
from computelite.identity.commands.projects import create_project
from computelite.identity.commands.roles import create_role
from computelite.identity.commands.users import create_user
from computelite.identity.queries import all_roles
from computelite.identity.rows import Assignment
from computelite.identity.tokens import ScopeKind, Token, audit_id_from, seal_token
from computelite.keystore import KeyStore, create_keystore, open_keystore
from computelite.secret import Secret
from computelite.views import VIEWS
from eventlog.clock import SystemClock, SystemIds
from eventlog.database import open_database, run
from eventlog.log import Actor
from eventlog.rebuild import rebuild
from eventlog.sqlite import SqliteLog
from swiftlite.access import Action, Decision, decide
from swiftlite.auth import ANONYMOUS, Principal
from swiftlite.catalog.buckets import create_bucket, list_buckets
from swiftlite.catalog.rows import Bucket

IDS, CLOCK = SystemIds(), SystemClock()
ME = Actor(id="test")
Decisions = Mapping[tuple[str, str, Action], Decision]


class Place:
    """Two projects and one of another domain, users with all sorts of rights, shared buckets."""

    def __init__(self, log: SqliteLog, keystore: KeyStore) -> None:
        self.log = log
        self.keystore = keystore
        self.keys: dict[str, str] = {}
        self.tokens: dict[str, str] = {}
        self.grants: dict[str, Assignment] = {}

    def reopened(self, log: SqliteLog) -> Place:
        place = Place(log, self.keystore)
        place.keys, place.tokens = self.keys, self.tokens
        return place

    async def fill(self) -> None:
        log = self.log
        password = Secret("a-pass-word")
        await found_identity(
            log, IDS, self.keystore, name="admin", region="R", password=password,
            issued=draw_key(IDS), actor=ME,
        )  # fmt: skip
        facts = {"description": "", "enabled": True, "options": {}, "extra": {}}
        await create_domain(log, IDS, name="far", domain_id="far", actor=ME, **facts)
        await create_role(log, IDS, name="Auditor", actor=ME)
        projects: dict[str, str] = {}
        for domain, name in (("default", "sales"), ("default", "lab"), ("far", "sales")):
            made = await create_project(
                log, IDS, domain_id=domain, parent_id=domain, name=name, actor=ME
            )
            projects[f"{domain}/{name}"] = made.id
        sales, lab, far = projects.values()
        for name, domain, project, role in (
            ("ann", "default", sales, "member"),
            ("bob", "default", sales, "reader"),
            ("eve", "default", sales, "service"),
            ("kim", "default", lab, "manager"),
            ("lee", "default", lab, "Auditor"),
            ("max", "default", sales, "Auditor"),
            ("ray", "default", lab, "ResellerAdmin"),
            ("ann", "far", far, "member"),
        ):
            await self._user(f"{name}@{domain}", name, domain, project, role)
        first, *_ = self.keys
        ann = self.grants[first].user_id
        await create_access_key(
            log, self.keystore, key := draw_key(IDS), user_id=ann, project_id=sales, actor=ME,
            bucket="shared", read_only=True,
        )  # fmt: skip
        self.keys["ann's narrow key"] = key.key_id
        for name, read, write in (
            ("plain", "", ""),
            ("public", ".r:*,.rlistings", ""),
            ("shared", "sales:ann,Auditor", f"{lab}:*"),
            ("by-id", f"*:{ann}", f"{far}:*"),
            ("for-all", "*:*", "*:*"),
        ):
            for project in projects.values():
                said = {"read-acl": read, "write-acl": write}
                said = {key: text for key, text in said.items() if text}
                where = {"project_id": project, "owner": "o", "region": "r"}
                await create_bucket(log, IDS, name, **where, claimed=False, said=said, actor=ME)

    async def _user(self, who: str, name: str, domain: str, project: str, role: str) -> None:
        log = self.log
        user = await create_user(log, IDS, self.keystore, domain_id=domain, name=name, actor=ME)
        found = next((r for r in (await all_roles(log)).values() if r.name == role), None)
        assert found is not None, role
        grant = Assignment(
            role_id=found.id, user_id=user.id, group_id="", project_id=project, domain_id="",
            system=False, inherited=False,
        )  # fmt: skip
        await grant_role(log, grant, actor=ME)
        self.grants[who] = grant
        key = draw_key(IDS)
        await create_access_key(
            log, self.keystore, key, user_id=user.id, project_id=project, actor=ME
        )
        self.keys[who] = key.key_id
        audit = audit_id_from(IDS.random(16))
        self.tokens[who] = seal_token(
            Token(
                user_id=user.id, user_stamp=user.tokens_from, methods=("password",),
                issued_us=CLOCK.now_us(), expires_s=CLOCK.now_us() // 1_000_000 + 3600,
                audit_id=audit, chain_id=audit, scope=ScopeKind.PROJECT, scope_id=project,
            ),
            self.keystore,
        )  # fmt: skip

    async def principals(self) -> dict[str, Principal]:
        callers = Callers(self.log, self.keystore, CLOCK)
        asked = LogAuthenticator(self.log, self.keystore, CLOCK, callers)
        found = {"anonymous": ANONYMOUS}
        for who, key_id in self.keys.items():
            key = await asked.signing_key(key_id)
            assert key is not None
            found[f"{who} by key"] = key.principal
        for who, token in self.tokens.items():
            principal = await asked.bearer(token)
            if principal is not None:
                found[f"{who} by token"] = principal
        return found

    async def buckets(self) -> list[Bucket]:
        found: list[Bucket] = []
        for project in {grant.project_id for grant in self.grants.values()}:
            found += (await list_buckets(self.log, project)).entries
        return found


async def decisions(place: Place, buckets: list[Bucket]) -> Decisions:
    rows = [await place.log.get("bucket", bucket.id) for bucket in buckets]
    return {
        (who, f"{row.project_id}/{row.name}", action): decide(
            principal, action, bucket_name=row.name, bucket=row
        )
        for (who, principal), row, action in product(
            (await place.principals()).items(), rows, Action
        )
    }


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    create_keystore(tmp_path / "keystore", IDS)
    keystore = open_keystore(tmp_path / "keystore", IDS)
    log = await SqliteLog.open(tmp_path / "log.db", views=VIEWS)
    place = Place(log, keystore)
    await place.fill()
    yield place
    await place.log.close()


async def test_a_user_gets_the_same_answers_by_key_and_by_token(place: Place) -> None:
    found = await decisions(place, await place.buckets())
    for (who, bucket, action), decision in found.items():
        if who.endswith(" by token"):
            other = who.replace(" by token", " by key")
            assert found[other, bucket, action] == decision, (who, bucket, action)


async def test_what_rights_come_to_in_all(place: Place) -> None:
    found = await decisions(place, await place.buckets())
    of = {who: grant.project_id for who, grant in place.grants.items()}
    sales, lab, far = of["ann@default"], of["kim@default"], of["ann@far"]

    def may(who: str, project: str, bucket: str, action: Action) -> bool:
        return found[f"{who} by key", f"{project}/{bucket}", action].allowed

    assert may("ann@default", sales, "plain", Action.WRITE)
    assert not may("ann@default", lab, "plain", Action.READ)
    assert may("ann@default", lab, "shared", Action.READ)
    assert not may("ann@far", lab, "shared", Action.READ)  # names are the default domain's
    assert may("ann@far", lab, "by-id", Action.WRITE)
    assert may("bob@default", sales, "plain", Action.READ)
    assert not may("bob@default", sales, "plain", Action.WRITE)
    assert not may("eve@default", sales, "plain", Action.READ)
    assert may("kim@default", sales, "shared", Action.WRITE)
    assert not may("kim@default", sales, "shared", Action.READ)
    assert may("max@default", sales, "shared", Action.READ)
    assert not may("lee@default", sales, "shared", Action.READ)  # an auditor elsewhere
    assert may("ray@default", far, "plain", Action.DELETE_BUCKET)
    assert found["anonymous", f"{far}/public", Action.READ].allowed
    assert not found["anonymous", f"{far}/for-all", Action.READ].allowed
    assert found["ann's narrow key by key", f"{sales}/shared", Action.READ].allowed
    assert not found["ann's narrow key by key", f"{sales}/shared", Action.WRITE].allowed
    assert not found["ann's narrow key by key", f"{lab}/shared", Action.READ].allowed


async def test_a_role_that_was_taken_away_is_gone_from_key_and_token(place: Place) -> None:
    await revoke_role(place.log, place.grants["ann@default"], actor=ME)
    principals = await place.principals()
    assert "ann@default by token" not in principals
    by_key = principals["ann@default by key"]
    assert by_key.roles == ()


async def test_with_all_views_deleted_and_replayed_every_decision_is_the_same(
    place: Place, tmp_path: Path
) -> None:
    await revoke_role(place.log, place.grants["bob@default"], actor=ME)
    buckets = await place.buckets()
    before = await decisions(place, buckets)
    allowed = sum(decision.allowed for decision in before.values())
    assert 100 < allowed < len(before) - 100
    await place.log.close()
    path = tmp_path / "log.db"
    connection = open_database(path)
    tables = [
        name
        for (name,) in run(connection, "SELECT name FROM sqlite_schema WHERE type = 'table'")
        if name.startswith("v_")
    ]
    assert len(tables) > 20
    for name in tables:
        run(connection, f'DELETE FROM "{name}"')
    connection.close()
    rebuild(path, VIEWS)
    place.log = await SqliteLog.open(path, views=VIEWS)
    assert await decisions(place, buckets) == before
