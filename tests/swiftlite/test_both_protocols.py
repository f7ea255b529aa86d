"""One bucket is one container: whoever may do something through S3 may through Swift, and back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from eventlog.records.record import Kind, line_of
from swiftlite.auth import Principal, SigningKey
from tests.swiftlite.s3.edge import Answer
from tests.swiftlite.swift.edge import TOKENS, SwiftEdge, running

# Who asks through both: by a token, and by the key of the same principal.
NAMES = [*TOKENS, "anonymous"]
ACLS = [
    ("", ""),
    (".r:*", ""),
    (".r:*,.rlistings", "*:*"),
    ("q-name:stranger-name", "q:*"),
    ("q:*,nothing", "*:stranger"),
    ("reader", "nobody-name:*"),
]


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SwiftEdge]:
    with running(tmp_path_factory.mktemp("both")) as found:
        for name, principal in TOKENS.items():
            found.keys[name] = SigningKey(f"{name}-secret", principal)
        yield found


@pytest.fixture
def box(edge: SwiftEdge) -> str:
    """A bucket that S3 made, so that all of S3 finds its name, with one object."""
    name = f"both-{next(_count)}"
    assert edge.request("PUT", f"/{name}", name="owner").status == 200
    assert edge.request("PUT", f"/{name}/k", b"data", name="owner").status == 200
    return name


_count = iter(range(10**6))


def s3(edge: SwiftEdge, who: str, method: str, target: str, body: bytes = b"") -> Answer:
    if who != "anonymous":
        return edge.request(method, target, body, name=who)
    length = f"Content-Length: {len(body)}\r\n"
    return edge.exchange(f"{method} {target} HTTP/1.1\r\nHost: x\r\n{length}\r\n".encode() + body)


def swift(edge: SwiftEdge, who: str, method: str, path: str, body: bytes | None = None) -> Answer:
    return edge.swift(method, path, body, token=None if who == "anonymous" else who)


@pytest.mark.parametrize(("read", "write"), ACLS)
def test_the_same_principal_gets_the_same_answer_through_both(
    edge: SwiftEdge, box: str, read: str, write: str
) -> None:
    acls = {"X-Container-Read": read, "X-Container-Write": write}
    assert edge.swift("POST", box, headers=acls).status == 204
    answers: dict[str, Callable[[str], tuple[Answer, Answer]]] = {
        "read": lambda who: (
            s3(edge, who, "GET", f"/{box}/k"), swift(edge, who, "GET", f"{box}/k"),
        ),
        "list": lambda who: (
            s3(edge, who, "GET", f"/{box}?list-type=2"), swift(edge, who, "GET", box),
        ),
        "write": lambda who: (
            s3(edge, who, "PUT", f"/{box}/s3-{who}", b"x"),
            swift(edge, who, "PUT", f"{box}/swift-{who}", b"x"),
        ),
        "delete": lambda who: (
            s3(edge, who, "DELETE", f"/{box}/s3-{who}"),
            swift(edge, who, "PUT", f"{box}/swift-{who}", b""),
        ),
    }  # fmt: skip
    may: dict[tuple[str, str], bool] = {}
    for action, ask in answers.items():
        for who in NAMES:
            one, other = ask(who)
            assert (one.status < 400) == (other.status < 400), (action, who, one, other)
            assert one.status < 400 or one.status == 403
            assert other.status < 400 or other.status in (401, 403)
            may[action, who] = one.status < 400
    assert all(may[action, "owner"] for action in answers)
    assert all(may[action, "reseller"] for action in answers)
    assert may["read", "reader"]
    assert not may["write", "anonymous"]
    assert may["read", "anonymous"] == (".r:*" in read)


def test_what_swift_shares_s3_tells_and_takes_back(edge: SwiftEdge, box: str) -> None:
    sent = {"X-Container-Read": " .referrer: *, .rlistings", "X-Container-Write": "q:u"}
    assert edge.swift("POST", box, headers=sent).status == 204
    shown = edge.swift("HEAD", box).headers
    assert shown["x-container-read"] == ".r:*,.rlistings"
    assert b"global/AllUsers" in edge.request("GET", f"/{box}?acl", name="owner").body
    private = {"x-amz-acl": "private"}
    assert edge.request("PUT", f"/{box}?acl", name="owner", headers=private).status == 200
    shown = edge.swift("HEAD", box).headers
    assert "x-container-read" not in shown
    assert "x-container-write" not in shown
    assert swift(edge, "anonymous", "GET", f"{box}/k").status == 401


def test_an_acl_that_nobody_understands_is_refused_and_changes_nothing(
    edge: SwiftEdge, box: str
) -> None:
    good = {"X-Container-Read": "q:u"}
    assert edge.swift("POST", box, headers=good).status == 204
    for header, text in (
        ("X-Container-Read", ".unknown:x"),
        ("X-Container-Read", ".r:"),
        ("X-Container-Write", ".r:*"),
    ):
        refused = edge.swift("POST", box, headers={header: text, "X-Container-Meta-New": "x"})
        assert refused.status == 400, text
    shown = edge.swift("HEAD", box).headers
    assert shown["x-container-read"] == "q:u"
    assert "x-container-meta-new" not in shown


def test_only_owners_see_and_change_whom_a_container_is_shared_with(
    edge: SwiftEdge, box: str
) -> None:
    shared = {"X-Container-Read": "q:*", "X-Container-Write": "q:*"}
    assert edge.swift("POST", box, headers=shared).status == 204
    assert "x-container-read" in edge.swift("HEAD", box).headers
    for who in ("stranger", "reader"):
        seen = swift(edge, who, "HEAD", box)
        assert seen.status == 204
        assert not {"x-container-read", "x-container-write"} & seen.headers.keys()
        changed = edge.swift("POST", box, headers={"X-Container-Read": ".r:*"}, token=who)
        assert changed.status == 403
    assert edge.swift("HEAD", box).headers["x-container-read"] == "q:*"


def records_of(edge: SwiftEdge, answer: Answer) -> list[Any]:
    trans_id = answer.headers["x-trans-id"]
    return [record for record in edge.noted.records if record.request_id == trans_id]


def test_a_refusal_is_recorded_with_its_rule_and_without_its_token(
    edge: SwiftEdge, box: str
) -> None:
    edge.tokens["keyed"] = Principal(
        kind="user", user_id="u", project_id="q", roles=("member",), key_id="audit-1"
    )
    for token, rule, user in (
        ("stranger", "other-project", "stranger"),
        ("nobody", "no-role", "nobody"),
        ("homeless", "no-project", "homeless"),
        ("forged-canary", "token", ""),
        (None, "default", ""),
    ):
        refused = edge.swift("GET", f"{box}/k?temp_url_prefix=x&q=canary", token=token)
        (record,) = records_of(edge, refused)
        assert (record.kind, record.rule, record.user) == (Kind.REFUSED, rule, user)
        assert (record.account, record.bucket, record.key) == ("p", box, "k")
        assert (record.source, record.status) == ("127.0.0.1", refused.status)
        assert b"canary" not in line_of(record)


def test_a_copy_names_what_it_may_not_read(edge: SwiftEdge, box: str) -> None:
    assert edge.swift("PUT", f"{box}-of-q", account="AUTH_q", token="stranger").status == 201
    source = {"X-Copy-From": f"{box}/k", "X-Copy-From-Account": "AUTH_p"}
    refused = edge.swift(
        "PUT", f"{box}-of-q/copy", headers=source, account="AUTH_q", token="stranger"
    )
    assert refused.status == 403
    (record,) = records_of(edge, refused)
    assert (record.account, record.bucket, record.key) == ("p", box, "k")
    assert (record.action, record.rule) == ("read", "other-project")


def test_reads_through_swift_are_recorded_with_the_rule_that_allowed_them(
    edge: SwiftEdge, box: str
) -> None:
    done = edge.swift("GET", f"{box}/k", token="reader")
    (record,) = records_of(edge, done)
    assert (record.kind, record.rule, record.status) == (Kind.READ, "role reader", 200)
    assert records_of(edge, edge.swift("PUT", f"{box}/k", b"x")) == []
