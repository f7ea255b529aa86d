"""A founded cloud's identity behind the real app, with callers of every kind."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from computelite.identity import passwords
from computelite.identity.caller import Caller, HeldRole, Named, ScopeProject, UsedCredential
from computelite.identity.commands.access_keys import draw_key
from computelite.identity.commands.founding import found_identity
from computelite.identity.doors import open_doors
from computelite.identity.keys import id_key
from computelite.identity.login.lockout import Rules
from computelite.identity.login.view import LoginView
from computelite.identity.queries import project_named, project_target, roles_of, user_named
from computelite.identity.roles import Target
from computelite.identity.view import IdentityView
from computelite.keystone.app import KeystoneApp
from computelite.keystone.service import IdentityService
from computelite.keystore import create_keystore, open_keystore
from computelite.secret import Secret
from eventlog.clock import SystemClock, SystemIds
from eventlog.log import Actor
from eventlog.sqlite import SqliteLog
from tests.computelite.edge import API_URL, Answer, Edge
from tests.computelite.keystone.house import House, house_in

IDS = SystemIds()
ME = Actor(id="test")


class Spoken:
    """Takes a token that says itself whose it is and where: "USER project ID [CREDENTIAL]"."""

    def __init__(self, log: SqliteLog) -> None:
        self._log = log

    async def known(self, text: str, *, late_s: int = 0) -> None:
        """There is no such token."""

    async def caller(self, token: str) -> Caller | None:
        user_id, scope, *more = token.split()
        log = self._log
        user = await log.get("user", id_key(user_id))
        if user is None or not user.enabled:
            return None
        domain = await log.get("domain", id_key(user.domain_id))
        facts: dict[str, Any] = {}
        target, through = Target(), None
        if scope == "project":
            project = await log.get("project", id_key(more[0]))
            home = await log.get("domain", id_key(project.domain_id))
            facts["project"] = ScopeProject(
                id=project.id, name=project.name, domain=Named(id=home.id, name=home.name)
            )
            target = await project_target(log, project)
        elif scope == "domain":
            row = await log.get("domain", id_key(more[0]))
            facts["domain"] = Named(id=row.id, name=row.name)
            target = Target(domain_id=row.id)
        elif scope == "system":
            facts["is_system"] = True
            target = Target(system=True)
        if len(more) > 1:
            through = await log.get("application_credential", id_key(more[1]))
            facts["credential"] = UsedCredential(
                id=through.id, name=through.name, unrestricted=through.unrestricted
            )
        held = await roles_of(log, user_id, target, through=through)
        return Caller(
            user=Named(id=user.id, name=user.name),
            user_domain=Named(id=domain.id, name=domain.name),
            roles=tuple(HeldRole(id=role.id, name=role.name) for role in held),
            **facts,
        )


class Identity:
    """Sends requests as somebody, and makes what tests need."""

    def __init__(self, edge: Edge, log: SqliteLog) -> None:
        self.edge = edge
        self.log = log
        self.token = ""
        self.admin_id = ""
        self.admin_project = ""

    async def send(
        self, method: str, path: str, document: object = None, *, token: str | None = None
    ) -> Answer:
        """Send a request below /identity/v3, as the admin unless a token is given."""
        return await self.edge.send(
            method, "/v3" + path, document, token=self.token if token is None else token
        )

    async def make(self, path: str, member: str, **fields: Any) -> Any:
        """Create something as the admin; return what the answer shows."""
        answer = await self.send("POST", path, {member: fields})
        assert answer.status == 201, answer.text
        return answer.json[member]

    async def get(self, path: str, *, token: str | None = None) -> Any:
        """Return the JSON of a GET that is answered."""
        answer = await self.send("GET", path, token=token)
        assert answer.status == 200, answer.text
        return answer.json

    async def names(self, path: str, *, token: str | None = None) -> set[str]:
        """Return the names in the list that a GET answers."""
        found = await self.get(path, token=token)
        (members,) = (value for name, value in found.items() if name != "links")
        return {each["name"] for each in members}

    async def role_id(self, name: str) -> str:
        (role,) = (await self.get(f"/roles?name={name}"))["roles"]
        return str(role["id"])

    async def grant(self, path: str, role: str) -> None:
        """Give a role: grant("/projects/P/users/U", "member")."""
        answer = await self.send("PUT", f"{path}/roles/{await self.role_id(role)}")
        assert answer.status == 204, answer.text

    async def person(self, name: str, role: str, **scope: str) -> str:
        """Make a user with a role in a scope; return their token in it.

        person("ann", "manager", domain=ID), (..., project=ID), (..., system="all").
        """
        ((kind, where),) = scope.items()
        home = where if kind == "domain" else "default"
        if kind == "project":
            home = (await self.get(f"/projects/{where}"))["project"]["domain_id"]
        user = await self.make("/users", "user", name=name, domain_id=home)
        place = "/system" if kind == "system" else f"/{kind}s/{where}"
        await self.grant(f"{place}/users/{user['id']}", role)
        return f"{user['id']} {kind} {where}"


@pytest.fixture
def quick_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hundreds of users need not be slow to attack."""
    monkeypatch.setattr(passwords, "_MEMORY_KIB", 64)
    monkeypatch.setattr(passwords, "_LANES", 1)


@pytest.fixture
async def identity(tmp_path: Path, quick_passwords: None) -> AsyncIterator[Identity]:
    create_keystore(tmp_path / "keystore", IDS)
    keystore = open_keystore(tmp_path / "keystore", IDS)
    log = await SqliteLog.open(tmp_path / "log.db", views=[IdentityView(), LoginView()])
    await found_identity(
        log,
        IDS,
        keystore,
        name="admin",
        region="RegionOne",
        password=Secret("a-pass-word"),
        issued=draw_key(IDS),
        actor=ME,
    )
    clock = SystemClock()
    doors = open_doors(log, keystore, clock, IDS, token_s=3600, rules=Rules())
    service = IdentityService(
        log=log,
        keystore=keystore,
        clock=clock,
        ids=IDS,
        tokens=Spoken(log),
        passwords=doors.passwords,
        login=doors.login,
    )
    found = Identity(Edge(KeystoneApp(service, api_url=API_URL), "/identity"), log)
    admin = await user_named(log, "default", "admin")
    project = await project_named(log, "default", "admin")
    assert admin is not None
    assert project is not None
    found.admin_id, found.admin_project = admin.id, project.id
    found.token = f"{admin.id} project {project.id}"
    yield found
    await doors.close()
    await log.close()


@pytest.fixture
async def house(tmp_path: Path, quick_passwords: None) -> AsyncIterator[House]:
    """A founded cloud's identity with real tokens."""
    async with house_in(tmp_path) as found:
        yield found
