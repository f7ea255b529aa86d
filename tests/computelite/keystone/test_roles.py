"""Roles, what they imply, grants on everything, and the list of assignments."""

from __future__ import annotations

from typing import Any

import pytest

from tests.computelite.keystone.conftest import Identity


async def test_the_roles_of_a_new_cloud_imply_one_another(identity: Identity) -> None:
    assert await identity.names("/roles") == {
        "admin",
        "manager",
        "member",
        "reader",
        "service",
        "ResellerAdmin",
    }
    found = (await identity.get("/role_inferences"))["role_inferences"]
    pairs = {
        (each["prior_role"]["name"], implied["name"])
        for each in found
        for implied in each["implies"]
    }
    assert pairs == {("admin", "manager"), ("manager", "member"), ("member", "reader")}


async def test_a_role_is_made_changed_and_deleted(identity: Identity) -> None:
    role = await identity.make("/roles", "role", name="auditor", description="d")
    assert (role["domain_id"], role["description"], role["options"]) == (None, "d", {})
    path = f"/roles/{role['id']}"
    changed = await identity.send("PATCH", path, {"role": {"name": "inspector"}})
    assert changed.json["role"] == {**role, "name": "inspector"}
    assert (await identity.send("DELETE", path)).status == 204
    assert (await identity.send("GET", path)).status == 404


@pytest.mark.parametrize("name", ["admin", "Admin", "ADMIN", "readeR"])
async def test_no_second_role_passes_for_a_first_one(identity: Identity, name: str) -> None:
    answer = await identity.send("POST", "/roles", {"role": {"name": name}})
    assert answer.status == 409


async def test_the_role_admin_stays_what_it_is(identity: Identity) -> None:
    admin = await identity.role_id("admin")
    assert (await identity.send("DELETE", f"/roles/{admin}")).status == 403
    renamed = await identity.send("PATCH", f"/roles/{admin}", {"role": {"name": "x"}})
    assert renamed.status == 403
    other = await identity.make("/roles", "role", name="other")
    implied = await identity.send("PUT", f"/roles/{other['id']}/implies/{admin}")
    assert implied.status == 403


async def test_implied_roles_are_made_shown_and_taken_back(identity: Identity) -> None:
    one, two = [await identity.make("/roles", "role", name=name) for name in ("one", "two")]
    path = f"/roles/{one['id']}/implies/{two['id']}"
    assert (await identity.send("GET", path)).status == 404
    made = await identity.send("PUT", path)
    assert made.status == 201
    inference = made.json["role_inference"]
    assert (inference["prior_role"]["id"], inference["implies"]["id"]) == (one["id"], two["id"])
    assert (await identity.send("HEAD", path)).status == 204
    listed = (await identity.get(f"/roles/{one['id']}/implies"))["role_inference"]
    assert [each["id"] for each in listed["implies"]] == [two["id"]]
    assert (await identity.send("DELETE", path)).status == 204
    assert (await identity.send("DELETE", path)).status == 404


async def test_a_domain_s_roles_are_listed_by_domain_and_given_in_it_only(
    identity: Identity,
) -> None:
    acme = await identity.make("/domains", "domain", name="acme")
    inside = {"domain_id": acme["id"]}
    role = await identity.make("/roles", "role", name="admin", **inside)
    assert "admin" in await identity.names(f"/roles?domain_id={acme['id']}")
    listed = await identity.get("/roles?name=admin")
    assert [each["domain_id"] for each in listed["roles"]] == [None]
    user = await identity.make("/users", "user", name="ann", **inside)
    project = await identity.make("/projects", "project", name="web", **inside)
    here = f"/projects/{project['id']}/users/{user['id']}/roles/{role['id']}"
    there = f"/projects/{identity.admin_project}/users/{user['id']}/roles/{role['id']}"
    assert (await identity.send("PUT", here)).status == 204
    assert (await identity.send("PUT", there)).status == 403
    reader = await identity.role_id("reader")
    path = f"/roles/{reader}/implies/{role['id']}"
    assert (await identity.send("PUT", path)).status == 403
    # It is in no token: only what it implies would count.
    answer = await identity.send("GET", "/domains", token=f"{user['id']} project {project['id']}")
    assert answer.status == 403


