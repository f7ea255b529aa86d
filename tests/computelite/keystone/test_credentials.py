"""EC2 keys, credentials, application credentials: sealed, and never wider than their maker."""

from __future__ import annotations

import json
from typing import Any

import pytest

from computelite.identity.authenticator import LogAuthenticator
from computelite.identity.callers import Callers
from tests.computelite.keystone.conftest import Identity

GOOD_BLOB = '{"access": "abc", "secret": "12345678"}'


@pytest.fixture
async def project(identity: Identity) -> str:
    return str((await identity.make("/projects", "project", name="web"))["id"])


@pytest.fixture
async def ann(identity: Identity, project: str) -> str:
    """Ann's token, as a member of the project."""
    return await identity.person("ann", "member", project=project)


def storage(identity: Identity) -> LogAuthenticator:
    """What S3 asks about keys."""
    service = identity.edge.app._service
    callers = Callers(identity.log, service.keystore, service.clock)
    return LogAuthenticator(identity.log, service.keystore, service.clock, callers)


async def new_key(identity: Identity, token: str) -> dict[str, Any]:
    user_id, _, project_id, *_ = token.split()
    answer = await identity.send(
        "POST", f"/users/{user_id}/credentials/OS-EC2", {"tenant_id": project_id}, token=token
    )
    assert answer.status == 201, answer.text
    found: dict[str, Any] = answer.json["credential"]
    return found


async def new_app_cred(identity: Identity, token: str, **fields: Any) -> Any:
    document = {"application_credential": {"name": "robot", **fields}}
    path = f"/users/{token.split()[0]}/application_credentials"
    return await identity.send("POST", path, document, token=token)


# -- keys ----------------------------------------------------------------------------------------


async def test_an_ec2_credential_is_a_key_that_signs_for_s3(
    identity: Identity, ann: str, project: str
) -> None:
    made = await new_key(identity, ann)
    key = await storage(identity).signing_key(made["access"])
    assert key is not None
    assert key.secret == made["secret"]
    assert (key.principal.user_id, key.principal.project_id) == (ann.split()[0], project)
    assert key.principal.roles == ("member", "reader")


async def test_keys_are_listed_shown_and_deleted(identity: Identity, ann: str) -> None:
    keys = f"/users/{ann.split()[0]}/credentials/OS-EC2"
    made = await new_key(identity, ann)
    assert made["trust_id"] is None
    assert made["links"]["self"].endswith(f"{keys}/{made['access']}")
    assert (await identity.get(keys, token=ann))["credentials"] == [made]
    assert (await identity.get(f"{keys}/{made['access']}", token=ann))["credential"] == made
    assert (await identity.send("DELETE", f"{keys}/{made['access']}", token=ann)).status == 204
    assert (await identity.send("GET", f"{keys}/{made['access']}", token=ann)).status == 404
    authenticator = storage(identity)
    assert await authenticator.signing_key(made["access"]) is None


async def test_a_key_is_found_under_its_own_user_only(
    identity: Identity, ann: str, project: str
) -> None:
    made = await new_key(identity, ann)
    bob = await identity.person("bob", "member", project=project)
    bobs = f"/users/{bob.split()[0]}/credentials/OS-EC2"
    assert (await identity.send("GET", f"{bobs}/{made['access']}", token=bob)).status == 404
    anns = f"/users/{ann.split()[0]}/credentials/OS-EC2"
    assert (await identity.send("GET", anns, token=bob)).status == 403
    stolen = await identity.send("POST", anns, {"tenant_id": project}, token=bob)
    assert stolen.status == 403


async def test_a_role_that_is_revoked_is_gone_from_the_keys(
    identity: Identity, ann: str, project: str
) -> None:
    made = await new_key(identity, ann)
    authenticator = storage(identity)
    assert await authenticator.signing_key(made["access"]) is not None
    member = await identity.role_id("member")
    path = f"/projects/{project}/users/{ann.split()[0]}/roles/{member}"
    await identity.send("DELETE", path)
    key = await authenticator.signing_key(made["access"])
    assert key is not None
    assert key.principal.roles == ()


