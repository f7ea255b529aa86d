"""Logging in by every method, for every scope; what tokens show; what can be asked about them."""

from __future__ import annotations

import re
from typing import Any

import pytest

from computelite.api.request import checked
from computelite.control.messages import Request
from computelite.keystone import auth_request
from computelite.keystone.app import KeystoneApp
from computelite.keystone.auth_request import parse_auth
from eventlog.records.record import Kind, Record
from tests.computelite.edge import API_URL, Edge
from tests.computelite.keystone.house import (
    PASSWORD,
    TOKEN_S,
    House,
    by_credential,
    by_password,
    by_token,
    project,
)

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
SYSTEM = {"system": {"all": True}}


async def shown(house: House, token: str) -> Any:
    """Return what the admin sees of a token."""
    answer = await house.send(
        "GET", "/auth/tokens", token=house.token, headers={"X-Subject-Token": token}
    )
    assert answer.status == 200, answer.text
    return answer.json["token"]


async def credential(house: House, user_id: str, token: str, **fields: Any) -> Any:
    """Make an application credential as its owner."""
    answer = await house.send(
        "POST",
        f"/users/{user_id}/application_credentials",
        {"application_credential": {"name": "robot", **fields}},
        token=token,
    )
    assert answer.status == 201, answer.text
    return answer.json["application_credential"]


async def test_a_project_token_says_everything_that_clients_read(house: House) -> None:
    answer = await house.login(by_password("admin", name=True), project(house.admin_project))
    assert answer.status == 201
    token = answer.json["token"]
    assert token["methods"] == ["password"]
    assert token["user"] == {
        "id": house.admin_id,
        "name": "admin",
        "domain": {"id": "default", "name": "Default"},
        "password_expires_at": None,
    }
    assert token["project"] == {
        "id": house.admin_project,
        "name": "admin",
        "domain": {"id": "default", "name": "Default"},
    }
    assert token["is_domain"] is False
    assert [role["name"] for role in token["roles"]] == ["admin", "manager", "member", "reader"]
    assert TIME.fullmatch(token["issued_at"])
    assert TIME.fullmatch(token["expires_at"])
    assert [len(audit) for audit in token["audit_ids"]] == [22]
    assert not {"domain", "system", "application_credential"} & set(token)
    urls = {
        (service["type"], endpoint["interface"]): endpoint["url"]
        for service in token["catalog"]
        for endpoint in service["endpoints"]
    }
    assert urls["identity", "public"] == "http://cloud.example:9001/identity"
    assert urls["object-store", "public"] == (
        f"http://cloud.example:9001/v1/AUTH_{house.admin_project}"
    )
    for service in token["catalog"]:
        for endpoint in service["endpoints"]:
            assert endpoint["region"] == endpoint["region_id"] == "RegionOne"


async def test_validating_shows_what_issuing_showed(house: House) -> None:
    answer = await house.login(by_password("admin", name=True), SYSTEM)
    token = answer.headers["X-Subject-Token"]
    subject = {"X-Subject-Token": token}
    for caller in (token, house.token):
        again = await house.send("GET", "/auth/tokens", token=caller, headers=subject)
        assert again.status == 200
        assert again.headers["X-Subject-Token"] == token
        assert again.json == answer.json
        head = await house.send("HEAD", "/auth/tokens", token=caller, headers=subject)
        assert (head.status, head.headers["X-Subject-Token"]) == (200, token)


async def test_each_scope_is_shown_as_itself(house: House) -> None:
    await house.grant(f"/domains/default/users/{house.admin_id}", "manager")
    for scope, member, roles in (
        (SYSTEM, {"system": {"all": True}}, {"admin", "manager", "member", "reader"}),
        (
            {"domain": {"id": "default"}},
            {"domain": {"id": "default", "name": "Default"}},
            {"manager", "member", "reader"},
        ),
        ({"domain": {"name": "Default"}}, {}, {"manager", "member", "reader"}),
        ({"project": {"name": "admin", "domain": {"name": "Default"}}}, {}, {"admin"}),
    ):
        token = (await house.login(by_password(house.admin_id), scope)).json["token"]
        assert roles <= {role["name"] for role in token["roles"]}
        assert member.items() <= token.items()
        assert {"project", "domain", "system"} & set(token) == set(scope)


