"""Images over HTTP: made, shown, changed, deleted."""

from __future__ import annotations

import asyncio

from tests.computelite.glance.house import Glance

DRAFT_4 = "application/openstack-images-v2.0-json-patch"


async def test_anyone_learns_which_versions_there_are(glance: Glance) -> None:
    for path, status in (("", 300), ("/", 300), ("/v2", 200), ("/v2/", 200), ("/versions", 200)):
        answer = await glance.edge.send("GET", path)
        assert answer.status == status, path
        current = answer.json["versions"][0]
        assert (current["id"], current["status"]) == ("v2.9", "CURRENT")
        assert current["links"] == [{"rel": "self", "href": "http://cloud.example:9001/image/v2/"}]


async def test_a_stranger_is_told_nothing_but_to_log_in(glance: Glance) -> None:
    for method, path in (("GET", "/images"), ("POST", "/images"), ("GET", "/nowhere")):
        answer = await glance.edge.send(method, f"/v2{path}")
        assert answer.status == 401
        assert answer.headers["WWW-Authenticate"].startswith("Keystone uri=")
    for token in ("unscoped", "nobody"):
        assert (await glance.send("GET", "/images/x", token=token)).status in (403, 404)
        assert (await glance.send("POST", "/images", {}, token=token)).status == 403


async def test_an_image_is_made_as_it_was_asked_for(glance: Glance) -> None:
    answer = await glance.send(
        "POST",
        "/images",
        {
            "name": "größer",
            "disk_format": "qcow2",
            "container_format": "bare",
            "min_disk": 1,
            "min_ram": 64,
            "tags": ["b", "a", "b"],
            "visibility": "private",
            "os_hidden": True,
            "protected": True,
            "os_distro": "debian",
            "owner_specified.openstack.md5": "",
        },
    )
    assert answer.status == 201
    image = answer.json
    assert answer.headers["Location"] == f"http://cloud.example:9001/image/v2/images/{image['id']}"
    assert answer.headers["OpenStack-image-import-methods"] == "glance-direct,web-download"
    for name in ("created_at", "updated_at"):
        assert image.pop(name).endswith("Z")
    id_ = image.pop("id")
    assert image == {
        "name": "größer",
        "status": "queued",
        "visibility": "private",
        "protected": True,
        "os_hidden": True,
        "owner": "p",
        "disk_format": "qcow2",
        "container_format": "bare",
        "min_disk": 1,
        "min_ram": 64,
        "size": None,
        "virtual_size": None,
        "checksum": None,
        "os_hash_algo": None,
        "os_hash_value": None,
        "tags": ["a", "b"],
        "os_distro": "debian",
        "owner_specified.openstack.md5": "",
        "self": f"/v2/images/{id_}",
        "file": f"/v2/images/{id_}/file",
        "schema": "/v2/schemas/image",
    }


async def test_an_id_can_be_chosen_once(glance: Glance) -> None:
    id_ = "01A20000-0000-7000-8000-00000000000a"
    image = await glance.make(id=id_)
    assert image["id"] == id_.lower()
    assert (await glance.send("POST", "/images", {"id": id_}, token="ben")).status == 409
    assert (await glance.send("POST", "/images", {"id": "x/y"})).status == 400


NO_IMAGES = (
    ({"name": 3}, 400),
    ({"name": "x" * 256}, 400),
    ({"name": "a\0b"}, 400),
    ({"disk_format": "wrong"}, 400),
    ({"container_format": "wrong"}, 400),
    ({"visibility": "wrong"}, 400),
    ({"min_disk": -1}, 400),
    ({"min_ram": 2**31}, 400),
    ({"min_ram": "1"}, 400),
    ({"protected": "True"}, 400),
    ({"tags": "x"}, 400),
    ({"tags": ["x" * 256]}, 400),
    ({"owner": "a/b"}, 400),
    ({"colour": 3}, 400),
    ({"colour": None}, 400),
    ({"colour": {"a": "b"}}, 400),
    ({"x" * 256: "y"}, 400),
    ({"colour": "x" * 65_536}, 400),
    ({"status": "active"}, 403),
    ({"size": 3}, 403),
    ({"checksum": "x"}, 403),
    ({"self": "x"}, 403),
    ({"stores": "x"}, 403),
    ({"locations": []}, 403),
    ({"os_glance_foo": "bar"}, 403),
    ({"visibility": "public"}, 403),
    ({"owner": "q"}, 403),
    ({"tags": [str(i) for i in range(129)]}, 413),
    ({f"p{i}": "x" for i in range(129)}, 413),
    ({f"p{i}": "x" * 60_000 for i in range(3)}, 413),
)


async def test_what_cannot_be_an_image_is_refused(glance: Glance) -> None:
    for body, status in NO_IMAGES:
        answer = await glance.send("POST", "/images", body)
        assert answer.status == status, answer.text
        assert answer.json["code"].startswith(str(status))
        assert await glance.names(token="root") == []


