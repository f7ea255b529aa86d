"""Lists of images: who sees what, filters, order, pages."""

from __future__ import annotations

import pytest

from tests.computelite.glance.house import Glance


async def stocked(glance: Glance) -> None:
    """Images of two projects, of every visibility."""
    for owner in ("p", "q"):
        for visibility in ("private", "shared", "community", "public"):
            await glance.make(
                token="root", owner=owner, visibility=visibility, name=f"{owner}-{visibility}"
            )
    shared = {
        each["name"]: each["id"]
        for each in (await glance.get("/images?visibility=shared", token="root"))["images"]
    }
    for member, status in (("p", "accepted"), ("r", "pending")):
        path = f"/images/{shared['q-shared']}/members"
        assert (await glance.send("POST", path, {"member": member}, token="ben")).status == 200
        if status != "pending":
            answer = await glance.send("PUT", f"{path}/{member}", {"status": status})
            assert answer.status == 200


SEEN = (
    ("ann", "", "p-private p-shared p-community p-public q-public q-shared"),
    ("rae", "", "p-private p-shared p-community p-public q-public q-shared"),
    ("ann", "?visibility=public", "p-public q-public"),
    ("ann", "?visibility=private", "p-private"),
    ("ann", "?visibility=shared", "p-shared q-shared"),
    ("ann", "?visibility=community", "p-community q-community"),
    ("ann", "?visibility=all",
     "p-private p-shared p-community p-public q-public q-shared q-community"),
    ("ann", "?owner=q", "q-public q-shared"),
    ("cid", "", "p-public q-public"),
    ("cid", "?member_status=pending", "p-public q-public q-shared"),
    ("cid", "?member_status=all&visibility=shared", "q-shared"),
    ("cid", "?member_status=rejected&visibility=shared", ""),
    ("root", "?visibility=private", "p-private q-private"),
    ("auditor", "?owner=q", "q-private q-shared q-community q-public"),
)  # fmt: skip


async def test_each_sees_what_is_theirs_or_was_given_to_them(glance: Glance) -> None:
    await stocked(glance)
    for token, query, names in SEEN:
        assert sorted(await glance.names(query, token=token)) == sorted(names.split())


@pytest.fixture
async def three(glance: Glance) -> Glance:
    await glance.make(name="one", data=b"1", tags=["a", "b"], os_distro="debian")
    await glance.make(name="two", data=b"22", tags=["b"], disk_format="aki", min_ram=5)
    await glance.make(name="three, 3", disk_format="qcow2", protected=True, os_distro="arch")
    await glance.make(name="hidden", os_hidden=True)
    return glance


FILTERS = (
    ("", "three, 3|two|one"),
    ("?name=one", "one"),
    ("?name=on", ""),
    ("?name=in:one,two", "two|one"),
    ('?name=in:one,"three, 3"', "three, 3|one"),
    ("?status=active", "two|one"),
    ("?status=in:queued,saving", "three, 3"),
    ("?disk_format=qcow2", "three, 3"),
    ("?container_format=ovf", ""),
    ("?tag=b", "two|one"),
    ("?tag=b&tag=a", "one"),
    ("?os_distro=debian", "one"),
    ("?nothing=x", ""),
    ("?protected=true", "three, 3"),
    ("?os_hidden=true", "hidden"),
    ("?size=2", "two"),
    ("?size_min=2", "two"),
    ("?size_max=1", "one"),
    ("?size_min=1&size_max=2", "two|one"),
    ("?min_ram=5", "two"),
    ("?checksum=c4ca4238a0b923820dcc509a6f75849b", "one"),
    ("?created_at=gt:2001-01-01T00:00:00Z", "three, 3|two|one"),
    ("?created_at=lt:2001-01-01T00:00:00Z", ""),
    ("?updated_at=gte:2999-01-01T00:00:00Z", ""),
    ("?sort=name:asc", "one|three, 3|two"),
    ("?sort=name", "two|three, 3|one"),
    ("?sort=size:asc", "three, 3|one|two"),
    ("?sort=status:asc,name:desc", "two|one|three, 3"),
    ("?sort_key=name&sort_dir=asc", "one|three, 3|two"),
    ("?sort_key=status&sort_key=name&sort_dir=asc", "one|two|three, 3"),
    ("?sort_key=status&sort_dir=desc&sort_key=name&sort_dir=asc", "three, 3|one|two"),
    ("?limit=2", "three, 3|two"),
    ("?limit=0", ""),
)


async def test_filters_and_orders(three: Glance) -> None:
    for query, names in FILTERS:
        assert "|".join(await three.names(query)) == names


async def test_ids_are_asked_for_several_at_once(three: Glance) -> None:
    found = (await three.get("/images"))["images"]
    ids = [each["id"] for each in found[:2]]
    assert await three.names(f"?id=in:{','.join(ids)}") == ["three, 3", "two"]


WRONG = (
    "?visibility=wrong", "?member_status=wrong", "?limit=x", "?limit=-1", "?marker=absent",
    "?sort=wrong", "?sort=name:up", "?sort_key=wrong", "?sort_dir=up", "?size=x",
    "?sort=name&sort_key=size", "?sort_key=a&sort_dir=asc&sort_dir=desc", "?size_min=-1",
    "?created_at=x", "?created_at=gt:x", "?protected=x", "?os_hidden=x", "?changes-since=x",
    "?name=gt:x", '?name=in:"x', "?a=%FF", "?" + "&".join(["tag=x"] * 65),
)  # fmt: skip


async def test_what_cannot_be_asked_for_is_refused(glance: Glance) -> None:
    for query in WRONG:
        assert (await glance.send("GET", f"/images{query}")).status == 400


@pytest.mark.parametrize("order", ["", "sort=name:asc", "sort=size:desc,name:asc"])
async def test_pages_joined_are_the_whole_list(glance: Glance, order: str) -> None:
    for number in range(7):
        await glance.make(name=f"n{number % 3}", data=b"x" * (number % 2), colour="blue")
    await glance.make(name="other")
    query = f"?colour=blue&{order}".rstrip("&")
    whole = [each["id"] for each in (await glance.get(f"/images{query}"))["images"]]
    assert len(whole) == 7
    for size in (1, 2, 3, 7, 8):
        path, found = f"/images{query}&limit={size}", []
        while path:
            page = await glance.get(path)
            found += [each["id"] for each in page["images"]]
            assert "marker" not in page["first"]
            path = page.get("next", "").removeprefix("/v2")
        assert found == whole, size


async def test_a_marker_may_be_filtered_out_itself(three: Glance) -> None:
    found = (await three.get("/images?sort=name:asc"))["images"]
    marker = found[0]["id"]
    assert await three.names(f"?sort=name:asc&tag=b&marker={marker}") == ["two"]
