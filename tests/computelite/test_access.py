"""Access records of a whole cloud, and who did what: from any worker, running or stopped."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from botocore.exceptions import ClientError

from computelite.cli.access import shown
from computelite.config import Access, load_config
from computelite.serve.chores import prune_records
from computelite.serve.records import kinds_of
from eventlog.records.record import Kind, Record
from tests.cloud import Cloud, running
from tests.computelite.test_api import get

WRONG = "x" * 40


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A cloud of two workers that records reads too, and a bucket with an object."""
    folder = tmp_path_factory.mktemp("access")
    config = folder / "cumulog.toml"
    config.write_text("[listen]\nmetrics = true\n[access]\nreads = true\n")
    with running(folder / "data", "--workers", "2", "--config", str(config)) as cloud:
        client = cloud.client()
        client.create_bucket(Bucket="photos")
        client.put_object(Bucket="photos", Key="cat.jpg", Body=b"cat")
        yield cloud


def records(cloud: Cloud, *words: str, until: int = 1) -> list[Any]:
    """Return what `access grep` finds, once it finds enough: records are written soon after."""
    deadline = time.monotonic() + 20
    while True:
        lines = cloud.cli("access", "grep", "--json", *words).stdout.splitlines()
        if len(lines) >= until or time.monotonic() > deadline:
            return [json.loads(line) for line in lines]


def events(cloud: Cloud, *words: str) -> list[Any]:
    lines = cloud.cli("log", "grep", "--json", *words).stdout.splitlines()
    return [json.loads(line) for line in lines]


def refuse(cloud: Cloud, count: int) -> None:
    for _ in range(count):
        with pytest.raises(ClientError):
            cloud.client(aws_secret_access_key=WRONG).get_object(Bucket="photos", Key="cat.jpg")


def test_refusals_and_reads_of_all_workers_are_one_log(place: Cloud) -> None:
    refuse(place, 6)
    found = records(place, "--refused", "--bucket", "", until=6)
    assert len(found) == 6
    assert {(r["rule"], r["status"], r["source"]) for r in found} == {
        ("SignatureDoesNotMatch", 403, "127.0.0.1")
    }
    assert all(r["credential"] == place.credentials["AWS_ACCESS_KEY_ID"] for r in found)
    assert [r["at"] for r in found] == sorted(r["at"] for r in found)
    assert len({r["request_id"] for r in found}) == 6
    place.client().get_object(Bucket="photos", Key="cat.jpg")
    (read,) = records(place, "--kind", "read", "--bucket", "photos", "--text", "GetObject")
    assert (read["key"], read["rule"], read["action"]) == ("cat.jpg", "role admin", "GetObject")
    assert WRONG not in "".join(path.read_text() for path in (place.data / "access").iterdir())


def test_an_anonymous_request_is_recorded_with_why_it_was_refused(place: Cloud) -> None:
    with pytest.raises(HTTPError) as refused:
        urlopen(f"{place.endpoint}/photos/cat.jpg?X-Nothing=secret-in-query")
    refused.value.close()
    (record,) = records(place, "--text", "[default]")
    assert record["reason"] == "Access Denied: anonymous requests are not allowed"
    assert (record["bucket"], record["key"]) == ("photos", "cat.jpg")
    assert record["request_id"] == refused.value.headers["x-amz-request-id"]
    assert "secret-in-query" not in json.dumps(record)


def test_what_a_user_did_is_told_with_source_and_request_by_name_or_id(place: Cloud) -> None:
    client = place.client()
    done = client.put_object(Bucket="photos", Key="dog.jpg", Body=b"dog")
    request_id = done["ResponseMetadata"]["RequestId"]
    mine = [e for e in events(place, "--actor", "admin") if e["request_id"] == request_id]
    (written,) = mine
    assert (written["type"], written["source"]) == ("object.written", "127.0.0.1")
    assert "Boto3" in written["agent"]
    by = (written["actor"], "default/admin", "Default/admin")
    assert len({json.dumps(events(place, "--actor", who)) for who in (*by, "admin")}) == 1
    assert events(place, "--actor", "nobody") == []
    line = place.cli("log", "grep", "--actor", "admin", "--text", request_id).stdout
    assert f" {written['actor']} 127.0.0.1 {request_id} " in line
    read = records(place, "--actor", "default/admin", "--kind", "read")
    assert {record["user"] for record in read} == {written["actor"]}
    assert records(place, "--actor", "nobody", until=0) == []