async def test_an_admin_makes_public_images_and_those_of_others(glance: Glance) -> None:
    image = await glance.make(token="root", visibility="public", owner="q")
    assert (image["visibility"], image["owner"]) == ("public", "q")
    assert (await glance.send("POST", "/images", {}, token="rae")).status == 403


async def test_an_image_of_others_is_not_there_until_it_is_for_all(glance: Glance) -> None:
    seen: dict[str, list[int]] = {}
    for visibility in ("private", "shared", "community", "public"):
        image = await glance.make(token="root", owner="p", visibility=visibility)
        tokens = ("ann", "rae", "ben", "root", "auditor")
        seen[visibility] = [
            (await glance.send("GET", f"/images/{image['id']}", token=token)).status
            for token in tokens
        ]
        # And who does not see it cannot tell it from one that is not there.
        for method, path in (("DELETE", ""), ("PUT", "/tags/x"), ("POST", "/actions/deactivate")):
            answer = await glance.send(method, f"/images/{image['id']}{path}", token="ben")
            open_ = visibility in ("community", "public")
            assert answer.status == (403 if open_ else 404)
    assert seen == {
        "private": [200, 200, 404, 200, 200],
        "shared": [200, 200, 404, 200, 200],
        "community": [200, 200, 200, 200, 200],
        "public": [200, 200, 200, 200, 200],
    }


async def test_a_reader_changes_nothing(glance: Glance) -> None:
    image = await glance.make(data=b"x")
    id_ = image["id"]
    for method, path, body in (
        ("DELETE", "", None),
        ("PUT", "/tags/x", None),
        ("DELETE", "/tags/x", None),
        ("POST", "/actions/deactivate", None),
        ("POST", "/members", {"member": "q"}),
        ("POST", "/import", {"method": {"name": "glance-direct"}}),
        ("PUT", "/file", None),
        ("PUT", "/stage", None),
    ):
        answer = await glance.send(method, f"/images/{id_}{path}", body, token="rae")
        assert answer.status == 403, (method, path)
    assert (await glance.patch(id_, {}, token="rae")).status == 403
    assert (await glance.send("GET", f"/images/{id_}/file", token="rae")).status == 403
    assert await glance.get(f"/images/{id_}") == image


async def test_a_patch_changes_all_of_it_or_nothing(glance: Glance) -> None:
    image = await glance.make(name="old", colour="blue")
    id_ = image["id"]
    changed = await glance.patch(
        id_,
        {"op": "add", "path": "/name", "value": "new"},
        {"op": "replace", "path": "/tags", "value": ["t"]},
        {"op": "add", "path": "/a.b~1c~0d", "value": "x"},
        {"op": "replace", "path": "/colour", "value": "red"},
        {"op": "add", "path": "/gone", "value": "soon"},
        {"op": "remove", "path": "/gone"},
        {"op": "replace", "path": "/os_hidden", "value": True},
    )
    assert changed.status == 200
    told = changed.json
    assert (told["name"], told["tags"], told["a.b/c~d"], told["colour"]) == (
        "new", ["t"], "x", "red",
    )  # fmt: skip
    assert "gone" not in told
    assert told["os_hidden"] is True
    refused = await glance.patch(
        id_,
        {"op": "add", "path": "/name", "value": "never"},
        {"op": "remove", "path": "/absent"},
    )
    assert refused.status == 409
    assert (await glance.get(f"/images/{id_}"))["name"] == "new"


NO_PATCHES = (
    ({"op": "replace", "path": "/absent", "value": "x"}, 409),
    ({"op": "remove", "path": "/absent"}, 409),
    ({"op": "remove", "path": "/name"}, 403),
    ({"op": "replace", "path": "/id", "value": "x"}, 403),
    ({"op": "replace", "path": "/status", "value": "active"}, 403),
    ({"op": "replace", "path": "/owner", "value": "q"}, 403),
    ({"op": "replace", "path": "/visibility", "value": "public"}, 403),
    ({"op": "add", "path": "/locations/-", "value": {"url": "file:///etc/passwd"}}, 400),
    ({"op": "add", "path": "/locations", "value": []}, 403),
    ({"op": "add", "path": "/os_glance_x", "value": "y"}, 403),
    ({"op": "replace", "path": "/name", "value": 3}, 400),
    ({"op": "replace", "path": "/min_disk", "value": -1}, 400),
    ({"op": "add", "path": "/colour", "value": 3}, 400),
    ({"op": "add", "path": "/colour"}, 400),
    ({"op": "test", "path": "/colour", "value": "x"}, 400),
    ({"op": "move", "path": "/colour", "from": "/name"}, 400),
    ({"op": ["add"], "path": "/colour", "value": "x"}, 400),
    ({"path": "/colour", "value": "x"}, 400),
    ({"op": "add", "value": "x"}, 400),
    ({"op": "add", "path": "colour", "value": "x"}, 400),
    ({"op": "add", "path": "/", "value": "x"}, 400),
    ({"op": "add", "path": "//x", "value": "x"}, 400),
    ({"op": "add", "path": "/a/b", "value": "x"}, 400),
    ({"op": "add", "path": "/a~2b", "value": "x"}, 400),
    ({"op": "add", "path": "/a~", "value": "x"}, 400),
    ("add", 400),
)


