"""A cloud killed while an image comes in: it waits for its bytes again, and none are left."""

from __future__ import annotations

import http.client
import json
import time
from pathlib import Path

import pytest

from tests.cloud import Cloud, running
from tests.keystone import Keystone

PATIENCE_S = 100


def login(cloud: Cloud) -> Keystone:
    facts = cloud.credentials
    return Keystone.login(
        facts["OS_AUTH_URL"].rstrip("/"),
        user=facts["OS_USERNAME"],
        password=facts["OS_PASSWORD"],
        project=facts["OS_PROJECT_NAME"],
    )


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_an_image_whose_upload_was_killed_is_queued_again(tmp_path: Path) -> None:
    with running(tmp_path / "data") as cloud:
        me = login(cloud)
        place = me.endpoint("image").removeprefix("http://").partition("/")[0]
        headers = {"X-Auth-Token": me.token, "Content-Type": "application/json"}
        connection = http.client.HTTPConnection(place)
        document = b'{"name": "it", "disk_format": "raw", "container_format": "bare"}'
        connection.request("POST", "/image/v2/images", document, headers)
        answer = connection.getresponse()
        assert answer.status == 201
        path = answer.headers["Location"].partition(place)[2]
        answer.read()
        octets = {"X-Auth-Token": me.token, "Content-Type": "application/octet-stream"}
        connection.putrequest("PUT", f"{path}/file")
        for name, value in {**octets, "Content-Length": str(1 << 30)}.items():
            connection.putheader(name, value)
        connection.endheaders()
        for _ in range(20):
            connection.send(bytes(1 << 20))
        cloud.kill()
        connection.close()
        cloud.start()
        me = login(cloud)
        place = me.endpoint("image").removeprefix("http://").partition("/")[0]
        until = time.monotonic() + PATIENCE_S
        statuses: list[str] = []
        while statuses[-1:] != ["queued"] and time.monotonic() < until:
            again = http.client.HTTPConnection(place)
            again.request("GET", path, headers={"X-Auth-Token": me.token})
            statuses.append(json.load(again.getresponse())["status"])
            again.close()
            time.sleep(1)
        assert statuses[0] == "saving"
        assert statuses[-1] == "queued"
        types = cloud.cli("log", "grep", "--text", "").stdout
        assert "image.transfer-failed" in types
        time.sleep(6)  # the keeper's next look
        assert "image.data-dropped" in cloud.cli("log", "grep", "--text", "").stdout
        again = http.client.HTTPConnection(place)
        again.request("PUT", f"{path}/file", b"bytes", {**octets, "X-Auth-Token": me.token})
        assert again.getresponse().status == 204
        again.close()
