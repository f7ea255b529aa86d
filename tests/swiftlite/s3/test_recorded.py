"""Access records of S3: every refusal is explained in one, reads where wanted; no secret in any."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path

import pytest

from eventlog.records.record import Kind, Record, line_of
from tests.swiftlite.s3.edge import Edge, running


class Kept:
    """Keeps records of some kinds in memory."""

    def __init__(self, kinds: Collection[Kind]) -> None:
        self.kinds = kinds
        self.all: list[Record] = []

    def wants(self, kind: Kind) -> bool:
        return kind in self.kinds

    def add(self, record: Record) -> None:
        if record.kind in self.kinds:
            self.all.append(record)

    def take(self) -> list[Record]:
        found, self.all = self.all, []
        return found


@pytest.fixture(scope="module")
def kept() -> Kept:
    return Kept({Kind.REFUSED, Kind.READ})


@pytest.fixture(scope="module")
def statuses() -> Counter[int]:
    return Counter()


@pytest.fixture(scope="module")
def edge(
    tmp_path_factory: pytest.TempPathFactory, kept: Kept, statuses: Counter[int]
) -> Iterator[Edge]:
    def count(status: int) -> None:
        statuses[status] += 1

    folder: Path = tmp_path_factory.mktemp("recorded")
    with running(folder, records=kept, count=count) as found:
        found.client().create_bucket(Bucket="mine")
        found.client("OTHER").create_bucket(Bucket="theirs")
        for name in ("a", "b"):
            found.client().put_object(Bucket="mine", Key=name, Body=b"data")
        yield found


@pytest.fixture(autouse=True)
def _nothing_yet(edge: Edge, kept: Kept) -> None:
    kept.take()


def test_a_refusal_tells_who_what_whence_and_why(edge: Edge, kept: Kept) -> None:
    sent = edge.request("GET", "/theirs/some%20key", headers={"user-agent": "spy/1.0"})
    (record,) = kept.take()
    assert sent.status == record.status == 403
    assert record == Record(
        at_us=record.at_us,
        kind=Kind.REFUSED,
        protocol="s3",
        action="GetObject",
        status=403,
        rule="other-project",
        reason="Access Denied: the bucket belongs to another project",
        request_id=sent.headers["x-amz-request-id"],
        user="owner",
        project="p",
        credential="ROOT",
        source="127.0.0.1",
        agent="spy/1.0",
        bucket="theirs",
        key="some key",
    )


@pytest.mark.parametrize(
    ("name", "method", "target", "rule"),
    [
        ("READONLY", "PUT", "/mine/k", "key-read-only"),
        ("ONLYONE", "GET", "/mine/a", "key-bucket"),
        ("NOBODY", "GET", "/mine/a", "no-role"),
        ("NOBODY", "GET", "/absent/a", "no-role"),
        ("OTHER", "DELETE", "/mine", "other-project"),
        ("READER", "PUT", "/mine?versioning", "no-role"),
    ],
)
def test_the_rule_is_named(
    edge: Edge, kept: Kept, name: str, method: str, target: str, rule: str
) -> None:
    assert edge.request(method, target, name=name).status == 403
    (record,) = kept.take()
    assert (record.rule, record.credential) == (rule, name)


def test_who_did_not_prove_to_be_a_user_is_not_named_as_one(edge: Edge, kept: Kept) -> None:
    edge.exchange(edge.signed("GET", "/mine/a?versionId=null", secret="wrong"))
    edge.exchange(edge.signed("GET", "/mine/a", name="AKIAUNKNOWN", secret="canary"))
    edge.exchange(b"GET /mine/a HTTP/1.1\r\nHost: x\r\n\r\n")
    edge.exchange(b"GET /mine/a HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer canary\r\n\r\n")
    wrong, unknown, anonymous, bearer = kept.take()
    assert (wrong.rule, wrong.credential, wrong.user) == ("SignatureDoesNotMatch", "ROOT", "")
    assert (wrong.action, wrong.target, wrong.status) == ("GET", "/mine/a", 403)
    assert (unknown.rule, unknown.credential) == ("InvalidAccessKeyId", "")
    assert (anonymous.rule, anonymous.user, anonymous.key) == ("default", "", "a")
    assert (bearer.action, bearer.status) == ("GET", 400)


def test_an_expired_link_is_recorded_without_its_signature(edge: Edge, kept: Kept) -> None:
    url = edge.client().generate_presigned_url(
        "get_object", Params={"Bucket": "mine", "Key": "a"}, ExpiresIn=-10
    )
    path = url.partition(f":{edge.port}")[2]
    sent = edge.exchange(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{edge.port}\r\n\r\n".encode())
    (record,) = kept.take()
    assert (sent.status, record.reason) == (403, "Request has expired")
    assert (record.rule, record.credential) == ("AccessDenied", "ROOT")
    signature = path.partition("Signature=")[2].partition("&")[0]
    assert len(signature) > 20
    assert signature.encode() not in line_of(record)


def test_each_refused_entry_of_a_batch_has_its_record(edge: Edge, kept: Kept) -> None:
    edge.share("mine", write_acl="*:*")
    done = edge.client("OTHER").delete_objects(
        Bucket="mine",
        Delete={"Objects": [{"Key": "a", "VersionId": "null"}, {"Key": "b", "VersionId": "null"}]},
    )
    edge.share("mine", write_acl="")
    assert len(done["Errors"]) == 2
    assert {(r.action, r.bucket, r.key, r.user) for r in kept.take()} == {
        ("DeleteObjects", "mine", "a", "stranger"),
        ("DeleteObjects", "mine", "b", "stranger"),
    }


def test_a_copy_that_may_not_read_names_what_it_would_have_read(edge: Edge, kept: Kept) -> None:
    source = {"x-amz-copy-source": "/theirs/secret%20plan"}
    assert edge.request("PUT", "/mine/copy", headers=source).status == 403
    (record,) = kept.take()
    assert (record.action, record.bucket, record.key) == ("CopyObject", "theirs", "secret plan")


def test_what_is_wrong_with_a_request_is_no_refusal_of_its_sender(edge: Edge, kept: Kept) -> None:
    assert edge.request("GET", "/mine/none").status == 404
    assert edge.request("PUT", "/mine?versioning", b"<x/>").status == 400
    assert edge.request("GET", "/mine/a", headers={"if-match": '"x"'}).status == 412
    assert kept.take() == []


def test_reads_are_recorded_where_that_is_wanted_and_writes_are_events(
    edge: Edge, kept: Kept
) -> None:
    edge.request("GET", "/mine/a")
    edge.request("GET", "/mine?list-type=2", name="READER")
    edge.request("PUT", "/mine/b", b"new")
    one, two = kept.take()
    assert (one.kind, one.action, one.bucket, one.key) == (Kind.READ, "GetObject", "mine", "a")
    assert (one.status, one.rule) == (200, "role admin")
    assert (two.action, two.rule, two.key) == ("ListObjectsV2", "role reader", "")


def test_no_secret_of_a_client_is_in_any_record(edge: Edge, kept: Kept) -> None:
    canary = "caNaRy0123456789"
    head = "GET /mine/a{q} HTTP/1.1\r\nHost: x\r\n{h}\r\n"
    for query, header in (
        (f"?X-Amz-Security-Token={canary}", ""),
        (f"?AWSAccessKeyId=ROOT&Signature={canary}&Expires=9999999999", ""),
        (f"?AWSAccessKeyId={canary}&Signature=x&Expires=9999999999", ""),
        (f"?AWSAccessKeyId=ROOT&Signature=x&Expires={canary}", ""),
        (f"?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature={canary}", ""),
        (f"?token={canary}", f"Authorization: {canary}\r\n"),
        ("", f"Authorization: AWS4-HMAC-SHA256 Credential={canary}\r\n"),
        ("", f"Authorization: AWS ROOT:{canary}\r\n"),
        ("", f"X-Auth-Token: {canary}\r\n"),
        ("", f"Authorization: AWS4-HMAC-SHA256 Credential=ROOT/20260101/us-east-1/s3/aws4_request,"
             f"SignedHeaders=host,Signature={canary}\r\nx-amz-date: 20260101T000000Z\r\n"),
    ):  # fmt: skip
        found = edge.exchange(head.format(q=query, h=header).encode())
        assert found.status >= 400
    signed = edge.signed("GET", "/mine/a", unsigned={"x-amz-security-token": canary})
    assert edge.exchange(signed).status == 403
    records = kept.take()
    assert len(records) == 10  # the first is not understood
    for record in records:
        assert canary.encode() not in line_of(record)


def test_every_answer_is_counted_by_its_status(edge: Edge, statuses: Counter[int]) -> None:
    statuses.clear()
    edge.request("GET", "/mine/a")
    edge.request("GET", "/theirs/a")
    edge.exchange(b"NONSENSE\r\n\r\n")
    assert statuses == {200: 1, 403: 1, 400: 1}
