"""The power switch under load: what was acknowledged is there, what was not is whole or absent."""

from __future__ import annotations

import hashlib
import json
import random
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tests.cloud import Cloud

pytestmark = pytest.mark.xdist_group("kill-nine")

BUCKET = "survivor"
SIZES = (0, 1, 700, 4096, 40_000, 300_000, 1_500_000)
PART = 5 << 20


class Writer(threading.Thread):
    """Writes, in parts too, and deletes keys of its own; remembers what each may hold.

    `may` maps a key to the digests that a reader may see (None: absent). One digest when the last
    operation was acknowledged, more while one is in doubt.
    """

    def __init__(self, client: Any, name: str, seed: int, may: dict[str, set[str | None]]) -> None:
        super().__init__(daemon=True)
        self.client, self.name_, self.random, self.may = client, name, random.Random(seed), may
        self.acknowledged = 0

    def run(self) -> None:
        try:
            while True:
                self.step()
        except (ClientError, BotoCoreError):
            return  # the server went away in the middle: the last operation stays in doubt

    def step(self) -> None:
        key = f"{self.name_}/{self.random.randrange(12)}"
        before = self.may.get(key, {None})
        kind = self.random.random()
        if kind < 0.15:
            self.may[key] = before | {None}
            self.client.delete_object(Bucket=BUCKET, Key=key)
            self.may[key] = {None}
        elif kind < 0.22:
            body = self.random.randbytes(PART) + b"tail"
            digest = hashlib.sha256(body).hexdigest()
            self.may[key] = before | {digest}
            self.parts(key, body)
            self.may[key] = {digest}
        else:
            body = self.random.randbytes(self.random.choice(SIZES))
            digest = hashlib.sha256(body).hexdigest()
            self.may[key] = before | {digest}
            self.client.put_object(Bucket=BUCKET, Key=key, Body=body)
            self.may[key] = {digest}
        self.acknowledged += 1

    def parts(self, key: str, body: bytes) -> None:
        upload = self.client.create_multipart_upload(Bucket=BUCKET, Key=key)["UploadId"]
        parts = []
        for number, part in enumerate((body[:PART], body[PART:]), start=1):
            etag = self.client.upload_part(
                Bucket=BUCKET, Key=key, UploadId=upload, PartNumber=number, Body=part
            )["ETag"]
            parts.append({"ETag": etag, "PartNumber": number})
        self.client.complete_multipart_upload(
            Bucket=BUCKET, Key=key, UploadId=upload, MultipartUpload={"Parts": parts}
        )


def impatient(cloud: Cloud) -> Any:
    retries = {"max_attempts": 0}
    return cloud.client(config=Config(retries=retries, connect_timeout=5, read_timeout=30))


def check(client: Any, may: dict[str, set[str | None]]) -> None:
    """Read every key; then only what was read may be there: an answer, once seen, holds."""
    for key, allowed in may.items():
        try:
            body = client.get_object(Bucket=BUCKET, Key=key)["Body"].read()
            seen: str | None = hashlib.sha256(body).hexdigest()
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchKey":
                raise
            seen = None
        assert seen in allowed, f"{key}: {len(allowed)} answers allowed, this is none of them"
        may[key] = {seen}
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
    listed = {entry["Key"] for page in pages for entry in page.get("Contents", [])}
    assert listed == {key for key, held in may.items() if held != {None}}


def rounds(folder: Path, count: int, seed: int) -> int:
    chance = random.Random(seed)
    may: dict[str, set[str | None]] = {}
    acknowledged = 0
    cloud = Cloud(folder / "data").start()
    try:
        impatient(cloud).create_bucket(Bucket=BUCKET)
        for number in range(count):
            writers = [
                Writer(impatient(cloud), f"w{writer}", seed * 1000 + number * 10 + writer, may)
                for writer in range(6)
            ]
            for writer in writers:
                writer.start()
            time.sleep(chance.uniform(0.2, 2.0))
            cloud.kill()
            for writer in writers:
                writer.join(60)
                assert not writer.is_alive()
                acknowledged += writer.acknowledged
            cloud.start()
            check(impatient(cloud), may)
        assert cloud.stop() == 0
        said = json.loads(cloud.cli("log", "verify", "--json").stdout)
        assert said, "verify says what it verified"
        return acknowledged
    finally:
        if cloud.process is not None and cloud.process.poll() is None:
            cloud.kill()


def test_nothing_acknowledged_is_lost_in_five_rounds(tmp_path: Path) -> None:
    assert rounds(tmp_path, 5, seed=7) > 50


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_nothing_acknowledged_is_lost_in_two_hundred_rounds(tmp_path: Path) -> None:
    print(f"{rounds(tmp_path, 200, seed=11)} acknowledged")
