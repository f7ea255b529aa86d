"""Access keys, from the command that makes them to the request that is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.cloud import Cloud


def key(cloud: Cloud, *words: str) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(cloud.cli("key", "create", *words, "--json").stdout)
    return made


def client_of(cloud: Cloud, made: dict[str, Any]) -> Any:
    return cloud.client(
        aws_access_key_id=made["access_key"], aws_secret_access_key=made["secret_key"]
    )


def refused(call: Any, **arguments: Any) -> str:
    with pytest.raises(ClientError) as error:
        call(**arguments)
    return str(error.value.response["Error"]["Code"])


@pytest.fixture(scope="module")
def bucket(cloud: Cloud) -> str:
    client = cloud.client()
    for name in ("keys-one", "keys-two"):
        client.create_bucket(Bucket=name)
        client.put_object(Bucket=name, Key="k", Body=b"here")
    return "keys-one"


def test_a_new_key_may_what_the_root_key_may(cloud: Cloud, bucket: str) -> None:
    client = client_of(cloud, key(cloud))
    client.put_object(Bucket=bucket, Key="by-new-key", Body=b"x")
    assert client.get_object(Bucket="keys-two", Key="k")["Body"].read() == b"here"


def test_a_read_only_key_changes_nothing(cloud: Cloud, bucket: str) -> None:
    client = client_of(cloud, key(cloud, "--read-only"))
    assert client.get_object(Bucket=bucket, Key="k")["Body"].read() == b"here"
    assert refused(client.put_object, Bucket=bucket, Key="no", Body=b"x") == "AccessDenied"
    assert refused(client.delete_object, Bucket=bucket, Key="k") == "AccessDenied"
    assert refused(client.create_bucket, Bucket="keys-three") == "AccessDenied"


def test_a_key_of_one_bucket_reaches_no_other(cloud: Cloud, bucket: str) -> None:
    client = client_of(cloud, key(cloud, "--bucket", bucket))
    client.put_object(Bucket=bucket, Key="mine", Body=b"x")
    assert refused(client.get_object, Bucket="keys-two", Key="k") == "AccessDenied"
    assert refused(client.list_objects_v2, Bucket="keys-two") == "AccessDenied"


def test_a_disabled_key_is_refused_at_once_by_every_worker(cloud: Cloud, bucket: str) -> None:
    made = key(cloud)
    # Each client has connections of its own, which the kernel spreads over the workers.
    clients = [client_of(cloud, made) for _ in range(12)]
    for client in clients:
        client.head_object(Bucket=bucket, Key="k")
    cloud.cli("key", "disable", made["access_key"])
    for client in clients:
        assert refused(client.get_object, Bucket=bucket, Key="k") == "InvalidAccessKeyId"
    cloud.cli("key", "enable", made["access_key"])
    for client in clients:
        client.head_object(Bucket=bucket, Key="k")


def test_the_list_shows_every_key_and_no_secret(cloud: Cloud) -> None:
    made = key(cloud, "--bucket", "keys-one", "--read-only", "--description", "for the list")
    shown = json.loads(cloud.cli("key", "list", "--json").stdout)["keys"]
    mine = next(each for each in shown if each["access_key"] == made["access_key"])
    assert (mine["bucket"], mine["read_only"], mine["enabled"], mine["description"]) == (
        "keys-one",
        True,
        True,
        "for the list",
    )
    text = cloud.cli("key", "list").stdout + json.dumps(shown)
    assert made["access_key"] in text
    assert made["secret_key"] not in text


@pytest.mark.parametrize(
    "words",
    [
        ("create", "--bucket", "x"),
        ("create", "--bucket", "Photos"),
        ("create", "--bucket", "photos--at--4711"),
        ("create", "--description", "d" * 300),
    ],
)
def test_a_key_that_makes_no_sense_is_wrong_usage(cloud: Cloud, words: tuple[str, ...]) -> None:
    assert words[1].strip("-") in cloud.cli("key", *words, check=2).stderr


def test_disabling_what_is_not_there_is_refused(cloud: Cloud) -> None:
    assert "CLNOBODY" in cloud.cli("key", "disable", "CLNOBODY", check=1).stderr


def test_no_secret_is_anywhere_but_where_it_belongs(cloud: Cloud, bucket: str) -> None:
    made = [key(cloud), key(cloud, "--read-only")]
    for each in made:
        client_of(cloud, each).list_objects_v2(Bucket=bucket)
    secrets = [each["secret_key"].encode() for each in made]
    credentials = cloud.credentials
    secrets += [credentials["AWS_SECRET_ACCESS_KEY"].encode(), credentials["OS_PASSWORD"].encode()]
    belongs = {cloud.data / "credentials.env", cloud.data / "clouds.yaml"}
    searched = 0
    for path in cloud.data.rglob("*"):
        if path.is_file() and path not in belongs and "keystore" not in path.parts:
            content = path.read_bytes()
            assert not any(secret in content for secret in secrets), path
            searched += 1
    assert searched > 6
    said = cloud.log.read_bytes()
    assert not any(secret in said for secret in secrets)
    for pid in (cloud.pid,):
        with open(f"/proc/{pid}/cmdline", "rb") as line, open(f"/proc/{pid}/environ", "rb") as env:
            shown = line.read() + env.read()
        assert not any(secret in shown for secret in secrets)