async def test_unscoped_tokens_have_neither_roles_nor_a_catalog(house: House) -> None:
    for scope in ("unscoped", {"unscoped": {}}, None):
        token = (await house.login(by_password(house.admin_id), scope)).json["token"]
        assert not {"project", "domain", "system", "roles", "catalog", "is_domain"} & set(token)


async def test_without_a_scope_it_is_the_default_project_while_that_will_do(house: House) -> None:
    user_id, project_id = await house.person("ann")
    await house.change("PATCH", f"/users/{user_id}", {"user": {"default_project_id": project_id}})
    assert (await house.login(by_password(user_id))).json["token"]["project"]["id"] == project_id
    unscoped = await house.login(by_password(user_id), "unscoped")
    assert "project" not in unscoped.json["token"]
    await house.change("PATCH", f"/projects/{project_id}", {"project": {"enabled": False}})
    answer = await house.login(by_password(user_id))
    assert answer.status == 201
    assert "project" not in answer.json["token"]


async def test_nocatalog_leaves_it_out(house: House) -> None:
    auth = {"identity": by_password(house.admin_id), "scope": project(house.admin_project)}
    answer = await house.send("POST", "/auth/tokens?nocatalog", {"auth": auth})
    assert "catalog" not in answer.json["token"]
    assert "roles" in answer.json["token"]
    subject = {"X-Subject-Token": house.token}
    again = await house.send("GET", "/auth/tokens?nocatalog", token=house.token, headers=subject)
    assert "catalog" not in again.json["token"]


async def test_a_token_from_a_token_keeps_its_methods_chain_and_end(house: House) -> None:
    first = await house.first.token(by_password(house.admin_id), "unscoped")
    house.clock.ahead_s += 600
    second = await house.first.token(by_token(first), project(house.admin_project))
    third = await house.first.token(by_token(second), SYSTEM)
    one, two, three = [await shown(house, token) for token in (first, second, third)]
    assert one["expires_at"] == two["expires_at"] == three["expires_at"]
    assert sorted(three["methods"]) == ["password", "token"]
    assert two["audit_ids"][1:] == three["audit_ids"][1:] == one["audit_ids"]
    assert len({each["audit_ids"][0] for each in (one, two, three)}) == 3


async def test_a_system_token_makes_none_for_a_project_or_a_domain(house: House) -> None:
    await house.grant(f"/domains/default/users/{house.admin_id}", "admin")
    system = await house.first.token(by_password(house.admin_id), SYSTEM)
    for scope in (project(house.admin_project), {"domain": {"id": "default"}}):
        assert (await house.login(by_token(system), scope)).status == 403
    assert (await house.login(by_token(system), SYSTEM)).status == 201
    # Nor by being asked for none, where the user has a default project.
    own = {"user": {"default_project_id": house.admin_project}}
    await house.change("PATCH", f"/users/{house.admin_id}", own)
    answer = await house.login(by_token(system))
    assert "project" not in answer.json["token"]


async def test_password_and_token_together_are_of_one_user(house: House) -> None:
    ann, of_ann = await house.person("ann")
    token = await house.first.token(by_password(ann), "unscoped")
    both = {**by_password(ann), **by_token(token), "methods": ["password", "token"]}
    answer = await house.login(both, project(of_ann))
    assert sorted(answer.json["token"]["methods"]) == ["password", "token"]
    mixed = {**by_password(house.admin_id), **by_token(token), "methods": ["password", "token"]}
    assert (await house.login(mixed, project(of_ann))).status == 401
    wrong = {**by_password(ann, "no"), **by_token(token), "methods": ["token", "password"]}
    assert (await house.login(wrong, project(of_ann))).status == 401


