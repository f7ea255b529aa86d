"""Static sites over real connections: what a browser without a token is shown."""

from __future__ import annotations

import hashlib
import hmac
from urllib.parse import quote

import pytest

from tests.swiftlite.s3.edge import Answer
from tests.swiftlite.swift.edge import SwiftEdge

PUBLIC = {"X-Container-Read": ".r:*,.rlistings"}


def site(edge: SwiftEdge, box: str, **meta: str) -> None:
    headers = {f"X-Container-Meta-Web-{name.replace('_', '-')}": v for name, v in meta.items()}
    assert edge.swift("POST", box, headers=PUBLIC | headers).status == 204


def get(edge: SwiftEdge, path: str, method: str = "GET", **headers: str) -> Answer:
    return edge.swift(method, path, headers=headers, token=None)


def test_an_index_is_served_for_its_folder(edge: SwiftEdge, box: str) -> None:
    edge.swift("PUT", f"{box}/index.html", b"top", {"Content-Type": "text/html"})
    edge.swift("PUT", f"{box}/sub/index.html", b"below")
    site(edge, box)
    assert get(edge, box).status == 200  # no site yet: a listing
    site(edge, box, Index="index.html")
    for path in (box, f"{box}/sub"):
        moved = get(edge, path)
        host = f"http://127.0.0.1:{edge.swift_port}"
        assert (moved.status, moved.headers["location"]) == (301, f"{host}/v1/AUTH_p/{path}/")
    top = get(edge, f"{box}/")
    assert (top.body, top.headers["content-type"]) == (b"top", "text/html")
    assert get(edge, f"{box}/sub/").body == b"below"
    assert get(edge, f"{box}/", "HEAD").headers["content-length"] == "3"
    assert get(edge, f"{box}/none").status == 404
    assert get(edge, f"{box}/none/").status == 404


def test_those_with_a_token_see_the_container_unless_they_ask(edge: SwiftEdge, box: str) -> None:
    edge.swift("PUT", f"{box}/index.html", b"top")
    site(edge, box, Index="index.html")
    assert edge.swift("GET", f"{box}/").body == b"index.html\n"
    asked = edge.swift("GET", f"{box}/", headers={"X-Web-Mode": "true"})
    assert asked.body == b"top"


def test_listings_are_pages_where_they_are_wanted(edge: SwiftEdge, box: str) -> None:
    for name in ("a&b.txt", "d/x", "d/e/y"):
        edge.swift("PUT", f"{box}/{name}", b"12345")
    site(edge, box, Listings="true", Listings_CSS="s.css")
    page = get(edge, f"{box}/")
    assert page.headers["content-type"] == "text/html; charset=UTF-8"
    for part in (b"a&amp;b.txt", b'href="./a%26b%2Etxt"', b'href="./d/"', b'href="s.css"'):
        assert part in page.body
    below = get(edge, f"{box}/d/")
    assert b'href="../"' in below.body
    assert b'href="./e/"' in below.body
    assert b'href="../s.css"' in below.body
    assert get(edge, f"{box}/d").headers["location"].endswith(f"/v1/AUTH_p/{box}/d/")
    odd = get(edge, f"{box}/d", Host="h/x?y")
    assert odd.headers["location"] == f"/v1/AUTH_p/{box}/d/"
    assert get(edge, f"{box}/none/").status == 404
    site(edge, box, Listings="false")
    off = get(edge, f"{box}/")
    assert (off.status, b"Web Listing Disabled" in off.body) == (404, True)


def test_names_are_never_markup(edge: SwiftEdge, box: str) -> None:
    evil = "<script>alert(1)</script>"
    edge.swift("PUT", f"{box}/{quote(evil, safe='')}", b"x", {"Content-Type": f"a/{evil}"})
    site(edge, box, Listings="true", Listings_Label=evil, Index=evil)
    page = get(edge, f"{box}/").body
    assert b"<script" not in page
    assert b"<script" not in get(edge, f"{box}/{quote(evil, safe='')}x/").body


