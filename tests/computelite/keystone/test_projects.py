"""Domains and projects: hierarchy, enabling, names, tags, lists."""

from __future__ import annotations

import asyncio

import pytest

from tests.computelite.keystone.conftest import Identity


async def test_a_new_project_is_shown_with_every_field_and_its_link(identity: Identity) -> None:
    made = await identity.make(
        "/projects", "project", name="web", description="d", tags=["blue"], colour="red"
    )
    shown = (await identity.get(f"/projects/{made['id']}"))["project"]
    assert shown == made
    assert len(made["id"]) == 32
    assert shown == {
        "id": made["id"],
        "name": "web",
        "description": "d",
        "domain_id": "default",
        "parent_id": "default",
        "enabled": True,
        "is_domain": False,
        "tags": ["blue"],
        "options": {},
        "colour": "red",
        "links": {"self": f"http://cloud.example:9001/identity/v3/projects/{made['id']}"},
    }


async def test_with_the_systems_scope_the_default_domain_is_meant(identity: Identity) -> None:
    token = await identity.person("sysop", "admin", system="all")
    for plural in ("projects", "users", "groups"):
        member = plural.removesuffix("s")
        answer = await identity.send(
            "POST", f"/{plural}", {member: {"name": f"a {member}"}}, token=token
        )
        assert answer.status == 201
        assert answer.json[member]["domain_id"] == "default"


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": "x" * 65}, "name"),
        ({"name": "   "}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"name": 7}, "name"),
        ({"name": "x", "enabled": "yes"}, "enabled"),
        ({"name": "x", "tags": ["a,b"]}, "tags"),
        ({"name": "x", "tags": ["a", "a"]}, "tag"),
        ({"name": "x", "tags": [str(n) for n in range(81)]}, "tags"),
        ({"name": "x", "domain_id": "../x"}, "domain_id"),
        ({"name": "x", "options": {"nonsense": True}}, "options"),
        ({"name": "x", "huge": "x" * 40_000}, "32768"),
        ({"name": "x", "number": 2**70}, "number"),
    ],
)
async def test_a_project_that_cannot_be_is_refused_naming_the_field(
    identity: Identity, fields: dict[str, object], named: str
) -> None:
    head = identity.log.head()
    answer = await identity.send("POST", "/projects", {"project": fields})
    assert answer.status == 400
    assert named in answer.message
    assert identity.log.head() == head


async def test_a_name_is_taken_once_in_a_domain(identity: Identity) -> None:
    await identity.make("/projects", "project", name="web")
    again = await identity.send("POST", "/projects", {"project": {"name": "web"}})
    assert again.status == 409
    domain = await identity.make("/domains", "domain", name="acme")
    await identity.make("/projects", "project", name="web", domain_id=domain["id"])
    other = await identity.make("/projects", "project", name="other")
    renamed = await identity.send("PATCH", f"/projects/{other['id']}", {"project": {"name": "web"}})
    assert renamed.status == 409


async def test_of_many_who_want_one_name_at_once_one_gets_it(identity: Identity) -> None:
    document = {"project": {"name": "wanted"}}
    answers = await asyncio.gather(
        *(identity.send("POST", "/projects", document) for _ in range(20))
    )
    assert sorted(answer.status for answer in answers) == [201] + [409] * 19


async def test_a_project_takes_its_domain_from_its_parent_and_its_parents_are_shown(
    identity: Identity,
) -> None:
    domain = await identity.make("/domains", "domain", name="acme")
    top = await identity.make("/projects", "project", name="top", domain_id=domain["id"])
    mid = await identity.make("/projects", "project", name="mid", parent_id=top["id"])
    low = await identity.make("/projects", "project", name="low", parent_id=mid["id"])
    assert (low["domain_id"], low["parent_id"]) == (domain["id"], mid["id"])
    shown = (await identity.get(f"/projects/{low['id']}?parents_as_ids"))["project"]
    assert shown["parents"] == {mid["id"]: {top["id"]: {domain["id"]: None}}}
    shown = (await identity.get(f"/projects/{top['id']}?subtree_as_ids"))["project"]
    assert shown["subtree"] == {mid["id"]: {low["id"]: None}}
    # A list shows the projects on which one has a role.
    shown = (await identity.get(f"/projects/{top['id']}?subtree_as_list"))["project"]
    assert shown["subtree"] == []
    await identity.grant(f"/projects/{low['id']}/users/{identity.admin_id}", "reader")
    shown = (await identity.get(f"/projects/{top['id']}?subtree_as_list"))["project"]
    assert [each["project"]["id"] for each in shown["subtree"]] == [low["id"]]
    both = await identity.send("GET", f"/projects/{top['id']}?subtree_as_list&subtree_as_ids")
    assert both.status == 400
    assert await identity.names(f"/projects?parent_id={top['id']}") == {"mid"}