async def test_rules_on_methods_are_kept(house: House) -> None:
    ann, of_ann = await house.person("ann")
    options = {
        "multi_factor_auth_enabled": True,
        "multi_factor_auth_rules": [["password", "token"]],
    }
    token = await house.first.token(by_password(ann), "unscoped")
    await house.change("PATCH", f"/users/{ann}", {"user": {"options": options}})
    assert (await house.login(by_password(ann), project(of_ann))).status == 401
    both = {**by_password(ann), **by_token(token), "methods": ["password", "token"]}
    assert (await house.login(both, project(of_ann))).status == 201
    options["multi_factor_auth_rules"] = [["totp"]]
    await house.change("PATCH", f"/users/{ann}", {"user": {"options": options}})
    assert (await house.login(by_password(ann), project(of_ann))).status == 201


async def test_an_application_credential_logs_in_by_id_and_by_name(house: House) -> None:
    ann, of_ann = await house.person("ann")
    made = await credential(house, ann, await house.first.token(by_password(ann), project(of_ann)))
    named = {
        "methods": ["application_credential"],
        "application_credential": {
            "name": "robot",
            "secret": made["secret"],
            "user": {"name": "ann", "domain": {"name": "Default"}},
        },
    }
    same = {"project": {"name": "of-ann", "domain": {"id": "default"}}}
    for identity, scope in (
        (by_credential(made["id"], made["secret"]), None),
        (by_credential(made["id"], made["secret"]), same),
        (named, None),
    ):
        answer = await house.login(identity, scope)
        assert answer.status == 201, answer.text
        token = answer.json["token"]
        assert token["project"]["id"] == of_ann
        assert token["methods"] == ["application_credential"]
        assert token["application_credential"] == {
            "id": made["id"],
            "name": "robot",
            "restricted": True,
        }


@pytest.mark.parametrize(
    ("auth", "words"),
    [
        ({}, "auth.identity"),
        ({"identity": {}}, "auth.identity.methods"),
        ({"identity": {"methods": []}}, "auth.identity.methods"),
        ({"identity": {"methods": "password"}}, "auth.identity.methods"),
        ({"identity": {"methods": ["password"]}}, "password"),
        ({"identity": {"methods": ["password"], "password": {}}}, "auth.identity.password.user"),
        ({"identity": {"methods": ["password"], "password": {"user": {"id": "x"}}}}, "password"),
        ({"identity": {"methods": ["token"], "token": {}}}, "auth.identity.token.id"),
        ({"identity": {"methods": ["token"], "token": {"id": 7}}}, "auth.identity.token.id"),
        ({"identity": by_password("x", name=True) | {"methods": ["password"] * 2}}, "twice"),
        ({"identity": by_password("x", name=True) | {"methods": ["password"] * 9}}, "methods"),
        ({"identity": by_password("x"), "scope": {}}, "scope"),
        ({"identity": by_password("x"), "scope": "everything"}, "scope"),
        ({"identity": by_password("x"), "scope": {"project": {}}}, "auth.scope.project"),
        ({"identity": by_password("x"), "scope": {"project": {"name": "p"}}}, "domain"),
        ({"identity": by_password("x"), "scope": {"domain": {}}}, "auth.scope.domain"),
        ({"identity": by_password("x"), "scope": {"system": {"all": False}}}, "system"),
        (
            {"identity": by_password("x"), "scope": {"domain": {"id": "d"}, **project("p")}},
            "one scope",
        ),
        ({"identity": by_password("x"), "scope": {"OS-TRUST:trust": {"id": "t"}}}, "trusts"),
        (
            {
                "identity": by_password("x"),
                "scope": {"OS-TRUST:trust": {"id": "t"}, **project("p")},
            },
            "trusts",
        ),
    ],
)
async def test_a_body_that_cannot_be_understood_is_400(
    house: House, auth: object, words: str
) -> None:
    answer = await house.send("POST", "/auth/tokens", {"auth": auth})
    assert answer.status == 400, answer.text
    assert words in answer.message


async def test_a_user_by_name_needs_a_domain(house: House) -> None:
    shown = {"methods": ["password"], "password": {"user": {"name": "admin", "password": "x"}}}
    assert (await house.login(shown)).status == 400