@pytest.mark.parametrize("actor", ["users", "groups"])
@pytest.mark.parametrize("target", ["projects", "domains", "system"])
@pytest.mark.parametrize("inherited", [False, True])
async def test_a_role_is_granted_checked_listed_and_revoked(
    identity: Identity, actor: str, target: str, inherited: bool
) -> None:
    if target == "system" and inherited:
        return
    who = await identity.make(f"/{actor}", actor.removesuffix("s"), name="ann")
    place = f"/system/{actor}/{who['id']}"
    if target != "system":
        where = await identity.make(f"/{target}", target.removesuffix("s"), name="there")
        place = f"/{target}/{where['id']}/{actor}/{who['id']}"
    role = await identity.role_id("member")
    before, after = ("/OS-INHERIT", "/inherited_to_projects") if inherited else ("", "")
    one, every = f"{before}{place}/roles/{role}{after}", f"{before}{place}/roles{after}"
    assert (await identity.send("HEAD", one)).status == 404
    assert (await identity.get(every))["roles"] == []
    assert (await identity.send("DELETE", one)).status == 404
    for _ in range(2):
        assert (await identity.send("PUT", one)).status == 204
    assert (await identity.send("HEAD", one)).status == 204
    assert await identity.names(every) == {"member"}
    found = await identity.get(f"/role_assignments?{actor[:-1]}.id={who['id']}")
    (shown,) = found["role_assignments"]
    assert shown["links"]["assignment"].endswith(f"/v3{one}")
    assert ("OS-INHERIT:inherited_to" in shown["scope"]) == inherited
    assert (await identity.send("DELETE", one)).status == 204
    assert (await identity.send("HEAD", one)).status == 404


@pytest.mark.parametrize("missing", ["user", "project", "role"])
async def test_nothing_is_granted_to_or_on_what_is_not_there(
    identity: Identity, missing: str
) -> None:
    ids = {
        "user": identity.admin_id,
        "project": identity.admin_project,
        "role": await identity.role_id("service"),
        missing: "f" * 32,
    }
    path = f"/projects/{ids['project']}/users/{ids['user']}/roles/{ids['role']}"
    assert (await identity.send("PUT", path)).status == 404


class World:
    """A user, a group, a project below another, and roles in every manner."""

    def __init__(self, ids: dict[str, str]) -> None:
        self.ids = ids

    def __getitem__(self, name: str) -> str:
        return self.ids[name]


@pytest.fixture
async def world(identity: Identity) -> World:
    make = identity.make
    acme = (await make("/domains", "domain", name="acme"))["id"]
    inside = {"domain_id": acme}
    ann = (await make("/users", "user", name="ann", **inside))["id"]
    them = (await make("/groups", "group", name="them", **inside))["id"]
    await identity.send("PUT", f"/groups/{them}/users/{ann}")
    top = (await make("/projects", "project", name="top", **inside))["id"]
    low = (await make("/projects", "project", name="low", parent_id=top))["id"]
    one = (await make("/roles", "role", name="one"))["id"]
    two = (await make("/roles", "role", name="two"))["id"]
    await identity.send("PUT", f"/roles/{one}/implies/{two}")
    await identity.send("PUT", f"/projects/{top}/users/{ann}/roles/{one}")
    reader = await identity.role_id("reader")
    await identity.send(
        "PUT", f"/OS-INHERIT/domains/{acme}/groups/{them}/roles/{reader}/inherited_to_projects"
    )
    await identity.send("PUT", f"/system/users/{ann}/roles/{reader}")
    return World(
        {"acme": acme, "ann": ann, "them": them, "top": top, "low": low}
        | {"one": one, "two": two, "reader": reader}
    )


def short(world: World, shown: dict[str, Any]) -> tuple[str, ...]:
    names = {id_: name for name, id_ in world.ids.items()}
    actor = shown.get("user") or shown["group"]
    ((kind, where),) = ((k, v) for k, v in shown["scope"].items() if not k.startswith("OS-"))
    place = "system" if kind == "system" else names[where["id"]]
    inherited = ("inherited",) if "OS-INHERIT:inherited_to" in shown["scope"] else ()
    return (names[actor["id"]], names[shown["role"]["id"]], place, *inherited)


