"""Tokens that must not work any more, and rights that must not grow; in every worker at once."""

from __future__ import annotations

from typing import Any

import pytest

from computelite.identity import callers
from computelite.identity.tokens import open_token, seal_token
from computelite.keystore import create_keystore, open_keystore
from eventlog.clock import SystemIds
from tests.computelite.keystone.house import (
    PASSWORD,
    TOKEN_S,
    House,
    by_credential,
    by_password,
    by_token,
    project,
)
from tests.computelite.keystone.test_auth import credential


async def everywhere(house: House, token: str) -> set[bool]:
    """Return what the workers say of a token."""
    return {await worker.works(token) for worker in (house.first, house.second)}


async def test_a_token_of_one_worker_is_good_in_another(house: House) -> None:
    assert await everywhere(house, house.token) == {True}


async def test_forged_and_foreign_tokens_are_nobodys(house: House, tmp_path: Any) -> None:
    create_keystore(tmp_path / "other", SystemIds())
    record = open_token(house.token, house.first.keystore)
    assert record is not None
    foreign = seal_token(record, open_keystore(tmp_path / "other", SystemIds()))
    flipped = house.token[:40] + ("A" if house.token[40] != "A" else "B") + house.token[41:]
    for token in (foreign, flipped, house.token[:-2], house.token + "AA", "null", "admin"):
        assert await everywhere(house, token) == {False}


async def test_a_token_ends_when_it_says(house: House) -> None:
    house.clock.ahead_s += TOKEN_S - 5
    assert await everywhere(house, house.token) == {True}
    house.clock.ahead_s += 6
    assert await everywhere(house, house.token) == {False}
    assert (await house.login(by_token(house.token), "unscoped")).status == 404


async def test_a_revoked_token_is_gone_in_every_worker(house: House) -> None:
    ann, of_ann = await house.person("ann")
    root = await house.first.token(by_password(ann), project(of_ann))
    child = await house.second.token(by_token(root), project(of_ann))
    sibling = await house.second.token(by_token(root), "unscoped")
    other = await house.first.token(by_password(ann), project(of_ann))

    async def revoke(token: str) -> int:
        subject = {"X-Subject-Token": token}
        answer = await house.send("DELETE", "/auth/tokens", token=house.token, headers=subject)
        return answer.status

    assert await everywhere(house, child) == await everywhere(house, sibling) == {True}
    assert await revoke(child) == 204
    assert await everywhere(house, child) == {False}
    assert await everywhere(house, sibling) == await everywhere(house, root) == {True}
    assert await revoke(root) == 204
    assert await revoke(root) == 404
    # What was made from a stolen token goes with it; what was not, stays.
    assert await everywhere(house, root) == await everywhere(house, sibling) == {False}
    assert await everywhere(house, other) == {True}
    house.clock.ahead_s += TOKEN_S + 60
    admin = await house.first.token(by_password(house.admin_id), project(house.admin_project))
    answer = await house.send(
        "GET",
        "/auth/tokens?allow_expired=1",
        token=admin,
        headers={"X-Subject-Token": root},
    )
    assert answer.status == 404


@pytest.mark.parametrize(
    ("method", "path", "document", "is_undone"),
    [
        ("PATCH", "/users/{user}", {"user": {"enabled": False}}, False),
        ("PATCH", "/users/{user}", {"user": {"password": "another one"}}, False),
        ("DELETE", "/users/{user}", None, False),
        ("PATCH", "/projects/{project}", {"project": {"enabled": False}}, True),
        ("DELETE", "/projects/{project}", None, False),
        ("DELETE", "/projects/{project}/users/{user}/roles/{role}", None, True),
        ("PATCH", "/domains/{domain}", {"domain": {"enabled": False}}, True),
        ("DELETE", "/roles/{role}", None, False),
    ],
)
async def test_what_a_token_stood_for_is_gone_with_the_next_request(
    house: House, method: str, path: str, document: Any, is_undone: bool
) -> None:
    domain = await house.make("/domains", "domain", name="sales")
    own = await house.make("/projects", "project", name="p", domain_id=domain["id"])
    user = await house.make("/users", "user", name="ann", domain_id=domain["id"], password=PASSWORD)
    role = await house.make("/roles", "role", name="clerk")
    ids = {"domain": domain["id"], "project": own["id"], "user": user["id"], "role": role["id"]}
    granting = "/projects/{project}/users/{user}/roles/{role}".format(**ids)
    await house.change("PUT", granting)
    token = await house.second.token(by_password(user["id"]), project(own["id"]))
    assert await everywhere(house, token) == {True}
    await house.change(method, path.format(**ids), document)
    assert await everywhere(house, token) == {False}
    assert (await house.second.login(by_token(token), project(own["id"]))).status == 404
    if method == "DELETE" and not is_undone:
        return
    # Enabled again, or given back: a token of before works only where nothing voided it.
    if document is None:
        await house.change("PUT", granting)
    else:
        ((kind, _),) = document.items()
        await house.change(method, path.format(**ids), {kind: {"enabled": True}})
    assert await everywhere(house, token) == {is_undone}


