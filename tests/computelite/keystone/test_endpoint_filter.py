"""OS-EP-FILTER: endpoint groups, and what the catalogs of projects show."""

from __future__ import annotations

from typing import Any

import pytest

from tests.computelite.keystone.conftest import Identity
from tests.computelite.keystone.house import PASSWORD, House, by_password, project

FILTER = "/OS-EP-FILTER"
GROUPS = f"{FILTER}/endpoint_groups"


async def catalog(identity: Identity, token: str | None = None) -> dict[str, set[str]]:
    """Return the interfaces of each service type in a token's catalog, the admin's by default."""
    found = (await identity.get("/auth/catalog", token=token))["catalog"]
    return {each["type"]: {one["interface"] for one in each["endpoints"]} for each in found}


ALL = {"public", "internal", "admin"}
EVERYTHING = {"identity": ALL, "object-store": ALL}


async def services(identity: Identity) -> dict[str, str]:
    """Return the id of the service of each type."""
    return {each["type"]: each["id"] for each in (await identity.get("/services"))["services"]}


async def one_endpoint(identity: Identity, kind: str, interface: str = "public") -> str:
    service = (await services(identity))[kind]
    found = await identity.get(f"/endpoints?service_id={service}&interface={interface}")
    return str(found["endpoints"][0]["id"])


async def make_group(identity: Identity, name: str = "some", **filters: Any) -> Any:
    return await identity.make(GROUPS, "endpoint_group", name=name, filters=filters)


async def ok(identity: Identity, method: str, path: str) -> None:
    answer = await identity.send(method, path)
    assert (answer.status, answer.text) == (204, ""), answer.text


async def test_a_project_sees_every_endpoint_until_one_is_added_to_it(identity: Identity) -> None:
    ann = await identity.make("/projects", "project", name="anns")
    token = await identity.person("ann", "member", project=ann["id"])
    assert await catalog(identity, token) == EVERYTHING
    public = await one_endpoint(identity, "object-store")
    path = f"{FILTER}/projects/{ann['id']}/endpoints/{public}"
    assert (await identity.send("GET", path)).status == 404
    await ok(identity, "PUT", path)
    await ok(identity, "GET", path)
    await ok(identity, "HEAD", path)
    assert await catalog(identity, token) == {"object-store": {"public"}}
    assert await catalog(identity) == EVERYTHING, "another project's"
    await ok(identity, "DELETE", path)
    assert await catalog(identity, token) == EVERYTHING
    assert (await identity.send("DELETE", path)).status == 404


async def test_what_is_added_twice_is_a_conflict(identity: Identity) -> None:
    group = await make_group(identity)
    public = await one_endpoint(identity, "identity")
    own = identity.admin_project
    for path in (
        f"{FILTER}/projects/{own}/endpoints/{public}",
        f"{GROUPS}/{group['id']}/projects/{own}",
    ):
        await ok(identity, "PUT", path)
        assert (await identity.send("PUT", path)).status == 409


async def test_nothing_is_added_that_is_not_there_or_to_what_is_not(identity: Identity) -> None:
    nobody, own = "f" * 32, identity.admin_project
    group = (await make_group(identity))["id"]
    endpoint = await one_endpoint(identity, "identity")
    head = identity.log.head()
    for path in (
        f"{FILTER}/projects/{nobody}/endpoints/{endpoint}",
        f"{FILTER}/projects/{own}/endpoints/{nobody}",
        f"{GROUPS}/{nobody}/projects/{own}",
        f"{GROUPS}/{group}/projects/{nobody}",
    ):
        for method in ("PUT", "GET", "HEAD", "DELETE"):
            assert (await identity.send(method, path)).status == 404, (method, path)
    for path in (
        f"{FILTER}/projects/{nobody}/endpoints",
        f"{FILTER}/projects/{nobody}/endpoint_groups",
        f"{FILTER}/endpoints/{nobody}/projects",
        f"{GROUPS}/{nobody}/endpoints",
        f"{GROUPS}/{nobody}/projects",
        f"{GROUPS}/{nobody}",
    ):
        assert (await identity.send("GET", path)).status == 404, path
    assert identity.log.head() == head


