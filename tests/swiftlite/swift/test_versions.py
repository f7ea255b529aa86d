"""Versions over real connections: Swift's are S3's; and the two older ways to keep them."""

from __future__ import annotations

import asyncio
from contextlib import closing
from typing import Any

import pytest

from swiftlite.swift import archives
from tests.swiftlite.s3.edge import Answer, read_answer
from tests.swiftlite.swift.edge import SwiftEdge

ON, OFF = {"X-Versions-Enabled": "true"}, {"X-Versions-Enabled": "false"}


def put(edge: SwiftEdge, path: str, data: bytes) -> str:
    answer = edge.swift("PUT", path, data)
    assert answer.status == 201
    return answer.headers.get("x-object-version-id", "")


def get(edge: SwiftEdge, path: str) -> Answer:
    return edge.swift("GET", path)


def test_switching_is_s3s_versioning(edge: SwiftEdge, box: str) -> None:
    s3 = edge.client()
    assert "x-versions-enabled" not in edge.swift("HEAD", box).headers
    assert edge.swift("POST", box, headers=OFF).status == 204
    assert "x-versions-enabled" not in edge.swift("HEAD", box).headers
    edge.swift("POST", box, headers=ON)
    assert edge.swift("HEAD", box).headers["x-versions-enabled"] == "True"
    assert s3.get_bucket_versioning(Bucket=box)["Status"] == "Enabled"
    edge.swift("POST", box, headers=OFF)
    assert s3.get_bucket_versioning(Bucket=box)["Status"] == "Suspended"
    assert edge.swift("PUT", f"{box}-new", headers=ON).status == 201
    assert edge.swift("HEAD", f"{box}-new").headers["x-versions-enabled"] == "True"


def test_old_versions_can_be_read_copied_and_deleted(edge: SwiftEdge, box: str) -> None:
    put(edge, f"{box}/o", b"null")
    edge.swift("POST", box, headers=ON)
    first, second = put(edge, f"{box}/o", b"first"), put(edge, f"{box}/o", b"second")
    for query, data, told in (
        ("", b"second", second),
        (f"?version-id={first}", b"first", first),
        ("?version-id=null", b"null", "null"),
    ):
        got = get(edge, f"{box}/o{query}")
        assert (got.body, got.headers["x-object-version-id"]) == (data, told)
        assert edge.swift("HEAD", f"{box}/o{query}").headers["x-object-version-id"] == told
        place = f"/v1/AUTH_p/{box}/o?version-id={told}"
        assert got.headers.get("content-location") == (None if told == "null" else place)
    s3 = edge.client()
    assert s3.get_object(Bucket=box, Key="o", VersionId=first)["Body"].read() == b"first"
    to = {"Destination": f"{box}/c"}
    assert edge.swift("COPY", f"{box}/o?version-id={first}", headers=to).status == 201
    assert get(edge, f"{box}/c").body == b"first"
    gone = edge.swift("DELETE", f"{box}/o?version-id={second}")
    assert (gone.status, gone.headers["x-object-version-id"]) == (204, second)
    assert gone.headers["x-object-current-version-id"] == first
    assert get(edge, f"{box}/o").body == b"first"
    assert get(edge, f"{box}/o?version-id={second}").status == 404
    assert edge.swift("DELETE", f"{box}/o?version-id={second}").status == 404


def test_a_delete_leaves_a_marker(edge: SwiftEdge, box: str) -> None:
    edge.swift("POST", box, headers=ON)
    version = put(edge, f"{box}/o", b"data")
    deleted = edge.swift("DELETE", f"{box}/o")
    marker = deleted.headers["x-object-version-id"]
    assert (deleted.status, get(edge, f"{box}/o").status) == (204, 404)
    assert get(edge, f"{box}/o?version-id={marker}").status == 404
    shown = [
        (entry["version_id"], entry["is_latest"], entry["content_type"])
        for entry in edge.listed(f"{box}?versions")
    ]
    assert shown == [
        (marker, True, "application/x-deleted;swift_versions_deleted=1"),
        (version, False, "application/octet-stream"),
    ]
    again = edge.swift("PUT", f"{box}/o?version-id={version}", b"")
    assert again.status == 201
    assert get(edge, f"{box}/o").body == b"data"
    assert edge.swift("DELETE", f"{box}/o?version-id={marker}").status == 204


