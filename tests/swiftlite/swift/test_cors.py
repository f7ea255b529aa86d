"""Pages of other origins: what a container lets them do, and see; and /info."""

from __future__ import annotations

import json

import pytest

from tests.swiftlite.swift.edge import SwiftEdge

GOOD, BAD = "https://good.example", "https://bad.example"


@pytest.fixture
def shared(edge: SwiftEdge, box: str) -> str:
    said = {
        "X-Container-Meta-Access-Control-Allow-Origin": f"{GOOD} https://other.example",
        "X-Container-Meta-Access-Control-Max-Age": "60",
        "X-Container-Meta-Access-Control-Expose-Headers": "X-Own",
        "X-Container-Read": ".r:*",
    }
    edge.swift("POST", box, b"", said)
    edge.swift("PUT", f"{box}/o", b"x", {"X-Object-Meta-A": "1"})
    return box


def preflight(edge: SwiftEdge, path: str, origin: str, method: str = "GET") -> dict[str, str]:
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "X-Auth-Token, x-b",
    }
    answer = edge.swift("OPTIONS", path, headers=asked, token=None)
    return {"status": str(answer.status), **answer.headers}


def test_a_preflight_names_what_the_origin_may_do(edge: SwiftEdge, shared: str) -> None:
    for path in (shared, f"{shared}/o", f"{shared}/absent"):
        found = preflight(edge, path, GOOD)
        assert found["status"] == "200"
        assert found["access-control-allow-origin"] == GOOD
        assert "PUT" in found["access-control-allow-methods"]
        assert found["access-control-max-age"] == "60"
        assert found["access-control-allow-headers"] == "X-Auth-Token, x-b"
        assert "Origin" in found["vary"]


@pytest.mark.parametrize(
    ("path", "origin", "method"),
    [("{}", BAD, "GET"), ("{}", GOOD, "BREW"), ("absent-box", GOOD, "GET"), ("{}", "null", "GET")],
)
def test_a_preflight_of_another_origin_is_refused(
    edge: SwiftEdge, shared: str, path: str, origin: str, method: str
) -> None:
    found = preflight(edge, path.format(shared), origin, method)
    assert found["status"] == "401"
    assert "access-control-allow-origin" not in found


def test_options_without_an_origin_names_the_methods(edge: SwiftEdge, shared: str) -> None:
    for path, method in (("", "POST"), (shared, "DELETE"), (f"{shared}/o", "COPY")):
        answer = edge.swift("OPTIONS", path, token=None)
        assert answer.status == 200
        assert method in answer.headers["allow"].split(", ")


def test_a_reply_lets_its_origin_see(edge: SwiftEdge, shared: str) -> None:
    answer = edge.swift("GET", f"{shared}/o", headers={"Origin": GOOD}, token=None)
    assert answer.headers["access-control-allow-origin"] == GOOD
    exposed = answer.headers["access-control-expose-headers"].split(", ")
    assert {"etag", "x-trans-id", "x-object-meta-a", "x-own"} <= set(exposed)
    refused = edge.swift("GET", f"{shared}/absent", headers={"Origin": GOOD}, token=None)
    assert refused.headers["access-control-allow-origin"] == GOOD


def test_a_reply_to_another_origin_says_nothing_of_origins(edge: SwiftEdge, shared: str) -> None:
    answer = edge.swift("GET", f"{shared}/o", headers={"Origin": BAD}, token=None)
    assert answer.status == 200
    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_any_origin_may_be_let_in(edge: SwiftEdge, shared: str) -> None:
    star = {"X-Container-Meta-Access-Control-Allow-Origin": "*"}
    edge.swift("POST", shared, b"", star)
    answer = edge.swift("GET", f"{shared}/o", headers={"Origin": BAD}, token=None)
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in answer.headers


def test_info_is_for_anyone_and_true(edge: SwiftEdge) -> None:
    answer = edge.raw("GET", "/info", token=None)
    assert answer.status == 200
    found = json.loads(answer.body)
    swift = found["swift"]
    assert (swift["max_file_size"], swift["max_meta_count"]) == (5368709122, 90)
    assert (swift["max_object_name_length"], swift["container_listing_limit"]) == (1024, 10000)
    assert [policy["default"] for policy in swift["policies"]] == [True]
    assert edge.raw("HEAD", "/info", token=None).status == 200
    assert edge.raw("OPTIONS", "/info", token=None).headers["allow"] == "HEAD, GET, OPTIONS"
    assert edge.raw("PUT", "/info", token=None).status == 405
