"""Containers and accounts over real connections: making, saying, counting, deleting."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.swiftlite.swift.edge import SwiftEdge


def test_a_container_is_made_once(edge: SwiftEdge) -> None:
    assert edge.swift("HEAD", "once").status == 404
    assert edge.swift("PUT", "once").status == 201
    assert edge.swift("PUT", "once").status == 202
    assert edge.swift("HEAD", "once").status == 204
    assert edge.swift("DELETE", "once").status == 204
    assert edge.swift("DELETE", "once").status == 404


def test_of_many_who_make_a_container_at_once_one_does(edge: SwiftEdge) -> None:
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: edge.swift("PUT", "raced").status, range(48)))
    assert sorted(answers) == [201] + 47 * [202]


def test_projects_may_have_containers_of_one_name(edge: SwiftEdge) -> None:
    mine, other = "AUTH_p", "AUTH_q"
    assert edge.swift("PUT", "shared name", account=mine).status == 201
    assert edge.swift("PUT", "shared name", account=other, token="stranger").status == 201
    edge.swift("PUT", "shared name/o", b"mine", account=mine)
    assert edge.names("shared name", account=other, token="stranger") == []


def test_a_container_with_objects_stays(edge: SwiftEdge, box: str) -> None:
    edge.swift("PUT", f"{box}/o", b"x")
    assert edge.swift("DELETE", box).status == 409
    edge.swift("DELETE", f"{box}/o")
    assert edge.swift("DELETE", box).status == 204


@pytest.mark.parametrize("name", ["x" * 257, "ä" * 129, "a--at--b", "a--x-s3"])
def test_some_names_are_no_containers(edge: SwiftEdge, name: str) -> None:
    assert edge.swift("PUT", name).status == 400
    assert edge.swift("HEAD", name).status == 404


@pytest.mark.parametrize(
    "name", ["..", ".", "Ä ö", "日本語😀", "x" * 256, "a\nb", "UPPER_case", "--"]
)
def test_odd_names_are_containers(edge: SwiftEdge, name: str) -> None:
    assert edge.swift("PUT", name).status == 201
    assert name in edge.names("")
    assert edge.swift("PUT", f"{name}/o", b"x").status == 201
    assert edge.swift("DELETE", f"{name}/o").status == 204
    assert edge.swift("DELETE", name).status == 204


@pytest.mark.parametrize("target", ["/v1//c/o", "/v1/AUTH_p//o", "/v1///o", "/v1/"])
def test_a_path_with_a_gap_names_nothing(edge: SwiftEdge, target: str) -> None:
    assert edge.raw("GET", target).status in (404, 412)


@pytest.mark.parametrize("account", ["p", "KEY_p", "AUTH_", "AUTH_" + "x" * 300])
def test_an_account_that_no_project_has(edge: SwiftEdge, account: str) -> None:
    assert edge.swift("GET", "", account=account).status == 403
    assert edge.swift("GET", "", account=account, token=None).status == 401
    if account != "AUTH_" + "x" * 300:
        assert edge.swift("GET", "", account=account, token="reseller").status == 404


def test_a_container_counts_what_it_holds(edge: SwiftEdge, box: str) -> None:
    for name, size in (("a", 5), ("b", 7), ("a", 6)):
        edge.swift("PUT", f"{box}/{name}", b"x" * size)
    for method in ("HEAD", "GET"):
        headers = edge.swift(method, box).headers
        assert headers["x-container-object-count"] == "2"
        assert headers["x-container-bytes-used"] == "13"
        assert headers["x-storage-policy"] == "Policy-0"
        assert float(headers["x-timestamp"]) > 1e9
    edge.swift("DELETE", f"{box}/a")
    assert edge.swift("HEAD", box).headers["x-container-bytes-used"] == "7"


def test_an_account_counts_what_its_containers_hold(edge: SwiftEdge) -> None:
    account = "AUTH_counted"
    edge.swift("PUT", "one", account=account, token="reseller")
    edge.swift("PUT", "two", account=account, token="reseller")
    edge.swift("PUT", "one/o", b"12345", account=account, token="reseller")
    headers = edge.swift("HEAD", "", account=account, token="reseller").headers
    for prefix in ("x-account-", "x-account-storage-policy-policy-0-"):
        found = [headers[prefix + n] for n in ("container-count", "object-count", "bytes-used")]
        assert found == ["2", "1", "5"]
    listed = edge.listed("", account=account, token="reseller")
    assert [(c["name"], c["count"], c["bytes"]) for c in listed] == [("one", 1, 5), ("two", 0, 0)]


def test_what_is_said_of_a_container_stays(edge: SwiftEdge, box: str) -> None:
    said = {"X-Container-Meta-Colour": "blau ä", "X-Container-Meta-Shape": "round"}
    assert edge.swift("POST", box, b"", said).status == 204
    assert edge.swift("POST", box, b"", {"X-Container-Meta-Size": "1"}).status == 204
    headers = edge.swift("HEAD", box).headers
    assert (
        headers["x-container-meta-colour"].encode("utf-8", "surrogateescape") == "blau ä".encode()
    )
    assert (headers["x-container-meta-shape"], headers["x-container-meta-size"]) == ("round", "1")
    gone = {"X-Container-Meta-Shape": "", "X-Remove-Container-Meta-Size": "x"}
    edge.swift("POST", box, b"", gone)
    headers = edge.swift("GET", box).headers
    assert "x-container-meta-shape" not in headers
    assert "x-container-meta-size" not in headers
    assert "x-container-meta-colour" in headers
    assert edge.swift("POST", "absent", b"", said).status == 404


def test_what_is_said_of_an_account_stays(edge: SwiftEdge) -> None:
    assert edge.swift("POST", "", b"", {"X-Account-Meta-A": "1"}).status == 204
    assert edge.swift("HEAD", "").headers["x-account-meta-a"] == "1"
    assert edge.swift("POST", "", b"", {"X-Remove-Account-Meta-A": "x"}).status == 204
    assert "x-account-meta-a" not in edge.swift("HEAD", "").headers


FAULTS = [
    {"Meta-" + "k" * 129: "v"},
    {"Meta-K": "v" * 257},
    {f"Meta-{at}": "v" for at in range(91)},
    {f"Meta-{at:02}": "v" * 240 for at in range(18)},
    {"Meta-": "v"},
    {"Meta-K": "\udcff"},
]


@pytest.mark.parametrize("level", ["Account", "Container"])
@pytest.mark.parametrize("said", FAULTS)
def test_what_may_be_said_has_limits(
    edge: SwiftEdge, box: str, level: str, said: dict[str, str]
) -> None:
    path = box if level == "Container" else ""
    headers = {f"X-{level}-{name}": value for name, value in said.items()}
    assert edge.swift("POST", path, b"", headers).status == 400
    found = edge.swift("HEAD", path).headers
    assert not [name for name in found if name.startswith(f"x-{level.lower()}-meta-")]


def test_limits_hold_for_what_was_said_together(edge: SwiftEdge, box: str) -> None:
    first = {f"X-Container-Meta-A{at}": "v" for at in range(60)}
    assert edge.swift("POST", box, b"", first).status == 204
    more = {f"X-Container-Meta-B{at}": "v" for at in range(31)}
    assert edge.swift("POST", box, b"", more).status == 400
    del more["X-Container-Meta-B0"]
    assert edge.swift("POST", box, b"", more).status == 204


def test_acls_are_shown_to_owners_alone(edge: SwiftEdge, box: str) -> None:
    acls = {"X-Container-Read": ".r:*,.rlistings , q:*", "X-Container-Write": "q:stranger"}
    assert edge.swift("POST", box, b"", acls).status == 204
    headers = edge.swift("HEAD", box).headers
    assert headers["x-container-read"] == ".r:*,.rlistings,q:*"
    assert headers["x-container-write"] == "q:stranger"
    for token in ("stranger", None):
        headers = edge.swift("HEAD", box, token=token).headers
        assert not {"x-container-read", "x-container-write"} & set(headers)
    assert edge.swift("PUT", f"{box}/o", b"x", token="stranger").status == 201
    assert edge.swift("GET", f"{box}/o", token=None).body == b"x"
    assert edge.swift("PUT", f"{box}/o", b"x", token=None).status == 401
    assert edge.swift("POST", box, b"", acls, token="stranger").status == 403
    edge.swift("POST", box, b"", {"X-Remove-Container-Read": "x", "X-Container-Write": ""})
    assert edge.swift("GET", f"{box}/o", token=None).status == 401
    assert edge.swift("PUT", f"{box}/o", b"x", token="stranger").status == 403


def test_an_acl_that_is_none_changes_nothing(edge: SwiftEdge, box: str) -> None:
    edge.swift("POST", box, b"", {"X-Container-Read": "q:*"})
    for acl in (".r:", ".x:*", ".r:-"):
        answer = edge.swift("POST", box, b"", {"X-Container-Read": acl, "X-Container-Meta-A": "1"})
        assert answer.status == 400
    assert edge.swift("POST", box, b"", {"X-Container-Write": ".r:*"}).status == 400
    headers = edge.swift("HEAD", box).headers
    assert headers["x-container-read"] == "q:*"
    assert "x-container-meta-a" not in headers


@pytest.mark.parametrize("level", ["account", "container"])
def test_keys_of_links_are_sealed_and_shown_to_owners_alone(
    edge: SwiftEdge, box: str, level: str
) -> None:
    path = box if level == "container" else ""
    header = f"X-{level.title()}-Meta-Temp-Url-Key"
    assert edge.swift("POST", path, b"", {header: "very-secret-key"}).status == 204
    assert edge.swift("HEAD", path).headers[header.lower()] == "very-secret-key"
    assert header.lower() not in edge.swift("HEAD", path, token="reader").headers
    for file in edge.path.rglob("*"):
        if file.is_file() and file.name.startswith("log"):
            assert b"very-secret-key" not in file.read_bytes()
    edge.swift("POST", path, b"", {header.replace("X-", "X-Remove-"): "x"})
    assert header.lower() not in edge.swift("HEAD", path).headers


def test_there_is_one_storage_policy(edge: SwiftEdge) -> None:
    assert edge.swift("PUT", "gold", headers={"X-Storage-Policy": "gold"}).status == 400
    assert edge.swift("PUT", "zero", headers={"X-Storage-Policy": "policy-0"}).status == 201


def test_readers_of_an_account_change_nothing(edge: SwiftEdge, box: str) -> None:
    for method, path in (("POST", ""), ("PUT", "new"), ("POST", box), ("DELETE", box)):
        assert edge.swift(method, path, token="reader").status == 403
    assert edge.swift("GET", "", token="reader").status == 200
    assert edge.swift("GET", box, token="reader").status == 204
    assert edge.swift("GET", "", token="stranger").status == 403


def test_a_realm_cannot_end_its_quotes(edge: SwiftEdge) -> None:
    answer = edge.raw("GET", "/v1/AUTH_x%22%0d%0aSet-Cookie:%20a%3Cb%3E", token=None)
    assert answer.status == 401
    realm = 'Swift realm="AUTH_x%22%0D%0ASet-Cookie%3A%20a%3Cb%3E"'
    assert answer.headers["www-authenticate"] == realm
    assert "set-cookie" not in answer.headers


def test_a_name_that_is_too_long_is_refused_in_the_words_that_clients_look_for(
    edge: SwiftEdge,
) -> None:
    answer = edge.swift("PUT", "x" * 257)
    assert b"Container name length of 257 longer than 256" in answer.body
    assert answer.headers["content-type"].startswith("text/html")


def test_a_container_that_is_not_empty_is_a_conflict_in_the_words_that_clients_look_for(
    edge: SwiftEdge, box: str
) -> None:
    edge.swift("PUT", f"{box}/o", b"x")
    assert b"There was a conflict when trying" in edge.swift("DELETE", box).body


def test_names_in_an_acl_of_another_domains_project_admit_nobody_by_name(edge: SwiftEdge) -> None:
    ids, names = "q:stranger", "q-name:stranger-name"
    for acl, status in ((names, 403), (ids, 204)):
        there = {"account": "AUTH_f", "token": "foreigner"}
        given = edge.swift("PUT", "abroad", b"", {"X-Container-Read": acl}, **there)
        assert given.status in (201, 202)
        assert edge.swift("GET", "abroad", account="AUTH_f", token="stranger").status == status
    edge.swift("PUT", "at-home", b"", {"X-Container-Read": names})
    assert edge.swift("GET", "at-home", token="stranger").status == 204


def test_a_project_is_told_its_domain_and_no_one_else_is(edge: SwiftEdge) -> None:
    header = "x-account-project-domain-id"
    told = edge.swift("HEAD", "", account="AUTH_f", token="foreigner")
    assert told.headers[header] == "d2"
    assert header not in edge.swift("HEAD", "", account="AUTH_f", token="reseller").headers


def test_an_empty_answer_says_so_with_a_length(edge: SwiftEdge, box: str) -> None:
    for method in ("HEAD", "GET"):
        answer = edge.swift(method, box)
        assert (answer.status, answer.headers["content-length"]) == (204, "0")


def test_a_container_that_goes_while_it_is_put_is_made_again(
    edge: SwiftEdge, box: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway, plain = edge.cloud.gateway, edge.cloud.gateway.describe_bucket

    async def overtaken(*args: Any, **more: Any) -> Any:
        await asyncio.to_thread(edge.swift, "DELETE", box)
        return await plain(*args, **more)

    with monkeypatch.context() as patched:
        patched.setattr(gateway, "describe_bucket", overtaken)
        assert edge.swift("PUT", box, headers={"X-Container-Meta-A": "1"}).status == 201
    assert edge.swift("HEAD", box).headers["x-container-meta-a"] == "1"
