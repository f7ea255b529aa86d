"""The supervisor, over children that do nothing but live and die."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

HEAD = """
import os, signal, sys, time
from computelite.serve.supervisor import Role, Supervisor

def steady(ready):
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    ready()
    time.sleep(60)

def run(*workers, keeper=steady, drain_s=1.0):
    roles = [Role(f"w{n + 1}", work) for n, work in enumerate(workers)]
    supervisor = Supervisor(
        workers=roles,
        keeper=Role("keeper", keeper),
        on_ready=lambda: print("ready", [r.child.pid for r in roles], flush=True),
        on_drain=lambda: print("draining", flush=True),
        drain_s=drain_s,
    )
    sys.exit(supervisor.run())
"""


class Supervised:
    """A supervisor in a process of its own."""

    def __init__(self, tmp_path: Path, code: str) -> None:
        script = tmp_path / "supervised.py"
        script.write_text(HEAD + textwrap.dedent(code))
        self.process = subprocess.Popen(
            [sys.executable, str(script)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def end(self, number: signal.Signals | None = None) -> tuple[int, str]:
        if number is not None:
            self.process.send_signal(number)
        _, said = self.process.communicate(timeout=20)
        return self.process.returncode, said

    def children(self) -> list[int]:
        pid = self.process.pid
        return [int(w) for w in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def gone(pids: list[int]) -> bool:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        if not any(Path(f"/proc/{pid}").exists() for pid in pids):
            return True
        time.sleep(0.01)
    return False


def test_it_says_ready_once_all_are_and_drains_on_sigterm(tmp_path: Path) -> None:
    cloud = Supervised(tmp_path, "run(steady, steady)")
    assert cloud.line().startswith("ready [")
    children = cloud.children()
    assert len(children) == 3
    status, _ = cloud.end(signal.SIGTERM)
    assert status == 0
    assert gone(children)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_a_killed_child_is_replaced(tmp_path: Path, number: signal.Signals) -> None:
    cloud = Supervised(tmp_path, "run(steady, steady)")
    cloud.line()
    before = set(cloud.children())
    victim = max(before)
    os.kill(victim, number)
    deadline = time.monotonic() + 5
    while len(set(cloud.children()) - before) != 1 or victim in cloud.children():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    status, said = cloud.end(signal.SIGTERM)
    assert status == 0
    assert f"signal {int(number)}" in said


def test_a_worker_that_cannot_start_ends_everything_with_status_1(tmp_path: Path) -> None:
    cloud = Supervised(tmp_path, "run(steady, lambda ready: sys.exit(3))")
    status, said = cloud.end()
    assert status == 1
    assert "w2 could not start" in said


def test_an_error_of_a_child_is_one_line_for_the_operator(tmp_path: Path) -> None:
    code = """
    from computelite.errors import LogMissing
    def fail(ready):
        raise LogMissing(path="x.db")
    run(fail)
    """
    status, said = Supervised(tmp_path, code).end()
    assert status == 1
    assert "cumulog: w1: The log x.db is missing" in said
    assert "Traceback" not in said


def test_children_never_outlive_a_killed_supervisor(tmp_path: Path) -> None:
    cloud = Supervised(tmp_path, "run(steady, steady)")
    cloud.line()
    children = cloud.children()
    cloud.end(signal.SIGKILL)
    assert gone(children)


def test_a_worker_that_does_not_drain_is_killed_at_the_deadline(tmp_path: Path) -> None:
    code = """
    from computelite.serve import supervisor
    supervisor._GRACE_S = 0.2
    def stubborn(ready):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        ready()
        time.sleep(60)
    run(steady, stubborn, drain_s=0.3)
    """
    cloud = Supervised(tmp_path, code)
    cloud.line()
    status, said = cloud.end(signal.SIGTERM)
    assert status == 0
    assert "w2 did not end in time; killed" in said


def test_a_second_sigterm_does_not_wait(tmp_path: Path) -> None:
    code = """
    def stubborn(ready):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        ready()
        time.sleep(60)
    run(stubborn, drain_s=30.0)
    """
    cloud = Supervised(tmp_path, code)
    cloud.line()
    cloud.process.send_signal(signal.SIGTERM)
    assert cloud.line() == "draining"
    started = time.monotonic()
    assert cloud.end(signal.SIGTERM)[0] == 0
    assert time.monotonic() - started < 10


def test_a_child_that_dies_at_once_is_tried_ever_more_slowly(tmp_path: Path) -> None:
    code = f"""
    marks = {str(tmp_path / "starts")!r}
    def dying(ready):
        with open(marks, "a") as file:
            file.write("x")
        ready()
        time.sleep(0.05)
        os._exit(7)
    run(steady, dying)
    """
    cloud = Supervised(tmp_path, code)
    cloud.line()
    time.sleep(1.5)
    cloud.end(signal.SIGTERM)
    assert 3 <= len((tmp_path / "starts").read_text()) <= 6
