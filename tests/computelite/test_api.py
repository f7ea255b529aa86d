"""The API port."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from urllib.error import HTTPError

from tests.cloud import Cloud, running


def get(cloud: Cloud, path: str, method: str = "GET") -> tuple[int, Mapping[str, str], bytes]:
    url = cloud.ready.split("api=")[1].strip() + path
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method=method)) as reply:
            return reply.status, reply.headers, reply.read()
    except HTTPError as error:
        with error:
            return error.code, error.headers, error.read()


def test_the_first_page_names_the_services(cloud: Cloud) -> None:
    status, headers, body = get(cloud, "/")
    assert status == 200
    assert headers["Content-Type"].startswith("text/plain")
    assert cloud.endpoint.encode() in body
    for path in (b"/identity/v3", b"/v1/AUTH_", b"/healthz"):
        assert path in body


def test_health_is_for_monitors_and_tells_strangers_no_paths(cloud: Cloud) -> None:
    status, _, body = get(cloud, "/healthz")
    health = json.loads(body)
    assert (status, health["status"], health["log"]["state"]) == (200, "ok", "ok")
    assert set(health["devices"].values()) == {"ok"}
    assert str(cloud.data).encode() not in body


def test_what_watches_swift_is_told_that_all_is_well(cloud: Cloud) -> None:
    status, headers, body = get(cloud, "/healthcheck")
    assert (status, body) == (200, b"OK")
    assert headers["Content-Type"].startswith("text/plain")


def test_anything_else_is_a_404_in_json(cloud: Cloud) -> None:
    for path in ("/nowhere", "/compute/v2.1", "//", "/healthz/", "/%00"):
        status, headers, body = get(cloud, path)
        assert status == 404, path
        assert headers["Content-Type"] == "application/json"
        assert json.loads(body)["error"]["code"] == 404


def test_a_method_that_is_not_for_a_page_is_a_405(cloud: Cloud) -> None:
    status, headers, _ = get(cloud, "/healthz", "DELETE")
    assert (status, headers["Allow"]) == (405, "GET, HEAD")


def test_head_is_get_without_the_body(cloud: Cloud) -> None:
    status, headers, body = get(cloud, "/", "HEAD")
    assert (status, body) == (200, b"")
    assert int(headers["Content-Length"]) == len(get(cloud, "/")[2])


def test_metrics_of_any_worker_count_what_all_of_them_did(cloud: Cloud) -> None:
    for _ in range(10):
        cloud.client().list_buckets()
    for _ in range(8):
        lines = dict(
            line.rsplit(" ", 1) for line in get(cloud, "/metrics")[2].decode().splitlines()
        )
        assert float(lines["cumulog_connections_accepted_total"]) >= 10
        assert lines['cumulog_device_up{device="0"}'] == "1.0"


def test_metrics_are_off_unless_the_configuration_says_so(tmp_path: Path) -> None:
    with running(tmp_path / "data", "--workers", "1") as cloud:
        assert get(cloud, "/metrics")[0] == 404


def test_health_is_degraded_with_a_device_out_and_down_with_all_out(tmp_path: Path) -> None:
    with running(tmp_path / "data", "--workers", "1", "--devices", "2", "--code", "1+1") as cloud:
        cloud.client().create_bucket(Bucket="health")
        for number, state, code in ((1, "degraded", 200), (2, "down", 503)):
            shutil.rmtree(cloud.data / "devices" / f"d{number}")
            deadline = time.monotonic() + 20
            while True:
                status, _, body = get(cloud, "/healthz")
                if (status, json.loads(body)["status"]) == (code, state):
                    break
                assert time.monotonic() < deadline, body
                try_write(cloud)
                time.sleep(0.2)


def try_write(cloud: Cloud) -> None:
    """A device is found out when it is written to."""
    subprocess.run(
        ["curl", "-s", "-o", "/dev/null", "-T", "-", presigned(cloud)],
        input=b"x" * 100,
        check=False,
    )


def presigned(cloud: Cloud) -> str:
    url: str = cloud.client().generate_presigned_url("put_object", {"Bucket": "health", "Key": "k"})
    return url