async def test_one_role_less_is_seen_while_the_token_lives(house: House) -> None:
    ann, of_ann = await house.person("ann", role="reader")
    await house.grant(f"/projects/{of_ann}/users/{ann}", "member")
    token = await house.first.token(by_password(ann), project(of_ann))
    for worker in (house.first, house.second):
        seen = await worker.storage.bearer(token)
        assert seen is not None
        assert seen.roles == ("member", "reader")
    await house.grant(f"/projects/{of_ann}/users/{ann}", "member", method="DELETE")
    for worker in (house.second, house.first):
        seen = await worker.storage.bearer(token)
        assert seen is not None
        assert seen.roles == ("reader",)


async def test_a_role_through_a_group_goes_with_the_membership(house: House) -> None:
    ann, _ = await house.person("ann")
    group = await house.make("/groups", "group", name="staff", domain_id="default")
    await house.grant(f"/projects/{house.admin_project}/groups/{group['id']}", "member")
    await house.change("PUT", f"/groups/{group['id']}/users/{ann}")
    token = await house.first.token(by_password(ann), project(house.admin_project))
    assert await everywhere(house, token) == {True}
    await house.change("DELETE", f"/groups/{group['id']}/users/{ann}")
    assert await everywhere(house, token) == {False}


async def test_no_token_of_before_a_new_password_outlives_it(house: House) -> None:
    """A login that began with the old password, and ends after the new one is set."""
    ann, of_ann = await house.person("ann")
    matches = house.first.doors.passwords.matches

    async def slow(password: Any, verifier: bytes, **named: str) -> bool:
        found = await matches(password, verifier, **named)
        await house.change("PATCH", f"/users/{ann}", {"user": {"password": "another one"}})
        return found

    house.first.doors.passwords.matches = slow  # type: ignore[method-assign]
    assert (await house.login(by_password(ann), project(of_ann))).status == 401


async def test_a_clock_that_is_put_back_saves_no_token(house: House) -> None:
    """All that is committed until it caught up has one and the same time."""
    ann, of_ann = await house.person("ann")
    house.clock.ahead_s -= 600
    for change in (
        {"password": PASSWORD},
        {"enabled": False},
    ):
        await house.change("PATCH", f"/users/{ann}", {"user": {"password": PASSWORD}})
        token = await house.second.token(by_password(ann), project(of_ann))
        assert await everywhere(house, token) == {True}
        await house.change("PATCH", f"/users/{ann}", {"user": change})
        await house.change("PATCH", f"/users/{ann}", {"user": {"enabled": True}})
        assert await everywhere(house, token) == {False}


async def test_a_chain_of_tokens_lives_no_longer_than_its_first(house: House) -> None:
    ann, of_ann = await house.person("ann")
    token = await house.first.token(by_password(ann), project(of_ann))
    for _ in range(5):
        house.clock.ahead_s += TOKEN_S / 6
        token = await house.first.token(by_token(token), project(of_ann))
    house.clock.ahead_s += TOKEN_S / 5
    assert await everywhere(house, token) == {False}


async def test_an_application_credential_makes_no_wider_token(house: House) -> None:
    ann, of_ann = await house.person("ann", role="manager")
    await house.grant(f"/projects/{house.admin_project}/users/{ann}", "admin")
    await house.grant(f"/system/users/{ann}", "admin")
    wide = await house.first.token(by_password(ann), project(of_ann))
    made = await credential(house, ann, wide, roles=[{"name": "reader"}])
    shown = by_credential(made["id"], made["secret"])
    token = await house.first.token(shown)
    for _ in range(2):
        seen = await house.first.storage.bearer(token)
        assert seen is not None
        assert (seen.project_id, seen.roles) == (of_ann, ("reader",))
        for scope in (
            project(house.admin_project),
            {"system": {"all": True}},
            {"domain": {"id": "default"}},
            "unscoped",
        ):
            assert (await house.login(shown, scope)).status == 403
            assert (await house.login(by_token(token), scope)).status == 403
        token = await house.first.token(by_token(token))  # and again with a token of that