async def test_projects_are_not_deeper_than_the_limit(identity: Identity) -> None:
    parent = "default"
    for depth in range(5):
        made = await identity.make("/projects", "project", name=f"p{depth}", parent_id=parent)
        parent = made["id"]
    answer = await identity.send(
        "POST", "/projects", {"project": {"name": "too deep", "parent_id": parent}}
    )
    assert answer.status == 403


async def test_a_project_with_children_stays_and_one_without_goes(identity: Identity) -> None:
    top = await identity.make("/projects", "project", name="top")
    low = await identity.make("/projects", "project", name="low", parent_id=top["id"])
    assert (await identity.send("DELETE", f"/projects/{top['id']}")).status == 403
    assert (await identity.send("DELETE", f"/projects/{low['id']}")).status == 204
    assert (await identity.send("DELETE", f"/projects/{top['id']}")).status == 204
    assert (await identity.send("GET", f"/projects/{top['id']}")).status == 404
    await identity.make("/projects", "project", name="top")  # the name is free again


async def test_a_disabled_project_has_no_enabled_children(identity: Identity) -> None:
    top = await identity.make("/projects", "project", name="top")
    low = await identity.make("/projects", "project", name="low", parent_id=top["id"])
    off, on = {"project": {"enabled": False}}, {"project": {"enabled": True}}
    assert (await identity.send("PATCH", f"/projects/{top['id']}", off)).status == 403
    assert (await identity.send("PATCH", f"/projects/{low['id']}", off)).status == 200
    assert (await identity.send("PATCH", f"/projects/{top['id']}", off)).status == 200
    assert (await identity.send("PATCH", f"/projects/{low['id']}", on)).status == 403
    new = {"project": {"name": "new", "parent_id": top["id"]}}
    assert (await identity.send("POST", "/projects", new)).status == 403


@pytest.mark.parametrize(
    ("patch", "status"),
    [
        ({"domain_id": "0" * 32}, 400),
        ({"parent_id": "0" * 32}, 403),
        ({"is_domain": True}, 400),
        ({"domain_id": "default", "parent_id": "default", "is_domain": False}, 200),
    ],
)
async def test_where_a_project_is_cannot_be_changed(
    identity: Identity, patch: dict[str, object], status: int
) -> None:
    made = await identity.make("/projects", "project", name="web")
    answer = await identity.send("PATCH", f"/projects/{made['id']}", {"project": patch})
    assert answer.status == status


async def test_a_patch_changes_what_it_names_and_nothing_else(identity: Identity) -> None:
    made = await identity.make("/projects", "project", name="web", description="d", colour="red")
    answer = await identity.send(
        "PATCH", f"/projects/{made['id']}", {"project": {"description": None, "size": 3}}
    )
    assert answer.json["project"] == {**made, "description": "", "size": 3}


async def test_what_is_immutable_is_not_changed_until_that_is_lifted(identity: Identity) -> None:
    made = await identity.make("/projects", "project", name="web", options={"immutable": True})
    path = f"/projects/{made['id']}"
    assert (await identity.send("PATCH", path, {"project": {"name": "x"}})).status == 403
    assert (await identity.send("PUT", f"{path}/tags/x")).status == 403
    assert (await identity.send("DELETE", path)).status == 403
    lifted = {"project": {"options": {"immutable": None}}}
    assert (await identity.send("PATCH", path, lifted)).json["project"]["options"] == {}
    assert (await identity.send("DELETE", path)).status == 204


async def test_tags_are_added_listed_and_taken_away(identity: Identity) -> None:
    made = await identity.make("/projects", "project", name="web")
    tags = f"/projects/{made['id']}/tags"
    for _ in range(2):
        assert (await identity.send("PUT", f"{tags}/blue")).status == 201
    assert (await identity.get(tags))["tags"] == ["blue"]
    assert (await identity.send("GET", f"{tags}/blue")).status == 204
    assert (await identity.send("GET", f"{tags}/red")).status == 404
    assert (await identity.send("DELETE", f"{tags}/red")).status == 404
    replaced = await identity.send("PUT", tags, {"tags": ["a", "b"]})
    assert replaced.json["tags"] == ["a", "b"]
    assert (await identity.send("PUT", tags, {"tags": ["a", "a"]})).status == 400
    assert (await identity.send("DELETE", f"{tags}/a")).status == 204
    assert (await identity.send("DELETE", tags)).status == 204
    assert (await identity.get(tags))["tags"] == []


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("tags=a", {"one", "both"}),
        ("tags=a,b", {"both"}),
        ("tags-any=b,c", {"both"}),
        ("not-tags=a,b", {"none", "one", "admin", "service"}),
        ("not-tags-any=a", {"none", "admin", "service"}),
        ("name__contains=on", {"none", "one"}),
        ("name__icontains=ON", {"none", "one"}),
        ("name__startswith=o", {"one"}),
        ("name__endswith=th", {"both"}),
        ("name__contains=ON", set()),
        ("name=one&domain_id=default", {"one"}),
        ("name=one&domain_id=nowhere", set()),
        ("enabled=false", {"none"}),
        ("enabled=0&name=none", {"none"}),
        ("nonsense=1&name=one", {"one"}),
    ],
)
async def test_lists_are_filtered(identity: Identity, query: str, found: set[str]) -> None:
    await identity.make("/projects", "project", name="none", enabled=False)
    await identity.make("/projects", "project", name="one", tags=["a"])
    await identity.make("/projects", "project", name="both", tags=["a", "b"])
    assert await identity.names(f"/projects?{query}") == found


