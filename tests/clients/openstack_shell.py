"""python-openstackclient in a process of its own that starts once and runs many command lines.

The client is the unmodified one; half of what `openstack ...` takes is the interpreter's start.
Run as a program, this file is that process: command lines come in as JSON, answers go out so.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from tests.cloud import Cloud

CLOUD_NAME = "cumulog"


def clean_env(cloud: Cloud) -> dict[str, str]:
    """Return the environment of someone who was given `clouds.yaml` and nothing else."""
    home = cloud.data.parent / "home"
    home.mkdir(exist_ok=True)
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
    config = {"OS_CLIENT_CONFIG_FILE": str(cloud.data / "clouds.yaml"), "OS_CLOUD": CLOUD_NAME}
    return kept | {"HOME": str(home), "PYTHONWARNINGS": "ignore"} | config


def cloud_config(cloud: Cloud) -> dict[str, Any]:
    """Return what `clouds.yaml` says of the cloud."""
    found = yaml.safe_load((cloud.data / "clouds.yaml").read_text())["clouds"][CLOUD_NAME]
    assert isinstance(found, dict)
    return found


class OpenStack:
    """The `openstack` command against one cloud, as its administrator unless told otherwise."""

    def __init__(self, cloud: Cloud) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.clients.openstack_shell"],
            cwd=Path(__file__).parents[2],
            env=clean_env(cloud),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """Run one command line; return its exit code, what it printed and what it complained of."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(arguments) + "\n")
        self._process.stdin.flush()
        code, out, err = json.loads(self._process.stdout.readline())
        return code, out, err

    def __call__(self, line: str, *more: str) -> str:
        """Run `line`, split at blanks, and `more` as they are; it must succeed."""
        code, out, err = self.run(*line.split(), *more)
        assert code == 0, (
            f"openstack {line} {' '.join(more)}: exit {code}\n{out[-500:]}{err[-2000:]}"
        )
        return out

    def show(self, line: str, *more: str) -> Any:
        """Return the JSON that a command prints."""
        return json.loads(self(line, *more, "-f", "json"))

    def names(self, line: str, *more: str, column: str = "Name") -> list[str]:
        """Return one column of what a list command prints."""
        return [row[column] for row in self.show(line, *more)]

    def refused(self, line: str, *more: str) -> str:
        """Run a command that must fail; return what it said."""
        code, out, err = self.run(*line.split(), *more)
        assert code != 0, f"openstack {line} was let through: {out}"
        return out + err


def _serve() -> None:
    from openstackclient import shell

    with contextlib.redirect_stdout(io.StringIO()):
        shell.main(["complete"])  # a command that asks no cloud, and imports what the others need
    for line in sys.stdin:
        # A process for each: the client keeps its connections, and who asks, in its classes.
        child = os.fork()
        if child:
            os.waitpid(child, 0)
            continue
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                code = shell.main(json.loads(line))
            except SystemExit as ended:
                code = ended.code if isinstance(ended.code, int) else 2
        os.write(1, (json.dumps([code or 0, out.getvalue(), err.getvalue()]) + "\n").encode())
        os._exit(0)


if __name__ == "__main__":
    _serve()
