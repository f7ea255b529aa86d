"""TempAuth-style login: old clients get one of Keystone's tokens."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from computelite.api.tempauth import TempAuth
from computelite.identity import passwords
from eventlog.clock import SystemIds
from tests.computelite.edge import API_URL, Answer, Body
from tests.computelite.keystone.house import ATTEMPTS, PASSWORD, TOKEN_S, House, house_in


@pytest.fixture
async def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    monkeypatch.setattr(passwords, "_MEMORY_KIB", 64)
    async with house_in(tmp_path) as found:
        yield found


async def ask(
    house: House, path: str = "/auth/v1.0", method: str = "GET", **headers: str
) -> Answer:
    """Send a request; X_Auth_User="..." is the header X-Auth-User."""
    doors = house.first.doors
    app = TempAuth(doors.login, api_url=API_URL, clock=house.clock, ids=SystemIds())
    lines = {name.replace("_", "-"): value for name, value in headers.items()}
    message = SimpleNamespace(
        method=method,
        path=path,
        raw_headers=[(name.encode(), value.encode()) for name, value in lines.items()],
    )
    reply = await app.answer(
        message,  # type: ignore[arg-type]
        Body(b""),
        secure=False,
        source="192.0.2.7",
    )
    return Answer(reply)


@pytest.mark.parametrize("path", ["/auth/v1.0", "/auth/v1.0/", "/auth/v1", "/auth/v1.0?x=y"])
async def test_a_user_of_a_project_gets_a_token_and_where_storage_is(
    house: House, path: str
) -> None:
    ann, of_ann = await house.person("ann")
    answer = await ask(
        house, path, X_Auth_User="of-ann:ann", X_Auth_Key=PASSWORD, Host="cloud.example"
    )
    assert answer.status == 200
    assert answer.headers["X-Storage-Url"] == f"http://cloud.example/v1/AUTH_{of_ann}"
    token = answer.headers["X-Auth-Token"]
    assert answer.headers["X-Storage-Token"] == token
    assert TOKEN_S - 5 <= int(answer.headers["X-Auth-Token-Expires"]) <= TOKEN_S
    assert re.fullmatch(r"tx[0-9a-f]{21}-[0-9a-f]{10}", answer.headers["X-Trans-Id"])
    seen = await house.second.storage.bearer(token)
    assert seen is not None
    assert (seen.user_id, seen.project_id) == (ann, of_ann)


async def test_the_older_headers_do_as_well(house: House) -> None:
    answer = await ask(house, X_Storage_User="admin:admin", X_Storage_Pass=PASSWORD)
    assert answer.status == 200
    assert answer.headers["X-Storage-Url"] == f"{API_URL}/v1/AUTH_{house.admin_project}"


async def test_what_is_wrong_is_401_and_says_no_more(house: House) -> None:
    await house.person("ann")
    refused = [
        await ask(house),
        await ask(house, X_Auth_User="admin:admin"),
        await ask(house, X_Auth_User="admin", X_Auth_Key=PASSWORD),
        await ask(house, X_Auth_User=":admin", X_Auth_Key=PASSWORD),
        await ask(house, X_Auth_User="admin:", X_Auth_Key=PASSWORD),
        await ask(house, X_Auth_User="admin:admin", X_Auth_Key="wrong"),
        await ask(house, X_Auth_User="admin:nobody", X_Auth_Key=PASSWORD),
        await ask(house, X_Auth_User="nowhere:admin", X_Auth_Key=PASSWORD),
        await ask(house, X_Auth_User="admin:ann", X_Auth_Key=PASSWORD),
        await ask(house, X_Auth_User="admin:admin", X_Auth_Key="x" * 5000),
    ]
    assert {answer.status for answer in refused} == {401}
    assert len({answer.text for answer in refused}) == 1
    assert {answer.headers["WWW-Authenticate"] for answer in refused} == {'Swift realm="unknown"'}


async def test_the_lock_is_the_same_as_at_keystone(house: House) -> None:
    await house.person("ann")
    for _ in range(ATTEMPTS):
        await ask(house, X_Auth_User="of-ann:ann", X_Auth_Key="wrong")
    answer = await ask(house, X_Auth_User="of-ann:ann", X_Auth_Key=PASSWORD)
    assert answer.status == 401


async def test_other_paths_and_methods_are_told(house: House) -> None:
    assert (await ask(house, "/auth/v2.0")).status == 404
    assert (await ask(house, "/auth/v1.0/x")).status == 404
    answer = await ask(house, method="POST")
    assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")
