"""Regions, services, endpoints, policies and limits."""

from __future__ import annotations

from typing import Any

import pytest

from tests.computelite.keystone.conftest import Identity


async def test_a_new_cloud_lists_its_services_where_the_client_reaches_them(
    identity: Identity,
) -> None:
    found = (await identity.get("/endpoints"))["endpoints"]
    assert len(found) == 6
    assert {each["url"] for each in found} == {
        "http://cloud.example:9001/identity",
        "http://cloud.example:9001/v1/AUTH_$(project_id)s",
    }
    assert {each["region_id"] for each in found} == {"RegionOne"}
    assert {each["interface"] for each in found} == {"public", "internal", "admin"}
    assert await identity.names("/services?type=identity") == {"keystone"}


async def test_regions_have_parents_and_stay_while_something_is_in_them(
    identity: Identity,
) -> None:
    top = await identity.make("/regions", "region", id="eu", description="d")
    assert top["parent_region_id"] is None
    low = await identity.make("/regions", "region", id="eu-1", parent_region_id="eu")
    assert low["parent_region_id"] == "eu"
    drawn = await identity.make("/regions", "region")
    assert len(drawn["id"]) == 32
    again = await identity.send("POST", "/regions", {"region": {"id": "eu"}})
    assert again.status == 409
    orphan = {"region": {"id": "x", "parent_region_id": "nowhere"}}
    assert (await identity.send("POST", "/regions", orphan)).status == 404
    listed = (await identity.get("/regions?parent_region_id=eu"))["regions"]
    assert [each["id"] for each in listed] == ["eu-1"]
    circle = {"region": {"parent_region_id": "eu-1"}}
    assert (await identity.send("PATCH", "/regions/eu", circle)).status == 403
    assert (await identity.send("DELETE", "/regions/eu")).status == 403
    assert (await identity.send("DELETE", "/regions/RegionOne")).status == 403
    assert (await identity.send("DELETE", "/regions/eu-1")).status == 204
    assert (await identity.send("DELETE", "/regions/eu")).status == 204


async def test_a_region_can_be_put_under_its_id(identity: Identity) -> None:
    made = await identity.send("PUT", "/regions/eu", {"region": {"description": "d"}})
    assert (made.status, made.json["region"]["id"]) == (201, "eu")
    other = await identity.send("PUT", "/regions/us", {"region": {"id": "eu"}})
    assert other.status == 400


async def test_a_service_goes_with_its_endpoints(identity: Identity) -> None:
    service = await identity.make("/services", "service", type="image", name="glance")
    endpoint = await identity.make(
        "/endpoints",
        "endpoint",
        service_id=service["id"],
        interface="public",
        url="http://10.0.0.1/image",
        region="new-region",
    )
    assert (endpoint["region_id"], endpoint["region"]) == ("new-region", "new-region")
    assert (await identity.get("/regions/new-region"))["region"]["id"] == "new-region"
    off = {"service": {"enabled": False, "description": "d"}}
    patched = await identity.send("PATCH", f"/services/{service['id']}", off)
    assert patched.json["service"] == {**service, "enabled": False, "description": "d"}
    moved = {"endpoint": {"url": "https://10.0.0.2/", "region_id": None}}
    changed = await identity.send("PATCH", f"/endpoints/{endpoint['id']}", moved)
    assert changed.json["endpoint"]["url"] == "https://10.0.0.2/"
    assert changed.json["endpoint"]["region_id"] is None
    assert (await identity.send("DELETE", f"/services/{service['id']}")).status == 204
    assert (await identity.send("GET", f"/endpoints/{endpoint['id']}")).status == 404


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"interface": "sideways"}, 400),
        ({"enabled": "True"}, 400),
        ({"enabled": "False"}, 400),
        ({"url": "no url"}, 400),
        ({"url": "http://$(admin_token)s/"}, 400),
        ({"url": "http://%(password)s/"}, 400),
        ({"url": "http://x/$(tenant_id)s"}, 201),
        ({"service_id": "f" * 32}, 404),
        ({"region_id": "nowhere"}, 404),
    ],
)
async def test_endpoints_that_can_be_and_that_cannot(
    identity: Identity, fields: dict[str, Any], status: int
) -> None:
    service = (await identity.get("/services"))["services"][0]["id"]
    new = {"service_id": service, "interface": "public", "url": "http://x/", **fields}
    answer = await identity.send("POST", "/endpoints", {"endpoint": new})
    assert answer.status == status, answer.text


async def test_endpoints_are_filtered(identity: Identity) -> None:
    service = (await identity.get("/services?type=identity"))["services"][0]["id"]
    path = f"/endpoints?service_id={service}&interface=public&region_id=RegionOne"
    assert len((await identity.get(path))["endpoints"]) == 1
    assert (await identity.get(path + "x"))["endpoints"] == []


async def test_policies_are_kept_as_they_are(identity: Identity) -> None:
    made = await identity.make("/policies", "policy", blob="{}", type="application/json", note="n")
    path = f"/policies/{made['id']}"
    changed = await identity.send("PATCH", path, {"policy": {"blob": "[]"}})
    assert changed.json["policy"] == {**made, "blob": "[]"}
    assert (await identity.get("/policies?type=application/json"))["policies"] == [
        changed.json["policy"]
    ]
    assert (await identity.send("DELETE", path)).status == 204
    assert (await identity.send("GET", path)).status == 404


