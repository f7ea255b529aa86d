"""What owners give to others by ACLs reaches them through S3 too, and nothing else does."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from swiftlite.auth import Principal, SigningKey
from swiftlite.catalog.rows import Bucket
from tests.swiftlite.s3.edge import Edge
from tests.swiftlite.s3.test_authentication import REQUESTS

USER = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def shared(edge: Edge, s3: Any, bucket: str) -> str:
    """A bucket with an object `k`, which nobody else reaches yet."""
    edge.keys["FRIEND"] = SigningKey(
        "FRIEND-secret",
        Principal(kind="user", user_id=USER, project_id="q", roles=("member",), key_id="FRIEND"),
    )
    s3.put_object(Bucket=bucket, Key="k", Body=b"data", ContentType="text/plain")
    return bucket


def anonymous(edge: Edge, method: str, target: str, **headers: str) -> Any:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return edge.exchange(f"{method} {target} HTTP/1.1\r\nHost: x\r\n{lines}\r\n".encode())


def test_a_public_bucket_is_readable_by_anyone(edge: Edge, shared: str) -> None:
    assert anonymous(edge, "GET", f"/{shared}/k").code == "AccessDenied"
    edge.share(shared, read_acl=".r:*")
    found = anonymous(edge, "GET", f"/{shared}/k")
    assert (found.status, found.body) == (200, b"data")
    assert anonymous(edge, "HEAD", f"/{shared}/k").status == 200
    assert anonymous(edge, "GET", f"/{shared}/none").code == "NoSuchKey"
    assert anonymous(edge, "GET", f"/{shared}").code == "AccessDenied"
    assert anonymous(edge, "HEAD", f"/{shared}").status == 403
    edge.share(shared, read_acl=".r:*,.rlistings")
    assert b"<Key>k</Key>" in anonymous(edge, "GET", f"/{shared}?list-type=2").body
    assert anonymous(edge, "HEAD", f"/{shared}").status == 200


def test_whoever_reads_without_a_key_does_nothing_else(edge: Edge, shared: str) -> None:
    edge.share(shared, read_acl=".r:*,.rlistings", write_acl="*:*")
    readable = {"HEAD /{b}", "GET /{b}", "GET /{b}?list-type=2", "GET /{b}/k", "HEAD /{b}/k"}
    readable |= {"GET /{b}/k?attributes"}
    for method, target, body, headers in REQUESTS.values():
        if f"{method} {target}" in readable:
            continue
        head = {name: value.replace("{b}", shared) for name, value in headers.items()}
        lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
        path = target.replace("{b}", shared)
        found = edge.exchange(
            f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n"
            f"{lines}\r\n".encode()
            + body
        )
        assert found.status == 403, (method, target, found)
    for target in (f"/{shared}/k?versionId=null", f"/{shared}?versions", f"/{shared}?uploads"):
        assert anonymous(edge, "GET", target).code == "AccessDenied"


def test_nobody_learns_without_a_key_which_buckets_there_are(edge: Edge, shared: str) -> None:
    there, not_there = (anonymous(edge, "GET", f"/{name}/k") for name in (shared, "no-such-bucket"))
    assert there.status == not_there.status == 403
    assert there.code == not_there.code

    def message(body: bytes) -> bytes:
        return body.partition(b"<Message>")[2].partition(b"</Message>")[0]

    assert message(there.body) == message(not_there.body)


def test_referrers_are_those_of_the_header(edge: Edge, shared: str) -> None:
    edge.share(shared, read_acl=".r:.friend.com")
    assert anonymous(edge, "GET", f"/{shared}/k", Referer="http://www.friend.com/a").status == 200
    assert anonymous(edge, "GET", f"/{shared}/k", Referer="http://friend.com.bad/").status == 403
    assert anonymous(edge, "GET", f"/{shared}/k").status == 403


def test_what_a_public_object_is_is_its_owners_to_say(edge: Edge, shared: str) -> None:
    edge.share(shared, read_acl=".r:*")
    found = anonymous(edge, "GET", f"/{shared}/k?response-content-type=text/html")
    assert (found.status, found.code) == (400, "InvalidRequest")


def test_a_user_of_another_project_gets_what_was_given(edge: Edge, shared: str) -> None:
    def may(method: str, target: str, body: bytes = b"", **headers: str) -> int:
        head = {name.replace("_", "-"): value for name, value in headers.items()}
        return edge.request(method, target, body, name="FRIEND", headers=head).status

    assert may("GET", f"/{shared}/k") == 403
    edge.share(shared, read_acl=f"q:{USER}")
    assert may("GET", f"/{shared}/k") == 200
    assert may("GET", f"/{shared}?list-type=2") == 200
    assert may("PUT", f"/{shared}/new", b"x") == 403
    assert may("GET", f"/{shared}?acl") == 403
    edge.share(shared, write_acl=f"q:{USER}")
    assert may("PUT", f"/{shared}/new", b"x") == 200
    assert may("PUT", f"/{shared}/copy", x_amz_copy_source=f"{shared}/k") == 200
    assert may("DELETE", f"/{shared}/new") == 204
    assert may("DELETE", f"/{shared}") == 403
    assert may("PUT", f"/{shared}?versioning") == 403


def test_who_may_write_deletes_no_past(edge: Edge, s3: Any, shared: str) -> None:
    s3.put_bucket_versioning(Bucket=shared, VersioningConfiguration={"Status": "Enabled"})
    version = s3.put_object(Bucket=shared, Key="k", Body=b"2")["VersionId"]
    edge.share(shared, read_acl=f"q:{USER}", write_acl=f"q:{USER}")
    friend = edge.client("FRIEND")
    path = f"/{shared}/k?versionId={version}"
    assert edge.request("DELETE", path, name="FRIEND").status == 403
    assert edge.request("GET", path, name="FRIEND").status == 403
    source = {"x-amz-copy-source": f"{shared}/k?versionId={version}"}
    assert edge.request("PUT", f"/{shared}/c", name="FRIEND", headers=source).status == 403
    done = friend.delete_objects(
        Bucket=shared,
        Delete={"Objects": [{"Key": "k", "VersionId": version}, {"Key": "k"}]},
    )
    assert [error["Code"] for error in done["Errors"]] == ["AccessDenied"]
    assert [entry["Key"] for entry in done["Deleted"]] == ["k"]
    assert s3.get_object(Bucket=shared, Key="k", VersionId=version)["Body"].read() == b"2"


def test_a_copy_reads_only_what_may_be_read(edge: Edge, s3: Any, shared: str) -> None:
    other = edge.client("FRIEND")
    other.create_bucket(Bucket=f"{shared}-of-friend")
    source = {"x-amz-copy-source": f"{shared}/k"}

    def copy() -> int:
        target = f"/{shared}-of-friend/k"
        return edge.request("PUT", target, name="FRIEND", headers=source).status

    assert copy() == 403
    edge.share(shared, read_acl=".r:*")
    assert copy() == 200


def test_the_acl_tells_whom_the_bucket_is_shared_with(edge: Edge, s3: Any, shared: str) -> None:
    def grants(**of: str) -> list[tuple[str, str]]:
        ask = s3.get_object_acl if "Key" in of else s3.get_bucket_acl
        return [
            (grant["Grantee"].get("URI", "").rpartition("/")[2] or grant["Grantee"]["ID"],
             grant["Permission"])
            for grant in ask(Bucket=shared, **of)["Grants"]
        ]  # fmt: skip

    own = ("owner", "FULL_CONTROL")
    assert grants() == grants(Key="k") == [own]
    edge.share(shared, read_acl=".r:*")
    assert grants() == [own]
    assert grants(Key="k") == [own, ("AllUsers", "READ")]
    edge.share(shared, read_acl=".r:*,.rlistings")
    assert grants() == [own, ("AllUsers", "READ")]
    edge.share(shared, read_acl=".r:friend.com,member,q:*,sales:ann")
    assert grants() == grants(Key="k") == [own]
    edge.share(shared, read_acl=f"*:*,q:{USER}", write_acl=f"*:{USER}")
    users = [("AuthenticatedUsers", "READ"), (USER, "READ")]
    assert grants() == [own, *users, (USER, "WRITE")]
    assert grants(Key="k") == [own, *users]


def test_private_takes_away_what_others_had(edge: Edge, s3: Any, shared: str) -> None:
    edge.share(shared, read_acl=".r:*", write_acl="*:*")
    refused = edge.request("PUT", f"/{shared}/k?acl", headers={"x-amz-acl": "private"})
    assert refused.code == "NotImplemented"  # the bucket's ACL goes on giving it to everyone
    assert anonymous(edge, "GET", f"/{shared}/k").status == 200
    s3.put_bucket_acl(Bucket=shared, ACL="private")
    assert anonymous(edge, "GET", f"/{shared}/k").status == 403
    assert edge.request("PUT", f"/{shared}/x", b"", name="FRIEND").status == 403
    s3.put_object_acl(Bucket=shared, Key="k", ACL="private")


def test_a_right_that_was_taken_away_is_gone_at_once(edge: Edge, s3: Any, shared: str) -> None:
    results: list[int] = []

    def read() -> None:
        for _ in range(30):
            results.append(anonymous(edge, "GET", f"/{shared}/k").status)

    for _ in range(3):
        edge.share(shared, read_acl=".r:*")
        assert anonymous(edge, "GET", f"/{shared}/k").status == 200
        thread = threading.Thread(target=read)
        thread.start()
        s3.put_bucket_acl(Bucket=shared, ACL="private")
        assert anonymous(edge, "GET", f"/{shared}/k").status == 403
        thread.join()
    assert set(results) <= {200, 403}


def test_a_container_that_claims_no_name_is_not_found_without_a_key(edge: Edge, s3: Any) -> None:
    async def make() -> Bucket:
        gateway = edge.cloud.gateway
        facts = {"project_id": "p", "owner": "owner", "region": "us-east-1"}
        said = {"read-acl": ".r:*,.rlistings"}
        return await gateway.create_container("unclaimed", said=said, **facts, actor=ACTOR)

    from tests.swiftlite.clouds import ACTOR

    edge.run(make())
    assert s3.list_objects_v2(Bucket="unclaimed")["KeyCount"] == 0
    assert anonymous(edge, "GET", "/unclaimed").status == 403