@pytest.mark.parametrize("what", ["user", "project", "domain"])
async def test_no_key_works_while_what_it_belongs_to_is_disabled(
    identity: Identity, what: str
) -> None:
    domain = await identity.make("/domains", "domain", name="acme")
    project = await identity.make("/projects", "project", name="w", domain_id=domain["id"])
    ann = await identity.person("ann", "member", project=project["id"])
    made = await new_key(identity, ann)
    authenticator = storage(identity)
    path = {
        "user": f"/users/{ann.split()[0]}",
        "project": f"/projects/{project['id']}",
        "domain": f"/domains/{domain['id']}",
    }[what]
    for enabled in (False, True):
        await identity.send("PATCH", path, {what: {"enabled": enabled}})
        assert (await authenticator.signing_key(made["access"]) is not None) == enabled


async def test_the_same_key_is_a_credential_of_the_type_ec2(identity: Identity, ann: str) -> None:
    made = await new_key(identity, ann)
    found = (await identity.get("/credentials?type=ec2", token=ann))["credentials"]
    assert [json.loads(each["blob"]) for each in found] == [
        {"access": made["access"], "secret": made["secret"]}
    ]
    path = f"/credentials/{found[0]['id']}"
    assert (await identity.send("DELETE", path, token=ann)).status == 204
    keys = f"/users/{ann.split()[0]}/credentials/OS-EC2"
    assert (await identity.get(keys, token=ann))["credentials"] == []


async def test_a_credential_of_the_type_ec2_can_be_given_another_key(
    identity: Identity, ann: str, project: str
) -> None:
    def blob(access: str) -> str:
        return json.dumps({"access": access, "secret": "a-long-secret"})

    credential = {"type": "ec2", "blob": blob("first"), "project_id": project}
    made = await identity.send("POST", "/credentials", {"credential": credential}, token=ann)
    assert made.status == 201
    path = f"/credentials/{made.json['credential']['id']}"
    patch = {"credential": {"blob": blob("second")}}
    changed = await identity.send("PATCH", path, patch, token=ann)
    assert changed.json["credential"]["id"] == made.json["credential"]["id"]
    authenticator = storage(identity)
    assert await authenticator.signing_key("first") is None
    assert await authenticator.signing_key("second") is not None
    same = await identity.send("POST", "/credentials",
        {"credential": {**credential, "blob": blob("second")}}, token=ann)  # fmt: skip
    assert same.status == 409


@pytest.mark.parametrize(
    ("credential", "status"),
    [
        ({"type": "ec2", "blob": "no json"}, 400),
        ({"type": "ec2", "blob": '{"access": "abc"}'}, 400),
        ({"type": "ec2", "blob": '{"access": "a/b", "secret": "12345678"}'}, 400),
        ({"type": "ec2", "blob": GOOD_BLOB, "project_id": None}, 400),
        ({"type": "totp"}, 400),
        ({"blob": "x"}, 400),
        ({"type": "totp", "blob": "x", "project_id": "f" * 32}, 404),
    ],
)  # fmt: skip
async def test_a_credential_that_cannot_be_is_refused_and_repeats_no_secret(
    identity: Identity, ann: str, project: str, credential: dict[str, Any], status: int
) -> None:
    document = {"credential": {"project_id": project, **credential}}
    answer = await identity.send("POST", "/credentials", document, token=ann)
    assert answer.status == status
    assert "12345678" not in answer.text


