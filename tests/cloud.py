"""A whole cloud under test: the real command in processes of its own, on ports of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

READY_S = 60.0


class Cloud:
    """`cumulog serve` in a process of its own. Its stderr is kept in `DATA/../serve.log`."""

    def __init__(self, data: Path, *arguments: str, env: dict[str, str] | None = None) -> None:
        self.data = data
        self.arguments = arguments
        self.extra_env = env or {}
        self.log = data.parent / f"{data.name}.stderr"
        self.process: subprocess.Popen[str] | None = None
        self.ready = ""

    def start(self) -> Cloud:
        """Start it and wait for the line that begins with `ready`."""
        command = [sys.executable, "-m", "computelite", "serve", "--data", str(self.data)]
        if "--s3" not in self.arguments:
            command += ["--s3", "127.0.0.1:0"]
        if "--api" not in self.arguments:
            command += ["--api", "127.0.0.1:0"]
        with self.log.open("a") as stderr:
            self.process = subprocess.Popen(
                [*command, *self.arguments],
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                env=os.environ | self.extra_env,
            )
        timer = threading.Timer(READY_S, self.process.kill)
        timer.start()
        try:
            assert self.process.stdout is not None
            self.ready = self.process.stdout.readline()
        finally:
            timer.cancel()
        if not self.ready.startswith("ready"):
            self.process.wait()
            self.process.stdout.close()
            raise AssertionError(f"not ready: {self.ready!r}; {self.log.read_text()[-3000:]}")
        return self

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def stop(self, timeout_s: float = 60) -> int:
        """Ask it to end as an operator would; return its exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self._reap(timeout_s)

    def kill(self) -> None:
        """Kill the supervisor and all of its children, as a power switch would."""
        assert self.process is not None
        for pid in (self.pid, *descendants(self.pid)):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self._reap(30)

    def _reap(self, timeout_s: float) -> int:
        assert self.process is not None
        code = self.process.wait(timeout_s)
        if self.process.stdout is not None:
            self.process.stdout.close()
        return code

    @property
    def credentials(self) -> dict[str, str]:
        """What `DATA/credentials.env` says."""
        lines = (self.data / "credentials.env").read_text().splitlines()
        pairs = (line.removeprefix("export ").split("=", 1) for line in lines if "=" in line)
        return {name: value.strip("'\"") for name, value in pairs if not name.startswith("#")}

    @property
    def endpoint(self) -> str:
        return self.credentials["AWS_ENDPOINT_URL_S3"]

    @property
    def env(self) -> dict[str, str]:
        """The environment of a user's shell that has read the credentials, and nothing else set."""
        home = self.data.parent / "home"
        home.mkdir(exist_ok=True)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return kept | self.credentials | {"HOME": str(home)}

    def cli(self, *arguments: str, check: int | None = 0) -> subprocess.CompletedProcess[str]:
        """Run a `cumulog` command on this cloud's data; `check` is the exit code it must have."""
        done = subprocess.run(
            [sys.executable, "-m", "computelite", *arguments, "--data", str(self.data)],
            capture_output=True,
            text=True,
            timeout=280,
            check=False,
        )
        assert check is None or done.returncode == check, (
            f"{arguments}: exit {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
        )
        return done

    def client(self, **settings: Any) -> Any:
        """Return a boto3 S3 client with nothing set but the endpoint and the keys."""
        import boto3

        facts = self.credentials
        return boto3.client(
            "s3",
            **{
                "endpoint_url": self.endpoint,
                "aws_access_key_id": facts["AWS_ACCESS_KEY_ID"],
                "aws_secret_access_key": facts["AWS_SECRET_ACCESS_KEY"],
                "region_name": facts["AWS_REGION"],
            }
            | settings,
        )


@contextmanager
def running(data: Path, *arguments: str, env: dict[str, str] | None = None) -> Iterator[Cloud]:
    """Run a cloud for the length of the block."""
    cloud = Cloud(data, *arguments, env=env)
    try:
        yield cloud.start()
    finally:
        if cloud.process is not None and cloud.process.poll() is None:
            cloud.stop()


def descendants(pid: int) -> list[int]:
    """Return the process ids below `pid`."""
    found: list[int] = []
    waiting = [pid]
    while waiting:
        process = waiting.pop()
        try:
            for task in Path(f"/proc/{process}/task").iterdir():
                children = [int(child) for child in (task / "children").read_text().split()]
                found += children
                waiting += children
        except OSError:
            continue
    return found


def pss_bytes(pid: int) -> int:
    """Return the summed proportional set size of a process and all below it."""
    total = 0
    for process in (pid, *descendants(pid)):
        try:
            text = Path(f"/proc/{process}/smaps_rollup").read_text()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))
    return total * 1024
