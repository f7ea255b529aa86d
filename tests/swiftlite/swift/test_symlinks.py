"""Symbolic links over real connections."""

from __future__ import annotations

import hashlib
import json

import pytest

from tests.swiftlite.clouds import pattern
from tests.swiftlite.s3.edge import Answer
from tests.swiftlite.swift.edge import SwiftEdge

EMPTY = hashlib.md5(b"").hexdigest()


def link(edge: SwiftEdge, path: str, target: str, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return edge.swift("PUT", path, b"", {"X-Symlink-Target": target, **named})


def test_a_link_is_read_as_its_target_in_both_protocols(edge: SwiftEdge, box: str) -> None:
    data = pattern(1000)
    edge.swift("PUT", f"{box}/t o", data, {"X-Object-Meta-Own": "t", "Content-Type": "a/b"})
    assert link(edge, f"{box}/l", f"{box}/t%20o").status == 201
    for method in ("GET", "HEAD"):
        got = edge.swift(method, f"{box}/l", headers={"Range": "bytes=0-9"})
        assert got.headers["content-location"] == f"/v1/AUTH_p/{box}/t%20o"
        assert got.headers["x-object-meta-own"] == "t"
        assert got.headers["content-type"] == "a/b"
    assert edge.swift("GET", f"{box}/l").body == data
    s3 = edge.client()
    assert s3.get_object(Bucket=box, Key="l")["Body"].read() == data
    assert s3.head_object(Bucket=box, Key="l")["ContentLength"] == 1000


def test_the_link_itself_can_be_read(edge: SwiftEdge, box: str) -> None:
    link(edge, f"{box}/l", f"{box}/gone", X_Object_Meta_Own="l")
    broken = edge.swift("GET", f"{box}/l")
    assert (broken.status, broken.headers["content-location"]) == (404, f"/v1/AUTH_p/{box}/gone")
    itself = edge.swift("GET", f"{box}/l?symlink=get")
    assert (itself.status, itself.body) == (200, b"")
    assert itself.headers["x-symlink-target"] == f"{box}/gone"
    assert itself.headers["content-type"] == "application/symlink"
    assert itself.headers["x-object-meta-own"] == "l"
    assert itself.headers["etag"] == EMPTY
    [entry] = edge.listed(box)
    assert (entry["symlink_path"], entry["bytes"]) == (f"/v1/AUTH_p/{box}/gone", 0)


def test_links_are_followed_twice_and_no_further(edge: SwiftEdge, box: str) -> None:
    edge.swift("PUT", f"{box}/t", b"x")
    for name, target in (("1", "t"), ("2", "1"), ("3", "2"), ("a", "b"), ("b", "a")):
        link(edge, f"{box}/{name}", f"{box}/{target}")
    assert edge.swift("GET", f"{box}/2").body == b"x"
    for name in ("3", "a"):
        looped = edge.swift("GET", f"{box}/{name}")
        assert (looped.status, b"Too many levels" in looped.body) == (409, True)


@pytest.mark.parametrize(
    ("target", "status"), [("SELF", 400), ("/BOX/t", 412), ("BOX", 412), ("BOX/%ff", 412)]
)
def test_what_is_no_target_is_refused(edge: SwiftEdge, box: str, target: str, status: int) -> None:
    target = target.replace("SELF", f"{box}/l").replace("BOX", box)
    assert link(edge, f"{box}/l", target).status == status
    assert edge.swift("HEAD", f"{box}/l?symlink=get").status == 404


def test_a_link_has_no_bytes(edge: SwiftEdge, box: str) -> None:
    headers = {"X-Symlink-Target": f"{box}/t"}
    for chunked in (False, True):
        assert edge.swift("PUT", f"{box}/l", b"x", headers, chunked=chunked).status == 400
    assert edge.swift("PUT", f"{box}/l", b"", headers, chunked=True).status == 201


def test_links_reach_other_accounts_where_those_let_them(edge: SwiftEdge, box: str) -> None:
    stranger = {"token": "stranger", "account": "AUTH_q"}
    edge.swift("PUT", f"{box}-q", **stranger)  # type: ignore[arg-type]
    edge.swift("PUT", f"{box}-q/t", b"theirs", **stranger)  # type: ignore[arg-type]
    made = link(edge, f"{box}/l", f"{box}-q/t", X_Symlink_Target_Account="AUTH_q")
    assert made.status == 201
    assert edge.swift("GET", f"{box}/l").status == 403
    allow = {"X-Container-Read": "p:owner"}
    edge.swift("POST", f"{box}-q", headers=allow, **stranger)  # type: ignore[arg-type]
    assert edge.swift("GET", f"{box}/l").body == b"theirs"
    itself = edge.swift("HEAD", f"{box}/l?symlink=get")
    assert itself.headers["x-symlink-target-account"] == "AUTH_q"
    # The link's own container being open opens nothing else.
    edge.swift("POST", box, headers={"X-Container-Read": ".r:*"})
    assert edge.swift("GET", f"{box}/l", token=None).status == 401


def test_a_static_link_is_for_one_version(edge: SwiftEdge, box: str) -> None:
    etag = edge.swift("PUT", f"{box}/t", b"hello", {"Content-Type": "a/b"}).headers["etag"]
    for wrong, target in (("x" * 32, "t"), (etag, "gone")):
        answer = link(edge, f"{box}/l", f"{box}/{target}", X_Symlink_Target_Etag=wrong)
        assert answer.status == 409
        assert answer.headers["content-location"] == f"/v1/AUTH_p/{box}/{target}"
    assert link(edge, f"{box}/l", f"{box}/t", X_Symlink_Target_Etag='"' + etag + '"').status == 201
    itself = edge.swift("HEAD", f"{box}/l?symlink=get")
    assert itself.headers["x-symlink-target-etag"] == etag
    assert itself.headers["x-symlink-target-bytes"] == "5"
    assert itself.headers["content-type"] == "a/b"
    entry = next(entry for entry in edge.listed(box) if entry["name"] == "l")
    assert (entry["symlink_etag"], entry["symlink_bytes"]) == (etag, 5)
    assert edge.swift("GET", f"{box}/l").body == b"hello"
    edge.swift("PUT", f"{box}/t", b"other")
    assert edge.swift("GET", f"{box}/l").status == 409
    for bad in ('a"b', "a;b"):
        assert link(edge, f"{box}/m", f"{box}/t", X_Symlink_Target_Etag=bad).status == 400


def test_a_static_link_to_a_large_object_is_for_its_manifest(edge: SwiftEdge, box: str) -> None:
    edge.swift("PUT", f"{box}/s", b"abc")
    entries = json.dumps([{"path": f"{box}/s"}, {"path": f"{box}/s"}]).encode()
    edge.swift("PUT", f"{box}/big?multipart-manifest=put", entries)
    manifest = edge.swift("HEAD", f"{box}/big").headers["x-manifest-etag"]
    assert link(edge, f"{box}/l", f"{box}/big", X_Symlink_Target_Etag=manifest).status == 201
    assert edge.swift("GET", f"{box}/l").body == b"abcabc"
    shown = edge.swift("GET", f"{box}/l?multipart-manifest=get")
    assert json.loads(shown.body)[0]["name"] == f"/{box}/s"
    listed = {entry["name"]: entry for entry in edge.listed(box)}
    assert listed["l"]["slo_etag"] == listed["big"]["slo_etag"]


def test_what_is_posted_to_a_link_is_the_links(edge: SwiftEdge, box: str) -> None:
    etag = edge.swift("PUT", f"{box}/t", b"x", {"X-Object-Meta-A": "t"}).headers["etag"]
    link(edge, f"{box}/l", f"{box}/t", X_Symlink_Target_Etag=etag)
    answer = edge.swift("POST", f"{box}/l", headers={"X-Object-Meta-A": "l"})
    assert (answer.status, answer.headers["location"]) == (307, f"/v1/AUTH_p/{box}/t")
    assert edge.swift("HEAD", f"{box}/l").headers["x-object-meta-a"] == "t"
    itself = edge.swift("HEAD", f"{box}/l?symlink=get")
    assert itself.headers["x-object-meta-a"] == "l"
    assert itself.headers["x-symlink-target-etag"] == etag
    to_link = {"X-Symlink-Target": f"{box}/x"}
    assert edge.swift("POST", f"{box}/t", headers=to_link).status == 400


def test_copies_are_of_the_target_or_of_the_link(edge: SwiftEdge, box: str) -> None:
    edge.swift("PUT", f"{box}/t", b"hello")
    link(edge, f"{box}/l", f"{box}/t")
    assert edge.swift("COPY", f"{box}/l", headers={"Destination": f"{box}/c"}).status == 201
    to = {"Destination": f"{box}/m"}
    assert edge.swift("COPY", f"{box}/l?symlink=get", headers=to).status == 201
    edge.swift("PUT", f"{box}/t", b"changed")
    assert edge.swift("GET", f"{box}/c").body == b"hello"
    assert edge.swift("GET", f"{box}/m").body == b"changed"
    s3 = edge.client()
    s3.copy_object(Bucket=box, Key="s", CopySource={"Bucket": box, "Key": "l"})
    assert edge.swift("GET", f"{box}/s?symlink=get").body == b"changed"


def test_deleting_a_link_leaves_its_target(edge: SwiftEdge, box: str) -> None:
    edge.swift("PUT", f"{box}/t", b"hello")
    link(edge, f"{box}/l", f"{box}/t")
    assert edge.swift("DELETE", f"{box}/l").status == 204
    assert edge.names(box) == ["t"]


def test_what_a_client_calls_an_account_makes_no_header(edge: SwiftEdge, box: str) -> None:
    named = {"X_Symlink_Target_Account": "AUTH_x%0d%0aEvil: 1%C3%A9"}
    assert link(edge, f"{box}/l", "c/o", **named).status == 201
    for method in ("GET", "HEAD"):
        itself = edge.swift(method, f"{box}/l?symlink=get")
        assert itself.status == 200
        assert itself.headers["x-symlink-target-account"] == "AUTH_x%0D%0AEvil%3A%201%C3%A9"
        assert "evil" not in itself.headers


def test_a_copied_link_stays_bound_to_its_target(edge: SwiftEdge, box: str) -> None:
    etag = hashlib.md5(b"1").hexdigest()
    edge.swift("PUT", f"{box}/t", b"1")
    assert link(edge, f"{box}/l", f"{box}/t", X_Symlink_Target_Etag=etag).status == 201
    for fresh in ("false", "true"):
        to = {"Destination": f"{box}/c", "X-Fresh-Metadata": fresh}
        assert edge.swift("COPY", f"{box}/l?symlink=get", headers=to).status == 201
        copied = edge.swift("HEAD", f"{box}/c?symlink=get")
        assert copied.headers["x-symlink-target-etag"] == etag, fresh
