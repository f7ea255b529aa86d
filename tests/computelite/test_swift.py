"""Swift through a whole running cloud: several workers, tokens of its identity, the keeper."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.cloud import Cloud, running

WORKERS = 3


class Session:
    """A login, and requests with its token on connections of their own."""

    def __init__(self, cloud: Cloud) -> None:
        told = cloud.credentials
        self._auth = urlsplit(told["OS_AUTH_URL"])
        password = {
            "user": {
                "name": told["OS_USERNAME"],
                "domain": {"id": "default"},
                "password": told["OS_PASSWORD"],
            }
        }
        project = {"name": told["OS_PROJECT_NAME"], "domain": {"id": "default"}}
        document = {
            "auth": {
                "identity": {"methods": ["password"], "password": password},
                "scope": {"project": project},
            }
        }
        status, headers, body = self._ask(
            "POST",
            f"{self._auth.path.rstrip('/')}/auth/tokens",
            {"Content-Type": "application/json"},
            json.dumps(document).encode(),
        )
        assert status == 201, body
        self.token = headers["x-subject-token"]
        token = json.loads(body)["token"]
        self.account = f"/v1/AUTH_{token['project']['id']}"
        [store] = [s for s in token["catalog"] if s["type"] == "object-store"]
        self.url = next(e["url"] for e in store["endpoints"] if e["interface"] == "public")

    def __call__(
        self, method: str, path: str, headers: dict[str, str] | None = None, body: bytes = b""
    ) -> tuple[int, dict[str, str], bytes]:
        sent = {"X-Auth-Token": self.token, **(headers or {})}
        return self._ask(method, f"{self.account}{path}", sent, body)

    def _ask(
        self, method: str, target: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection(self._auth.hostname or "", self._auth.port, 30)
        try:
            connection.request(method, target, body, headers)
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return answer.status, found, answer.read()
        finally:
            connection.close()


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    data = tmp_path_factory.mktemp("swift") / "data"
    with running(data, "--workers", str(WORKERS), "--devices", "3", "--code", "2+1") as found:
        yield found


@pytest.fixture(scope="module")
def swift(cloud: Cloud) -> Session:
    return Session(cloud)


def test_the_catalog_names_the_account(swift: Session) -> None:
    assert swift.url.endswith(swift.account)
    assert swift("HEAD", "")[0] == 204


def test_of_many_who_make_a_container_through_all_workers_one_does(swift: Session) -> None:
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: swift("PUT", "/raced")[0], range(36)))
    assert sorted(answers) == [201] + 35 * [202]


def test_what_one_worker_writes_all_others_show_at_once(swift: Session) -> None:
    swift("PUT", "/seen")
    for turn in range(12):
        assert swift("PUT", f"/seen/{turn:02}", {}, b"x")[0] == 201
        _, headers, body = swift("GET", "/seen")
        assert body.count(b"\n") == int(headers["x-container-object-count"]) == turn + 1


def test_s3_and_swift_are_one_store(cloud: Cloud, swift: Session) -> None:
    client = cloud.client()
    client.create_bucket(Bucket="one-store")
    client.put_object(Bucket="one-store", Key="k", Body=b"by s3", Metadata={"a": "1"})
    status, headers, body = swift("GET", "/one-store/k")
    assert (status, body, headers["x-object-meta-a"]) == (200, b"by s3", "1")
    swift("PUT", "/one-store/s", {"Content-Type": "x/y"}, b"by swift")
    got = client.get_object(Bucket="one-store", Key="s")
    assert (got["Body"].read(), got["ContentType"]) == (b"by swift", "x/y")


def test_the_keeper_deletes_what_is_due_by_an_event_that_says_so(
    cloud: Cloud, swift: Session
) -> None:
    swift("PUT", "/expiring")
    swift("PUT", "/expiring/o", {"X-Delete-After": "1"}, b"x")
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if swift("HEAD", "/expiring")[1]["x-container-object-count"] == "0":
            break
        time.sleep(0.2)
    assert swift("GET", "/expiring/o")[0] == 404
    told = cloud.cli("log", "tail", "--json", "-n", "20").stdout
    events: list[dict[str, Any]] = [json.loads(line) for line in told.splitlines()]
    causes = [event.get("cause") for event in events if event["type"] == "object.deleted"]
    assert causes[-1:] == ["expired"]


def test_a_revoked_token_is_refused_by_every_worker(cloud: Cloud) -> None:
    swift = Session(cloud)
    assert swift("HEAD", "")[0] == 204
    headers = {"X-Auth-Token": swift.token, "X-Subject-Token": swift.token}
    path = f"{swift._auth.path.rstrip('/')}/auth/tokens"
    assert swift._ask("DELETE", path, headers, b"")[0] == 204
    assert {swift("HEAD", "")[0] for _ in range(4 * WORKERS)} == {401}
