"""Copies, within an account and between two, by both verbs."""

from __future__ import annotations

import time
from collections.abc import Mapping

import pytest

from tests.swiftlite.clouds import pattern
from tests.swiftlite.swift.edge import SwiftEdge


def copied(
    edge: SwiftEdge, verb: str, source: str, target: str, headers: Mapping[str, str] = {}
) -> int:
    """Copy by COPY or by PUT; return the status."""
    if verb == "COPY":
        return edge.swift("COPY", source, headers={"Destination": target, **headers}).status
    return edge.swift("PUT", target, b"", {"X-Copy-From": source, **headers}).status


@pytest.mark.parametrize("verb", ["COPY", "PUT"])
@pytest.mark.parametrize("slash", ["", "/"])
def test_a_copy_is_as_its_source(edge: SwiftEdge, box: str, verb: str, slash: str) -> None:
    data = pattern(70_000)
    said = {"X-Object-Meta-A": "1", "Content-Type": "x/y", "Content-Encoding": "gzip"}
    put = edge.swift("PUT", f"{box}/o", data, said)
    source, target = (
        (f"{box}/o", f"{slash}{box}/new") if verb == "COPY" else (f"{slash}{box}/o", f"{box}/new")
    )
    assert copied(edge, verb, source, target, {"X-Object-Meta-B": "2"}) == 201
    got = edge.swift("GET", f"{box}/new")
    assert got.body == data
    found = [got.headers[n] for n in ("etag", "content-type", "content-encoding")]
    assert found == [put.headers["etag"], "x/y", "gzip"]
    assert (got.headers["x-object-meta-a"], got.headers["x-object-meta-b"]) == ("1", "2")


def test_a_copy_tells_where_it_is_from(edge: SwiftEdge, box: str) -> None:
    source = edge.swift("PUT", f"{box}/ä o", b"x", {"X-Object-Meta-A": "1"})
    answer = edge.swift("COPY", f"{box}/ä o", headers={"Destination": f"{box}/%C3%A4 2"})
    assert answer.status == 201
    assert answer.headers["x-copied-from"] == f"{box}/%C3%A4%20o"
    assert answer.headers["x-copied-from-account"] == "AUTH_p"
    assert answer.headers["x-copied-from-last-modified"] == source.headers["last-modified"]
    assert answer.headers["x-object-meta-a"] == "1"
    assert "ä 2" in edge.names(box)


@pytest.mark.parametrize("verb", ["COPY", "PUT"])
def test_fresh_metadata_leaves_the_source_s_out(edge: SwiftEdge, box: str, verb: str) -> None:
    edge.swift("PUT", f"{box}/o", b"x", {"X-Object-Meta-A": "1", "Content-Type": "x/y"})
    fresh = {"X-Fresh-Metadata": "true", "X-Object-Meta-B": "2"}
    assert copied(edge, verb, f"{box}/o", f"{box}/new", fresh) == 201
    headers = edge.swift("HEAD", f"{box}/new").headers
    assert "x-object-meta-a" not in headers
    assert (headers["x-object-meta-b"], headers["content-type"]) == ("2", "x/y")


def test_an_object_copied_onto_itself_gets_what_is_said(edge: SwiftEdge, box: str) -> None:
    edge.swift("PUT", f"{box}/o", b"abc", {"X-Object-Meta-A": "1"})
    assert copied(edge, "COPY", f"{box}/o", f"{box}/o", {"X-Object-Meta-A": "2"}) == 201
    got = edge.swift("GET", f"{box}/o")
    assert (got.body, got.headers["x-object-meta-a"]) == (b"abc", "2")


def test_the_time_to_go_is_copied(edge: SwiftEdge, box: str) -> None:
    at = str(int(time.time()) + 1000)
    edge.swift("PUT", f"{box}/o", b"x", {"X-Delete-At": at})
    copied(edge, "COPY", f"{box}/o", f"{box}/new")
    copied(edge, "COPY", f"{box}/o", f"{box}/fresh", {"X-Fresh-Metadata": "true"})
    assert edge.swift("HEAD", f"{box}/new").headers["x-delete-at"] == at
    assert "x-delete-at" not in edge.swift("HEAD", f"{box}/fresh").headers


@pytest.mark.parametrize("verb", ["COPY", "PUT"])
@pytest.mark.parametrize("size", [100, 300_000])
def test_a_range_is_copied_as_an_object_of_its_own(
    edge: SwiftEdge, box: str, verb: str, size: int
) -> None:
    data = pattern(size)
    edge.swift("PUT", f"{box}/o", data)
    assert copied(edge, verb, f"{box}/o", f"{box}/new", {"Range": "bytes=10-59"}) == 201
    assert edge.swift("GET", f"{box}/new").body == data[10:60]


