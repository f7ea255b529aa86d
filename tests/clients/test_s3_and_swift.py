"""Both protocols on the same data, with their own clients; and what the log tells of one user."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import boto3
import pytest
from swiftclient.client import ClientException, Connection

from tests.clients.openstack_shell import OpenStack, cloud_config
from tests.cloud import Cloud

pytestmark = [
    pytest.mark.clients,
    pytest.mark.xdist_group("openstack-cli"),
    # swiftclient's own, of how it calls keystoneclient.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

PARTS = [b"a" * (5 << 20), b"b" * 1000]


@pytest.fixture
def swift(cloud: Cloud) -> Connection:
    """swiftclient's connection, as the administrator."""
    return connection(cloud, **cloud_config(cloud)["auth"])


def connection(cloud: Cloud, *, username: str, password: str, project_name: str, **_: Any) -> Any:
    return Connection(
        authurl=cloud_config(cloud)["auth"]["auth_url"],
        user=username,
        key=password,
        tenant_name=project_name,
        auth_version="3",
        os_options={"user_domain_id": "default", "project_domain_id": "default"},
        retries=0,
    )


def test_what_either_writes_both_list_read_copy_and_delete(cloud: Cloud, swift: Connection) -> None:
    s3 = cloud.client()
    s3.create_bucket(Bucket="both")
    assert "both" in [box["name"] for box in swift.get_account()[1]]
    by_s3 = s3.put_object(
        Bucket="both", Key="s3/ä b", Body=b"by s3", ContentType="text/a", Metadata={"who": "s3"}
    )
    etag = swift.put_object(
        "both", "swift/ä b", b"by swift", headers={"X-Object-Meta-Who": "swift"}, content_type="t/b"
    )
    assert by_s3["ETag"] == f'"{hashlib.md5(b"by s3").hexdigest()}"'

    head, body = swift.get_object("both", "s3/ä b")
    assert (body, head["etag"], head["content-type"]) == (
        b"by s3",
        by_s3["ETag"].strip('"'),
        "text/a",
    )
    assert head["x-object-meta-who"] == "s3"
    got = s3.get_object(Bucket="both", Key="swift/ä b")
    assert (got["Body"].read(), got["ETag"], got["ContentType"]) == (
        b"by swift",
        f'"{etag}"',
        "t/b",
    )
    assert got["Metadata"] == {"who": "swift"}

    s3.copy_object(Bucket="both", Key="copied by s3", CopySource="both/swift/ä b")
    swift.copy_object("both", "s3/ä b", "/both/copied by swift")
    names = ["copied by s3", "copied by swift", "s3/ä b", "swift/ä b"]
    assert [row["name"] for row in swift.get_container("both")[1]] == names
    assert [row["Key"] for row in s3.list_objects_v2(Bucket="both")["Contents"]] == names
    assert swift.get_object("both", "copied by s3")[1] == b"by swift"
    assert s3.get_object(Bucket="both", Key="copied by swift")["Metadata"] == {"who": "s3"}

    s3.delete_object(Bucket="both", Key="swift/ä b")
    with pytest.raises(ClientException) as gone:
        swift.head_object("both", "swift/ä b")
    assert gone.value.http_status == 404
    for name in ("copied by s3", "copied by swift", "s3/ä b"):
        swift.delete_object("both", name)
    assert s3.list_objects_v2(Bucket="both")["KeyCount"] == 0
    swift.delete_container("both")
    assert "both" not in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]


def test_large_objects_of_either_are_whole_for_the_other(cloud: Cloud, swift: Connection) -> None:
    s3 = cloud.client()
    swift.put_container("both-large")
    upload = s3.create_multipart_upload(Bucket="both-large", Key="multipart")
    more = {"Bucket": "both-large", "Key": "multipart", "UploadId": upload["UploadId"]}
    parts = [
        {"PartNumber": n, "ETag": s3.upload_part(**more, PartNumber=n, Body=part)["ETag"]}
        for n, part in enumerate(PARTS, 1)
    ]
    done = s3.complete_multipart_upload(**more, MultipartUpload={"Parts": parts})
    head, body = swift.get_object("both-large", "multipart")
    assert body == b"".join(PARTS)
    assert head["etag"] == done["ETag"].strip('"')

    manifest = []
    for n, part in enumerate(PARTS):
        etag = swift.put_object("both-large", f"segments/{n}", part)
        manifest.append(
            {"path": f"/both-large/segments/{n}", "etag": etag, "size_bytes": len(part)}
        )
    swift.put_object(
        "both-large", "slo", json.dumps(manifest), query_string="multipart-manifest=put"
    )
    got = s3.get_object(Bucket="both-large", Key="slo", Range="bytes=5242878-5242882")
    assert got["Body"].read() == b"aabbb"
    assert s3.head_object(Bucket="both-large", Key="slo")["ContentLength"] == len(b"".join(PARTS))
    swift.delete_object("both-large", "slo", query_string="multipart-manifest=delete")
    assert [row["Key"] for row in s3.list_objects_v2(Bucket="both-large")["Contents"]] == [
        "multipart"
    ]
    s3.delete_object(Bucket="both-large", Key="multipart")
    swift.delete_container("both-large")


def test_the_log_tells_all_that_a_user_did_from_where_and_in_which_request(
    cloud: Cloud, openstack: OpenStack
) -> None:
    openstack("project create audit-home")
    user = openstack.show("user create --password", "an audited one", "audit-eve")["id"]
    openstack("role add --user audit-eve --project audit-home member")
    url = cloud_config(cloud)["auth"]["auth_url"]
    eve = f"--os-cloud= --os-auth-url {url} --os-username audit-eve --os-user-domain-id default"
    eve += " --os-project-name audit-home --os-project-domain-id default --os-password"

    def as_eve(line: str) -> Any:
        return json.loads(openstack(eve, "an audited one", *line.split(), "-f", "json"))

    keys = as_eve("ec2 credentials create")
    as_eve("application credential create audit-robot")
    swift = connection(
        cloud, username="audit-eve", password="an audited one", project_name="audit-home"
    )
    swift.put_container("audit-box")
    swift.put_object("audit-box", "by-swift", b"1")
    s3 = boto3.client(
        "s3",
        endpoint_url=cloud.endpoint,
        region_name="us-east-1",
        aws_access_key_id=keys["access"],
        aws_secret_access_key=keys["secret"],
    )
    s3.put_object(Bucket="audit-box", Key="by-s3", Body=b"2")
    swift.delete_object("audit-box", "by-s3")

    def told(who: str) -> list[Any]:
        said = cloud.cli("log", "grep", "--actor", who, "--json").stdout
        return [json.loads(line) for line in said.splitlines()]

    by_id = told(user)
    assert told("audit-eve") == by_id
    done = [event["type"] for event in by_id]
    wanted = ["bucket.created", "object.written", "object.written", "object.deleted"]
    assert [kind for kind in done if kind in wanted] == wanted
    assert {"access-key.created", "application-credential.created"} <= set(done)
    for event in by_id:
        assert event["source"] == "127.0.0.1", event
        assert event["request_id"], event