async def test_an_endpoint_group_is_made_listed_changed_and_deleted(identity: Identity) -> None:
    service = (await services(identity))["identity"]
    made = await make_group(identity, "keystone", service_id=service)
    path = f"{GROUPS}/{made['id']}"
    assert made == {
        "id": made["id"],
        "name": "keystone",
        "description": "",
        "filters": {"service_id": service},
        "links": {"self": f"http://cloud.example:9001/identity/v3{path}"},
    }
    assert (await identity.get(path))["endpoint_group"] == made
    assert (await identity.send("HEAD", path)).status == 200
    await make_group(identity, "other")
    assert (await identity.get(f"{GROUPS}?name=keystone"))["endpoint_groups"] == [made]
    assert await identity.names(GROUPS) == {"keystone", "other"}
    patch = {"name": None, "filters": None, "description": "d"}  # what stays can be sent as null
    answer = await identity.send("PATCH", path, {"endpoint_group": patch})
    assert (answer.status, answer.json["endpoint_group"]) == (200, made | {"description": "d"})
    patch = {"name": "n", "filters": {"interface": "admin", "region_id": None}}
    answer = await identity.send("PATCH", path, {"endpoint_group": patch})
    assert answer.json["endpoint_group"] == made | {"description": "d"} | patch
    await ok(identity, "DELETE", path)
    assert (await identity.send("GET", path)).status == 404
    assert (await identity.send("PATCH", path, {"endpoint_group": patch})).status == 404
    assert (await identity.send("DELETE", path)).status == 404


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "", "filters": {}},
        {"filters": {}},
        {"name": "a"},
        {"name": "a" * 256, "filters": {}},
        {"name": "a", "filters": []},
        {"name": "a", "filters": {"colour": "green"}},
        {"name": "a", "filters": {"interface": "sideways"}},
        {"name": "a", "filters": {"interface": None}},
        {"name": "a", "filters": {"service_id": 5}},
        {"name": "a", "filters": {"region_id": "x" * 256}},
        {"name": "a", "filters": {}, "description": 5},
        {"name": "a", "filters": {}, "description": "x" * 16385},
    ],
)
async def test_an_endpoint_group_that_cannot_be_is_refused(
    identity: Identity, fields: dict[str, Any]
) -> None:
    head = identity.log.head()
    answer = await identity.send("POST", GROUPS, {"endpoint_group": fields})
    assert answer.status == 400
    assert "Invalid input" in answer.message
    assert identity.log.head() == head


async def test_a_group_s_endpoints_are_those_that_are_as_it_says_now(identity: Identity) -> None:
    kinds = await services(identity)
    group = await make_group(identity, service_id=kinds["object-store"])
    await ok(identity, "PUT", f"{GROUPS}/{group['id']}/projects/{identity.admin_project}")
    assert await catalog(identity) == {"object-store": ALL}
    shown = (await identity.get(f"{GROUPS}/{group['id']}/endpoints"))["endpoints"]
    assert {(each["service_id"], each["interface"]) for each in shown} == {
        (kinds["object-store"], each) for each in ALL
    }
    only = {"endpoint_group": {"filters": {"interface": "public", "region_id": "RegionOne"}}}
    assert (await identity.send("PATCH", f"{GROUPS}/{group['id']}", only)).status == 200
    assert await catalog(identity) == {"identity": {"public"}, "object-store": {"public"}}
    image = await identity.make("/services", "service", type="image")
    await identity.make(
        "/endpoints",
        "endpoint",
        service_id=image["id"],
        interface="public",
        url="http://x/",
        region_id="RegionOne",
    )
    assert (await catalog(identity))["image"] == {"public"}
    await ok(identity, "DELETE", f"{GROUPS}/{group['id']}")
    assert await catalog(identity) == {**EVERYTHING, "image": {"public"}}


async def test_a_project_with_a_group_that_selects_nothing_sees_nothing(identity: Identity) -> None:
    group = await make_group(identity, region_id="atlantis")
    await ok(identity, "PUT", f"{GROUPS}/{group['id']}/projects/{identity.admin_project}")
    assert await catalog(identity) == {}


async def test_what_was_added_is_seen_from_both_sides(identity: Identity) -> None:
    kinds, own = await services(identity), identity.admin_project
    public = await one_endpoint(identity, "identity")
    group = await make_group(identity, service_id=kinds["object-store"])
    association = f"{GROUPS}/{group['id']}/projects/{own}"
    await ok(identity, "PUT", f"{FILTER}/projects/{own}/endpoints/{public}")
    assert (await identity.send("GET", association)).status == 404
    await ok(identity, "PUT", association)
    both = (await identity.get(f"{FILTER}/projects/{own}/endpoints"))["endpoints"]
    assert len(both) == 4, "one alone, three by the group"
    one = (await identity.get(f"/endpoints/{public}"))["endpoint"]
    assert one in both
    groups = (await identity.get(f"{FILTER}/projects/{own}/endpoint_groups"))["endpoint_groups"]
    assert groups == [group]
    by_group = await one_endpoint(identity, "object-store")
    for path, names in (
        (f"{FILTER}/endpoints/{public}/projects", {"admin"}),
        (f"{FILTER}/endpoints/{by_group}/projects", set()),
        (f"{GROUPS}/{group['id']}/projects", {"admin"}),
    ):
        assert await identity.names(path) == names, path
    shown = (await identity.get(association))["project_endpoint_group"]
    assert shown == {
        "endpoint_group_id": group["id"],
        "project_id": own,
        "links": {"self": f"http://cloud.example:9001/identity/v3{association}"},
    }
    assert (await identity.send("HEAD", association)).status == 200
    await ok(identity, "DELETE", association)
    assert (await identity.send("GET", association)).status == 404
    assert await catalog(identity) == {"identity": {"public"}}