GRANTED = {
    ("ann", "one", "top"),
    ("them", "reader", "acme", "inherited"),
    ("ann", "reader", "system"),
}
EFFECTIVE = {
    ("ann", "one", "top"),
    ("ann", "two", "top"),
    ("ann", "reader", "top"),
    ("ann", "reader", "low"),
    ("ann", "reader", "system"),
}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("user.id={ann}", {("ann", "one", "top"), ("ann", "reader", "system")}),
        ("group.id={them}", {("them", "reader", "acme", "inherited")}),
        ("scope.project.id={top}", {("ann", "one", "top")}),
        ("scope.project.id={low}", set()),
        ("scope.domain.id={acme}", {("them", "reader", "acme", "inherited")}),
        (
            "scope.OS-INHERIT:inherited_to=projects&group.id={them}",
            {("them", "reader", "acme", "inherited")},
        ),
        ("scope.system=all&user.id={ann}", {("ann", "reader", "system")}),
        ("role.id={one}", {("ann", "one", "top")}),
        ("user.id={ann}&effective", EFFECTIVE),
        ("user.id={ann}&effective=true&role.id={two}", {("ann", "two", "top")}),
        (
            "scope.project.id={low}&effective",
            {("ann", "reader", "low")},
        ),
        (
            "scope.project.id={top}&include_subtree&effective",
            {each for each in EFFECTIVE if each[2] in ("top", "low")},
        ),
        ("scope.project.id={top}&include_subtree", {("ann", "one", "top")}),
        ("user.id={ann}&effective=0&role.id={reader}", {("ann", "reader", "system")}),
        ("user.id=nobody", set()),
    ],
)
async def test_assignments_are_listed_by_every_filter(
    identity: Identity, world: World, query: str, found: set[tuple[str, ...]]
) -> None:
    answer = await identity.get("/role_assignments?" + query.format_map(world.ids))
    assert {short(world, each) for each in answer["role_assignments"]} == found


@pytest.mark.parametrize(
    "query",
    [
        "user.id=a&group.id=b",
        "scope.project.id=a&scope.domain.id=b",
        "effective&group.id=a",
        "effective&scope.OS-INHERIT:inherited_to=projects",
        "include_subtree",
        "scope.OS-INHERIT:inherited_to=users",
    ],
)
async def test_filters_that_contradict_one_another_are_refused(
    identity: Identity, query: str
) -> None:
    assert (await identity.send("GET", f"/role_assignments?{query}")).status == 400


async def test_names_stand_beside_ids_where_they_are_asked_for(
    identity: Identity, world: World
) -> None:
    found = await identity.get(f"/role_assignments?include_names&user.id={world['ann']}")
    shown = next(each for each in found["role_assignments"] if "project" in each["scope"])
    acme = {"id": world["acme"], "name": "acme"}
    assert shown["user"] == {"id": world["ann"], "name": "ann", "domain": acme}
    assert shown["role"] == {"id": world["one"], "name": "one"}
    assert shown["scope"] == {"project": {"id": world["top"], "name": "top", "domain": acme}}


async def test_an_effective_assignment_says_what_it_comes_from(
    identity: Identity, world: World
) -> None:
    found = await identity.get(f"/role_assignments?effective&user.id={world['ann']}")
    by_name = {short(world, each): each["links"] for each in found["role_assignments"]}
    implied = by_name["ann", "two", "top"]
    assert implied["prior_role"].endswith(f"/roles/{world['one']}/implies/{world['two']}")
    through = by_name["ann", "reader", "low"]
    assert through["membership"].endswith(f"/groups/{world['them']}/users/{world['ann']}")
    assert through["assignment"].endswith("/inherited_to_projects")


async def test_a_domain_s_reader_sees_the_assignments_in_it(
    identity: Identity, world: World
) -> None:
    token = await identity.person("rea", "reader", domain=world["acme"])
    found = await identity.get("/role_assignments", token=token)
    where = {tuple(each["scope"]) for each in found["role_assignments"]}
    assert found["role_assignments"]
    assert ("system",) not in where
    assert identity.admin_project not in str(found)
