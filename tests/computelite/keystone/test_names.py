"""Names: neither case nor composition tells two of them apart, as with Keystone on MySQL."""

from __future__ import annotations

import asyncio

import pytest

from computelite.identity.naming import users_called
from tests.computelite.keystone.house import PASSWORD, House, by_credential, by_password, project

SPELLINGS = ("Zoé", "zoé", "ZOÉ", "zoe\N{COMBINING ACUTE ACCENT}", " Zoé ")


async def test_the_domain_default_is_found_by_either_spelling(house: House) -> None:
    for name in ("default", "Default", "DEFAULT"):
        domain = {"name": name}
        user = {"name": "Admin", "domain": domain, "password": PASSWORD}
        shown = {"methods": ["password"], "password": {"user": user}}
        scope = {"project": {"name": "ADMIN", "domain": domain}}
        answer = await house.login(shown, scope)
        assert answer.status == 201, name
        assert answer.json["token"]["project"]["name"] == "admin"
        assert answer.json["token"]["user"]["domain"] == {"id": "default", "name": "Default"}


@pytest.mark.parametrize(
    ("path", "member", "home"),
    [
        ("/users", "user", {"domain_id": "default"}),
        ("/projects", "project", {"domain_id": "default"}),
        ("/groups", "group", {"domain_id": "default"}),
        ("/roles", "role", {}),
        ("/domains", "domain", {}),
    ],
)
async def test_a_name_in_other_letters_is_taken(
    house: House, path: str, member: str, home: dict[str, str]
) -> None:
    made = await house.make(path, member, name=SPELLINGS[0], **home)
    other = await house.make(path, member, name="another", **home)
    for name in SPELLINGS:
        again = await house.send("POST", path, {member: {"name": name, **home}}, token=house.token)
        assert again.status == 409, name
        renamed = {member: {"name": name}}
        answer = await house.send("PATCH", f"{path}/{other['id']}", renamed, token=house.token)
        assert answer.status == 409, name
        (found,) = (await house.send("GET", f"{path}?name={name.strip()}", token=house.token)).json[
            path[1:]
        ]
        assert (found["id"], found["name"]) == (made["id"], SPELLINGS[0])
    # Its own name in other letters is nobody else's.
    answer = await house.change("PATCH", f"{path}/{made['id']}", {member: {"name": SPELLINGS[2]}})
    assert answer.json[member]["name"] == SPELLINGS[2]
    again = await house.send(
        "POST", path, {member: {"name": SPELLINGS[0], **home}}, token=house.token
    )
    assert again.status == 409


async def test_of_spellings_made_at_once_in_two_workers_one_wins(house: House) -> None:
    sent = [
        worker.send(
            "POST", "/users", {"user": {"name": name, "domain_id": "default"}}, token=house.token
        )
        for name in SPELLINGS
        for worker in (house.first, house.second)
    ]
    statuses = sorted(answer.status for answer in await asyncio.gather(*sent))
    assert statuses == [201] + [409] * (len(sent) - 1)


async def test_names_that_are_others_stay_others(house: House) -> None:
    for name in ("zoe", "zoé", "z oé", "zo", "ſtraße2", "straße", "ⓩⓞⓔ"):
        await house.make("/users", "user", name=name, domain_id="default")


async def test_an_application_credential_and_its_roles_are_named_in_any_letters(
    house: House,
) -> None:
    ann, of_ann = await house.person("ann")
    token = await house.first.token(by_password(ann), project(of_ann))
    path = f"/users/{ann}/application_credentials"
    wanted = {"application_credential": {"name": "Deploy", "roles": [{"name": "Member"}]}}
    answer = await house.send("POST", path, wanted, token=token)
    assert answer.status == 201, answer.text
    made = answer.json["application_credential"]
    assert [role["name"] for role in made["roles"]] == ["member"]
    again = {"application_credential": {"name": "deploy"}}
    assert (await house.send("POST", path, again, token=token)).status == 409
    assert (await house.login(by_credential(made["id"], made["secret"]))).status == 201


async def test_the_log_is_asked_by_a_name_in_any_letters(house: House) -> None:
    ann, _ = await house.person("Ann")
    for text in ("ann", "ANN", "default/ann", "DEFAULT/Ann"):
        assert await users_called(house.first.log, text) == {ann}
    await house.change("DELETE", f"/users/{ann}")
    for text in ("ann", "default/ANN"):
        assert await users_called(house.first.log, text) == {ann}