async def test_a_project_without_associations_lists_none(identity: Identity) -> None:
    """Its catalog has every endpoint all the same."""
    path = f"{FILTER}/projects/{identity.admin_project}"
    assert (await identity.get(f"{path}/endpoints"))["endpoints"] == []
    assert (await identity.get(f"{path}/endpoint_groups"))["endpoint_groups"] == []


async def test_disabled_endpoints_stay_out_of_a_catalog_that_they_were_added_to(
    identity: Identity,
) -> None:
    own = identity.admin_project
    for kind in ("identity", "object-store"):
        endpoint = await one_endpoint(identity, kind)
        await ok(identity, "PUT", f"{FILTER}/projects/{own}/endpoints/{endpoint}")
    off = {"endpoint": {"enabled": False}}
    assert (await identity.send("PATCH", f"/endpoints/{endpoint}", off)).status == 200
    assert await catalog(identity) == {"identity": {"public"}}


async def test_an_association_goes_with_its_endpoint_service_and_project(
    identity: Identity,
) -> None:
    own = identity.admin_project
    image = await identity.make("/services", "service", type="image")
    made = {"service_id": image["id"], "url": "http://x/"}
    for interface in ("public", "admin"):
        endpoint = await identity.make("/endpoints", "endpoint", interface=interface, **made)
        await ok(identity, "PUT", f"{FILTER}/projects/{own}/endpoints/{endpoint['id']}")
    await ok(identity, "DELETE", f"/endpoints/{endpoint['id']}")
    assert await catalog(identity) == {"image": {"public"}}
    await ok(identity, "DELETE", f"/services/{image['id']}")
    assert await catalog(identity) == EVERYTHING
    group = await make_group(identity)
    gone = await identity.make("/projects", "project", name="gone")
    await ok(identity, "PUT", f"{GROUPS}/{group['id']}/projects/{gone['id']}")
    await ok(identity, "DELETE", f"/projects/{gone['id']}")
    assert (await identity.get(f"{GROUPS}/{group['id']}/projects"))["projects"] == []


async def test_lists_come_in_pages(identity: Identity) -> None:
    for number in range(3):
        await make_group(identity, f"g{number}")
    first = await identity.get(f"{GROUPS}?limit=2")
    assert len(first["endpoint_groups"]) == 2
    last = first["endpoint_groups"][-1]["id"]
    rest = await identity.get(f"{GROUPS}?limit=2&marker={last}")
    assert [each["name"] for each in rest["endpoint_groups"]] == ["g2"]


async def test_the_system_s_reader_sees_what_is_shown_and_changes_nothing(
    identity: Identity,
) -> None:
    token = await identity.person("sue", "reader", system="all")
    group, own = await make_group(identity), identity.admin_project
    association = f"{GROUPS}/{group['id']}/projects/{own}"
    await ok(identity, "PUT", association)
    for path in (GROUPS, association, f"{FILTER}/projects/{own}/endpoints"):
        assert (await identity.send("GET", path, token=token)).status == 200, path
    for method, path in (
        ("DELETE", association),
        ("PUT", association),
        ("DELETE", f"{GROUPS}/{group['id']}"),
    ):
        assert (await identity.send(method, path, token=token)).status == 403, path


async def test_tokens_bring_the_catalog_of_their_project_as_it_is_at_every_worker(
    house: House,
) -> None:
    user, own = await house.person("ann")
    service = (await house.change("GET", "/services?type=object-store")).json["services"][0]["id"]
    fields = {"name": "storage", "filters": {"service_id": service, "interface": "public"}}
    group = await house.make(GROUPS, "endpoint_group", **fields)
    shown = by_password(user, PASSWORD)
    full = await house.login(shown, project(own))
    assert len(full.json["token"]["catalog"]) == 2
    await house.change("PUT", f"{GROUPS}/{group['id']}/projects/{own}")
    token = full.headers["X-Subject-Token"]
    again = await house.second.login(shown, project(own))
    headers = {"X-Subject-Token": token}
    seen = await house.second.send("GET", "/auth/tokens", token=token, headers=headers)
    for answer in (again, seen):
        (storage,) = answer.json["token"]["catalog"]
        assert storage["type"] == "object-store"
        assert [each["interface"] for each in storage["endpoints"]] == ["public"]
    other = await house.login(by_password(house.admin_id), {"system": {"all": True}})
    assert len(other.json["token"]["catalog"]) == 2, "no project, no filter"