async def test_what_cannot_be_patched_is_refused(glance: Glance) -> None:
    for change, status in NO_PATCHES:
        image = await glance.make()
        answer = await glance.patch(image["id"], change)
        assert answer.status == status, answer.text
        assert await glance.get(f"/images/{image['id']}") == image


async def test_the_older_media_type_has_its_own_form(glance: Glance) -> None:
    id_ = (await glance.make(name="old"))["id"]
    for change, status in (
        ({"replace": "/name", "value": "new"}, 200),
        ({"add": "/colour", "value": "blue"}, 200),
        ({"add": "/colour", "value": "red"}, 409),
        ({"add": "/name", "value": "x"}, 409),
        ({"remove": "/colour"}, 200),
        ({"add": "/a", "replace": "/a", "value": "x"}, 400),
        ({"op": "add", "path": "/a", "value": "x"}, 400),
    ):
        assert (await glance.patch(id_, change, kind=DRAFT_4)).status == status, change
    for kind in ("application/json", "application/json-patch+json", ""):
        answer = await glance.patch(id_, kind=kind)
        assert answer.status == 415
        assert DRAFT_4 in answer.headers["Accept-Patch"]


async def test_formats_are_settled_once_there_are_bytes(glance: Glance) -> None:
    id_ = (await glance.make())["id"]
    change = {"op": "replace", "path": "/disk_format", "value": "iso"}
    assert (await glance.patch(id_, change)).status == 200
    assert (await glance.patch(id_, change | {"value": "raw"})).status == 200
    await glance.put(id_, b"bytes")
    assert (await glance.patch(id_, change)).status == 403


async def test_patches_at_once_lose_nothing(glance: Glance) -> None:
    id_ = (await glance.make())["id"]
    changes = [{"op": "add", "path": f"/p{i}", "value": str(i)} for i in range(10)]
    answers = await asyncio.gather(*(glance.patch(id_, change) for change in changes))
    assert {answer.status for answer in answers} == {200}
    image = await glance.get(f"/images/{id_}")
    assert [image[f"p{i}"] for i in range(10)] == [str(i) for i in range(10)]


async def test_an_admin_gives_an_image_to_another_project(glance: Glance) -> None:
    id_ = (await glance.make(data=b"12345", visibility="private"))["id"]
    change = {"op": "replace", "path": "/owner", "value": "q"}
    assert (await glance.patch(id_, change, token="root")).status == 200
    assert (await glance.send("GET", f"/images/{id_}")).status == 404
    assert (await glance.get(f"/images/{id_}", token="ben"))["owner"] == "q"
    used = (await glance.get("/info/usage", token="ben"))["usage"]
    assert used["image_count_total"]["usage"] == 1
    assert (await glance.get("/info/usage"))["usage"]["image_count_total"]["usage"] == 0


async def test_a_protected_image_stays_until_it_is_not(glance: Glance) -> None:
    id_ = (await glance.make(protected=True, data=b"x"))["id"]
    for token in ("ann", "root"):
        assert (await glance.send("DELETE", f"/images/{id_}", token=token)).status == 403
    await glance.patch(id_, {"op": "replace", "path": "/protected", "value": False})
    assert (await glance.send("DELETE", f"/images/{id_}")).status == 204
    assert (await glance.send("DELETE", f"/images/{id_}")).status == 404
    assert (await glance.send("GET", f"/images/{id_}")).status == 404
    assert await glance.stored() == []


async def test_an_image_without_an_id_is_none(glance: Glance) -> None:
    for method in ("GET", "DELETE"):
        assert (await glance.send(method, "/images/")).status == 404


async def test_tags_are_put_on_and_taken_off_one_by_one(glance: Glance) -> None:
    id_ = (await glance.make(tags=["a"]))["id"]
    for method, tag, status in (
        ("PUT", "b%20%C3%BC", 204),
        ("PUT", "a", 204),
        ("DELETE", "a", 204),
        ("DELETE", "a", 404),
        ("PUT", "x" * 256, 400),
    ):
        assert (await glance.send(method, f"/images/{id_}/tags/{tag}")).status == status, tag
    assert (await glance.get(f"/images/{id_}"))["tags"] == ["b ü"]
    for number in range(127):
        assert (await glance.send("PUT", f"/images/{id_}/tags/{number}")).status == 204
    assert (await glance.send("PUT", f"/images/{id_}/tags/more")).status == 413


async def test_schemas_tell_what_an_image_has(glance: Glance) -> None:
    image = await glance.make(data=b"x")
    schema = await glance.get("/schemas/image")
    assert schema["name"] == "image"
    assert image.keys() <= schema["properties"].keys()
    for name in ("images", "member", "members"):
        assert (await glance.get(f"/schemas/{name}"))["name"] == name
    assert (await glance.send("GET", "/schemas/else")).status == 404
