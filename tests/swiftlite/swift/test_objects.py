"""Objects over real connections: what is put is what is got, in Swift's words."""

from __future__ import annotations

import asyncio
import hashlib
import re
import time
from contextlib import closing
from typing import Any

import pytest

from swiftlite.gateway.expiry import expire_objects
from tests.swiftlite.clouds import pattern
from tests.swiftlite.s3.edge import read_answer
from tests.swiftlite.swift.edge import SwiftEdge


@pytest.mark.parametrize("size", [0, 1, 4096, 300_000, 3 << 20])
@pytest.mark.parametrize("chunked", [False, True])
def test_what_is_put_is_got(edge: SwiftEdge, box: str, size: int, chunked: bool) -> None:
    data = pattern(size)
    put = edge.swift("PUT", f"{box}/o", data, chunked=chunked)
    assert put.status == 201
    got = edge.swift("GET", f"{box}/o")
    assert (got.status, got.body) == (200, data)
    md5 = hashlib.md5(data).hexdigest()
    assert put.headers["etag"] == got.headers["etag"] == md5
    head = edge.swift("HEAD", f"{box}/o")
    assert (head.status, head.headers["content-length"]) == (200, str(size))
    for name in ("etag", "last-modified", "x-timestamp", "content-type", "accept-ranges"):
        assert head.headers[name] == got.headers[name]


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", ""), ("HEAD", ""), ("GET", "{}"), ("GET", "{}/o"), ("GET", "{}/no"), ("POST", "{}/o")],
)
def test_every_reply_has_a_transaction(edge: SwiftEdge, box: str, method: str, path: str) -> None:
    edge.swift("PUT", f"{box}/o", b"x")
    headers = edge.swift(method, path.format(box)).headers
    assert re.fullmatch(r"tx[0-9a-f]{21}-[0-9a-f]{10}", headers["x-trans-id"])
    assert headers["x-openstack-request-id"] == headers["x-trans-id"]
    assert {"content-type", "date"} <= set(headers)


NASTY = [
    "..",
    "../x",
    "/abs",
    "a//b",
    "a/./b",
    "dir/",
    "a b+c&d=e#g",
    "<xml>&\"'",
    "line\nfeed\r\ttab",
    "\x01\x7f",
    "ä",
    "a\u0308",
    "日本語/😀",
    "\u202eright-to-left",
    "\ufeffbom\ufffe",
    "k" * 1024,
    "ä" * 512,
]


@pytest.mark.parametrize("name", NASTY)
def test_a_name_is_opaque_text(edge: SwiftEdge, box: str, name: str) -> None:
    assert edge.swift("PUT", f"{box}/{name}", name.encode()).status == 201
    assert edge.swift("GET", f"{box}/{name}").body == name.encode()
    assert edge.names(box) == [name]
    assert edge.swift("GET", box).body == name.encode() + b"\n"
    assert edge.swift("GET", f"{box}?format=xml").status == 200
    assert edge.swift("DELETE", f"{box}/{name}").status == 204
    assert edge.names(box) == []


@pytest.mark.parametrize("name", ["k" * 1025, "ä" * 513])
def test_a_name_over_1024_bytes_is_refused(edge: SwiftEdge, box: str, name: str) -> None:
    assert edge.swift("PUT", f"{box}/{name}", b"").status == 400


@pytest.mark.parametrize("raw", ["%ff", "%c0%af", "%ed%a0%80", "a%00b"])
def test_a_name_that_is_no_text_is_refused(edge: SwiftEdge, box: str, raw: str) -> None:
    assert edge.raw("PUT", f"/v1/AUTH_p/{box}/{raw}", b"x").status == 412
    assert edge.names(box) == []


def test_an_escaped_slash_cuts_the_path(edge: SwiftEdge, box: str) -> None:
    assert edge.raw("PUT", f"/v1/AUTH_p/{box}%2Fa%2Fb", b"x").status == 201
    assert edge.names(box) == ["a/b"]


