"""Access records of a whole cloud, and who did what: from any worker, running or stopped."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

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
    client.get_object(Bucket="photos", Key="dog.jpg")
    read = records(place, "--actor", "default/admin", "--kind", "read")
    assert {record["user"] for record in read} == {written["actor"]}
    assert records(place, "--actor", "nobody", until=0) == []


def api(cloud: Cloud) -> str:
    return cloud.ready.split("api=")[1].strip()


def urlopen_status(url: str, **headers: str) -> int:
    try:
        with urlopen(Request(url, headers=headers)) as reply:
            return reply.status
    except HTTPError as error:
        with error:
            return error.code


def decoded(content: bytes) -> Any:
    return json.loads(content) if content.startswith(b"{") else None


def ask(
    cloud: Cloud, method: str, path: str, document: Any = None, **headers: str
) -> tuple[int, Mapping[str, str], Any]:
    """Send a request to the API port; return status, headers and the decoded body."""
    url = api(cloud) + path
    content = None if document is None else json.dumps(document).encode()
    head = {name.replace("_", "-"): value for name, value in headers.items()}
    request = Request(url, content, {"Content-Type": "application/json", **head}, method=method)
    try:
        with urlopen(request) as reply:
            return reply.status, reply.headers, decoded(reply.read())
    except HTTPError as error:
        with error:
            return error.code, error.headers, decoded(error.read())


def login(cloud: Cloud, password: str, name: str = "admin") -> tuple[int, Mapping[str, str], Any]:
    user = {"name": name, "domain": {"id": "default"}, "password": password}
    scope = {"project": {"name": "admin", "domain": {"id": "default"}}}
    identity = {"methods": ["password"], "password": {"user": user}}
    asked = {"auth": {"identity": identity, "scope": scope}}
    return ask(cloud, "POST", "/identity/v3/auth/tokens", asked, User_Agent="console/1")


def test_logins_and_failed_ones_are_recorded_and_no_password_or_token_is(place: Cloud) -> None:
    right, wrong = place.credentials["OS_PASSWORD"], "wrong-password-canary"
    status, headers, body = login(place, right)
    assert status == 201
    token, user = headers["X-Subject-Token"], body["token"]["user"]["id"]
    assert login(place, wrong)[0] == 401
    assert login(place, wrong, name="name-canary")[0] == 401
    assert ask(place, "GET", "/identity/v3/users", X_Auth_Token=token + "x")[0] == 401
    assert ask(place, "GET", "/identity/v3/users?secret=canary")[0] == 401
    found = records(place, "--text", " identity ", until=5)
    made, failed, unknown, forged, none = (record for record in found if record["rule"])
    assert (made["kind"], made["user"], made["rule"]) == ("login", user, "password")
    assert made["credential"] == body["token"]["audit_ids"][0]
    assert (made["source"], made["agent"]) == ("127.0.0.1", "console/1")
    assert made["request_id"] == headers["X-Openstack-Request-Id"]
    assert (failed["kind"], failed["target"]) == ("login-refused", user)
    assert (unknown["kind"], "target" in unknown) == ("login-refused", False)
    assert (forged["rule"], forged["status"]) == ("token", 401)
    assert (none["rule"], none["action"]) == ("no-token", "GET /identity/v3/users")
    kept = "".join(path.read_text() for path in (place.data / "access").iterdir())
    for secret in (right, wrong, "canary", token, token[:40]):
        assert secret not in kept
    mine = records(place, "--actor", "admin", "--kind", "login", "--kind", "login-refused")
    assert [record["kind"] for record in mine] == ["login", "login-refused"]


def test_what_policy_refuses_names_the_rule_and_what_it_allows_is_an_event(place: Cloud) -> None:
    token = login(place, place.credentials["OS_PASSWORD"])[1]["X-Subject-Token"]
    made = ask(
        place, "POST", "/identity/v3/users",
        {"user": {"name": "mallory", "password": "not-so-secret"}}, X_Auth_Token=token,
    )  # fmt: skip
    assert made[0] == 201
    user = made[2]["user"]["id"]
    (created,) = events(place, "--actor", "default/admin", "--type", "user.created")
    assert created["request_id"] == made[1]["X-Openstack-Request-Id"]
    assert (created["source"], created["agent"].startswith("Python-urllib")) == ("127.0.0.1", True)
    asked = {
        "methods": ["password"],
        "password": {"user": {"id": user, "password": "not-so-secret"}},
    }
    status, headers, _ = ask(
        place, "POST", "/identity/v3/auth/tokens", {"auth": {"identity": asked}}
    )
    assert status == 201
    own = headers["X-Subject-Token"]
    assert ask(place, "GET", "/identity/v3/users", X_Auth_Token=own)[0] == 403
    (refused,) = records(place, "--actor", "mallory", "--refused")
    assert (refused["rule"], refused["user"]) == ("identity:list_users", user)
    assert (refused["status"], refused["protocol"]) == (403, "identity")
    assert ask(place, "DELETE", f"/identity/v3/users/{user}", X_Auth_Token=token)[0] == 204
    assert records(place, "--actor", "default/mallory", "--refused") == [refused]


def test_what_came_through_swift_is_told_beside_what_came_through_s3(place: Cloud) -> None:
    _, headers, body = login(place, place.credentials["OS_PASSWORD"])
    token, project = headers["X-Subject-Token"], body["token"]["project"]["id"]
    status, made, _ = ask(place, "PUT", f"/v1/AUTH_{project}/swift-box", X_Auth_Token=token)
    assert status == 201
    acl = {"X_Container_Read": ".r:friend.com"}
    ask(place, "POST", f"/v1/AUTH_{project}/photos", X_Auth_Token=token, **acl)
    (created,) = [
        e for e in events(place, "--actor", "admin") if e["request_id"] == made["X-Trans-Id"]
    ]
    assert (created["type"], created["source"]) == ("bucket.created", "127.0.0.1")
    assert created["agent"].startswith("Python-urllib")
    told = [e["type"] for e in events(place, "--actor", "admin", "--stream", "bucket/*")]
    assert {"bucket.created", "bucket.described", "object.written"} <= set(told)
    refused = urlopen_status(f"{api(place)}/v1/AUTH_{project}/photos/cat.jpg?temp_url_sig=canary")
    assert refused == 401
    found = records(place, "--refused", "--bucket", "photos", "--text", " swift ")
    assert [record["key"] for record in found] == ["cat.jpg"]
    assert "canary" not in json.dumps(found)
    read = urlopen_status(f"{place.endpoint}/photos/cat.jpg", Referer="http://friend.com/a")
    assert read == 200
    (public,) = records(place, "--text", "acl .r:friend.com")
    assert (public["protocol"], public["kind"], "user" in public) == ("s3", "read", False)


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
