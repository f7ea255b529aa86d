"""Any two of six devices go while clients work; repair brings them back; then two others go."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.cloud import Cloud

pytestmark = pytest.mark.xdist_group("devices-die")

BUCKET = "six-disks"
SIZES = (10, 4096, 60_000, 900_000, 3_000_000)


class Client(threading.Thread):
    """Writes new objects and reads old ones until told to stop; any error ends it and is kept."""

    def __init__(self, s3: Any, name: str, seed: int) -> None:
        super().__init__(daemon=True)
        self.s3, self.prefix, self.random = s3, name, random.Random(seed)
        self.written: dict[str, str] = {}
        self.reads = 0
        self.error: Exception | None = None
        self.halt = threading.Event()

    def run(self) -> None:
        try:
            while not self.halt.is_set():
                key = f"{self.prefix}/{len(self.written)}"
                body = self.random.randbytes(self.random.choice(SIZES))
                self.s3.put_object(Bucket=BUCKET, Key=key, Body=body)
                self.written[key] = hashlib.sha256(body).hexdigest()
                verify(self.s3, self.random.choice(list(self.written.items())))
                self.reads += 1
        except Exception as error:
            self.error = error


def verify(s3: Any, item: tuple[str, str]) -> None:
    key, digest = item
    body = s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
    assert hashlib.sha256(body).hexdigest() == digest, f"{key} came back wrong"


def verify_all(s3: Any, written: dict[str, str]) -> None:
    for item in written.items():
        verify(s3, item)


def scrub(cloud: Cloud, *, code: int) -> dict[str, Any]:
    done = cloud.cli("scrub", "--json", check=code)
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def test_any_two_devices_may_go_and_after_a_repair_any_two_others(tmp_path: Path) -> None:
    cloud = Cloud(tmp_path / "data").start()
    devices = sorted((tmp_path / "data" / "devices").iterdir())
    assert len(devices) == 6
    try:
        s3 = cloud.client()
        s3.create_bucket(Bucket=BUCKET)
        clients = [Client(cloud.client(), f"c{number}", number) for number in range(3)]
        for client in clients:
            client.start()
        while min(len(client.written) for client in clients) < 6:
            assert not any(client.error for client in clients), [c.error for c in clients]
        for folder in (devices[1], devices[4]):
            shutil.rmtree(folder)
        counts = [len(client.written) for client in clients]
        while any(
            len(client.written) < count + 6 for client, count in zip(clients, counts, strict=True)
        ):
            assert not any(client.error for client in clients), [c.error for c in clients]
        for client in clients:
            client.halt.set()
        for client in clients:
            client.join(60)
            assert client.error is None
        written = {key: digest for client in clients for key, digest in client.written.items()}

        assert cloud.stop() == 0
        cloud.start()
        s3 = cloud.client()
        verify_all(s3, written)
        for number in range(5):
            body = bytes([number]) * 50_000
            s3.put_object(Bucket=BUCKET, Key=f"after-restart/{number}", Body=body)
            written[f"after-restart/{number}"] = hashlib.sha256(body).hexdigest()
        assert not devices[1].exists(), "serve never makes a device where one is missing"

        scrub(cloud, code=1)
        cloud.cli("repair")
        scrub(cloud, code=0)
        for folder in (devices[0], devices[3]):
            shutil.rmtree(folder)
        verify_all(s3, written)
        cloud.cli("repair")
        scrub(cloud, code=0)
        verify_all(s3, written)
        cloud.cli("log", "verify")
    finally:
        cloud.stop()


def test_what_was_written_without_two_devices_survives_the_loss_of_a_third(tmp_path: Path) -> None:
    cloud = Cloud(tmp_path / "data").start()
    devices = sorted((tmp_path / "data" / "devices").iterdir())
    try:
        s3 = cloud.client()
        s3.create_bucket(Bucket=BUCKET)
        for folder in (devices[0], devices[5]):
            shutil.rmtree(folder)
        written = {}
        for number in range(20):
            body = random.Random(number).randbytes(SIZES[number % len(SIZES)])
            s3.put_object(Bucket=BUCKET, Key=str(number), Body=body)
            written[str(number)] = hashlib.sha256(body).hexdigest()
        shutil.rmtree(devices[2])
        verify_all(s3, written)
        assert cloud.stop() == 0
        cloud.start()
        verify_all(cloud.client(), written)
    finally:
        cloud.stop()
