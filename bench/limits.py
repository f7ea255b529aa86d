"""The machine's own limits, measured in the same run: nginx for GET, bare grouped syncs for PUT."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

NGINX = """
worker_processes {workers};
daemon off;
{user}
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 100000000;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{ listen 127.0.0.1:{port} reuseport; root {root}; }}
}}
"""


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def nginx(root: Path, folder: Path) -> Iterator[tuple[str, int]]:
    """Serve the files under `root`; yields the endpoint and the master's process id."""
    program = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if program is None:
        raise RuntimeError("nginx is missing; install it with: apt-get install nginx")
    port, config = free_port(), folder / "nginx.conf"
    user = "user root;" if os.geteuid() == 0 else ""
    workers = os.cpu_count() or 1
    config.write_text(NGINX.format(folder=folder, root=root, port=port, user=user, workers=workers))
    process = subprocess.Popen([program, "-c", str(config), "-p", str(folder)])
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}", process.pid
    finally:
        process.terminate()
        process.wait(10)


def grouped_sync_rate(
    folder: Path, *, size: int, clients: int, copies: int, volumes: int, seconds: float
) -> float:
    """Return objects per second of bare grouped append-and-sync.

    Each round appends `copies` of each of `clients` bodies of `size` bytes, spread evenly over
    `volumes` files, one write call a file, and syncs all the files side by side.
    """
    body = os.urandom(size)
    shares = [
        sum(1 for n in range(clients * copies) if n % volumes == number)
        for number in range(volumes)
    ]
    files = [
        os.open(folder / f"volume{n}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        for n in range(volumes)
    ]

    def append(number: int) -> None:
        if shares[number]:
            os.writev(files[number], [body] * shares[number])
            os.fdatasync(files[number])

    rounds, begun = 0, time.monotonic()
    with ThreadPoolExecutor(volumes) as pool:
        while time.monotonic() - begun < seconds:
            list(pool.map(append, range(volumes)))
            rounds += 1
    rate = rounds * clients / (time.monotonic() - begun)
    for number, file in enumerate(files):
        os.close(file)
        (folder / f"volume{number}").unlink()
    return rate


def cpu_seconds(pid: int) -> float:
    """Return the CPU time that a process and all below it have used; 0 for what has ended."""
    total, ticks = 0.0, os.sysconf("SC_CLK_TCK")
    waiting = [pid]
    while waiting:
        process = waiting.pop()
        try:
            fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
            total += (int(fields[11]) + int(fields[12])) / ticks
            for task in Path(f"/proc/{process}/task").iterdir():
                waiting += [int(child) for child in (task / "children").read_text().split()]
        except OSError:
            continue
    return total


def pss_bytes(pid: int) -> int:
    """Return the summed proportional set size of a process and all below it."""
    total, waiting = 0, [pid]
    while waiting:
        process = waiting.pop()
        try:
            for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1]) * 1024
            for task in Path(f"/proc/{process}/task").iterdir():
                waiting += [int(child) for child in (task / "children").read_text().split()]
        except OSError:
            continue
    return total