def test_a_promised_etag_is_held_to(edge: SwiftEdge, box: str) -> None:
    right = hashlib.md5(b"abc").hexdigest()
    for etag in (right, f'"{right.upper()}"'):
        assert edge.swift("PUT", f"{box}/o", b"abc", {"ETag": etag}).status == 201
    assert edge.swift("PUT", f"{box}/o", b"abd", {"ETag": right}).status == 422
    assert edge.swift("GET", f"{box}/o").body == b"abc"


def test_a_body_needs_an_end(edge: SwiftEdge, box: str) -> None:
    answer = edge.exchange_swift(
        f"PUT /v1/AUTH_p/{box}/o HTTP/1.1\r\nHost: x\r\nX-Auth-Token: owner\r\n\r\n".encode()
    )
    assert answer.status == 411


def test_a_body_over_the_limit_is_refused_before_it_is_sent(edge: SwiftEdge, box: str) -> None:
    head = (
        f"PUT /v1/AUTH_p/{box}/o HTTP/1.1\r\nHost: x\r\nX-Auth-Token: owner\r\n"
        "Expect: 100-continue\r\n"
    )
    for size, status in ((5368709122, 100), (5368709123, 413)):
        answer = edge.exchange_swift(f"{head}Content-Length: {size}\r\n\r\n".encode())
        assert answer.status == status


def test_a_body_cut_short_is_no_object(edge: SwiftEdge, box: str) -> None:
    with closing(edge.swift_connection()) as sock:
        head = f"PUT /v1/AUTH_p/{box}/o HTTP/1.1\r\nHost: x\r\nX-Auth-Token: owner\r\n"
        sock.sendall(f"{head}Content-Length: 10\r\n\r\nabc".encode())
        sock.shutdown(1)
        assert read_answer(sock).status in (0, 400)
    assert edge.names(box) == []


def test_an_object_that_must_be_new(edge: SwiftEdge, box: str) -> None:
    new = {"If-None-Match": "*"}
    assert edge.swift("PUT", f"{box}/o", b"1", new).status == 201
    assert edge.swift("PUT", f"{box}/o", b"2", new).status == 412
    assert edge.swift("PUT", f"{box}/o", b"2", {"If-None-Match": "abc"}).status == 400
    assert edge.swift("GET", f"{box}/o").body == b"1"


@pytest.mark.parametrize(
    ("name", "headers", "kind"),
    [
        ("a.html", {}, "text/html"),
        ("a.html", {"Content-Type": "x/y"}, "x/y"),
        ("a.html", {"Content-Type": "x/y", "X-Detect-Content-Type": "True"}, "text/html"),
        ("a.html", {"Content-Type": ""}, "text/html"),
        ("nothing", {}, "application/octet-stream"),
        ("dir.d/.hidden", {}, "application/octet-stream"),
    ],
)
def test_a_content_type_is_kept_or_guessed(
    edge: SwiftEdge, box: str, name: str, headers: dict[str, str], kind: str
) -> None:
    edge.swift("PUT", f"{box}/{name}", b"", headers)
    assert edge.swift("HEAD", f"{box}/{name}").headers["content-type"] == kind
    assert edge.listed(box)[0]["content_type"] == kind


def test_a_post_replaces_what_was_said(edge: SwiftEdge, box: str) -> None:
    put = {
        "X-Object-Meta-One": "1",
        "Content-Type": "text/plain",
        "Content-Encoding": "gzip",
        "X-Delete-After": "1000",
    }
    edge.swift("PUT", f"{box}/o", b"abc", put)
    before = edge.swift("HEAD", f"{box}/o").headers
    assert (before["x-object-meta-one"], before["content-encoding"]) == ("1", "gzip")
    assert int(before["x-delete-at"]) > time.time()
    post = {"X-Object-Meta-Two": "zwei ä", "Content-Disposition": "attachment"}
    assert edge.swift("POST", f"{box}/o", b"", post).status == 202
    after = edge.swift("GET", f"{box}/o")
    assert after.body == b"abc"
    assert (after.headers["content-type"], after.headers["etag"]) == (
        "text/plain",
        before["etag"],
    )
    assert (
        after.headers["x-object-meta-two"].encode("utf-8", "surrogateescape") == "zwei ä".encode()
    )
    assert after.headers["content-disposition"] == "attachment"
    gone = {"x-object-meta-one", "content-encoding", "x-delete-at"}
    assert not gone & set(after.headers)
    assert edge.swift("POST", f"{box}/absent", b"", post).status == 404