async def test_pages_end_and_leave_nothing_out(identity: Identity) -> None:
    for number in range(5):
        await identity.make("/projects", "project", name=f"p{number}")
    seen: list[str] = []
    path = "/projects?limit=2"
    while True:
        page = await identity.get(path)
        seen += [each["name"] for each in page["projects"]]
        if page["links"]["next"] is None:
            break
        path = page["links"]["next"].partition("/v3")[2]
    assert sorted(seen) == ["admin", "p0", "p1", "p2", "p3", "p4", "service"]
    assert (await identity.send("GET", "/projects?limit=x")).status == 400
    assert (await identity.send("GET", "/projects?marker=nobody")).status == 400


async def test_a_domain_goes_with_all_that_is_in_it_once_it_is_disabled(
    identity: Identity,
) -> None:
    domain = await identity.make("/domains", "domain", name="acme")
    path = f"/domains/{domain['id']}"
    inside = {"domain_id": domain["id"]}
    top = await identity.make("/projects", "project", name="top", **inside)
    await identity.make("/projects", "project", name="low", parent_id=top["id"])
    user = await identity.make("/users", "user", name="ann", **inside)
    group = await identity.make("/groups", "group", name="them", **inside)
    role = await identity.make("/roles", "role", name="own", **inside)
    assert (await identity.send("DELETE", path)).status == 403
    await identity.send("PATCH", path, {"domain": {"enabled": False}})
    assert (await identity.send("DELETE", path)).status == 204
    for gone in (
        path,
        f"/projects/{top['id']}",
        f"/users/{user['id']}",
        f"/groups/{group['id']}",
        f"/roles/{role['id']}",
    ):
        assert (await identity.send("GET", gone)).status == 404
    await identity.make("/domains", "domain", name="acme")


async def test_the_default_domain_is_neither_disabled_nor_deleted(identity: Identity) -> None:
    off = {"domain": {"enabled": False}}
    assert (await identity.send("PATCH", "/domains/default", off)).status == 403
    assert (await identity.send("DELETE", "/domains/default")).status == 403


async def test_a_project_that_is_a_domain_is_that_domain(identity: Identity) -> None:
    made = await identity.make("/projects", "project", name="acme", is_domain=True)
    assert (made["is_domain"], made["domain_id"], made["parent_id"]) == (True, None, None)
    assert made["id"] in {each["id"] for each in (await identity.get("/domains"))["domains"]}
    assert "acme" in await identity.names("/projects?is_domain=true")
    assert "acme" not in await identity.names("/projects")
    path = f"/projects/{made['id']}"
    assert (await identity.get(path))["project"] == made
    assert (await identity.send("DELETE", path)).status == 403
    off = await identity.send("PATCH", path, {"project": {"enabled": False}})
    assert off.json["project"]["enabled"] is False
    assert (await identity.send("DELETE", path)).status == 204


async def test_a_domain_may_have_an_id_of_one_s_own_once(identity: Identity) -> None:
    wanted = {"name": "acme", "explicit_domain_id": "c" * 32}
    made = await identity.make("/domains", "domain", **wanted)
    assert made["id"] == "c" * 32
    again = {"domain": {**wanted, "name": "other"}}
    assert (await identity.send("POST", "/domains", again)).status == 409


async def test_a_user_s_projects_are_those_with_a_role_from_wherever(identity: Identity) -> None:
    domain = await identity.make("/domains", "domain", name="acme")
    inside = {"domain_id": domain["id"]}
    user = await identity.make("/users", "user", name="ann", **inside)
    group = await identity.make("/groups", "group", name="them", **inside)
    direct, through, above, other = [
        await identity.make("/projects", "project", name=name, **inside)
        for name in ("direct", "through", "above", "other")
    ]
    below = await identity.make("/projects", "project", name="below", parent_id=above["id"])
    await identity.send("PUT", f"/groups/{group['id']}/users/{user['id']}")
    await identity.grant(f"/projects/{direct['id']}/users/{user['id']}", "member")
    await identity.grant(f"/projects/{through['id']}/groups/{group['id']}", "reader")
    reader = await identity.role_id("reader")
    inherit = f"/OS-INHERIT/projects/{above['id']}/users/{user['id']}/roles/{reader}"
    assert (await identity.send("PUT", f"{inherit}/inherited_to_projects")).status == 204
    token = f"{user['id']} unscoped"
    found = await identity.names(f"/users/{user['id']}/projects", token=token)
    assert found == {"direct", "through", "below"}
    assert below["parent_id"] == above["id"]
    assert other["name"] not in found