async def test_what_cannot_be_had_is_401_and_says_no_more(house: House) -> None:
    ann, _ = await house.person("ann")
    refused = [
        await house.login(by_password(ann, "wrong")),
        await house.login(by_password("nobody", name=True)),
        await house.login(by_password("0" * 32)),
        await house.login(by_password(ann), project(house.admin_project)),
        await house.login(by_password(ann), project("0" * 32)),
        await house.login(by_password(ann), SYSTEM),
        await house.login(by_password(ann), {"domain": {"id": "default"}}),
        await house.login(by_password(ann), {"domain": {"name": "nowhere"}}),
        await house.login(by_credential("0" * 32, "x")),
        await house.login({"methods": ["totp"], "totp": {}}),
    ]
    assert {answer.status for answer in refused} == {401}
    assert len({answer.text for answer in refused}) == 1
    assert all("WWW-Authenticate" in answer.headers for answer in refused)


async def test_a_token_that_is_shown_as_the_proof_and_is_none_is_not_found(house: House) -> None:
    answer = await house.login(by_token("x" * 100), "unscoped")
    assert (answer.status, answer.message) == (404, "Could not find the token.")


async def test_who_may_ask_about_a_token(house: House) -> None:
    ann, of_ann = await house.person("ann")
    ben, of_ben = await house.person("ben", role="service")
    token = await house.first.token(by_password(ann), project(of_ann))
    service = await house.first.token(by_password(ben), project(of_ben))
    subject = {"X-Subject-Token": token}
    for caller, get, delete in ((service, 200, 403), (token, 200, 204)):
        answer = await house.send("GET", "/auth/tokens", token=caller, headers=subject)
        assert answer.status == get
        answer = await house.send("DELETE", "/auth/tokens", token=caller, headers=subject)
        assert answer.status == delete
    other = {"X-Subject-Token": house.token}
    stranger = await house.first.token(by_password(ann), project(of_ann))
    for method in ("GET", "HEAD", "DELETE"):
        assert (await house.send(method, "/auth/tokens", headers=other)).status == 401
        answer = await house.send(method, "/auth/tokens", token=stranger, headers=other)
        assert answer.status == 403
    assert await house.first.works(house.token)


async def test_a_token_that_is_none_is_404_to_ask_about(house: House) -> None:
    for subject in ({}, {"X-Subject-Token": ""}, {"X-Subject-Token": "x" * 150}):
        for method in ("GET", "DELETE"):
            answer = await house.send(method, "/auth/tokens", token=house.token, headers=subject)
            assert answer.status == 404


async def test_an_expired_token_can_still_be_asked_about_for_what_it_began(house: House) -> None:
    ann, of_ann = await house.person("ann")
    token = await house.first.token(by_password(ann), project(of_ann))
    house.clock.ahead_s += TOKEN_S + 1
    admin = await house.first.token(by_password(house.admin_id), project(house.admin_project))
    subject = {"X-Subject-Token": token}
    assert (await house.send("GET", "/auth/tokens", token=admin, headers=subject)).status == 404
    for spelling, status in (("?allow_expired=1", 200), ("?allow_expired=false", 404)):
        answer = await house.send("GET", "/auth/tokens" + spelling, token=admin, headers=subject)
        assert answer.status == status
    assert not await house.first.works(token)
    house.clock.ahead_s += 3 * 86_400
    admin = await house.first.token(by_password(house.admin_id), project(house.admin_project))
    answer = await house.send("GET", "/auth/tokens?allow_expired=1", token=admin, headers=subject)
    assert answer.status == 404


