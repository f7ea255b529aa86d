"""Listings over real connections: pages, folders, forms."""

from __future__ import annotations

import contextlib
import json
import sys
from xml.etree import ElementTree

import pytest

from swiftlite.swift import formats
from swiftlite.swift.errors import Declined
from tests.swiftlite.swift.edge import SwiftEdge

NAMES = ["a", "b/1", "b/2", "b/c/3", "c", "d/", "d/4"]


@pytest.fixture(scope="module")
def full(edge: SwiftEdge) -> str:
    edge.swift("PUT", "full")
    for name in NAMES:
        edge.swift("PUT", f"full/{name}", b"x")
    return "full"


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", NAMES),
        ("prefix=b/", ["b/1", "b/2", "b/c/3"]),
        ("delimiter=/", ["a", "b/", "c", "d/"]),
        ("delimiter=/&prefix=b/", ["b/1", "b/2", "b/c/"]),
        ("delimiter=/&marker=b/", ["c", "d/"]),
        ("delimiter=/&marker=b/1", ["b/", "c", "d/"]),
        ("delimiter=/&end_marker=c", ["a", "b/"]),
        ("marker=b/2&end_marker=d/", ["b/c/3", "c"]),
        ("reverse=true", NAMES[::-1]),
        ("reverse=on&marker=c&end_marker=a", ["b/c/3", "b/2", "b/1"]),
        ("reverse=1&delimiter=/", ["d/", "c", "b/", "a"]),
        ("reverse=off", NAMES),
        ("limit=2", ["a", "b/1"]),
        ("limit=2&marker=b/1", ["b/2", "b/c/3"]),
        ("limit=0", []),
        ("limit=nonsense", NAMES),
        ("path=b", ["b/1", "b/2"]),
        ("path=b/c", ["b/c/3"]),
        ("path=", ["a", "c", "d/"]),
        ("path=d", ["d/4"]),
        ("prefix=zzz", []),
        ("marker=b%00", ["b/1", "b/2", "b/c/3", "c", "d/", "d/4"]),
        ("prefix=%C3%A4", []),
    ],
)
def test_a_page_is_what_the_query_asks_for(
    edge: SwiftEdge, full: str, query: str, names: list[str]
) -> None:
    assert edge.names(f"{full}?{query}") == names
    plain = edge.swift("GET", f"{full}?{query}")
    assert plain.status == (200 if names else 204)
    assert plain.body == "".join(f"{name}\n" for name in names).encode()


def test_a_page_has_a_largest_size(edge: SwiftEdge, full: str) -> None:
    assert edge.swift("GET", f"{full}?limit=10000").status == 200
    assert edge.swift("GET", f"{full}?limit=10001").status == 412
    assert edge.swift("GET", "?limit=10001").status == 412


@pytest.mark.parametrize("argument", ["prefix", "marker", "delimiter", "end_marker", "format"])
def test_a_query_that_is_no_text_is_refused(edge: SwiftEdge, full: str, argument: str) -> None:
    assert edge.swift("GET", f"{full}?{argument}=%ff").status == 412


def test_json_tells_all_of_an_object(edge: SwiftEdge, full: str) -> None:
    [first, folder] = edge.listed(f"{full}?limit=2&delimiter=/")
    assert folder == {"subdir": "b/"}
    assert first["last_modified"].count("T") == 1
    del first["last_modified"]
    assert first == {
        "name": "a",
        "hash": "9dd4e461268c8034f5c8564e155c67a6",
        "bytes": 1,
        "content_type": "application/octet-stream",
    }


def test_xml_tells_the_same(edge: SwiftEdge, full: str) -> None:
    answer = edge.swift("GET", f"{full}?format=xml&delimiter=/&limit=2")
    assert answer.headers["content-type"] == "application/xml; charset=utf-8"
    root = ElementTree.fromstring(answer.body)
    assert (root.tag, root.attrib) == ("container", {"name": "full"})
    assert [child.tag for child in root] == ["object", "subdir"]
    assert [field.tag for field in root[0]] == [
        "name", "hash", "bytes", "content_type", "last_modified",
    ]  # fmt: skip
    assert root[1].attrib == {"name": "b/"}
    account = ElementTree.fromstring(edge.swift("GET", "?format=xml").body)
    assert (account.tag, account.attrib) == ("account", {"name": "AUTH_p"})
    fields = [field.tag for field in account[0]]
    assert fields == ["name", "count", "bytes", "last_modified", "storage_policy"]


def test_an_empty_container_is_an_empty_document(edge: SwiftEdge, box: str) -> None:
    assert edge.swift("GET", box).status == 204
    assert edge.swift("GET", f"{box}?format=json").body == b"[]"
    assert len(ElementTree.fromstring(edge.swift("GET", f"{box}?format=xml").body)) == 0


def test_names_cannot_break_out_of_xml(edge: SwiftEdge, box: str) -> None:
    nasty = "]]><x a=\"'&\x01\r\n\ufffe"
    edge.swift("PUT", f"{box}/{nasty}", b"", {"Content-Type": "<evil/>"})
    edge.swift("PUT", f"{box}/{nasty}/d", b"")
    for query in ("format=xml", "format=xml&delimiter=/"):
        root = ElementTree.fromstring(edge.swift("GET", f"{box}?{query}").body)
        assert {child.tag for child in root} <= {"object", "subdir"}
    name = root[0].findtext("name")
    assert name == nasty.replace("\x01", "\ufffd").replace("\ufffe", "\ufffd")


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("application/json", "application/json"),
        ("text/xml", "text/xml"),
        ("*/*", "text/plain"),
        ("application/*", "application/json"),
        ("text/html, application/xml;q=0.5, */*;q=0.1", "application/xml"),
        ("application/json;q=0, */*", "text/plain"),
        ("APPLICATION/JSON", "application/json"),
        ("", "text/plain"),
    ],
)
def test_the_accept_header_chooses(edge: SwiftEdge, full: str, accept: str, kind: str) -> None:
    for path in (full, ""):
        for method in ("GET", "HEAD"):
            answer = edge.swift(method, path, headers={"Accept": accept})
            assert answer.headers["content-type"] == f"{kind}; charset=utf-8"


def test_the_query_s_format_goes_before_accept(edge: SwiftEdge, full: str) -> None:
    answer = edge.swift("GET", f"{full}?format=json", headers={"Accept": "image/png"})
    assert json.loads(answer.body)
    assert edge.swift("GET", f"{full}?format=odd").headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("image/png", 406),
        ("nonsense", 400),
        ("a/b/c;q=x", 400),
        ("*/*;q=1e9", 400),
        ("/", 400),
        (",".join(["a/b"] * 51), 400),
    ],
)
def test_an_accept_that_no_listing_meets(
    edge: SwiftEdge, full: str, accept: str, status: int
) -> None:
    assert edge.swift("GET", full, headers={"Accept": accept}).status == status


@pytest.mark.parametrize("piece", ["a/b;", "a/b;q=0.", " ;,", "text/*;x=\\", "a/b, ", '"'])
def test_the_cost_of_an_accept_header_grows_with_its_length(piece: str) -> None:
    assert not hasattr(formats, "re"), "what a pattern costs, this test does not see"
    small, large = (_calls_of((piece * size)[:size]) for size in (100, 1600))
    assert large <= 20 * small


def _calls_of(accept: str) -> int:
    """Return how many calls it takes to read an Accept header."""
    count = 0

    def called(frame: object, event: str, what: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(called)
    try:
        with contextlib.suppress(Declined):
            formats.best(accept)
    finally:
        sys.setprofile(None)
    return count
