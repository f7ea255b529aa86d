"""Images' bytes over HTTP."""

from __future__ import annotations

import hashlib

import pytest

from computelite.glance.errors import RangeMissed
from computelite.glance.ranges import byte_range
from tests import disks
from tests.computelite.edge import Body
from tests.computelite.glance.house import Glance
from tests.swiftlite.clouds import pattern

DATA = pattern(300_000)


async def test_bytes_come_back_as_they_went_in(glance: Glance) -> None:
    image = await glance.make(data=DATA)
    assert (image["status"], image["size"], image["virtual_size"]) == ("active", 300_000, 300_000)
    assert image["checksum"] == hashlib.md5(DATA).hexdigest()
    assert (image["os_hash_algo"], image["os_hash_value"]) == (
        "sha512", hashlib.sha512(DATA).hexdigest(),
    )  # fmt: skip
    path = f"/images/{image['id']}/file"
    answer = await glance.send("GET", path)
    assert (answer.status, answer.content) == (200, DATA)
    assert answer.headers["Content-MD5"] == image["checksum"]
    assert answer.headers["Content-Type"] == "application/octet-stream"
    part = await glance.send("GET", path, headers={"Range": "bytes=1000-1999"})
    assert (part.status, part.content) == (206, DATA[1000:2000])
    assert part.headers["Content-Range"] == "bytes 1000-1999/300000"
    missed = await glance.send("GET", path, headers={"Range": "bytes=300000-"})
    assert missed.status == 416
    head = await glance.send("HEAD", path)
    assert (head.status, head.content) == (200, b"")


async def test_an_image_without_bytes_sends_none(glance: Glance) -> None:
    image = await glance.make()
    assert (await glance.send("GET", f"/images/{image['id']}/file")).status == 204
    empty = await glance.make(data=b"")
    answer = await glance.send("GET", f"/images/{empty['id']}/file")
    assert (answer.status, answer.content, empty["size"]) == (200, b"", 0)


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({"Content-Type": "text/plain"}, Body(DATA), 415),
        ({"X-OpenStack-Image-Size": "x"}, Body(DATA), 400),
        ({"X-OpenStack-Image-Size": "5"}, Body(DATA), 400),
        ({"X-OpenStack-Image-Size": "5"}, Body(DATA, tells=False), 400),
        ({"X-OpenStack-Image-Size": "300001"}, Body(DATA, tells=False), 400),
    ],
)
async def test_an_upload_that_is_none_leaves_the_image_queued(
    glance: Glance, headers: dict[str, str], body: Body, status: int
) -> None:
    image = await glance.make()
    answer = await glance.put(image["id"], b"", headers=headers, body=body)
    assert answer.status == status, answer.text
    assert (await glance.get(f"/images/{image['id']}"))["status"] == "queued"
    assert await glance.stored() == []


async def test_a_body_cut_short_is_no_image(glance: Glance) -> None:
    image = await glance.make()
    body = Body(DATA)
    body.length = len(DATA) + 1
    assert (await glance.put(image["id"], b"", body=body)).status == 400
    assert (await glance.get(f"/images/{image['id']}"))["status"] == "queued"


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"backing": b"/etc/passwd"}, "it has a backing file"),
        ({"incompatible": 4}, "it has an external data file"),
    ],
)
async def test_a_trap_is_refused_in_words(
    glance: Glance, facts: dict[str, object], words: str
) -> None:
    image = await glance.make(disk_format="qcow2")
    answer = await glance.put(image["id"], disks.qcow2(**facts))  # type: ignore[arg-type]
    assert answer.status == 415
    assert words in answer.json["message"]
    lie = await glance.make(disk_format="raw")
    answer = await glance.put(lie["id"], disks.qcow2())
    assert (answer.status, answer.json["message"]) == (
        415, "The data is qcow2, and not raw as declared.",
    )  # fmt: skip


async def test_an_image_takes_its_bytes_once(glance: Glance) -> None:
    image = await glance.make(data=DATA)
    for to in ("file", "stage"):
        answer = await glance.put(image["id"], b"other", to=to)
        assert answer.status == 409
    assert (await glance.send("GET", f"/images/{image['id']}/file")).content == DATA


