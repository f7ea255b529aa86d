"""Seen from the kernel: every file that a PUT wrote is synced before its 200 goes out."""

from __future__ import annotations

import os
import re
import subprocess
import time
from pathlib import Path

import pytest

from tests.cloud import Cloud, descendants, running

pytestmark = pytest.mark.xdist_group("strace")

CALL = re.compile(
    r"^(?P<pid>\d+) +(?P<at>[\d.]+) "
    r"(?P<call>pwritev2?|pwrite64|writev?|sendto|sendmsg|fdatasync|fsync)"
    r"\((?P<fd>\d+)<(?P<path>[^>]*)>(?P<rest>.*)$"
)


def traced(cloud: Cloud, trace: Path, body: bytes) -> str:
    """PUT one object while the server is watched; return the trace."""
    pids = [cloud.pid, *descendants(cloud.pid)]
    command = ["strace", "-f", "-y", "-ttt", "-s", "64", "-o", str(trace)]
    command += ["-e", "trace=pwritev,pwritev2,pwrite64,write,writev,sendto,sendmsg,fdatasync,fsync"]
    for pid in pids:
        command += ["-p", str(pid)]
    watcher = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert watcher.stderr is not None
    for _ in pids:
        line = watcher.stderr.readline()
        if "ptrace" in line and "not permitted" in line:
            watcher.wait()
            pytest.skip("this machine does not let strace attach")
    time.sleep(1)
    try:
        cloud.client().put_object(Bucket="traced", Key="one", Body=body)
        time.sleep(0.5)
    finally:
        watcher.terminate()
        watcher.wait()
        watcher.stderr.close()
    return trace.read_text()


def order(trace: str, data: Path) -> tuple[dict[str, int], dict[str, int], int]:
    """Return the line of each file's last write, of its last sync's end, and of the 200.

    Only what lies before the first line of the 200 counts.
    """
    written: dict[str, int] = {}
    synced: dict[str, int] = {}
    begun: dict[str, str] = {}
    for number, line in enumerate(trace.splitlines()):
        pid = line.split(" ", 1)[0]
        if "resumed>" in line and ("fdatasync" in line or "fsync" in line):
            if line.rstrip().endswith("= 0") and pid in begun:
                synced[begun.pop(pid)] = number
            continue
        found = CALL.match(line)
        if found is None:
            continue
        call, path, rest = found["call"], found["path"], found["rest"]
        if "HTTP/1.1 200" in rest:
            return written, synced, number
        if not path.startswith(str(data)):
            continue
        if call in ("fdatasync", "fsync"):
            if "unfinished" in rest:
                begun[pid] = path
            elif rest.rstrip().endswith("= 0"):
                synced[path] = number
        else:
            written[path] = number
    raise AssertionError("no 200 was seen in the trace")


@pytest.mark.parametrize("size", [4096, 400_000, 3_000_000], ids=["copies", "coded", "files"])
def test_each_touched_file_is_synced_before_the_200(tmp_path: Path, size: int) -> None:
    with running(tmp_path / "data") as cloud:
        cloud.client().create_bucket(Bucket="traced")
        trace = traced(cloud, tmp_path / "trace", os.urandom(size))
    written, synced, _ = order(trace, tmp_path / "data")
    # What processes tell each other while they live (`readers/`), and what is made anew.
    passing = ("-shm", ".lock", ".turn")
    touched = {
        path: line
        for path, line in written.items()
        if not path.endswith(passing) and "index.db" not in path and "/readers/" not in path
    }
    assert any("log.db-wal" in path for path in touched), "the event was written"
    assert sum("/devices/" in path for path in touched) >= 3, f"fragments were written: {touched}"
    late = [path for path, line in touched.items() if synced.get(path, -1) < line]
    assert not late, f"not synced after their last write, before the 200: {late}"