META_FAULTS = [
    {"X-Object-Meta-" + "k" * 129: "v"},
    {"X-Object-Meta-K": "v" * 257},
    {f"X-Object-Meta-{at}": "v" for at in range(91)},
    {f"X-Object-Meta-{at:02}": "v" * 240 for at in range(18)},
    {"X-Object-Meta-": "v"},
    {"X-Object-Meta-K": "\udcff"},
]


@pytest.mark.parametrize("method", ["PUT", "POST"])
@pytest.mark.parametrize("headers", META_FAULTS)
def test_metadata_has_limits(
    edge: SwiftEdge, box: str, method: str, headers: dict[str, str]
) -> None:
    edge.swift("PUT", f"{box}/o", b"before", {"X-Object-Meta-Kept": "1"})
    assert edge.swift(method, f"{box}/o", b"", headers).status == 400
    found = edge.swift("GET", f"{box}/o")
    assert (found.body, found.headers["x-object-meta-kept"]) == (b"before", "1")


def test_metadata_up_to_its_limits_is_kept(edge: SwiftEdge, box: str) -> None:
    most = {f"X-Object-Meta-{at:02}": "v" * 43 for at in range(90)}
    assert edge.swift("PUT", f"{box}/o", b"", most).status == 201
    headers = edge.swift("HEAD", f"{box}/o").headers
    assert sum(name.startswith("x-object-meta-") for name in headers) == 90


def test_a_header_longer_than_the_limit_is_refused(edge: SwiftEdge, box: str) -> None:
    assert edge.swift("PUT", f"{box}/o", b"", {"Content-Type": "x" * 8192}).status == 400


@pytest.mark.parametrize("name", ["Content-Type", "X-Auth-Token", "X-Delete-At", "ETag"])
def test_a_header_that_counts_once_may_be_there_once(edge: SwiftEdge, box: str, name: str) -> None:
    twice = f"{name}: owner\r\n{name}: owner\r\n"
    head = f"PUT /v1/AUTH_p/{box}/o HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n{twice}\r\n"
    assert edge.exchange_swift(head.encode()).status == 400


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"If-Match": "{etag}"}, 200),
        ({"If-Match": '"{etag}", x'}, 200),
        ({"If-Match": "*"}, 200),
        ({"If-Match": "x"}, 412),
        ({"If-None-Match": "{etag}"}, 304),
        ({"If-None-Match": "*"}, 304),
        ({"If-None-Match": "x"}, 200),
        ({"If-Modified-Since": "{modified}"}, 304),
        ({"If-Modified-Since": "Thu, 01 Jan 1970 00:00:00 GMT"}, 200),
        ({"If-Modified-Since": "no date"}, 200),
        ({"If-Unmodified-Since": "{modified}"}, 200),
        ({"If-Unmodified-Since": "Thu, 01 Jan 1970 00:00:00 GMT"}, 412),
        ({"If-Match": "x", "If-None-Match": "{etag}"}, 412),
        ({"X-Newest": "true"}, 200),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_conditions_on_reading(
    edge: SwiftEdge, box: str, method: str, headers: dict[str, str], status: int
) -> None:
    put = edge.swift("PUT", f"{box}/o", b"abc").headers
    facts = {"etag": put["etag"], "modified": put["last-modified"]}
    answer = edge.swift(
        method, f"{box}/o", headers={k: v.format(**facts) for k, v in headers.items()}
    )
    assert answer.status == status
    assert answer.headers["etag"] == put["etag"]


def test_what_is_not_there_is_404(edge: SwiftEdge, box: str) -> None:
    for method in ("GET", "HEAD", "POST", "DELETE", "COPY"):
        headers = {"Destination": f"{box}/x"}
        assert edge.swift(method, f"{box}/absent", headers=headers).status == 404, method
        assert edge.swift(method, "no-such-box/o", headers=headers).status == 404, method
    assert edge.swift("PUT", "no-such-box/o", b"").status == 404
    assert edge.swift("DELETE", f"{box}/absent").status == 404