def test_an_error_has_a_page_of_the_sites_own(edge: SwiftEdge, box: str) -> None:
    edge.swift("PUT", f"{box}/404oops.html", b"not here", {"Content-Type": "text/html"})
    edge.swift("PUT", f"{box}/401oops.html", b"not you")
    site(edge, box, Index="index.html", Error="oops.html")
    for path in (f"{box}/none", f"{box}/", f"{box}/none/"):
        answer = get(edge, path)
        assert (answer.status, answer.body) == (404, b"not here"), path
    assert answer.headers["content-type"] == "text/html"
    edge.swift("POST", box, headers={"X-Container-Read": ".r:*"})
    answer = get(edge, f"{box}/")
    assert (answer.status, answer.body) == (401, b"not you")


def test_what_is_not_public_is_not_served(edge: SwiftEdge, box: str) -> None:
    edge.swift("PUT", f"{box}/index.html", b"secret")
    edge.swift("PUT", f"{box}/404e", b"secret")
    edge.swift("PUT", f"{box}/401e", b"secret")
    site(edge, box, Index="index.html", Error="e", Listings="true")
    edge.swift("POST", box, headers={"X-Container-Read": ""})
    for path in (f"{box}/", box, f"{box}/index.html", f"{box}/none", f"{box}/none/"):
        answer = get(edge, path)
        assert (answer.status, b"secret" in answer.body) == (401, False), path
    # Without .rlistings what there is stays unknown, however it is asked for.
    edge.swift("POST", box, headers={"X-Container-Read": ".r:*", "X-Container-Meta-Web-Error": ""})
    edge.swift("PUT", f"{box}/d/x", b"x")
    for path in (f"{box}/d/", f"{box}/d"):
        assert get(edge, path).status == 401


def test_markers_of_folders_are_no_pages(edge: SwiftEdge, box: str) -> None:
    edge.swift("PUT", f"{box}/d", b"", {"Content-Type": "application/directory"})
    edge.swift("PUT", f"{box}/d/index.html", b"below")
    site(edge, box, Index="index.html")
    assert get(edge, f"{box}/d").status == 301
    assert get(edge, f"{box}/d/").body == b"below"


@pytest.mark.parametrize("prefix", ["", "d/"])
def test_a_signed_prefix_opens_its_pages(edge: SwiftEdge, box: str, prefix: str) -> None:
    edge.swift("POST", "", headers={"X-Account-Meta-Temp-URL-Key": "k"})
    for name in ("d/x", "d/e/y", "z"):
        edge.swift("PUT", f"{box}/{name}", b"1")
    site(edge, box, Listings="true")
    edge.swift("POST", box, headers={"X-Container-Read": ""})
    expires = edge.clock.now_us() // 1_000_000 + 100
    message = f"GET\n{expires}\nprefix:/v1/AUTH_p/{box}/{prefix}".encode()
    signature = hmac.new(b"k", message, hashlib.sha256).hexdigest()
    signed = f"temp_url_sig={signature}&temp_url_expires={expires}&temp_url_prefix={quote(prefix)}"
    page = get(edge, f"{box}/d/?{signed}")
    assert page.status == 200
    assert page.headers["content-disposition"] == "inline"
    assert b'href="./x?temp_url_prefix=' in page.body
    assert (b'href="../?' in page.body) == (prefix == "")
    assert get(edge, f"{box}/d/e/?{signed}").status == 200
    assert get(edge, f"{box}/?{signed}").status == (200 if prefix == "" else 401)
    assert get(edge, f"{box}/z?{signed}").status == (200 if prefix == "" else 401)
    object_ = get(edge, f"{box}/d/x?{signed}")
    assert (object_.status, object_.body) == (200, b"1")


def test_a_page_for_an_error_is_sent_whole(edge: SwiftEdge, box: str) -> None:
    edge.swift("PUT", f"{box}/404error.html", b"nothing here")
    site(edge, box, Index="index.html", Error="error.html")
    for headers in (
        {"Range": "bytes=0-2"},
        {"Range": "bytes=100-"},
        {"If-None-Match": "*"},
        {"If-Match": "x"},
    ):
        answer = get(edge, f"{box}/none", **headers)
        assert (answer.status, answer.body) == (404, b"nothing here"), headers
        assert "content-range" not in answer.headers