def test_deleting_what_is_not_there_leaves_a_marker_as_in_s3(edge: SwiftEdge, box: str) -> None:
    edge.swift("POST", box, headers=ON)
    gone = edge.swift("DELETE", f"{box}/o")
    marker = gone.headers["x-object-version-id"]
    assert gone.status == 404
    assert [entry["version_id"] for entry in edge.listed(f"{box}?versions")] == [marker]
    shown = edge.swift("GET", f"{box}/o?version-id={marker}")
    assert (shown.status, shown.headers["x-object-version-id"]) == (404, marker)
    assert shown.headers["content-type"] == "application/x-deleted;swift_versions_deleted=1"
    edge.swift("POST", box, headers=OFF)
    assert "x-object-version-id" not in edge.swift("PUT", f"{box}/o", b"x").headers


@pytest.mark.parametrize("more", ["&format=plain", "&format=xml"])
def test_versions_are_listed_in_json_alone(edge: SwiftEdge, box: str, more: str) -> None:
    assert get(edge, f"{box}?versions{more}").status == 406
    for accept, status in (("text/xml", 406), ("a/b", 406), ("*/*", 200), ("text/plain,*/*", 200)):
        answer = edge.swift("GET", f"{box}?versions", headers={"Accept": accept})
        assert answer.status == status, accept


def test_versions_are_listed_page_by_page_and_in_reverse(edge: SwiftEdge, box: str) -> None:
    edge.swift("POST", box, headers=ON)
    ids = {name: [put(edge, f"{box}/{name}", b"x") for _ in range(3)][::-1] for name in "abc"}
    put(edge, f"{box}/d/1", b"x")
    whole = [(name, id_) for name in "abc" for id_ in ids[name]]

    def names(query: str) -> list[tuple[str, str]]:
        found = edge.listed(f"{box}?versions&delimiter=/{query}")
        return [(e["name"], e["version_id"]) for e in found if "name" in e]

    assert names("") == whole
    for size in (1, 2, 5):
        seen: list[tuple[str, str]] = []
        more = ""
        while page := names(f"&limit={size}{more}"):
            seen += page
            more = f"&marker={page[-1][0]}&version_marker={page[-1][1]}"
        assert seen == whole
    assert names("&reverse=on") == whole[::-1]
    assert names("&reverse=on&limit=2&marker=c") == whole[:6][::-1][:2]
    assert names("&prefix=b") == whole[3:6]
    assert {"subdir": "d/"} in edge.listed(f"{box}?versions&delimiter=/")
    for bad in ("&version_marker=x", "&marker=a&version_marker=x"):
        assert get(edge, f"{box}?versions{bad}").status == 400


@pytest.mark.parametrize("id_", ["x", "-1", "0" * 31, "0" * 33, "..", "1e9"])
def test_what_can_be_no_version_is_refused(edge: SwiftEdge, box: str, id_: str) -> None:
    edge.swift("POST", box, headers=ON)
    put(edge, f"{box}/o", b"x")
    for method in ("GET", "HEAD", "DELETE", "PUT"):
        assert edge.swift(method, f"{box}/o?version-id={id_}").status == 400
    assert get(edge, f"{box}/o?version-id={'0' * 32}").status == 404
    assert get(edge, f"{box}/o?version-id=1234567890.12345").status == 404
    assert edge.swift("POST", f"{box}/o?version-id=null").status == 400
    assert edge.swift("PUT", f"{box}/o?version-id={'0' * 32}", b"data").status == 400


def test_where_nothing_was_ever_versioned_there_is_only_null(edge: SwiftEdge, box: str) -> None:
    put(edge, f"{box}/o", b"x")
    assert get(edge, f"{box}/o?version-id=null").body == b"x"
    assert get(edge, f"{box}/o?version-id={'0' * 32}").status == 400
    assert [e["version_id"] for e in edge.listed(f"{box}?versions")] == ["null"]
    assert edge.swift("DELETE", f"{box}/o?version-id=null").status == 204
    assert edge.names(box) == []