async def test_other_credentials_are_kept_sealed_and_whose_they_are_is_for_ever(
    identity: Identity, ann: str, project: str
) -> None:
    document = {"credential": {"type": "totp", "blob": "my seed", "project_id": project}}
    made = (await identity.send("POST", "/credentials", document, token=ann)).json["credential"]
    path = f"/credentials/{made['id']}"
    assert (await identity.get(path, token=ann))["credential"] == made
    patched = await identity.send(
        "PATCH", path, {"credential": {"blob": "another seed"}}, token=ann
    )
    assert patched.json["credential"]["blob"] == "another seed"
    for name, value in (("user_id", identity.admin_id), ("project_id", None), ("type", "ec2")):
        answer = await identity.send("PATCH", path, {"credential": {name: value}}, token=ann)
        assert answer.status == 400
    async for rec in identity.log.read():
        assert b"seed" not in (rec.data or b"")


async def test_nobody_sees_another_s_credentials(
    identity: Identity, ann: str, project: str
) -> None:
    made = await new_key(identity, ann)
    bob = await identity.person("bob", "member", project=project)
    reader = await identity.person("rea", "reader", system="all")
    for token in (bob, reader):
        assert (await identity.get("/credentials", token=token))["credentials"] == []
        theirs = await identity.send("GET", f"/credentials?user_id={ann.split()[0]}", token=token)
        assert theirs.status == 403
    everybody = await identity.send("GET", "/credentials")
    assert made["access"] in everybody.text


# -- application credentials ---------------------------------------------------------------------


async def test_an_application_credential_shows_its_secret_once(
    identity: Identity, ann: str, project: str
) -> None:
    made = (await new_app_cred(identity, ann)).json["application_credential"]
    assert len(made["secret"]) == 86
    assert {role["name"] for role in made["roles"]} == {"member", "reader"}
    assert (made["project_id"], made["unrestricted"], made["expires_at"]) == (project, False, None)
    path = f"/users/{ann.split()[0]}/application_credentials"
    shown = (await identity.get(f"{path}/{made['id']}", token=ann))["application_credential"]
    secret = made.pop("secret")
    assert shown == made
    assert secret not in (await identity.send("GET", path, token=ann)).text
    async for rec in identity.log.read():
        assert secret.encode() not in (rec.data or b"")


async def test_what_clients_send_as_empty_takes_its_default(identity: Identity, ann: str) -> None:
    empty = {
        "roles": [],
        "secret": None,
        "expires_at": None,
        "access_rules": [],
        "unrestricted": False,
        "description": None,
    }
    answer = await new_app_cred(identity, ann, **empty)
    assert answer.status == 201
    assert answer.json["application_credential"]["secret"]


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"name": ""}, 400),
        ({"roles": [{"name": "admin"}]}, 400),
        ({"roles": [{"id": "f" * 32}]}, 400),
        ({"roles": [{}]}, 400),
        ({"roles": [{"name": "reader"}]}, 201),
        ({"expires_at": "2001-01-01T00:00:00"}, 400),
        ({"expires_at": "soon"}, 400),
        ({"expires_at": "2999-01-01T00:00:00.123456"}, 201),
        ({"expires_at": "2999-01-01T00:00:00Z"}, 201),
        ({"access_rules": [{"service": "x"}]}, 400),
        ({"access_rules": [{"id": "f" * 32}]}, 404),
        ({"access_rules": [{"service": "x", "method": "BREW", "path": "/"}]}, 400),
        ({"access_rules": [{"service": "x", "method": "GET", "path": "v1"}]}, 400),
        ({"unrestricted": "yes"}, 400),
    ],
)
async def test_application_credentials_that_can_be_and_that_cannot(
    identity: Identity, ann: str, fields: dict[str, Any], status: int
) -> None:
    answer = await new_app_cred(identity, ann, **fields)
    assert answer.status == status, answer.text
    if "expires_at" in fields and status == 201:
        shown = answer.json["application_credential"]["expires_at"]
        assert shown.startswith("2999-01-01T00:00:00.")
        assert len(shown) == 26


async def test_a_name_is_taken_once_by_a_user(identity: Identity, ann: str, project: str) -> None:
    assert (await new_app_cred(identity, ann)).status == 201
    assert (await new_app_cred(identity, ann)).status == 409
    bob = await identity.person("bob", "member", project=project)
    assert (await new_app_cred(identity, bob)).status == 201