async def test_a_restricted_application_credential_makes_no_credentials(house: House) -> None:
    ann, of_ann = await house.person("ann")
    owner = await house.first.token(by_password(ann), project(of_ann))
    made = await credential(house, ann, owner)
    token = await house.first.token(by_credential(made["id"], made["secret"]))
    token = await house.first.token(by_token(token))
    robot = {"application_credential": {"name": "another"}}
    ec2 = {"tenant_id": of_ann}
    blob = {"credential": {"type": "ec2", "blob": "{}", "user_id": ann, "project_id": of_ann}}
    for path, document in (
        (f"/users/{ann}/application_credentials", robot),
        (f"/users/{ann}/credentials/OS-EC2", ec2),
        ("/credentials", blob),
    ):
        assert (await house.send("POST", path, document, token=token)).status == 403, path


async def test_an_application_credential_ends_with_what_it_stands_for(house: House) -> None:
    ann, of_ann = await house.person("ann")
    owner = await house.first.token(by_password(ann), project(of_ann))
    made = await credential(house, ann, owner)
    shown = by_credential(made["id"], made["secret"])
    token = await house.second.token(shown)
    assert await everywhere(house, token) == {True}
    await house.change("DELETE", f"/users/{ann}/application_credentials/{made['id']}")
    assert await everywhere(house, token) == {False}
    assert (await house.login(shown)).status == 401


async def test_an_application_credential_that_expires_takes_its_tokens_along(house: House) -> None:
    from datetime import UTC, datetime, timedelta

    ann, of_ann = await house.person("ann")
    owner = await house.first.token(by_password(ann), project(of_ann))
    soon = datetime.now(UTC) + timedelta(seconds=600)
    made = await credential(house, ann, owner, expires_at=soon.strftime("%Y-%m-%dT%H:%M:%S"))
    shown = by_credential(made["id"], made["secret"])
    token = await house.first.token(shown)
    house.clock.ahead_s += 590
    assert await everywhere(house, token) == {True}
    house.clock.ahead_s += 11
    assert await everywhere(house, token) == {False}
    assert (await house.login(shown)).status == 401


async def test_access_rules_are_kept_or_the_token_is_refused(house: House) -> None:
    ann, of_ann = await house.person("ann")
    owner = await house.first.token(by_password(ann), project(of_ann))
    rules = [
        {"service": "identity", "method": "GET", "path": "/v3/auth/projects"},
        {"service": "identity", "method": "GET", "path": "/v3/users/*/projects"},
        {"service": "object-store", "method": "GET", "path": "/**"},
    ]
    made = await credential(house, ann, owner, access_rules=rules)
    token = await house.first.token(by_credential(made["id"], made["secret"]))
    for method, path, status in (
        ("GET", "/auth/projects", 200),
        ("GET", f"/users/{ann}/projects", 200),
        ("POST", f"/users/{ann}/projects", 401),
        ("GET", f"/users/{ann}", 401),
        ("GET", f"/users/{ann}/application_credentials", 401),
    ):
        answer = await house.send(method, path, {} if method == "POST" else None, token=token)
        assert answer.status in (status, 405 if method == "POST" else status), (method, path)
    # Storage does not check such rules, and services that do say so.
    assert await house.first.storage.bearer(token) is None
    subject = {"X-Subject-Token": token}
    answer = await house.send("GET", "/auth/tokens", token=house.token, headers=subject)
    assert answer.status == 404
    checks = {**subject, "Openstack-Identity-Access-Rules": "1.0"}
    answer = await house.send("GET", "/auth/tokens", token=house.token, headers=checks)
    assert len(answer.json["token"]["application_credential"]["access_rules"]) == 3


async def test_headers_that_claim_an_identity_do_nothing(house: House) -> None:
    ann, of_ann = await house.person("ann")
    token = await house.first.token(by_password(ann), project(of_ann))
    claims = {
        "X-User-Id": house.admin_id,
        "X-User": "admin",
        "X-Project-Id": house.admin_project,
        "X-Roles": "admin",
        "X-Role": "admin",
        "X-Identity-Status": "Confirmed",
        "X-Service-Token": "x",
        "X-Is-Admin-Project": "True",
        "Remote-User": "admin",
    }
    listed = await house.send("GET", "/users", token=token, headers=claims)
    assert listed.status == 403
    assert (await house.send("GET", "/users", headers=claims)).status == 401
    answer = await house.login(by_password(ann, "wrong"), "unscoped", headers=claims)
    assert answer.status == 401


async def test_what_is_remembered_of_tokens_is_bounded(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(callers, "_REMEMBERED", 3)
    tokens = [await house.first.token(by_token(house.token), "unscoped") for _ in range(9)]
    for token in tokens * 2:
        assert await house.first.works(token)
    assert len(house.first.doors.callers._known) == 3