def test_old_versions_are_for_the_projects_people(edge: SwiftEdge, box: str) -> None:
    edge.swift("POST", box, headers=ON | {"X-Container-Read": "q:*", "X-Container-Write": "q:*"})
    version = put(edge, f"{box}/o", b"old")
    put(edge, f"{box}/o", b"new")
    stranger = {"token": "stranger"}
    assert edge.swift("GET", f"{box}/o", **stranger).status == 200  # type: ignore[arg-type]
    for method, path in (
        ("GET", f"{box}/o?version-id={version}"),
        ("HEAD", f"{box}/o?version-id={version}"),
        ("DELETE", f"{box}/o?version-id={version}"),
        ("PUT", f"{box}/o?version-id={version}"),
        ("COPY", f"{box}/o?version-id={version}"),
        ("GET", f"{box}?versions"),
    ):
        to = {"Destination": f"{box}/stolen"} if method == "COPY" else {}
        answer = edge.swift(method, path, headers=to, **stranger)  # type: ignore[arg-type]
        assert answer.status == 403, (method, path)
    copy = {"X-Copy-From": f"{box}/o"}
    path = f"{box}/stolen?version-id={version}"
    assert edge.swift("PUT", path, b"", copy, **stranger).status == 403  # type: ignore[arg-type]


# -- the older ways --------------------------------------------------------------------------------


def test_a_stack_brings_the_version_before_back(edge: SwiftEdge, box: str) -> None:
    old = f"{box}-old"
    edge.swift("PUT", old)
    assert edge.swift("POST", box, headers={"X-Versions-Location": old}).status == 204
    assert edge.swift("HEAD", box).headers["x-versions-location"] == old
    for data in (b"1", b"2", b"3"):
        edge.swift("PUT", f"{box}/ö", data, {"X-Object-Meta-N": data.decode()})
    kept = edge.names(old)
    assert len(kept) == 2
    assert all(name.startswith("002ö/") for name in kept)
    assert [get(edge, f"{old}/{name}").body for name in kept] == [b"1", b"2"]
    for data in (b"2", b"1"):
        assert edge.swift("DELETE", f"{box}/ö").status == 204
        got = get(edge, f"{box}/ö")
        assert (got.body, got.headers["x-object-meta-n"]) == (data, data.decode())
    assert edge.swift("DELETE", f"{box}/ö").status == 204
    assert edge.swift("DELETE", f"{box}/ö").status == 404
    assert edge.names(old) == edge.names(box) == []


def test_a_history_keeps_deletes_too(edge: SwiftEdge, box: str) -> None:
    old = f"{box}-old"
    edge.swift("PUT", old)
    edge.swift("POST", box, headers={"X-History-Location": old})
    for data in (b"1", b"2"):
        edge.swift("PUT", f"{box}/o", data)
    assert edge.swift("DELETE", f"{box}/o").status == 204
    assert get(edge, f"{box}/o").status == 404
    kept = edge.listed(old)
    assert [get(edge, f"{old}/{entry['name']}").body for entry in kept] == [b"1", b"2", b""]
    assert kept[2]["content_type"] == "application/x-deleted;swift_versions_deleted=1"
    to = {"Destination": f"{box}/o"}
    assert edge.swift("COPY", f"{old}/{kept[0]['name']}", headers=to).status == 201
    assert get(edge, f"{box}/o").body == b"1"


def test_every_way_to_write_keeps_what_was_there(edge: SwiftEdge, box: str) -> None:
    old = f"{box}-old"
    edge.swift("PUT", old)
    edge.swift("POST", box, headers={"X-Versions-Location": old})
    put(edge, f"{box}/o", b"0")
    put(edge, f"{box}/seg", b"s")
    manifest = b'[{"path": "%s/seg"}]' % box.encode()
    assert edge.swift("PUT", f"{box}/o?multipart-manifest=put", manifest).status == 201
    link = {"X-Symlink-Target": f"{box}/seg"}
    assert edge.swift("PUT", f"{box}/o", b"", link).status == 201
    copy = {"X-Copy-From": f"{box}/seg"}
    assert edge.swift("PUT", f"{box}/o", b"", copy).status == 201
    kept = [entry for entry in edge.listed(old) if entry["name"].startswith("001o")]
    assert len(kept) == 3
    assert edge.swift("GET", f"{old}/{kept[1]['name']}").headers["x-static-large-object"] == "True"
    assert kept[2]["symlink_path"] == f"/v1/AUTH_p/{box}/seg"


