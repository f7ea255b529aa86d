"""Users and groups: made, changed, who is in what, and how far a domain's manager reaches."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from computelite.api.times import micros_from
from computelite.identity.events.actors import UserCreated
from computelite.identity.keys import id_key
from tests.computelite.keystone.conftest import Identity


async def test_a_new_user_is_shown_without_any_trace_of_the_password(identity: Identity) -> None:
    answer = await identity.send(
        "POST",
        "/users",
        {"user": {"name": "ann", "password": "correct horse", "email": "a@b.c", "enabled": True}},
    )
    assert answer.status == 201
    assert "correct horse" not in answer.text
    user = answer.json["user"]
    assert user == {
        "id": user["id"],
        "name": "ann",
        "domain_id": "default",
        "email": "a@b.c",
        "enabled": True,
        "options": {},
        "password_expires_at": None,
        "links": {"self": f"http://cloud.example:9001/identity/v3/users/{user['id']}"},
    }
    row = await identity.log.get("user", id_key(user["id"]))
    assert row.password
    assert b"correct horse" not in row.password


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"name": ""}, 400),
        ({"name": "x" * 256}, 400),
        ({"name": "x", "password": 7}, 400),
        ({"name": "x", "password": ""}, 400),
        ({"name": "x", "password": "p" * 4097}, 400),
        ({"name": "x", "enabled": "True"}, 400),
        ({"name": "x", "options": {"lock_password": "yes"}}, 400),
        ({"name": "x", "options": {"nonsense": True}}, 400),
        ({"name": "x", "domain_id": "f" * 32}, 404),
        ({"name": "x", "default_project_id": "default"}, 400),
        ({"name": "admin"}, 409),
        ({"name": "admin", "domain_id": "default"}, 409),
        ({"name": "Ädmin ☃"}, 201),
    ],
)
async def test_users_that_can_be_made_and_users_that_cannot(
    identity: Identity, fields: dict[str, Any], status: int
) -> None:
    answer = await identity.send("POST", "/users", {"user": fields})
    assert answer.status == status, answer.text


async def test_without_a_domain_a_user_is_made_in_that_of_the_token(identity: Identity) -> None:
    domain = await identity.make("/domains", "domain", name="acme")
    token = await identity.person("meg", "manager", domain=domain["id"])
    answer = await identity.send("POST", "/users", {"user": {"name": "new"}}, token=token)
    assert answer.json["user"]["domain_id"] == domain["id"]


async def test_a_patch_changes_what_it_names(identity: Identity) -> None:
    user = await identity.make("/users", "user", name="ann", email="a@b.c")
    path = f"/users/{user['id']}"
    options = {"lock_password": True, "multi_factor_auth_rules": [["password", "totp"]]}
    patch = {"name": "eve", "description": "d", "options": options, "team": "red"}
    answer = await identity.send("PATCH", path, {"user": patch})
    assert answer.json["user"] == {**user, **patch}
    lifted = {"user": {"options": {"lock_password": None}}}
    answer = await identity.send("PATCH", path, lifted)
    assert set(answer.json["user"]["options"]) == {"multi_factor_auth_rules"}
    moved = await identity.send("PATCH", path, {"user": {"domain_id": "f" * 32}})
    assert moved.status == 400


async def test_a_disabled_user_s_tokens_are_void_for_ever(identity: Identity) -> None:
    user = await identity.make("/users", "user", name="ann")
    path = f"/users/{user['id']}"
    before = (await identity.log.get("user", id_key(user["id"]))).tokens_from
    await identity.send("PATCH", path, {"user": {"enabled": False}})
    await identity.send("PATCH", path, {"user": {"enabled": True}})
    row = await identity.log.get("user", id_key(user["id"]))
    assert row.enabled
    assert row.tokens_from > before
    await identity.send("PATCH", path, {"user": {"password": "another one"}})
    assert (await identity.log.get("user", id_key(user["id"]))).tokens_from > row.tokens_from


async def test_a_deleted_user_takes_all_that_was_theirs(identity: Identity) -> None:
    project = await identity.make("/projects", "project", name="web")
    token = await identity.person("ann", "member", project=project["id"])
    user_id = token.split()[0]
    group = await identity.make("/groups", "group", name="them")
    await identity.send("PUT", f"/groups/{group['id']}/users/{user_id}")
    keys = f"/users/{user_id}/credentials/OS-EC2"
    made = await identity.send("POST", keys, {"tenant_id": project["id"]}, token=token)
    access = made.json["credential"]["access"]
    creds = f"/users/{user_id}/application_credentials"
    document = {"application_credential": {"name": "robot"}}
    assert (await identity.send("POST", creds, document, token=token)).status == 201
    assert (await identity.send("DELETE", f"/users/{user_id}")).status == 204
    assert await identity.log.get("access_key", id_key(access)) is None
    assert (await identity.get(f"/groups/{group['id']}/users"))["users"] == []
    for table in ("application_credential", "key_of_user", "member_of", "key_on_project"):
        rows = await identity.log.scan(table, b"", None, limit=100)
        assert not any(user_id.encode() in key for key, _ in rows), table
    found = await identity.get(f"/role_assignments?user.id={user_id}")
    assert found["role_assignments"] == []


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("name=ann", {"ann"}),
        ("name=ann&domain_id=default", {"ann"}),
        ("enabled=false", {"bob"}),
        ("name__startswith=a", {"admin", "ann"}),
        ("name=nobody", set()),
    ],
)
async def test_users_are_found(identity: Identity, query: str, found: set[str]) -> None:
    await identity.make("/users", "user", name="ann")
    await identity.make("/users", "user", name="bob", enabled=False)
    assert await identity.names(f"/users?{query}") == found


async def test_everybody_sees_themselves_and_nobody_else(identity: Identity) -> None:
    ann = await identity.make("/users", "user", name="ann")
    bob = await identity.make("/users", "user", name="bob")
    token = f"{ann['id']} unscoped"
    assert (await identity.get(f"/users/{ann['id']}", token=token))["user"]["name"] == "ann"
    for path in (f"/users/{bob['id']}", "/users", f"/users/{'f' * 32}"):
        assert (await identity.send("GET", path, token=token)).status == 403


async def test_a_reader_of_the_system_sees_all_and_changes_nothing(identity: Identity) -> None:
    token = await identity.person("rea", "reader", system="all")
    assert {"admin", "rea"} <= await identity.names("/users", token=token)
    assert {"Default"} <= await identity.names("/domains", token=token)
    answer = await identity.send("POST", "/users", {"user": {"name": "x"}}, token=token)
    assert answer.status == 403


async def test_members_come_and_go(identity: Identity) -> None:
    group = await identity.make("/groups", "group", name="them", description="d")
    user = await identity.make("/users", "user", name="ann")
    member = f"/groups/{group['id']}/users/{user['id']}"
    assert (await identity.send("GET", member)).status == 404
    for _ in range(2):
        assert (await identity.send("PUT", member)).status == 204
    assert (await identity.send("HEAD", member)).status == 204
    assert await identity.names(f"/groups/{group['id']}/users") == {"ann"}
    own = await identity.names(f"/users/{user['id']}/groups", token=f"{user['id']} unscoped")
    assert own == {"them"}
    assert (await identity.send("DELETE", member)).status == 204
    assert (await identity.send("DELETE", member)).status == 404
    assert (await identity.send("PUT", f"/groups/{group['id']}/users/{'f' * 32}")).status == 404


async def test_a_group_is_changed_and_deleted(identity: Identity) -> None:
    group = await identity.make("/groups", "group", name="them")
    await identity.make("/groups", "group", name="others")
    path = f"/groups/{group['id']}"
    assert (await identity.send("PATCH", path, {"group": {"name": "others"}})).status == 409
    renamed = await identity.send("PATCH", path, {"group": {"name": "us", "description": "d"}})
    assert renamed.json["group"] == {**group, "name": "us", "description": "d"}
    assert (await identity.send("DELETE", path)).status == 204
    assert (await identity.send("GET", path)).status == 404


async def test_a_domain_s_manager_works_in_their_domain_and_in_no_other(
    identity: Identity,
) -> None:
    acme = await identity.make("/domains", "domain", name="acme")
    token = await identity.person("meg", "manager", domain=acme["id"])
    inside = {"domain_id": acme["id"]}
    for path, member in (("/users", "user"), ("/groups", "group"), ("/projects", "project")):
        made = await identity.send("POST", path, {member: {"name": "new", **inside}}, token=token)
        assert made.status == 201, made.text
        other = await identity.send(
            "POST", path, {member: {"name": "new", "domain_id": "default"}}, token=token
        )
        assert other.status == 403
        assert await identity.names(path, token=token) <= {"new", "meg"}
        one = f"{path}/{made.json[member]['id']}"
        patched = await identity.send("PATCH", one, {member: {"name": "newer"}}, token=token)
        assert patched.status == 200
        assert (await identity.send("DELETE", one, token=token)).status == 204
    assert await identity.names("/domains", token=token) == {"acme"}


async def test_a_domain_s_manager_cannot_rise_through_those_who_stand_above(
    identity: Identity,
) -> None:
    acme = await identity.make("/domains", "domain", name="acme")
    inside = {"domain_id": acme["id"]}
    meg = await identity.person("meg", "manager", domain=acme["id"])
    boss = await identity.make("/users", "user", name="boss", **inside)
    await identity.grant(f"/system/users/{boss['id']}", "admin")
    powers = await identity.make("/groups", "group", name="powers", **inside)
    await identity.grant(f"/projects/{identity.admin_project}/groups/{powers['id']}", "reader")
    project = await identity.make("/projects", "project", name="web", **inside)
    meg_id = meg.split()[0]
    tries = [
        ("PATCH", f"/users/{boss['id']}", {"user": {"password": "mine now"}}),
        ("DELETE", f"/users/{boss['id']}", None),
        ("PUT", f"/groups/{powers['id']}/users/{meg_id}", None),
    ]
    for name in ("admin", "service", "ResellerAdmin"):
        role = await identity.role_id(name)
        tries.append(("PUT", f"/projects/{project['id']}/users/{meg_id}/roles/{role}", None))
        tries.append(("PUT", f"/domains/{acme['id']}/users/{meg_id}/roles/{role}", None))
    # A role of the domain's own that implies what is not theirs to give.
    trick = await identity.make("/roles", "role", name="trick", **inside)
    service = await identity.role_id("service")
    await identity.send("PUT", f"/roles/{trick['id']}/implies/{service}")
    path = f"/projects/{project['id']}/users/{meg_id}/roles/{trick['id']}"
    tries.append(("PUT", path, None))
    head = identity.log.head()
    for method, path, document in tries:
        answer = await identity.send(method, path, document, token=meg)
        assert answer.status == 403, (method, path, answer.text)
    assert identity.log.head() == head
    member = await identity.role_id("member")
    path = f"/projects/{project['id']}/users/{meg_id}/roles/{member}"
    assert (await identity.send("PUT", path, token=meg)).status == 204


async def test_what_somebody_did_names_them_their_request_and_their_address(
    identity: Identity,
) -> None:
    answer = await identity.send("POST", "/users", {"user": {"name": "ann"}})
    (rec,) = [
        rec
        async for rec in identity.log.read(types={UserCreated})
        if rec.stream == f"user/{answer.json['user']['id']}"
    ]
    assert rec.actor == identity.admin_id
    assert rec.source == "192.0.2.7"
    assert rec.request_id == answer.headers["X-Openstack-Request-Id"]


async def test_a_user_changes_their_own_password_by_showing_it(identity: Identity) -> None:
    user = await identity.make("/users", "user", name="ann", password="the old one")
    path = f"/users/{user['id']}/password"

    async def change(old: str, new: str) -> int:
        document = {"user": {"original_password": old, "password": new}}
        return (await identity.send("POST", path, document, token="")).status

    before = (await identity.log.get("user", id_key(user["id"]))).password
    assert await change("wrong", "the new one") == 401
    assert await change("the old one", "") == 400
    assert await change("the old one", "the old one") == 400
    assert await change("the old one", "ä" * 4000) == 400
    assert (await identity.log.get("user", id_key(user["id"]))).password == before
    assert await change("the old one", "the new one") == 204
    assert await change("the old one", "another") == 401
    options = {"user": {"options": {"lock_password": True}}}
    await identity.send("PATCH", f"/users/{user['id']}", options)
    assert await change("the new one", "another") == 403


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("lt:2999-01-01T00:00:00Z", {"ann"}),
        ("gt:2999-01-01T00:00:00Z", set()),
        ("lt:2001-01-01T00:00:00Z", set()),
    ],
)
async def test_passwords_end_when_the_configuration_says_so(
    identity: Identity, query: str, found: set[str]
) -> None:
    service = identity.edge.app._service
    identity.edge.app._service = msgspec.structs.replace(service, password_days=30)
    user = await identity.make("/users", "user", name="ann", password="the old one")
    await identity.make("/users", "user", name="bob")
    left_us = (micros_from(user["password_expires_at"]) or 0) - service.clock.now_us()
    assert 29 * 86400 < left_us / 1_000_000 <= 30 * 86400
    assert await identity.names(f"/users?password_expires_at={query}") == found
    wrong = await identity.send("GET", "/users?password_expires_at=soon")
    assert wrong.status == 400
