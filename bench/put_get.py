"""Small PUT and GET over HTTP, beside nginx and beside bare grouped syncs, in one run."""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.cloud import cloud
from bench.limits import cpu_seconds, grouped_sync_rate, nginx, pss_bytes
from bench.report import Result
from bench.wrk import Load, Target, drive, signed_heads

BUCKET = "bench-put-get"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what can be chosen."""
    parser.epilog = (
        "examples: python -m bench put-get --size 4096 --clients 32;  "
        "python -m bench put-get --endpoint http://127.0.0.1:9000 "
        "--access-key AK --secret-key SK --server-pid PID"
    )
    parser.add_argument("--size", type=int, default=4096, help="bytes per object (4096)")
    parser.add_argument("--clients", type=int, default=32, help="connections (32)")
    parser.add_argument("--seconds", type=float, default=5.0, help="length of one run (5)")
    parser.add_argument("--rounds", type=int, default=3, help="interleaved runs, medians taken (3)")
    parser.add_argument("--objects", type=int, default=2000, help="objects to GET from (2000)")
    parser.add_argument("--puts", type=int, default=20000, help="keys to PUT per run (20000)")
    parser.add_argument("--devices", type=int, default=6, help="devices of our own cloud (6)")
    parser.add_argument("--workers", type=int, help="workers of our own cloud (the cores)")
    parser.add_argument("--folder", help="where data goes (this folder)")
    parser.add_argument("--endpoint", help="another S3 server, by URL, in place of our own")
    parser.add_argument("--access-key", default=os.environ.get("AWS_ACCESS_KEY_ID"))
    parser.add_argument("--secret-key", default=os.environ.get("AWS_SECRET_ACCESS_KEY"))
    parser.add_argument("--server-pid", type=int, help="count the CPU of this process tree")
    parser.add_argument("--copies", type=int, default=3, help="copies in the bare sync (3)")


def run(args: argparse.Namespace) -> list[Result]:
    """Measure; every ratio is to a limit measured in the same rounds."""
    with ExitStack() as stack:
        # Not in /tmp by default: where that is memory, a sync costs nothing.
        where = Path(args.folder or ".").resolve()
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="bench-", dir=where)))
        rest = None
        if args.endpoint:
            target, pid = Target(args.endpoint, args.access_key, args.secret_key), args.server_pid
        else:
            options = ["--devices", str(args.devices)]
            if args.workers:
                options += ["--workers", str(args.workers)]
            ours = stack.enter_context(cloud(folder / "data", *options))
            target, pid = ours.target, ours.pid
            time.sleep(1)
            rest = pss_bytes(pid) / 1e6
        body = os.urandom(args.size)
        root = folder / "static"
        names = [f"{number:06d}" for number in range(args.objects)]
        (root / BUCKET).mkdir(parents=True)
        for name in names:
            (root / BUCKET / name).write_bytes(body)
        _put_all(target, names, body)
        static, static_pid = stack.enter_context(nginx(root, folder))
        paths = [f"/{BUCKET}/{name}" for name in names]
        series: dict[str, list[float]] = {}
        loads: dict[str, list[Load]] = {"PUT": [], "GET": []}
        costs: dict[str, list[float]] = {"PUT": [], "GET": [], "nginx": []}

        def note(name: str, value: float) -> None:
            series.setdefault(name, []).append(value)

        for number in range(args.rounds):
            bare = Target(static, "none", "none")
            spent = cpu_seconds(static_pid)
            load = drive(
                static,
                signed_heads(bare, "GET", paths, now=_now(), body=b""),
                body=b"",
                clients=args.clients,
                seconds=args.seconds,
            )
            costs["nginx"].append((cpu_seconds(static_pid) - spent) / max(load.requests, 1))
            note("nginx", load.rate)
            spent = cpu_seconds(pid) if pid else 0.0
            load = drive(
                target.endpoint,
                signed_heads(target, "GET", paths, now=_now(), body=b""),
                body=b"",
                clients=args.clients,
                seconds=args.seconds,
            )
            if pid:
                costs["GET"].append((cpu_seconds(pid) - spent) / max(load.requests, 1))
            note("GET", load.rate)
            loads["GET"].append(load)
            note(
                "sync",
                grouped_sync_rate(
                    folder,
                    size=args.size,
                    clients=args.clients,
                    copies=args.copies,
                    volumes=args.devices,
                    seconds=args.seconds,
                ),
            )
            puts = [f"/{BUCKET}/r{number}-{n:07d}" for n in range(args.puts)]
            spent = cpu_seconds(pid) if pid else 0.0
            load = drive(
                target.endpoint,
                signed_heads(target, "PUT", puts, now=_now(), body=body),
                body=body,
                clients=args.clients,
                seconds=args.seconds,
            )
            if pid:
                costs["PUT"].append((cpu_seconds(pid) - spent) / max(load.requests, 1))
            note("PUT", load.rate)
            loads["PUT"].append(load)
    return _results(args, series, loads, costs, rest)


def _results(
    args: argparse.Namespace,
    series: dict[str, list[float]],
    loads: dict[str, list[Load]],
    costs: dict[str, list[float]],
    rest_mb: float | None,
) -> list[Result]:
    middle = {name: statistics.median(values) for name, values in series.items()}
    results = [
        Result(f"nginx GET {args.size} B", middle["nginx"], "/s"),
        Result(f"bare grouped sync {args.size} B x {args.copies}", middle["sync"], "/s"),
    ]
    for verb, limit, words, held_to in (
        ("PUT", "sync", "bare grouped sync", 0.5),
        ("GET", "nginx", "nginx", 1 / 3),
    ):
        results.append(
            Result(
                f"{verb} {args.size} B, {args.clients} clients",
                middle[verb],
                "/s",
                limit=words,
                ratio=middle[verb] / middle[limit],
                held_to=held_to,
            )
        )
        results.append(
            Result(f"{verb} p50", statistics.median(load.p50_ms for load in loads[verb]), "ms")
        )
        results.append(
            Result(f"{verb} p99", statistics.median(load.p99_ms for load in loads[verb]), "ms")
        )
        results.append(Result(f"{verb} errors", sum(load.failed for load in loads[verb]), ""))
        if costs[verb]:
            results.append(
                Result(f"{verb} server CPU", statistics.median(costs[verb]) * 1e6, "us/request")
            )
    results.append(Result("nginx CPU", statistics.median(costs["nginx"]) * 1e6, "us/request"))
    if rest_mb is not None:
        results.append(Result("memory at rest, summed PSS", rest_mb, "MB"))
    return results


def _now() -> str:
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())


def _put_all(target: Target, names: list[str], body: bytes) -> None:
    """Make the bucket and the objects that GET reads, with curl, over few connections."""
    paths = [f"/{BUCKET}", *(f"/{BUCKET}/{name}" for name in names)]
    for group, payload in ((paths[:1], b""), (paths[1:], body)):
        heads = signed_heads(target, "PUT", group, now=_now(), body=payload)
        lines = ["silent", "show-error", 'write-out = "%{http_code}\\n"', 'output = "/dev/null"']
        with tempfile.NamedTemporaryFile() as content:
            content.write(payload)
            content.flush()
            blocks = []
            for path, head in zip(group, heads, strict=True):
                block = [*lines, f'url = "{target.endpoint}{path}"']
                block += [
                    f'header = "{header}"'
                    for header in head.split("|")[2:]
                    if not header.startswith("Content-Length")
                ]
                block += [f'upload-file = "{content.name}"' if payload else 'request = "PUT"']
                block += ['header = "Expect:"']
                blocks.append("\n".join(block))
            done = subprocess.run(
                ["curl", "--config", "-"],
                input="\nnext\n".join(blocks),
                capture_output=True,
                text=True,
                check=True,
            )
        codes = set(done.stdout.split())
        if not codes <= {"200", "409"}:
            raise RuntimeError(f"the server answered {sorted(codes)} to PUT")