def test_nothing_is_written_over_that_cannot_be_kept(edge: SwiftEdge, box: str) -> None:
    edge.swift("POST", box, headers={"X-Versions-Location": f"{box}-gone"})
    assert edge.swift("PUT", f"{box}/o", b"1").status == 201
    assert edge.swift("PUT", f"{box}/o", b"2").status == 412
    assert get(edge, f"{box}/o").body == b"1"
    assert edge.swift("DELETE", f"{box}/o").status == 204


def test_only_who_may_write_here_takes_from_what_is_kept(edge: SwiftEdge, box: str) -> None:
    old = f"{box}-old"
    edge.swift("PUT", old, headers={"X-Container-Read": "q:*,.r:*,.rlistings"})
    edge.swift("POST", box, headers={"X-Versions-Location": old, "X-Container-Read": "q:*"})
    put(edge, f"{box}/o", b"1")
    put(edge, f"{box}/o", b"2")
    for token in ("stranger", "reader", None):
        answer = edge.swift("DELETE", f"{box}/o", token=token)
        assert answer.status == (401 if token is None else 403)
    assert get(edge, f"{box}/o").body == b"2"
    assert len(edge.names(old)) == 1


def test_a_container_keeps_versions_one_way_only(edge: SwiftEdge, box: str) -> None:
    both = {"X-Versions-Location": "a", "X-History-Location": "b"}
    assert edge.swift("POST", box, headers=both).status == 400
    assert edge.swift("POST", box, headers={"X-Versions-Location": "a%2Fb"}).status == 412
    edge.swift("POST", box, headers={"X-Versions-Location": "a"})
    assert edge.swift("POST", box, headers=ON).status == 400
    edge.swift("POST", box, headers={"X-History-Location": "b"})
    head = edge.swift("HEAD", box).headers
    assert ("x-versions-location" in head, head["x-history-location"]) == (False, "b")
    edge.swift("POST", box, headers={"X-Remove-Versions-Location": "x"})
    assert "x-history-location" not in edge.swift("HEAD", box).headers
    assert edge.swift("POST", box, headers=ON).status == 204
    assert edge.swift("POST", box, headers={"X-Versions-Location": "a"}).status == 400
    assert edge.swift("PUT", f"{box}-n", headers=ON | {"X-Versions-Location": "a"}).status == 400
    assert edge.swift("HEAD", f"{box}-n").status == 404


def test_what_came_while_another_upload_was_under_way_is_kept_too(
    edge: SwiftEdge, box: str
) -> None:
    old = f"{box}-old"
    edge.swift("PUT", old)
    edge.swift("POST", box, headers={"X-Versions-Location": old})
    put(edge, f"{box}/o", b"first")
    head = f"PUT /v1/AUTH_p/{box}/o HTTP/1.1\r\nHost: x\r\nX-Auth-Token: owner\r\n"
    with closing(edge.swift_connection()) as slow:
        slow.sendall(f"{head}Content-Length: 6\r\n\r\nthi".encode())
        put(edge, f"{box}/o", b"second")
        slow.sendall(b"rd!")
        assert read_answer(slow).status == 201
    assert get(edge, f"{box}/o").body == b"third!"
    assert [get(edge, f"{old}/{name}").body for name in edge.names(old)] == [b"first", b"second"]