async def test_a_deactivated_image_gives_its_bytes_to_admins_alone(glance: Glance) -> None:
    image = await glance.make(data=DATA, visibility="community")
    id_ = image["id"]
    assert (await glance.send("POST", f"/images/{id_}/actions/deactivate")).status == 204
    assert (await glance.send("POST", f"/images/{id_}/actions/deactivate")).status == 204
    assert (await glance.get(f"/images/{id_}"))["status"] == "deactivated"
    for token, status in (("ann", 403), ("ben", 403), ("root", 200)):
        answer = await glance.send("GET", f"/images/{id_}/file", token=token)
        assert answer.status == status
    assert (await glance.send("POST", f"/images/{id_}/actions/reactivate")).status == 204
    assert (await glance.send("GET", f"/images/{id_}/file", token="ben")).status == 200
    queued = await glance.make()
    for action in ("deactivate", "reactivate"):
        answer = await glance.send("POST", f"/images/{queued['id']}/actions/{action}")
        assert answer.status == 403


async def test_a_stage_is_imported(glance: Glance) -> None:
    image = await glance.make()
    path = f"/images/{image['id']}"
    direct = {"method": {"name": "glance-direct"}}
    assert (await glance.send("POST", f"{path}/import", direct)).status == 409
    assert (await glance.put(image["id"], DATA, to="stage")).status == 204
    staged = await glance.get(path)
    assert (staged["status"], staged["size"], staged["checksum"]) == ("uploading", len(DATA), None)
    assert (await glance.send("GET", f"{path}/file")).status == 204
    answer = await glance.send("POST", f"{path}/import", direct)
    assert answer.status == 202
    imported = await glance.get(path)
    assert (imported["status"], imported["stores"]) == ("active", "cumulog")
    assert imported["os_glance_failed_import"] == ""
    assert (await glance.send("GET", f"{path}/file")).content == DATA
    (task,) = (await glance.get(f"{path}/tasks"))["tasks"]
    assert task["status"] == "success"
    assert task["request_id"] == answer.headers["X-Openstack-Request-Id"]


NO_IMPORTS = (
    ({}, 400),
    ({"method": {}}, 400),
    ({"method": {"name": "copy-image"}}, 400),
    ({"method": {"name": "web-download"}}, 400),
    ({"method": {"name": "web-download", "uri": "file:///etc/passwd"}}, 400),
    ({"method": {"name": "web-download", "uri": "http://169.254.169.254/"}}, 400),
    ({"method": {"name": "web-download", "uri": "http://127.0.0.1:9001/"}}, 400),
    ({"method": {"name": "web-download", "uri": "x" * 3000}}, 400),
    ({"method": {"name": "glance-direct"}, "stores": ["other"]}, 409),
    ({"method": {"name": "glance-direct"}, "all_stores": "yes"}, 400),
)


async def test_an_import_that_cannot_be_is_refused(glance: Glance) -> None:
    for body, status in NO_IMPORTS:
        image = await glance.make()
        answer = await glance.send("POST", f"/images/{image['id']}/import", body)
        assert answer.status == status, answer.text
        assert (await glance.get(f"/images/{image['id']}"))["status"] == "queued"


async def test_an_import_needs_to_know_the_formats(glance: Glance) -> None:
    image = await glance.make(container_format=None)
    await glance.put(image["id"], DATA, to="stage")
    direct = {"method": {"name": "glance-direct"}}
    answer = await glance.send("POST", f"/images/{image['id']}/import", direct)
    assert (answer.status, "container_format" in answer.text) == (409, True)


async def test_what_can_be_imported_and_where_it_goes_is_told(glance: Glance) -> None:
    info = await glance.get("/info/import")
    assert info["import-methods"]["value"] == ["glance-direct", "web-download"]
    assert (await glance.get("/info/stores"))["stores"][0]["id"] == "cumulog"


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("bytes=0-0", (0, 1)),
        ("bytes=5-", (5, 10)),
        ("bytes=5-99", (5, 10)),
        ("bytes=-3", (7, 10)),
        ("bytes=-99", (0, 10)),
        ("bytes = 1 - 2", (1, 3)),
        ("bytes=2-1", None),
        ("bytes=0-1,3-4", None),
        ("items=0-1", None),
        ("bytes=-", None),
        ("bytes=x-y", None),
        ("bytes", None),
        ("", None),
    ],
)
def test_ranges(header: str, found: tuple[int, int] | None) -> None:
    assert byte_range(header, 10) == found


@pytest.mark.parametrize("header", ["bytes=10-", "bytes=10-11", "bytes=-0"])
def test_ranges_of_nothing_are_refused(header: str) -> None:
    with pytest.raises(RangeMissed):
        byte_range(header, 10)