async def test_only_oneself_makes_application_credentials_for_oneself(
    identity: Identity, ann: str
) -> None:
    path = f"/users/{ann.split()[0]}/application_credentials"
    document = {"application_credential": {"name": "x"}}
    assert (await identity.send("POST", path, document)).status == 403  # the admin


async def test_a_restricted_one_makes_and_deletes_no_credentials(
    identity: Identity, ann: str, project: str
) -> None:
    made = (await new_app_cred(identity, ann)).json["application_credential"]
    key = await new_key(identity, ann)
    through = f"{ann} {made['id']}"
    user = f"/users/{ann.split()[0]}"
    blob = json.dumps({"access": "mine", "secret": "12345678"})
    credential = {"type": "ec2", "blob": blob, "project_id": project}
    for method, path, document in (
        ("POST", f"{user}/application_credentials", {"application_credential": {"name": "x"}}),
        ("DELETE", f"{user}/application_credentials/{made['id']}", None),
        ("POST", f"{user}/credentials/OS-EC2", {"tenant_id": project}),
        ("DELETE", f"{user}/credentials/OS-EC2/{key['access']}", None),
        ("POST", "/credentials", {"credential": credential}),
    ):
        answer = await identity.send(method, path, document, token=through)
        assert answer.status == 403, path


async def test_an_unrestricted_one_makes_nothing_wider_or_longer_than_itself(
    identity: Identity, ann: str, project: str
) -> None:
    rule = {"service": "object-store", "method": "GET", "path": "/v1/*"}
    answer = await new_app_cred(
        identity,
        ann,
        unrestricted=True,
        roles=[{"name": "reader"}],
        expires_at="2999-01-01T00:00:00",
        access_rules=[rule],
    )
    made = answer.json["application_credential"]
    through = f"{ann} {made['id']}"
    wider = [
        {"roles": [{"name": "member"}]},
        {"expires_at": "2999-01-02T00:00:00"},
        {"access_rules": [{**rule, "method": "PUT"}]},
    ]
    for fields in wider:
        answer = await new_app_cred(identity, through, name="wider", **fields)
        assert answer.status in (400, 403), fields
    answer = await new_app_cred(identity, through, name="same")
    same = answer.json["application_credential"]
    assert [role["name"] for role in same["roles"]] == ["reader"]
    assert same["expires_at"] == made["expires_at"]
    assert same["access_rules"] == made["access_rules"]


async def test_an_application_credential_reaches_no_key_that_gives_more_than_itself(
    identity: Identity, ann: str, project: str
) -> None:
    user = ann.split()[0]
    wide = await new_key(identity, ann)
    wide_id = (await identity.get("/credentials", token=ann))["credentials"][0]["id"]
    places = [f"/users/{user}/credentials/OS-EC2/{wide['access']}", f"/credentials/{wide_id}"]
    lists = [f"/users/{user}/credentials/OS-EC2", "/credentials", f"/credentials?user_id={user}"]
    blob = {"credential": {"blob": json.dumps({"access": "mine", "secret": "12345678"})}}

    made = (await new_app_cred(identity, ann, name="narrow")).json["application_credential"]
    through = f"{ann} {made['id']}"
    for method in ("GET", "DELETE", "PATCH"):
        for place in places[1:] if method == "PATCH" else places:
            answer = await identity.send(method, place, blob, token=through)
            assert answer.status == 403, (method, place)
    for path in lists:
        answer = await identity.send("GET", path, token=through)
        assert answer.status == 403
        assert wide["secret"] not in answer.text

    answer = await new_app_cred(identity, ann, name="open", unrestricted=True)
    through = f"{ann} {answer.json['application_credential']['id']}"
    own = await new_key(identity, through)
    for path in lists:
        text = (await identity.send("GET", path, token=through)).text
        assert own["secret"] in text
        assert wide["secret"] not in text
    for method in ("GET", "DELETE", "PATCH"):
        for place in places[1:] if method == "PATCH" else places:
            answer = await identity.send(method, place, blob, token=through)
            assert answer.status == 404, (method, place)
    assert (await storage(identity).signing_key(wide["access"])) is not None
    assert (await storage(identity).signing_key("mine")) is None
    # An admin's, too: it is one of many, and its owner may take it back.
    answer = await new_app_cred(identity, identity.token, name="ops", unrestricted=True)
    through = f"{identity.token} {answer.json['application_credential']['id']}"
    assert wide["secret"] not in (await identity.send("GET", "/credentials", token=through)).text


