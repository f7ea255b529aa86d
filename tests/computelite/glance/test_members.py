"""Images shared with other projects."""

from __future__ import annotations

import pytest

from tests.computelite.glance.house import Glance


@pytest.fixture
async def shared(glance: Glance) -> str:
    """The path of an image of p's that is shared with q, which has not answered."""
    image = await glance.make(name="it", visibility="shared", data=b"bytes")
    path = f"/images/{image['id']}"
    answer = await glance.send("POST", f"{path}/members", {"member": "q"})
    assert answer.status == 200
    assert (answer.json["member_id"], answer.json["status"]) == ("q", "pending")
    return path


async def test_a_member_sees_the_image_and_lists_it_once_they_accept(
    glance: Glance, shared: str
) -> None:
    assert (await glance.get(shared, token="ben"))["name"] == "it"
    assert (await glance.send("GET", f"{shared}/file", token="ben")).content == b"bytes"
    assert await glance.names(token="ben") == []
    for status, names in (("accepted", ["it"]), ("rejected", []), ("pending", [])):
        answer = await glance.send("PUT", f"{shared}/members/q", {"status": status}, token="ben")
        assert (answer.status, answer.json["status"]) == (200, status)
        assert await glance.names(token="ben") == names


async def test_who_sees_which_members(glance: Glance, shared: str) -> None:
    await glance.send("POST", f"{shared}/members", {"member": "r"})

    async def listed(token: str) -> set[str]:
        found = await glance.get(f"{shared}/members", token=token)
        return {member["member_id"] for member in found["members"]}

    assert await listed("ann") == await listed("rae") == await listed("root") == {"q", "r"}
    assert (await listed("ben"), await listed("cid")) == ({"q"}, {"r"})
    assert (await glance.get(f"{shared}/members/q", token="ben"))["member_id"] == "q"
    for token, member, status in (("ben", "r", 404), ("ann", "x", 404), ("ann", "r", 200)):
        answer = await glance.send("GET", f"{shared}/members/{member}", token=token)
        assert answer.status == status


REFUSED = (
    ("ann", "POST", "/members", {"member": "q"}, 409),
    ("ann", "POST", "/members", {}, 400),
    ("ann", "POST", "/members", {"member": ""}, 400),
    ("ann", "POST", "/members", {"member": "a/b"}, 400),
    ("ben", "POST", "/members", {"member": "r"}, 403),
    ("cid", "POST", "/members", {"member": "r"}, 404),
    ("ann", "PUT", "/members/q", {"status": "accepted"}, 403),
    ("ben", "PUT", "/members/q", {"status": "wrong"}, 400),
    ("ben", "PUT", "/members/q", {}, 400),
    ("ben", "PUT", "/members/r", {"status": "accepted"}, 404),
    ("cid", "PUT", "/members/r", {"status": "accepted"}, 404),
    ("root", "PUT", "/members/r", {"status": "accepted"}, 404),
    ("root", "PUT", "/members/q", {"status": "accepted"}, 200),
    ("ben", "DELETE", "/members/q", None, 403),
    ("ann", "DELETE", "/members/r", None, 404),
    ("ben", "PATCH", "", None, 403),
    ("ben", "DELETE", "", None, 403),
)


async def test_who_may_not_is_refused(glance: Glance, shared: str) -> None:
    for token, method, path, body, status in REFUSED:
        answer = await glance.send(method, shared + path, body, token=token)
        assert answer.status == status, answer.text


async def test_what_is_shared_no_more_is_gone(glance: Glance, shared: str) -> None:
    assert (await glance.send("DELETE", f"{shared}/members/q")).status == 204
    assert (await glance.send("GET", shared, token="ben")).status == 404
    assert (await glance.get(f"{shared}/members"))["members"] == []


async def test_a_private_image_has_no_members(glance: Glance, shared: str) -> None:
    id_ = shared.rpartition("/")[2]
    await glance.patch(id_, {"op": "replace", "path": "/visibility", "value": "private"})
    assert (await glance.send("GET", shared, token="ben")).status == 404
    for method, path in (("GET", "/members"), ("GET", "/members/q"), ("DELETE", "/members/q")):
        assert (await glance.send(method, shared + path)).status == 403
    assert (await glance.send("POST", f"{shared}/members", {"member": "r"})).status == 403
    await glance.patch(id_, {"op": "replace", "path": "/visibility", "value": "shared"})
    assert (await glance.send("GET", shared, token="ben")).status == 200


async def test_an_image_has_so_many_members(glance: Glance, shared: str) -> None:
    for number in range(127):
        answer = await glance.send("POST", f"{shared}/members", {"member": f"m{number}"})
        assert answer.status == 200
    assert (await glance.send("POST", f"{shared}/members", {"member": "more"})).status == 413


async def test_a_deleted_images_members_are_gone_with_it(glance: Glance, shared: str) -> None:
    await glance.send("PUT", f"{shared}/members/q", {"status": "accepted"}, token="ben")
    assert (await glance.send("DELETE", shared)).status == 204
    assert await glance.names("?member_status=all", token="ben") == []
    assert await glance.log.scan("image_for", b"", None, limit=9) == []
