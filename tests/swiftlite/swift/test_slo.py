"""Static large objects over real connections: put, read in both protocols, copied, deleted."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.swiftlite.clouds import pattern
from tests.swiftlite.s3.edge import Answer
from tests.swiftlite.swift.edge import SwiftEdge


def md5(data: bytes) -> str:
    return hashlib.md5(data).hexdigest()


def put(edge: SwiftEdge, path: str, entries: Any, query: str = "", **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    body = entries if isinstance(entries, bytes) else json.dumps(entries).encode()
    return edge.swift("PUT", f"{path}?multipart-manifest=put{query}", body, named)


def three(edge: SwiftEdge, box: str) -> tuple[bytes, list[dict[str, Any]]]:
    """Store two segments; return the bytes and entries of a large object of them and some data."""
    a, b = pattern(700, 1), pattern(5000, 2)
    for name, data in (("a", a), ("b", b)):
        assert edge.swift("PUT", f"{box}/seg/{name}", data).status == 201
    entries: list[dict[str, Any]] = [
        {"path": f"/{box}/seg/a", "etag": md5(a), "size_bytes": len(a)},
        {"data": base64.b64encode(b"ABC").decode()},
        {"path": f"{box}/seg/b", "range": "100-2099"},
    ]
    return a + b"ABC" + b[100:2100], entries


def test_a_large_object_is_read_as_one_in_both_protocols(edge: SwiftEdge, box: str) -> None:
    data, entries = three(edge, box)
    made = put(edge, f"{box}/big", entries, content_type="video/x", X_Object_Meta_Own="mine")
    assert made.status == 201
    b = pattern(5000, 2)
    etag = md5(f"{md5(data[:700])}{md5(b'ABC')}{md5(b)}:100-2099;".encode())
    assert made.headers["etag"] == f'"{etag}"'
    for method in ("GET", "HEAD"):
        got = edge.swift(method, f"{box}/big")
        assert got.status == 200
        assert got.body == (data if method == "GET" else b"")
        assert got.headers["content-length"] == str(len(data))
        assert got.headers["etag"] == f'"{etag}"'
        assert got.headers["x-static-large-object"] == "True"
        assert got.headers["content-type"] == "video/x"
        assert got.headers["x-object-meta-own"] == "mine"
    s3 = edge.client()
    assert s3.get_object(Bucket=box, Key="big")["Body"].read() == data
    head = s3.head_object(Bucket=box, Key="big")
    assert (head["ContentLength"], head["ETag"]) == (len(data), f'"{etag}-N"')
    part = s3.get_object(Bucket=box, Key="big", Range="bytes=690-710")
    assert part["Body"].read() == data[690:711]
    [listed] = [entry for entry in edge.listed(box) if entry["name"] == "big"]
    assert (listed["bytes"], listed["slo_etag"]) == (len(data), f'"{etag}"')


@pytest.mark.parametrize(
    "spans", [[(0, 0)], [(699, 702)], [(100, 2600)], [(2702, 9000)], [(0, 4), (701, 709)]]
)
def test_ranges_reach_over_segments(
    edge: SwiftEdge, box: str, spans: list[tuple[int, int]]
) -> None:
    data, entries = three(edge, box)
    assert put(edge, f"{box}/big", entries).status == 201
    asked = ",".join(f"{first}-{last}" for first, last in spans)
    got = edge.swift("GET", f"{box}/big", headers={"Range": f"bytes={asked}"})
    assert got.status == 206
    for first, last in spans:
        assert data[first : last + 1] in got.body
    if len(spans) == 1:
        assert got.body == data[spans[0][0] : spans[0][1] + 1]
    beyond = edge.swift("GET", f"{box}/big", headers={"Range": "bytes=99999-"})
    assert beyond.status == 416


def test_conditions_are_about_the_whole(edge: SwiftEdge, box: str) -> None:
    _, entries = three(edge, box)
    etag = put(edge, f"{box}/big", entries).headers["etag"]
    assert edge.swift("GET", f"{box}/big", headers={"If-None-Match": etag}).status == 304
    assert edge.swift("GET", f"{box}/big", headers={"If-Match": etag}).status == 200
    assert edge.swift("GET", f"{box}/big", headers={"If-Match": "x"}).status == 412


def test_the_manifest_itself_can_be_read(edge: SwiftEdge, box: str) -> None:
    _, entries = three(edge, box)
    put(edge, f"{box}/big", entries, content_type="video/x")
    shown = edge.swift("GET", f"{box}/big?multipart-manifest=get")
    assert shown.headers["content-type"] == "application/json; charset=utf-8"
    assert shown.headers["etag"] == md5(shown.body)
    found = json.loads(shown.body)
    assert [entry.get("name") for entry in found] == [f"/{box}/seg/a", None, f"/{box}/seg/b"]
    assert found[2]["range"] == "100-2099"
    assert (found[2]["bytes"], found[2]["hash"]) == (5000, md5(pattern(5000, 2)))
    whole = edge.swift("HEAD", f"{box}/big")
    assert whole.headers["x-manifest-etag"] == md5(shown.body)
    raw = edge.swift("GET", f"{box}/big?multipart-manifest=get&format=raw")
    assert raw.headers["content-type"] == "video/x"
    again = put(edge, f"{box}/again", raw.body)
    assert again.headers["etag"] == whole.headers["etag"]
    hashes = {entry["name"]: entry["hash"] for entry in edge.listed(box)}
    assert hashes["big"] == md5(shown.body)


@pytest.mark.parametrize(
    ("entries", "status", "told"),
    [
        (b"{", 400, b"valid JSON"),
        ({}, 400, b"must be a list"),
        ([{"path": "BOX/big"}], 400, b"must not include itself"),
        ([{"path": "BOX/gone"}], 400, b"404 Not Found"),
        ([{"path": "no-such-box/o"}], 400, b"404 Not Found"),
        ([{"path": "BOX/seg/a", "etag": "x"}], 400, b"Etag Mismatch"),
        ([{"path": "BOX/seg/a", "size_bytes": 7}], 400, b"Size Mismatch"),
        ([{"path": "BOX/seg/a", "range": "700-"}], 400, b"Unsatisfiable Range"),
        ([{"path": "BOX/seg/a"}] * 1001, 413, b"<= 1000"),
        (b" " * (8 << 20) + b"[]", 413, b"Manifest File > 8388608 bytes"),
    ],
)
def test_a_manifest_that_does_not_fit_is_told_and_not_stored(
    edge: SwiftEdge, box: str, entries: Any, status: int, told: bytes
) -> None:
    three(edge, box)
    body = entries if isinstance(entries, bytes) else json.dumps(entries).encode()
    answer = put(edge, f"{box}/big", body.replace(b"BOX", box.encode()))
    assert (answer.status, told in answer.body) == (status, True), answer
    assert edge.swift("HEAD", f"{box}/big").status == 404


def test_a_thousand_segments_are_read_as_one(edge: SwiftEdge, box: str) -> None:
    assert edge.swift("PUT", f"{box}/s", b"12345").status == 201
    assert put(edge, f"{box}/big", [{"path": f"{box}/s"}] * 1000).status == 201
    assert edge.swift("GET", f"{box}/big").body == b"12345" * 1000
    got = edge.swift("GET", f"{box}/big", headers={"Range": "bytes=4998-"})
    assert got.body == b"45"


def test_problems_are_told_in_the_clients_format(edge: SwiftEdge, box: str) -> None:
    answer = put(edge, f"{box}/big", [{"path": f"{box}/a<b"}], Accept="application/json")
    assert json.loads(answer.body)["Errors"] == [[f"{box}/a%3Cb", "404 Not Found"]]


def test_an_etag_that_is_not_the_wholes_is_refused(edge: SwiftEdge, box: str) -> None:
    data, entries = three(edge, box)
    good = put(edge, f"{box}/first", entries).headers["etag"]
    assert put(edge, f"{box}/big", entries, Etag=md5(data)).status == 422
    assert edge.swift("HEAD", f"{box}/big").status == 404
    assert put(edge, f"{box}/big", entries, Etag=good).status == 201


def test_missing_and_changed_segments_are_a_conflict(edge: SwiftEdge, box: str) -> None:
    _, entries = three(edge, box)
    put(edge, f"{box}/big", entries)
    edge.swift("PUT", f"{box}/seg/a", pattern(700, 9))
    assert edge.swift("GET", f"{box}/big").status == 409
    with pytest.raises(ClientError) as caught:
        edge.client().get_object(Bucket=box, Key="big")
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 409
    edge.swift("DELETE", f"{box}/seg/a")
    assert edge.swift("GET", f"{box}/big").status == 409
    # Behind the first segment the connection ends before the length that was promised.
    edge.swift("PUT", f"{box}/seg/a", pattern(700, 1))
    edge.swift("DELETE", f"{box}/seg/b")
    cut = edge.swift("GET", f"{box}/big")
    assert (cut.status, len(cut.body) < 2703) == (200, True)


def test_segments_are_read_only_by_whom_they_are_open_to(edge: SwiftEdge, box: str) -> None:
    _, entries = three(edge, box)
    front = box + "-front"
    edge.swift("PUT", front, headers={"X-Container-Read": "q:stranger"})
    assert put(edge, f"{front}/big", entries).status == 201
    assert edge.swift("GET", f"{front}/big", token="stranger").status == 409
    edge.swift("POST", box, headers={"X-Container-Read": "q:stranger"})
    assert edge.swift("GET", f"{front}/big", token="stranger").status == 200
    # Nor does a manifest tell of objects that its maker may not read.
    edge.swift("POST", front, headers={"X-Container-Write": "q:stranger"})
    edge.swift("POST", box, headers={"X-Container-Read": ""})
    answer = edge.swift(
        "PUT",
        f"{front}/theirs?multipart-manifest=put",
        json.dumps([{"path": f"{box}/seg/a"}, {"path": f"{box}/gone"}]).encode(),
        token="stranger",
    )
    assert (answer.status, answer.body.count(b"403 Forbidden")) == (400, 2)


def test_manifests_nest(edge: SwiftEdge, box: str) -> None:
    data, entries = three(edge, box)
    inner = put(edge, f"{box}/inner", entries)
    outer = [
        {"path": f"{box}/inner", "etag": inner.headers["etag"].strip('"'), "range": "650-800"},
        {"path": f"{box}/inner"},
    ]
    assert put(edge, f"{box}/outer", outer).status == 201
    assert edge.swift("GET", f"{box}/outer").body == data[650:801] + data
    shown = json.loads(edge.swift("GET", f"{box}/outer?multipart-manifest=get").body)
    assert shown[1]["sub_slo"] is True


def test_parts_can_be_asked_for_by_number(edge: SwiftEdge, box: str) -> None:
    data, entries = three(edge, box)
    put(edge, f"{box}/big", entries)
    for number, (start, end) in enumerate([(0, 700), (700, 703), (703, 2703)], 1):
        for method in ("GET", "HEAD"):
            got = edge.swift(method, f"{box}/big?part-number={number}")
            assert got.status == 206
            assert got.headers["content-range"] == f"bytes {start}-{end - 1}/2703"
            assert got.headers["x-parts-count"] == "3"
            assert got.headers["content-length"] == str(end - start)
            assert got.body == (data[start:end] if method == "GET" else b"")
    for number, status in (("0", 400), ("x", 400), ("٣", 400), ("4", 416), ("9" * 30, 400)):
        assert edge.swift("GET", f"{box}/big?part-number={number}").status == status


def test_a_copy_is_of_the_bytes_and_of_the_manifest_where_that_is_asked_for(
    edge: SwiftEdge, box: str
) -> None:
    data, entries = three(edge, box)
    etag = put(edge, f"{box}/big", entries, content_type="a/b").headers["etag"]
    to = {"Destination": f"{box}/copy"}
    assert edge.swift("COPY", f"{box}/big", headers=to).status == 201
    to = {"Destination": f"{box}/manifest"}
    assert edge.swift("COPY", f"{box}/big?multipart-manifest=get", headers=to).status == 201
    part = {"X-Copy-From": f"{box}/big"}
    assert edge.swift("PUT", f"{box}/part?part-number=2", b"", part).status == 201
    assert edge.swift("GET", f"{box}/part").body == b"ABC"
    copied = edge.swift("HEAD", f"{box}/copy")
    assert (copied.headers["etag"], copied.headers["content-type"]) == (md5(data), "a/b")
    assert "x-static-large-object" not in copied.headers
    again = edge.swift("HEAD", f"{box}/manifest")
    assert (again.headers["etag"], again.headers["x-static-large-object"]) == (etag, "True")
    s3 = edge.client()
    s3.copy_object(Bucket=box, Key="s3-copy", CopySource={"Bucket": box, "Key": "big"})
    edge.swift("DELETE", f"{box}/seg/a")
    assert edge.swift("GET", f"{box}/copy").body == data
    assert s3.get_object(Bucket=box, Key="s3-copy")["Body"].read() == data
    assert edge.swift("GET", f"{box}/manifest").status == 409


def test_a_copied_manifest_is_looked_at_in_the_account_that_it_comes_to(
    edge: SwiftEdge, box: str
) -> None:
    _, entries = three(edge, box)
    put(edge, f"{box}/big", entries)
    edge.swift("PUT", box + "-to", account="AUTH_q", token="stranger",
               headers={"X-Container-Write": "p:owner"})  # fmt: skip
    to = {"Destination": f"{box}-to/o", "Destination-Account": "AUTH_q"}
    answer = edge.swift("COPY", f"{box}/big?multipart-manifest=get", headers=to)
    assert answer.status == 400
    assert edge.swift("COPY", f"{box}/big", headers=to).status == 201


def test_deleting_the_object_leaves_its_segments_unless_they_are_to_go(
    edge: SwiftEdge, box: str
) -> None:
    _, entries = three(edge, box)
    inner = put(edge, f"{box}/inner", entries)
    assert inner.status == 201
    put(edge, f"{box}/big", [{"path": f"{box}/inner"}, {"path": f"{box}/seg/a"}])
    assert edge.swift("DELETE", f"{box}/big").status == 204
    assert edge.names(box) == ["inner", "seg/a", "seg/b"]
    put(edge, f"{box}/big", [{"path": f"{box}/inner"}, {"path": f"{box}/seg/a"}])
    json_ = {"Accept": "application/json"}
    gone = edge.swift("DELETE", f"{box}/big?multipart-manifest=delete", headers=json_)
    report = json.loads(gone.body)
    assert gone.status == 200
    assert (report["Response Status"], report["Errors"]) == ("200 OK", [])
    assert (report["Number Deleted"], report["Number Not Found"]) == (4, 1)
    assert edge.names(box) == []


def test_only_a_manifest_is_deleted_with_its_segments(edge: SwiftEdge, box: str) -> None:
    edge.swift("PUT", f"{box}/plain", b"x")
    json_ = {"Accept": "application/json"}
    answer = edge.swift("DELETE", f"{box}/plain?multipart-manifest=delete", headers=json_)
    report = json.loads(answer.body)
    assert report["Response Status"] == "400 Bad Request"
    assert report["Errors"] == [[f"/{box}/plain", "Not an SLO manifest"]]
    assert edge.swift("HEAD", f"{box}/plain").status == 200
    answer = edge.swift("DELETE", f"{box}/gone?multipart-manifest=delete", headers=json_)
    assert json.loads(answer.body)["Number Not Found"] == 1
    denied = edge.swift("DELETE", f"{box}/plain?multipart-manifest=delete", token="reader")
    assert denied.status == 403


def test_signs_of_life_can_be_asked_for(edge: SwiftEdge, box: str) -> None:
    _, entries = three(edge, box)
    target = f"/v1/AUTH_p/{box}/big?multipart-manifest=put&heartbeat=on"
    for body, status in ((entries, "201 Created"), ([{"path": "x/y"}], "400 Bad Request")):
        sent = json.dumps(body).encode()
        head = (
            f"PUT {target} HTTP/1.0\r\nHost: h\r\nX-Auth-Token: owner\r\n"
            f"Accept: application/json\r\nContent-Length: {len(sent)}\r\n\r\n"
        )
        with edge.swift_connection() as sock:
            sock.sendall(head.encode() + sent)
            data = b"".join(iter(lambda: sock.recv(65536), b""))
        first, _, rest = data.partition(b"\r\n\r\n")
        assert first.startswith(b"HTTP/1.1 202 Accepted")
        assert json.loads(rest)["Response Status"] == status


def test_only_a_manifest_put_makes_a_manifest(edge: SwiftEdge, box: str) -> None:
    answer = edge.swift("PUT", f"{box}/o", b"[]", {"X-Static-Large-Object": "true"})
    assert (answer.status, b"reserved header" in answer.body) == (400, True)


def test_metadata_can_be_changed_and_the_object_stays_large(edge: SwiftEdge, box: str) -> None:
    data, entries = three(edge, box)
    etag = put(edge, f"{box}/big", entries).headers["etag"]
    changed = {"X-Object-Meta-New": "1", "Content-Type": "x/y"}
    assert edge.swift("POST", f"{box}/big", headers=changed).status == 202
    got = edge.swift("GET", f"{box}/big")
    assert (got.body, got.headers["etag"], got.headers["content-type"]) == (data, etag, "x/y")


def test_a_large_object_expires_like_any_other(edge: SwiftEdge, box: str) -> None:
    _, entries = three(edge, box)
    assert put(edge, f"{box}/big", entries, X_Delete_After="100").status == 201
    assert "x-delete-at" in edge.swift("HEAD", f"{box}/big").headers
    edge.clock.ahead_s += 101
    assert edge.swift("GET", f"{box}/big").status == 404
    assert edge.swift("HEAD", f"{box}/seg/a").status == 200