def test_a_method_that_there_is_not_names_those_that_are(edge: SwiftEdge, box: str) -> None:
    answer = edge.swift("PATCH", f"{box}/o")
    assert (answer.status, answer.headers["allow"]) == (
        405,
        "GET, HEAD, PUT, POST, DELETE, COPY, OPTIONS",
    )
    assert edge.swift("DELETE", "").status == 405


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("X-Delete-At", "x"),
        ("X-Delete-At", "1"),
        ("X-Delete-At", "-1"),
        ("X-Delete-At", "1.5"),
        ("X-Delete-After", "x"),
        ("X-Delete-After", "-1"),
        ("X-Delete-After", "0"),
    ],
)
def test_a_time_to_go_must_be_one_to_come(
    edge: SwiftEdge, box: str, header: str, value: str
) -> None:
    assert edge.swift("PUT", f"{box}/o", b"", {header: value}).status == 400
    assert edge.names(box) == []


def test_an_object_whose_time_is_over_is_gone_at_once(edge: SwiftEdge, box: str) -> None:
    edge.swift("PUT", f"{box}/o", b"x", {"X-Delete-After": "60"})
    edge.swift("PUT", f"{box}/stays", b"x", {"X-Delete-At": "9" * 30})
    assert edge.names(box) == ["o", "stays"]
    edge.clock.ahead_s += 61
    for method in ("GET", "HEAD", "POST", "DELETE"):
        assert edge.swift(method, f"{box}/o").status == 404
    assert edge.names(box) == ["stays"]
    assert edge.swift("PUT", f"{box}/o", b"y", {"If-None-Match": "*"}).status == 201
    assert edge.swift("GET", f"{box}/o").body == b"y"
    edge.swift("POST", f"{box}/o", b"", {"X-Delete-After": "60"})
    edge.clock.ahead_s += 61
    assert edge.run(expire_objects(edge.cloud.engine)) == 1
    assert edge.swift("HEAD", box).headers["x-container-object-count"] == "1"


def test_headers_that_say_who_asks_say_nothing(edge: SwiftEdge, box: str) -> None:
    forged = {
        "X-User-Id": "owner",
        "X-Project-Id": "p",
        "X-Roles": "admin",
        "X-Identity-Status": "Confirmed",
        "X-Tenant-Id": "p",
        "X-Service-Token": "owner",
    }
    assert edge.swift("GET", box, headers=forged, token=None).status == 401
    assert edge.swift("GET", box, headers=forged, token="stranger").status == 403


@pytest.mark.parametrize("token", ["forged", "x" * 9000, "\udcff"])
def test_a_token_that_is_not_in_force_is_refused(edge: SwiftEdge, box: str, token: str) -> None:
    answer = edge.swift("GET", box, token=token)
    assert answer.status in (400, 401)


@pytest.mark.parametrize(
    ("token", "reads", "writes"),
    [
        ("owner", 200, 201),
        ("reader", 200, 403),
        ("nobody", 403, 403),
        ("stranger", 403, 403),
        ("homeless", 403, 403),
        ("reseller", 200, 201),
        (None, 401, 401),
    ],
)
def test_who_may_read_and_write(
    edge: SwiftEdge, box: str, token: str | None, reads: int, writes: int
) -> None:
    edge.swift("PUT", f"{box}/o", b"x")
    assert edge.swift("GET", f"{box}/o", token=token).status == reads
    assert edge.swift("PUT", f"{box}/o", b"x", token=token).status == writes
    # Who may not read learns nothing of what there is.
    absent = edge.swift("GET", "absent/o", token=token).status
    assert absent == (404 if reads == 200 else reads)


def test_a_refusal_keeps_its_reason_in_the_records(edge: SwiftEdge, box: str) -> None:
    answer = edge.swift("GET", f"{box}/o", token="stranger")
    found = [r for r in edge.noted.records if r.request_id == answer.headers["x-trans-id"]]
    assert [(r.status, r.rule, r.user, r.bucket, r.key) for r in found] == [
        (403, "other-project", "stranger", box, "o")
    ]
    assert b"other-project" not in answer.body