def test_a_write_that_comes_to_nothing_keeps_nothing(edge: SwiftEdge, box: str) -> None:
    old = f"{box}-old"
    edge.swift("PUT", old)
    edge.swift("POST", box, headers={"X-Versions-Location": old})
    put(edge, f"{box}/o", b"1")
    assert edge.swift("PUT", f"{box}/o", b"2", {"Etag": "0" * 32}).status == 422
    assert edge.names(old) == []
    assert edge.swift("DELETE", f"{box}/o").status == 204
    assert get(edge, f"{box}/o").status == 404


@pytest.mark.parametrize("mode", ["X-Versions-Location", "X-History-Location"])
def test_a_delete_does_not_take_what_came_meanwhile(
    edge: SwiftEdge, box: str, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = f"{box}-old"
    edge.swift("PUT", old)
    edge.swift("POST", box, headers={mode: old})
    for data in (b"1", b"2"):
        put(edge, f"{box}/o", data)
    seen, plain = [], archives._written if "History" in mode else archives._kept

    async def overtaken(call: Any, *args: Any, **more: Any) -> Any:
        found = await plain(call, *args, **more)
        if call.request.method == "DELETE" and not seen:
            seen.append(await asyncio.to_thread(edge.swift, "PUT", f"{box}/o", b"3"))
        return found

    monkeypatch.setattr(archives, plain.__name__, overtaken)
    assert edge.swift("DELETE", f"{box}/o").status == 204
    assert seen[0].status == 201
    kept = [get(edge, f"{old}/{name}").body for name in edge.names(old)]
    if "History" in mode:
        assert [data for data in kept if data] == [b"1", b"2", b"3"]
        assert get(edge, f"{box}/o").status == 404
    else:
        assert (kept, get(edge, f"{box}/o").body) == ([b"1"], b"2")


def test_what_is_kept_elsewhere_is_only_taken_back_by_who_may_write_there(
    edge: SwiftEdge, box: str
) -> None:
    old = f"{box}-old"
    edge.swift("PUT", old)
    edge.swift("POST", box, headers={"X-Versions-Location": old, "X-Container-Write": "q:*"})
    put(edge, f"{box}/o", b"1")
    assert edge.swift("PUT", f"{box}/o", b"2", token="stranger").status == 201
    assert edge.swift("DELETE", f"{box}/o", token="stranger").status == 403
    assert get(edge, f"{box}/o").body == b"2"
    assert len(edge.names(old)) == 1
    edge.swift("POST", old, headers={"X-Container-Write": "q:*"})
    assert edge.swift("DELETE", f"{box}/o", token="stranger").status == 204
    assert get(edge, f"{box}/o").body == b"1"


def test_what_another_write_kept_is_not_kept_twice(edge: SwiftEdge, box: str) -> None:
    old = f"{box}-old"
    edge.swift("PUT", old)
    edge.swift("POST", box, headers={"X-History-Location": old})
    put(edge, f"{box}/o", b"1")
    edge.swift("DELETE", f"{box}/o")
    put(edge, f"{box}/o", b"2")
    # As it is after a crash between the two halves of a write.
    at = edge.listed(box)[0]
    stamp = edge.swift("HEAD", f"{box}/o").headers["x-timestamp"]
    to = {"Destination": f"{old}/001o/{stamp}"}
    assert edge.swift("COPY", f"{box}/o", headers=to).status == 201
    put(edge, f"{box}/o", b"3")
    kept = [entry for entry in edge.listed(old) if entry["hash"] == at["hash"]]
    assert len(kept) == 1


def test_a_delete_after_a_write_that_broke_off_deletes(edge: SwiftEdge, box: str) -> None:
    old = f"{box}-old"
    edge.swift("PUT", old)
    edge.swift("POST", box, headers={"X-Versions-Location": old})
    put(edge, f"{box}/o", b"1")
    put(edge, f"{box}/o", b"2")
    # As it is after a crash between the two halves of a write.
    stamp = edge.swift("HEAD", f"{box}/o").headers["x-timestamp"]
    to = {"Destination": f"{old}/001o/{stamp}"}
    assert edge.swift("COPY", f"{box}/o", headers=to).status == 201
    assert edge.swift("DELETE", f"{box}/o").status == 204
    assert get(edge, f"{box}/o").body == b"1"
    assert edge.names(old) == []