async def test_what_a_user_can_have_tokens_for_is_listed(house: House) -> None:
    ann, of_ann = await house.person("ann")
    closed = await house.make("/projects", "project", name="closed", domain_id="default")
    await house.grant(f"/projects/{closed['id']}/users/{ann}", "reader")
    token = await house.first.token(by_password(ann), "unscoped")

    async def names(path: str, member: str) -> list[str]:
        answer = await house.send("GET", path, token=token)
        assert answer.status == 200, answer.text
        assert answer.json["links"]["self"].endswith(path)
        return sorted(each["name"] for each in answer.json[member])

    assert await names("/auth/projects", "projects") == ["closed", "of-ann"]
    await house.change("PATCH", f"/projects/{closed['id']}", {"project": {"enabled": False}})
    assert await names("/auth/projects", "projects") == ["of-ann"]
    assert await names("/auth/domains", "domains") == []
    await house.grant(f"/domains/default/users/{ann}", "reader")
    assert await names("/auth/domains", "domains") == ["Default"]
    assert (await house.send("GET", "/auth/system", token=token)).json["system"] == []
    await house.grant(f"/system/users/{ann}", "reader")
    assert (await house.send("GET", "/auth/system", token=token)).json["system"] == [{"all": True}]
    assert (await house.send("GET", "/auth/catalog", token=token)).status == 403
    scoped = await house.first.token(by_password(ann), project(of_ann))
    catalog = (await house.send("GET", "/auth/catalog", token=scoped)).json["catalog"]
    assert f"/v1/AUTH_{of_ann}" in str(catalog)


async def test_a_password_of_any_bytes_is_taken_whole(house: House) -> None:
    ann, _ = await house.person("ann")
    long = "pässwörd \u0000\u1f600" * 50
    await house.change("PATCH", f"/users/{ann}", {"user": {"password": long}})
    for password, status in (
        (long, 201),
        (long[:-1], 401),
        (long[:72], 401),
        (long.replace("\u0000", ""), 401),
        (long.split("\u0000")[0], 401),
        ("x" * 4096, 401),
        ("x" * 4097, 400),
        ("x" * 200_000, 400),
    ):
        assert (await house.login(by_password(ann, password), "unscoped")).status == status


async def test_a_lone_surrogate_is_refused_and_no_fault(house: House) -> None:
    body = (
        b'{"auth":{"identity":{"methods":["password"],"password":{"user":'
        b'{"id":"x","password":"\\ud800"}}}}}'
    )
    answer = await house.first.edge.send("POST", "/v3/auth/tokens", body=body)
    assert answer.status in (400, 401)


def test_no_secret_is_in_the_repr_of_what_was_shown() -> None:
    """A traceback, or a line for debugging, must not be what tells it."""
    methods = ["password", "token", "application_credential"]
    user = {"id": "u", "password": "s3cret"}
    shown = {
        "methods": methods,
        "password": {"user": user},
        "token": {"id": "s3cret"},
        "application_credential": {"id": "c", "secret": "s3cret", "user": user},
    }
    auth = checked({"identity": shown}, auth_request._Auth)
    assert auth.identity.password is not None
    assert auth.identity.password.user.password == "s3cret"
    for each in (auth, parse_auth({"auth": {"identity": shown}}), Request("do", {"p": "s3cret"})):
        assert "s3cret" not in repr(each)


class Kept:
    """Records, kept."""

    def __init__(self) -> None:
        self.records: list[Record] = []

    def wants(self, kind: Kind) -> bool:
        return True

    def add(self, record: Record) -> None:
        self.records.append(record)


async def test_no_token_is_in_a_record_wherever_a_client_puts_it(house: House) -> None:
    kept = Kept()
    edge = Edge(KeystoneApp(house.first.service, api_url=API_URL, records=kept), "/identity")
    for path in (
        f"/v2.0/tokens/{house.token}",
        f"/v2.0/tokens/{house.token}/endpoints",
        f"/v3/auth/tokens?token={house.token}",
        f"/{house.token}",
    ):
        assert (await edge.send("GET", path)).status == 401, path
    assert len(kept.records) == 4
    assert house.token[:65] not in repr(kept.records)
    assert kept.records[0].action == "GET /identity/v2.0/tokens/..."


async def test_no_secret_is_in_an_answer(house: House) -> None:
    for answer in (
        await house.login(by_password(house.admin_id)),
        await house.login(by_password(house.admin_id, PASSWORD + "x")),
    ):
        assert PASSWORD not in answer.text
        assert PASSWORD not in str(answer.headers)