def test_a_delete_may_be_bound_to_when_the_object_would_go_by_itself(
    edge: SwiftEdge, box: str
) -> None:
    edge.swift("PUT", f"{box}/o", b"x", {"X-Delete-At": "9999999999"})

    def deleted(name: str, due: str) -> int:
        return edge.swift("DELETE", f"{box}/{name}", b"", {"X-If-Delete-At": due}).status

    assert deleted("o", "bad") == 400
    assert deleted("none", "bad") == 400
    assert deleted("o", "9999999998") == 412
    assert deleted("o", "9999999999") == 204


def test_metadata_of_an_object_may_be_empty(edge: SwiftEdge, box: str) -> None:
    edge.swift("PUT", f"{box}/o", b"x", {"X-Object-Meta-Bare": ""})
    assert edge.swift("HEAD", f"{box}/o").headers["x-object-meta-bare"] == ""
    edge.swift("POST", f"{box}/o", b"", {"X-Object-Meta-Other": ""})
    headers = edge.swift("HEAD", f"{box}/o").headers
    assert "x-object-meta-bare" not in headers
    assert headers["x-object-meta-other"] == ""


def test_a_post_that_is_overtaken_leaves_a_manifest_a_manifest(
    edge: SwiftEdge, box: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    edge.swift("PUT", f"{box}/seg", b"segment")
    edge.swift("PUT", f"{box}/o", b"plain")
    gateway, plain = edge.cloud.gateway, edge.cloud.gateway.describe_object

    async def overtaken(*args: Any, **more: Any) -> Any:
        manifest = b'[{"path": "%s/seg"}]' % box.encode()
        path = f"{box}/o?multipart-manifest=put"
        made = await asyncio.to_thread(edge.swift, "PUT", path, manifest)
        assert made.status == 201
        return await plain(*args, **more)

    monkeypatch.setattr(gateway, "describe_object", overtaken)
    assert edge.swift("POST", f"{box}/o", headers={"X-Object-Meta-A": "b"}).status == 202
    found = edge.swift("GET", f"{box}/o")
    assert (found.body, found.headers["x-object-meta-a"]) == (b"segment", "b")
    assert found.headers["x-static-large-object"] == "True"


@pytest.mark.parametrize("kept", [False, True])
def test_a_delete_at_its_time_takes_no_other_object(
    edge: SwiftEdge, box: str, kept: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if kept:
        edge.swift("PUT", f"{box}-old")
        edge.swift("POST", box, headers={"X-History-Location": f"{box}-old"})
    at = str(edge.clock.now_us() // 1_000_000 + 1000)
    put = {"X-Delete-At": at}
    edge.swift("PUT", f"{box}/o", b"1", put)
    for wrong in ("1", "9" * 5000):
        answer = edge.swift("DELETE", f"{box}/o", headers={"X-If-Delete-At": wrong})
        assert answer.status == 412
    gateway, plain = edge.cloud.gateway, edge.cloud.gateway.head_object
    seen: list[int] = []

    async def overtaken(*args: Any, **more: Any) -> Any:
        found = await plain(*args, **more)
        if not seen:
            seen.append(0)
            made = await asyncio.to_thread(edge.swift, "PUT", f"{box}/o", b"2")
            seen.append(made.status)
        return found

    with monkeypatch.context() as patched:
        patched.setattr(gateway, "head_object", overtaken)
        answer = edge.swift("DELETE", f"{box}/o", headers={"X-If-Delete-At": at})
    assert (answer.status, seen) == (412, [0, 201])
    assert edge.swift("GET", f"{box}/o").body == b"2"
    edge.swift("PUT", f"{box}/o", b"3", put)
    assert edge.swift("DELETE", f"{box}/o", headers={"X-If-Delete-At": at}).status == 204


def test_a_time_may_have_any_number_of_zeros(edge: SwiftEdge, box: str) -> None:
    at = edge.clock.now_us() // 1_000_000 + 1000
    written = edge.swift("PUT", f"{box}/o", b"1", {"X-Delete-At": "0" * 5000 + str(at)})
    assert written.status == 201
    assert edge.swift("HEAD", f"{box}/o").headers["x-delete-at"] == str(at)
    assert edge.swift("PUT", f"{box}/o", b"1", {"X-Delete-At": "0" * 5000}).status == 400
