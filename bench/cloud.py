"""A whole cloud of ours for a benchmark: started, measured, ended."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.wrk import Target


@dataclass(frozen=True)
class Cloud:
    """A running `cumulog serve`."""

    target: Target
    pid: int
    data: Path


@contextmanager
def cloud(data: Path, *arguments: str) -> Iterator[Cloud]:
    """Run `cumulog serve` on free ports with its data in `data`, until the block ends.

    Raises: RuntimeError if it does not become ready.
    """
    command = [sys.executable, "-m", "computelite", "serve", "--data", str(data)]
    command += ["--s3", "127.0.0.1:0", "--api", "127.0.0.1:0", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        if not line.startswith("ready"):
            raise RuntimeError(f"cumulog serve did not become ready: {line!r}")
        facts = dict(
            entry.split("=", 1)
            for entry in (data / "credentials.env").read_text().splitlines()
            if "=" in entry
        )
        yield Cloud(
            target=Target(
                endpoint=facts["AWS_ENDPOINT_URL_S3"],
                access_key=facts["AWS_ACCESS_KEY_ID"],
                secret_key=facts["AWS_SECRET_ACCESS_KEY"],
            ),
            pid=process.pid,
            data=data,
        )
    finally:
        process.terminate()
        process.wait(60)