async def test_keys_of_an_application_credential_have_its_limits_and_end_with_it(
    identity: Identity, ann: str
) -> None:
    fields = {"unrestricted": True, "roles": [{"name": "reader"}]}
    made = (await new_app_cred(identity, ann, **fields)).json["application_credential"]
    through = f"{ann} {made['id']}"
    key = await new_key(identity, through)
    authenticator = storage(identity)
    found = await authenticator.signing_key(key["access"])
    assert found is not None
    assert found.principal.roles == ("reader",)
    other = await identity.make("/projects", "project", name="other")
    elsewhere = await identity.send(
        "POST",
        f"/users/{ann.split()[0]}/credentials/OS-EC2",
        {"tenant_id": other["id"]},
        token=through,
    )
    assert elsewhere.status == 403
    path = f"/users/{ann.split()[0]}/application_credentials/{made['id']}"
    assert (await identity.send("DELETE", path, token=ann)).status == 204
    assert await authenticator.signing_key(key["access"]) is None


async def test_what_an_application_credential_made_goes_with_it(
    identity: Identity, ann: str
) -> None:
    """Whoever had its secret could have made another one, for when it is taken back."""

    async def made_with(token: str, name: str) -> str:
        answer = await new_app_cred(identity, token, name=name, unrestricted=True)
        assert answer.status == 201, answer.text
        return f"{ann} {answer.json['application_credential']['id']}"

    first = await made_with(ann, "first")
    second = await made_with(first, "second")
    third = await made_with(second, "third")
    other = await made_with(ann, "other")
    key = await new_key(identity, third)
    path = f"/users/{ann.split()[0]}/application_credentials"
    assert len((await identity.get(path, token=ann))["application_credentials"]) == 4
    gone = first.split()[-1]
    assert (await identity.send("DELETE", f"{path}/{gone}", token=ann)).status == 204
    (left,) = (await identity.get(path, token=ann))["application_credentials"]
    assert left["id"] == other.split()[-1]
    assert await storage(identity).signing_key(key["access"]) is None
    # Their names are free again.
    await made_with(other, "third")


async def test_access_rules_are_shared_and_stay_while_they_are_used(
    identity: Identity, ann: str
) -> None:
    rule = {"service": "compute", "method": "GET", "path": "/v2.1/servers/*/ips"}
    one = (await new_app_cred(identity, ann, access_rules=[rule])).json["application_credential"]
    two = (await new_app_cred(identity, ann, name="two", access_rules=[rule])).json[
        "application_credential"
    ]
    assert one["access_rules"] == two["access_rules"]
    rule_id = one["access_rules"][0]["id"]
    user = f"/users/{ann.split()[0]}"
    path = f"{user}/access_rules/{rule_id}"
    assert (await identity.get(path, token=ann))["access_rule"]["path"] == rule["path"]
    for each in (one, two):
        assert (await identity.send("DELETE", path, token=ann)).status == 403
        gone = f"{user}/application_credentials/{each['id']}"
        assert (await identity.send("DELETE", gone, token=ann)).status == 204
    assert len((await identity.get(f"{user}/access_rules", token=ann))["access_rules"]) == 1
    assert (await identity.send("DELETE", path, token=ann)).status == 204
    assert (await identity.get(f"{user}/access_rules", token=ann))["access_rules"] == []
