"""Dynamic large objects over real connections: whatever lies under the prefix now."""

from __future__ import annotations

import hashlib

import pytest

from tests.swiftlite.clouds import pattern
from tests.swiftlite.swift.edge import SwiftEdge


def five(edge: SwiftEdge, box: str) -> bytes:
    """Store five segments and a manifest `big` of them; return their bytes."""
    data = b""
    for number in range(5):
        piece = pattern(300 + number, number)
        assert edge.swift("PUT", f"{box}/seg é/{number}", piece).status == 201
        data += piece
    headers = {"X-Object-Manifest": f"{box}/seg%20%C3%A9/", "X-Object-Meta-Own": "mine"}
    assert edge.swift("PUT", f"{box}/big", b"", headers).status == 201
    return data


def test_a_manifest_is_read_as_its_segments_in_both_protocols(edge: SwiftEdge, box: str) -> None:
    data = five(edge, box)
    etags = [hashlib.md5(pattern(300 + n, n)).hexdigest() for n in range(5)]
    etag = hashlib.md5("".join(etags).encode()).hexdigest()
    for method in ("GET", "HEAD"):
        got = edge.swift(method, f"{box}/big")
        assert got.status == 200
        assert got.headers["content-length"] == str(len(data))
        assert got.headers["etag"] == f'"{etag}"'
        assert got.headers["x-object-manifest"] == f"{box}/seg%20%C3%A9/"
        assert got.headers["x-object-meta-own"] == "mine"
    assert edge.swift("GET", f"{box}/big").body == data
    s3 = edge.client()
    assert s3.head_object(Bucket=box, Key="big")["ContentLength"] == len(data)
    assert (
        s3.get_object(Bucket=box, Key="big", Range="bytes=290-910")["Body"].read()
        == (data[290:911])
    )


def test_ranges_and_conditions_are_about_the_whole(edge: SwiftEdge, box: str) -> None:
    data = five(edge, box)
    etag = edge.swift("HEAD", f"{box}/big").headers["etag"]
    for text, part in (("0-0", data[:1]), ("299-300", data[299:301]), ("-5", data[-5:])):
        got = edge.swift("GET", f"{box}/big", headers={"Range": f"bytes={text}"})
        assert (got.status, got.body) == (206, part)
    assert edge.swift("GET", f"{box}/big", headers={"Range": "bytes=9999-"}).status == 416
    assert edge.swift("GET", f"{box}/big", headers={"If-None-Match": etag}).status == 304
    assert edge.swift("HEAD", f"{box}/big", headers={"If-Match": "x"}).status == 412


def test_segments_that_come_and_go_change_it(edge: SwiftEdge, box: str) -> None:
    data = five(edge, box)
    edge.swift("PUT", f"{box}/seg é/9", b"more")
    edge.swift("DELETE", f"{box}/seg é/0")
    assert edge.swift("GET", f"{box}/big").body == data[300:] + b"more"


def test_the_manifest_itself_can_be_read_and_copied(edge: SwiftEdge, box: str) -> None:
    data = five(edge, box)
    edge.swift("PUT", f"{box}/own", b"own bytes", {"X-Object-Manifest": f"{box}/seg"})
    itself = edge.swift("GET", f"{box}/own?multipart-manifest=get")
    assert itself.body == b"own bytes"
    assert itself.headers["x-object-manifest"] == f"{box}/seg"
    to = {"Destination": f"{box}/m"}
    assert edge.swift("COPY", f"{box}/own?multipart-manifest=get", headers=to).status == 201
    assert edge.swift("COPY", f"{box}/big", headers={"Destination": f"{box}/c"}).status == 201
    assert edge.swift("GET", f"{box}/m?multipart-manifest=get").body == b"own bytes"
    assert edge.swift("GET", f"{box}/m").body == data
    edge.swift("DELETE", f"{box}/seg é/1")
    copied = edge.swift("GET", f"{box}/c")
    assert copied.body == data
    assert "x-object-manifest" not in copied.headers


def test_a_post_makes_changes_and_ends_a_manifest(edge: SwiftEdge, box: str) -> None:
    data = five(edge, box)
    edge.swift("PUT", f"{box}/other/1", b"other")
    edge.swift("PUT", f"{box}/o", b"bytes")
    assert edge.swift("POST", f"{box}/o", headers={"X-Object-Manifest": f"{box}/seg"}).status == 202
    assert edge.swift("GET", f"{box}/o").body == data
    edge.swift("POST", f"{box}/o", headers={"X-Object-Manifest": f"{box}/other/"})
    assert edge.swift("GET", f"{box}/o").body == b"other"
    edge.swift("POST", f"{box}/o", headers={"X-Object-Meta-A": "1"})
    plain = edge.swift("GET", f"{box}/o")
    assert (plain.body, "x-object-manifest" in plain.headers) == (b"bytes", False)


@pytest.mark.parametrize("value", ["c", "/c/p", "c/", "c//p", "c/p?x=y", "c/p&x", "c/%ff"])
def test_what_is_no_place_is_refused(edge: SwiftEdge, box: str, value: str) -> None:
    answer = edge.swift("PUT", f"{box}/o", b"", {"X-Object-Manifest": value})
    assert (answer.status, b"container/prefix" in answer.body) == (400, True)
    assert edge.swift("HEAD", f"{box}/o").status == 404


def test_segments_must_be_open_to_whoever_reads(edge: SwiftEdge, box: str) -> None:
    data = five(edge, box)
    front = f"{box}-front"
    edge.swift("PUT", front, headers={"X-Container-Read": ".r:*"})
    edge.swift("PUT", f"{front}/big", b"", {"X-Object-Manifest": f"{box}/seg"})
    assert edge.swift("GET", f"{front}/big", token=None).status == 401
    edge.swift("POST", box, headers={"X-Container-Read": ".r:*"})
    assert edge.swift("GET", f"{front}/big", token=None).status == 401  # it has to list
    edge.swift("POST", box, headers={"X-Container-Read": ".r:*,.rlistings"})
    assert edge.swift("GET", f"{front}/big", token=None).body == data


def test_without_its_container_there_is_nothing(edge: SwiftEdge, box: str) -> None:
    edge.swift("PUT", f"{box}/o", b"", {"X-Object-Manifest": "gone/seg"})
    assert edge.swift("GET", f"{box}/o").status == 404
    edge.swift("PUT", f"{box}/p", b"", {"X-Object-Manifest": f"{box}/none"})
    assert edge.swift("GET", f"{box}/p").body == b""