# -- limits --------------------------------------------------------------------------------------


async def registered(identity: Identity, **fields: Any) -> Any:
    service = (await identity.get("/services"))["services"][0]["id"]
    new = {"service_id": service, "resource_name": "cores", "default_limit": 10, **fields}
    return await identity.send("POST", "/registered_limits", {"registered_limits": [new]})


async def test_a_limit_needs_its_registered_limit_which_stays_as_long(identity: Identity) -> None:
    service = (await identity.get("/services"))["services"][0]["id"]
    wanted = {
        "service_id": service,
        "resource_name": "cores",
        "resource_limit": 5,
        "project_id": identity.admin_project,
    }
    assert (await identity.send("POST", "/limits", {"limits": [wanted]})).status == 404
    made = await registered(identity)
    assert made.status == 201
    assert (await registered(identity)).status == 409
    (base,) = made.json["registered_limits"]
    answer = await identity.send("POST", "/limits", {"limits": [wanted]})
    assert answer.status == 201
    (limit,) = answer.json["limits"]
    assert (limit["project_id"], limit["domain_id"], limit["region_id"]) == (
        identity.admin_project,
        None,
        None,
    )
    assert (await identity.send("POST", "/limits", {"limits": [wanted]})).status == 409
    path = f"/limits/{limit['id']}"
    changed = await identity.send("PATCH", path, {"limit": {"resource_limit": 7}})
    assert changed.json["limit"]["resource_limit"] == 7
    assert (await identity.send("DELETE", f"/registered_limits/{base['id']}")).status == 403
    assert (await identity.send("DELETE", path)).status == 204
    assert (await identity.send("DELETE", f"/registered_limits/{base['id']}")).status == 204


@pytest.mark.parametrize(
    "fields",
    [
        {"default_limit": "ten"},
        {"default_limit": -2},
        {"resource_name": ""},
        {"default_limit": 2**40},
    ],
)
async def test_a_registered_limit_that_cannot_be_is_refused(
    identity: Identity, fields: dict[str, Any]
) -> None:
    assert (await registered(identity, **fields)).status == 400


async def test_limits_come_all_or_not_at_all(identity: Identity) -> None:
    service = (await identity.get("/services"))["services"][0]["id"]
    one = {"service_id": service, "resource_name": "cores", "default_limit": 1}
    two = {**one, "service_id": "f" * 32}
    for several in ([one, two], [one, one], []):
        answer = await identity.send("POST", "/registered_limits", {"registered_limits": several})
        assert answer.status in (400, 404, 409)
    assert (await identity.get("/registered_limits"))["registered_limits"] == []


async def test_a_member_sees_the_limits_of_their_own_project(identity: Identity) -> None:
    await registered(identity)
    service = (await identity.get("/services"))["services"][0]["id"]
    mine = await identity.make("/projects", "project", name="mine")
    token = await identity.person("ann", "member", project=mine["id"])
    for project_id in (mine["id"], identity.admin_project):
        limit = {
            "service_id": service,
            "resource_name": "cores",
            "resource_limit": 5,
            "project_id": project_id,
        }
        await identity.send("POST", "/limits", {"limits": [limit]})
    found = (await identity.get("/limits", token=token))["limits"]
    assert [each["project_id"] for each in found] == [mine["id"]]
    assert len((await identity.get("/limits"))["limits"]) == 2
    assert (await identity.get("/limits/model", token=token))["model"]["name"] == "flat"


async def test_a_limit_goes_with_its_project_or_domain(identity: Identity) -> None:
    service = (await identity.get("/services"))["services"][0]["id"]
    about = {"service_id": service, "resource_name": "servers"}
    registered = {"registered_limits": [{**about, "default_limit": 9}]}
    answer = await identity.send("POST", "/registered_limits", registered)
    registered_id = answer.json["registered_limits"][0]["id"]
    project = await identity.make("/projects", "project", name="web")
    domain = await identity.make("/domains", "domain", name="sales")
    kept = await identity.make("/projects", "project", name="kept")
    of = [{"project_id": project["id"]}, {"domain_id": domain["id"]}, {"project_id": kept["id"]}]
    limits = [{**about, "resource_limit": 1, **each} for each in of]
    assert (await identity.send("POST", "/limits", {"limits": limits})).status == 201
    await identity.send("PATCH", f"/domains/{domain['id']}", {"domain": {"enabled": False}})
    for path in (f"/projects/{project['id']}", f"/domains/{domain['id']}"):
        assert (await identity.send("DELETE", path)).status == 204
    (left,) = (await identity.get("/limits"))["limits"]
    assert left["project_id"] == kept["id"]
    in_use = await identity.send("DELETE", f"/registered_limits/{registered_id}")
    assert in_use.status == 403
    assert (await identity.send("DELETE", f"/projects/{kept['id']}")).status == 204
    gone = await identity.send("DELETE", f"/registered_limits/{registered_id}")
    assert gone.status == 204
