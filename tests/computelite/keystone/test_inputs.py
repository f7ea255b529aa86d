"""Input that is wrong in ways that are easily missed: it is 400, and nothing is kept of it."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest

from computelite.keystone.fields import EXTRA_DEPTH_MAX
from tests.computelite.keystone.conftest import Identity

END = "\n"


@pytest.mark.parametrize(
    ("path", "document"),
    [
        ("/users", {"user": {"name": f"ann{END}"}}),
        ("/groups", {"group": {"name": f"ops{END}"}}),
        ("/roles", {"role": {"name": f"admin{END}"}}),
        ("/projects", {"project": {"name": f"web{END}"}}),
        ("/domains", {"domain": {"name": "d", "explicit_domain_id": "a" * 32 + END}}),
        ("/regions", {"region": {"id": f"north{END}"}}),
        ("/users", {"user": {"name": "ann", "domain_id": f"default{END}"}}),
        ("/users", {"user": {"name": "ann", "default_project_id": f"{'a' * 32}{END}"}}),
    ],
)
async def test_no_name_and_no_id_ends_with_a_line_break(
    identity: Identity, path: str, document: Any
) -> None:
    before = identity.log.head()
    assert (await identity.send("POST", path, document)).status == 400
    assert identity.log.head() == before


@pytest.mark.parametrize("field", ["access", "secret"])
async def test_no_key_and_no_secret_ends_with_a_line_break(identity: Identity, field: str) -> None:
    said = {"access": "abc", "secret": "12345678"}
    blob = json.dumps({**said, field: said[field] + END})
    credential = {"type": "ec2", "blob": blob, "project_id": identity.admin_project}
    answer = await identity.send("POST", "/credentials", {"credential": credential})
    assert answer.status == 400


async def test_an_endpoint_and_an_access_rule_have_no_line_break(identity: Identity) -> None:
    service = (await identity.get("/services"))["services"][0]["id"]
    endpoint = {"service_id": service, "interface": "public", "url": f"http://x/{END}"}
    assert (await identity.send("POST", "/endpoints", {"endpoint": endpoint})).status == 400
    rule = {"service": "identity", "method": "GET", "path": f"/v3{END}"}
    wanted = {"application_credential": {"name": "x", "access_rules": [rule]}}
    path = f"/users/{identity.admin_id}/application_credentials"
    assert (await identity.send("POST", path, wanted)).status == 400


@pytest.mark.parametrize("name", ["a\0b", f"a{END}", "x" * 256, "\x1b[2J"])
async def test_a_region_s_id_in_the_path_is_held_to_the_same_as_in_the_body(
    identity: Identity, name: str
) -> None:
    answer = await identity.send("PUT", f"/regions/{quote(name, safe='')}", {"region": {}})
    assert answer.status == 400
    assert "region.id" in answer.message


async def test_a_time_that_is_none_in_utc_is_refused(identity: Identity) -> None:
    path = f"/users/{identity.admin_id}/application_credentials"
    for text in ("9999-12-31T23:59:59-01:00", "0001-01-01T00:00:00+01:00"):
        wanted = {"application_credential": {"name": "late", "expires_at": text}}
        assert (await identity.send("POST", path, wanted)).status == 400, text
    wanted = {"application_credential": {"name": "late", "expires_at": "9999-12-31T23:59:59"}}
    assert (await identity.send("POST", path, wanted)).status == 201
    (shown,) = (await identity.get(path))["application_credentials"]
    assert shown["expires_at"] == "9999-12-31T23:59:59.000000"


@pytest.mark.parametrize("depth", [EXTRA_DEPTH_MAX, 400, 979, 980, 990, 50_000])
async def test_what_lies_too_deep_in_one_another_is_not_kept(
    identity: Identity, depth: int
) -> None:
    deep = b"[" * depth + b"]" * depth
    body = b'{"user": {"name": "ann", "own": ' + deep + b"}}"
    answer = await identity.edge.send(
        "POST",
        "/v3/users",
        body=body,
        token=identity.token,
        headers={"Content-Type": "application/json"},
    )
    assert answer.status == 400
    good: Any = "leaf"
    for _ in range(EXTRA_DEPTH_MAX - 1):
        good = [good]
    made = await identity.make("/users", "user", name="ann", own=good)
    assert made["own"] == good
    assert {user["name"] for user in (await identity.get("/users"))["users"]} == {"admin", "ann"}
