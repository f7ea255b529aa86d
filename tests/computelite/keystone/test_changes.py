"""Changes of one thing in two workers at once: neither is lost."""

from __future__ import annotations

import asyncio

import pytest

from tests.computelite.keystone.house import House

AT_ONCE = 3


@pytest.mark.parametrize(
    ("path", "member", "fields"),
    [
        ("/users", "user", {"name": "ann", "domain_id": "default"}),
        ("/projects", "project", {"name": "web", "domain_id": "default"}),
        ("/groups", "group", {"name": "ops", "domain_id": "default"}),
        ("/domains", "domain", {"name": "sales"}),
        ("/roles", "role", {"name": "auditor"}),
        ("/regions", "region", {"id": "north"}),
        ("/services", "service", {"type": "x"}),
        ("/policies", "policy", {"type": "x", "blob": "{}"}),
    ],
)
async def test_attributes_that_are_set_at_once_are_all_there(
    house: House, path: str, member: str, fields: dict[str, str]
) -> None:
    made = await house.make(path, member, **fields)
    one = f"{path}/{made['id']}"
    names = [f"own-{n}" for n in range(AT_ONCE)]
    answers = await asyncio.gather(
        *(
            worker.send("PATCH", one, {member: {f"{name}-{number}": "x"}}, token=house.token)
            for name in names
            for number, worker in enumerate((house.first, house.second))
        )
    )
    assert {answer.status for answer in answers} == {200}
    shown = (await house.send("GET", one, token=house.token)).json[member]
    assert {f"{name}-{number}" for name in names for number in (0, 1)} <= shown.keys()


async def test_options_that_are_set_at_once_are_all_there(house: House) -> None:
    ann, _ = await house.person("ann")
    options = ("lock_password", "ignore_password_expiry", "ignore_user_inactivity")
    answers = await asyncio.gather(
        *(
            worker.send(
                "PATCH", f"/users/{ann}", {"user": {"options": {name: True}}}, token=house.token
            )
            for name, worker in zip(options, (house.first, house.second, house.first), strict=True)
        )
    )
    assert {answer.status for answer in answers} == {200}
    shown = (await house.send("GET", f"/users/{ann}", token=house.token)).json["user"]
    assert shown["options"] == dict.fromkeys(options, True)
