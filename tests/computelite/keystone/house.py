"""A founded cloud's identity with real tokens, and a clock that tests turn."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from computelite.identity.authenticator import LogAuthenticator
from computelite.identity.commands.access_keys import IssuedKey, draw_key
from computelite.identity.commands.founding import found_identity
from computelite.identity.doors import Doors, open_doors
from computelite.identity.login.lockout import Rules
from computelite.identity.login.view import LoginView
from computelite.identity.queries import project_named, user_named
from computelite.identity.view import IdentityView
from computelite.keystone.app import KeystoneApp
from computelite.keystone.service import IdentityService
from computelite.keystore import KeyStore, create_keystore, open_keystore
from computelite.secret import Secret
from eventlog.clock import Ids, SystemClock, SystemIds
from eventlog.log import Actor
from eventlog.sqlite import SqliteLog
from tests.computelite.edge import API_URL, Answer, Edge

PASSWORD = "a-pass-word"
ATTEMPTS = 4
LOCK_S = 300
TOKEN_S = 3600


class Clock(SystemClock):
    """The host's clock, put forward."""

    ahead_s = 0.0

    def now_us(self) -> int:
        return super().now_us() + int(self.ahead_s * 1_000_000)

    def monotonic_s(self) -> float:
        return super().monotonic_s() + self.ahead_s


class Worker:
    """One process's identity, on a log that others may have open too."""

    def __init__(self, log: SqliteLog, keystore: KeyStore, clock: Clock, ids: Ids) -> None:
        self.log = log
        self.keystore = keystore
        rules = Rules(attempts=ATTEMPTS, lock_s=LOCK_S)
        self.doors: Doors = open_doors(log, keystore, clock, ids, token_s=TOKEN_S, rules=rules)
        self.service = IdentityService(
            log=log,
            keystore=keystore,
            clock=clock,
            ids=ids,
            tokens=self.doors.callers,
            passwords=self.doors.passwords,
            login=self.doors.login,
        )
        self.edge = Edge(KeystoneApp(self.service, api_url=API_URL), "/identity")
        self.storage = LogAuthenticator(log, keystore, clock, self.doors.callers)

    async def send(self, method: str, path: str, document: object = None, **how: Any) -> Answer:
        """Send a request below /identity/v3."""
        return await self.edge.send(method, "/v3" + path, document, **how)

    async def login(self, identity: object, scope: object = None, **how: Any) -> Answer:
        """POST /auth/tokens."""
        auth = {"identity": identity} | ({} if scope is None else {"scope": scope})
        return await self.send("POST", "/auth/tokens", {"auth": auth}, **how)

    async def token(self, identity: object, scope: object = None) -> str:
        """Log in, which must work; return the token."""
        answer = await self.login(identity, scope)
        assert answer.status == 201, answer.text
        return answer.headers["X-Subject-Token"]

    async def works(self, token: str) -> bool:
        """Whether the token is good for anything, at Keystone and, with a project, at storage."""
        at_keystone = (await self.send("GET", "/auth/projects", token=token)).status == 200
        assert (await self.storage.bearer(token) is not None) == at_keystone
        return at_keystone


class House:
    """A cloud's identity: `first` and `second` are two of its workers."""

    def __init__(self, first: Worker, second: Worker, clock: Clock, root: IssuedKey) -> None:
        self.first = first
        self.second = second
        self.clock = clock
        self.root = root
        self.admin_id = ""
        self.admin_project = ""
        self.token = ""  # the admin's, for the project admin
        self.send = first.send
        self.login = first.login

    async def make(self, path: str, member: str, **fields: Any) -> Any:
        """Create something as the admin; return what the answer shows."""
        answer = await self.send("POST", path, {member: fields}, token=self.token)
        assert answer.status == 201, answer.text
        return answer.json[member]

    async def change(self, method: str, path: str, document: object = None) -> Answer:
        """Do something as the admin, which must work."""
        answer = await self.send(method, path, document, token=self.token)
        assert answer.status in (200, 201, 204), answer.text
        return answer

    async def role_id(self, name: str) -> str:
        answer = await self.send("GET", f"/roles?name={name}", token=self.token)
        return str(answer.json["roles"][0]["id"])

    async def grant(self, place: str, role: str, method: str = "PUT") -> None:
        """Give a role, or with DELETE take it: grant("/projects/P/users/U", "member")."""
        await self.change(method, f"{place}/roles/{await self.role_id(role)}")

    async def person(self, name: str, role: str = "member") -> tuple[str, str]:
        """Make a user with PASSWORD and a role on a project of their own; return both ids."""
        project = await self.make("/projects", "project", name=f"of-{name}", domain_id="default")
        user = await self.make("/users", "user", name=name, domain_id="default", password=PASSWORD)
        await self.grant(f"/projects/{project['id']}/users/{user['id']}", role)
        return user["id"], project["id"]


def by_password(user: str, password: str = PASSWORD, *, name: bool = False) -> dict[str, Any]:
    """Return what shows a password, of a user by id or by name in the default domain."""
    who: dict[str, Any] = {"name": user, "domain": {"id": "default"}} if name else {"id": user}
    return {"methods": ["password"], "password": {"user": {**who, "password": password}}}


def by_token(token: str) -> dict[str, Any]:
    """Return what shows a token."""
    return {"methods": ["token"], "token": {"id": token}}


def by_credential(id_: str, secret: str) -> dict[str, Any]:
    """Return what shows an application credential."""
    shown = {"id": id_, "secret": secret}
    return {"methods": ["application_credential"], "application_credential": shown}


def project(id_: str) -> dict[str, Any]:
    """Return a project's scope."""
    return {"project": {"id": id_}}


@contextlib.asynccontextmanager
async def house_in(folder: Path) -> AsyncIterator[House]:
    """Found a cloud's identity in a folder, and open it twice, as two workers do."""
    ids, clock = SystemIds(), Clock()
    create_keystore(folder / "keystore", ids)
    views = [IdentityView(), LoginView()]
    workers = []
    for _ in range(2):
        log = await SqliteLog.open(folder / "log.db", views=views, clock=clock, ids=ids)
        workers.append(Worker(log, open_keystore(folder / "keystore", ids), clock, ids))
    house = House(*workers, clock, draw_key(ids))
    log = house.first.log
    await found_identity(
        log,
        ids,
        house.first.keystore,
        name="admin",
        region="RegionOne",
        password=Secret(PASSWORD),
        issued=house.root,
        actor=Actor(id="test"),
    )
    admin = await user_named(log, "default", "admin")
    own = await project_named(log, "default", "admin")
    assert admin is not None
    assert own is not None
    house.admin_id, house.admin_project = admin.id, own.id
    house.token = await house.first.token(by_password(admin.id), project(own.id))
    try:
        yield house
    finally:
        for worker in workers:
            await worker.doors.close()
            await worker.log.close()