def test_between_accounts_both_must_let(edge: SwiftEdge, box: str) -> None:
    theirs = {"account": "AUTH_q", "token": "stranger"}
    edge.swift("PUT", f"{box}/o", b"mine")
    edge.swift("PUT", "their-box", **theirs)
    away = {"Destination": "their-box/o", "Destination-Account": "AUTH_q"}
    back = {"X-Copy-From": "their-box/o", "X-Copy-From-Account": "AUTH_q"}
    assert edge.swift("COPY", f"{box}/o", headers=away).status == 403
    assert edge.swift("COPY", f"{box}/absent", headers=away).status == 404
    edge.swift("POST", "their-box", b"", {"X-Container-Write": "p:owner"}, **theirs)
    answer = edge.swift("COPY", f"{box}/o", headers=away)
    assert (answer.status, answer.headers["x-copied-from-account"]) == (201, "AUTH_p")
    assert edge.swift("PUT", f"{box}/back", b"", back).status == 403
    assert edge.swift("PUT", "absent/back", b"", back).status == 403
    edge.swift("POST", "their-box", b"", {"X-Container-Read": "p:owner"}, **theirs)
    assert edge.swift("PUT", "absent/back", b"", back).status == 404
    assert edge.swift("PUT", f"{box}/back", b"", back).status == 201
    assert edge.swift("GET", f"{box}/back").body == b"mine"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 412),
        ({"Destination": ""}, 412),
        ({"Destination": "nothing-but-a-box"}, 412),
        ({"Destination": "/"}, 412),
        ({"Destination": "box/%ff"}, 412),
        ({"Destination": "no-such-box/o"}, 404),
        ({"Destination": "{box}/x", "Destination-Account": "a/b"}, 412),
        ({"Destination": "{box}/" + "x" * 1025}, 400),
        ({"Destination": "{box}/x", "ETag": "0" * 32}, 422),
        ({"Destination": "{box}/x", "If-Match": "0" * 32}, 412),
        ({"Destination": "{box}/x", "Range": "bytes=99-"}, 416),
        ({"Destination": "{box}/o", "If-None-Match": "*"}, 412),
        ({"Destination": "{box}/x", "If-None-Match": "*"}, 201),
        ({"Destination": "{box}/x", "X-Object-Meta-A": "x" * 257}, 400),
    ],
)
def test_what_a_copy_is_refused_for(
    edge: SwiftEdge, box: str, headers: dict[str, str], status: int
) -> None:
    edge.swift("PUT", f"{box}/o", b"0123456789")
    sent = {name: value.replace("{box}", box) for name, value in headers.items()}
    assert edge.swift("COPY", f"{box}/o", headers=sent).status == status
    assert len(edge.names(box)) == (2 if status == 201 else 1)


def test_metadata_joined_by_a_copy_has_limits(edge: SwiftEdge, box: str) -> None:
    many = {f"X-Object-Meta-A{at}": "v" for at in range(60)}
    edge.swift("PUT", f"{box}/o", b"x", many)
    more = {f"X-Object-Meta-B{at}": "v" for at in range(40)}
    assert copied(edge, "COPY", f"{box}/o", f"{box}/new", more) == 400


def test_a_copy_takes_no_body(edge: SwiftEdge, box: str) -> None:
    edge.swift("PUT", f"{box}/o", b"x")
    assert edge.swift("PUT", f"{box}/new", b"y", {"X-Copy-From": f"{box}/o"}).status == 400


def test_a_copy_outlives_its_source(edge: SwiftEdge, box: str) -> None:
    edge.swift("PUT", f"{box}/o", b"abc")
    copied(edge, "COPY", f"{box}/o", f"{box}/new")
    edge.swift("DELETE", f"{box}/o")
    assert edge.swift("GET", f"{box}/new").body == b"abc"


def test_a_copy_with_bytes_of_its_own_is_refused(edge: SwiftEdge, box: str) -> None:
    edge.swift("PUT", f"{box}/a", b"data")
    for chunked in (False, True):
        copy = {"X-Copy-From": f"{box}/a"}
        answer = edge.swift("PUT", f"{box}/b", b"other", copy, chunked=chunked)
        assert answer.status == 400
        assert edge.swift("HEAD", f"{box}/b").status == 404
    assert edge.swift("PUT", f"{box}/b", b"", copy, chunked=True).status == 201