def test_tail_follows_and_grep_takes_times(place: Cloud) -> None:
    before = len(records(place, "--refused", until=0))
    refuse(place, 1)
    records(place, "--refused", until=before + 1)
    last = json.loads(place.cli("access", "tail", "-n", "1", "--json").stdout)
    assert records(place, "--since", last["at"], until=1)[-1] == last
    assert records(place, "--until", "2001-01-01", until=0) == []
    assert "position" in place.cli("access", "grep", "--since", "17", check=2).stderr
    words = ["access", "tail", "-f", "-n", "1", "--refused", "--data", str(place.data)]
    follow = subprocess.Popen(
        [sys.executable, "-m", "computelite", *words], stdout=subprocess.PIPE, text=True
    )
    try:
        assert follow.stdout is not None
        assert "SignatureDoesNotMatch" in follow.stdout.readline()
        refuse(place, 1)
        assert "SignatureDoesNotMatch" in follow.stdout.readline()
    finally:
        follow.kill()
        follow.communicate()


def test_requests_are_counted_by_protocol_and_status(place: Cloud) -> None:
    def counted(labels: str) -> float:
        lines = get(place, "/metrics")[2].decode().splitlines()
        found = dict(line.rsplit(" ", 1) for line in lines)
        return float(found.get(f"cumulog_requests_total{{{labels}}}", 0))

    s3, pages = 'protocol="s3",status="403"', 'protocol="pages",status="404"'
    before = counted(s3), counted(pages)
    refuse(place, 5)
    get(place, "/nowhere")
    assert (counted(s3), counted(pages)) == (before[0] + 5, before[1] + 1)


def test_all_of_it_is_told_on_a_stopped_cloud(tmp_path: Path) -> None:
    with running(tmp_path / "data", "--workers", "2") as cloud:
        cloud.client().create_bucket(Bucket="photos")
        cloud.client().list_buckets()
        refuse(cloud, 2)
    found = records(cloud, until=2)
    assert [record["kind"] for record in found] == ["refused", "refused"]  # and no reads
    (made,) = events(cloud, "--actor", "admin", "--type", "bucket.created")
    assert (made["source"], bool(made["request_id"])) == ("127.0.0.1", True)
    (tmp_path / "data" / "access" / "2000010100-w1-0.jsonl").write_bytes(b"damage\n")
    told = cloud.cli("access", "grep", check=1)
    assert "1 damaged line" in told.stderr
    assert len(told.stdout.splitlines()) == 2


def test_a_kill_loses_no_more_than_a_moment(tmp_path: Path) -> None:
    with running(tmp_path / "data", "--workers", "1") as cloud:
        refuse(cloud, 3)
        assert len(records(cloud, until=3)) == 3
        refuse(cloud, 1)
        cloud.kill()
    assert len(records(cloud, until=0)) >= 3


async def test_the_keeper_deletes_what_is_too_old(place: Cloud) -> None:
    class Small:
        """As much of a cloud as the chore needs."""

        config = load_config(None, {"access.retention_s": 3600.0})

        class folder:
            access = place.data / "access"

        class clock:
            @staticmethod
            def now_us() -> int:
                return time.time_ns() // 1000

    old = place.data / "access" / "2000010100-w1-0.jsonl"
    old.write_bytes(b"")
    kept = set((place.data / "access").iterdir()) - {old}
    await prune_records(Small)  # type: ignore[arg-type]
    assert kept <= set((place.data / "access").iterdir())
    assert not old.exists()


def test_kinds_are_switched_on_and_off() -> None:
    assert kinds_of(Access()) == {Kind.REFUSED, Kind.LOGIN, Kind.LOGIN_REFUSED}
    assert kinds_of(Access(reads=True, refusals=False)) == {
        Kind.READ,
        Kind.LOGIN,
        Kind.LOGIN_REFUSED,
    }
    assert kinds_of(Access(refusals=False, logins=False)) == set()


def test_what_clients_sent_cannot_act_on_a_terminal() -> None:
    evil = "a\x1b[2J\r\n\u202eb"
    record = Record(at_us=0, kind=Kind.REFUSED, bucket=evil, key=evil, agent=evil, reason=evil)
    assert shown(record).isprintable()
