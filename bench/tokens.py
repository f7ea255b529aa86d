"""Logins: fifty clients at once from token issue to first answer, beside bare Argon2id and nginx.

First logins are of as many users, none of whose passwords the process knows: each costs an
Argon2id, and the limit is what the cores do of those alone. Later logins are of a user whose
password was right a moment ago; the limit is nginx answering as many bytes.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import aiohttp

from bench.cloud import Cloud, cloud
from bench.limits import cpu_seconds, nginx
from bench.report import Result
from bench.wrk import Load, drive
from computelite.identity.passwords import is_password, password_verifier
from computelite.secret import Secret
from eventlog.clock import SystemIds

TOKENS = "/identity/v3/auth/tokens"
PASSWORD = "correct horse battery staple"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what can be chosen."""
    parser.epilog = "example: python -m bench tokens --clients 50"
    parser.add_argument("--clients", type=int, default=50, help="clients at once (50)")
    parser.add_argument("--seconds", type=float, default=5.0, help="length of one run (5)")
    parser.add_argument("--rounds", type=int, default=3, help="interleaved runs, medians taken (3)")
    parser.add_argument("--workers", type=int, help="workers of the cloud (the cores)")
    parser.add_argument("--folder", help="where data goes (this folder)")


def run(args: argparse.Namespace) -> list[Result]:
    """Measure; every ratio is to a limit measured in the same rounds."""
    with ExitStack() as stack:
        where = Path(args.folder or ".").resolve()
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="bench-", dir=where)))
        options = ["--workers", str(args.workers)] if args.workers else []
        with cloud(folder / "data", *options) as ours:
            users = asyncio.run(_make_users(_Api(ours), args.clients))
            body = _answer_size(_Api(ours))
        root = folder / "static"
        root.mkdir()
        (root / "answer").write_bytes(os.urandom(body))
        static, _ = stack.enter_context(nginx(root, folder))
        seen: dict[str, list[float]] = {}
        for _ in range(args.rounds):
            # Another process each time: it knows no password yet.
            with cloud(folder / "data", *options) as ours:
                for name, value in _round(args, ours, users, static).items():
                    seen.setdefault(name, []).append(value)
    middle = {name: statistics.median(values) for name, values in seen.items()}
    return _results(args.clients, middle)


class _Api:
    """Where the API is, and how the admin gets in."""

    def __init__(self, ours: Cloud) -> None:
        lines = (ours.data / "credentials.env").read_text().splitlines()
        facts = dict(line.split("=", 1) for line in lines if "=" in line)
        self.url = facts["OS_AUTH_URL"].removesuffix("/identity/v3")
        self.password = facts["OS_PASSWORD"].strip("'")

    def login(self, user: str, password: str, project: str) -> bytes:
        """Return the body that asks for a token."""
        default = {"id": "default"}
        who = {"name": user, "domain": default, "password": password}
        identity = {"methods": ["password"], "password": {"user": who}}
        scope = {"project": {"name": project, "domain": default}}
        return json.dumps({"auth": {"identity": identity, "scope": scope}}).encode()

    def admin(self) -> bytes:
        """Return the admin's."""
        return self.login("admin", self.password, "admin")


def _round(
    args: argparse.Namespace, ours: Cloud, users: list[str], static: str
) -> dict[str, float]:
    api = _Api(ours)
    seen = {"argon2": _bare_checks(len(users))}
    times, wall_s = asyncio.run(_first_logins(api, users))
    seen |= {
        "first": len(users) / wall_s,
        "first p50": statistics.median(times) * 1e3,
        "first p99": sorted(times)[int(len(times) * 0.99)] * 1e3,
    }
    load = _drive(static, "GET /answer", b"", args)
    seen["nginx"] = load.rate
    spent = cpu_seconds(ours.pid)
    load = _drive(api.url, f"POST {TOKENS}", api.admin(), args)
    seen |= {
        "later": load.rate,
        "later p50": load.p50_ms,
        "later p99": load.p99_ms,
        "later errors": load.failed,
        "later CPU": (cpu_seconds(ours.pid) - spent) / max(load.requests, 1) * 1e6,
    }
    token = asyncio.run(_token(api))
    load = _drive(api.url, f"GET {TOKENS}", b"", args, token)
    return seen | {
        "checked": load.rate,
        "checked p50": load.p50_ms,
        "checked p99": load.p99_ms,
        "checked errors": load.failed,
    }


def _drive(url: str, request: str, body: bytes, args: argparse.Namespace, token: str = "") -> Load:
    head = [f"{request} HTTP/1.1", f"Host: {url.partition('//')[2]}"]
    if body:
        head += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    if token:
        head += [f"X-Auth-Token: {token}", f"X-Subject-Token: {token}"]
    return drive(url, ["|".join(head)], body=body, clients=args.clients, seconds=args.seconds)


async def _make_users(api: _Api, count: int) -> list[str]:
    """Make users with a role on the admin's project; return their names."""
    token = await _token(api)
    headers = {"X-Auth-Token": token}
    names = [f"user-{number}" for number in range(count)]
    async with aiohttp.ClientSession(f"{api.url}/identity/", headers=headers) as session:

        async def asked(method: str, path: str, document: Any = None) -> Any:
            async with session.request(method, path, json=document) as reply:
                reply.raise_for_status()
                return None if reply.status == 204 else await reply.json()

        (project,) = (await asked("GET", "v3/projects?name=admin"))["projects"]
        (role,) = (await asked("GET", "v3/roles?name=member"))["roles"]
        for name in names:
            fields = {"name": name, "password": PASSWORD, "domain_id": "default"}
            user = (await asked("POST", "v3/users", {"user": fields}))["user"]
            await asked("PUT", f"v3/projects/{project['id']}/users/{user['id']}/roles/{role['id']}")
    return names


async def _first_logins(api: _Api, users: list[str]) -> tuple[list[float], float]:
    """Log every user in at once, each as a new client; return seconds of each, and of all."""

    async def one(user: str) -> float:
        begun = time.monotonic()
        async with aiohttp.ClientSession() as session:
            async with session.get(f"{api.url}/identity") as reply:
                await reply.read()
            body = api.login(user, PASSWORD, "admin")
            headers = {"Content-Type": "application/json"}
            async with session.post(api.url + TOKENS, data=body, headers=headers) as reply:
                if reply.status != 201:
                    raise RuntimeError(f"a login was answered {reply.status}")
                token = reply.headers["X-Subject-Token"]
            path = f"{api.url}/identity/v3/auth/projects"
            async with session.get(path, headers={"X-Auth-Token": token}) as reply:
                if reply.status != 200:
                    raise RuntimeError(f"a new token was answered {reply.status}")
        return time.monotonic() - begun

    begun = time.monotonic()
    times = await asyncio.gather(*(one(user) for user in users))
    return list(times), time.monotonic() - begun


async def _token(api: _Api) -> str:
    return (await _login(api))[0]


def _answer_size(api: _Api) -> int:
    return len(asyncio.run(_login(api))[1])


async def _login(api: _Api) -> tuple[str, bytes]:
    """Return the admin's new token, and the answer's body."""
    headers = {"Content-Type": "application/json"}
    async with (
        aiohttp.ClientSession() as session,
        session.post(api.url + TOKENS, data=api.admin(), headers=headers) as reply,
    ):
        reply.raise_for_status()
        return reply.headers["X-Subject-Token"], await reply.read()


def _bare_checks(count: int) -> float:
    """Return how many Argon2id checks per second all cores do together, and nothing else."""
    verifier = password_verifier(Secret(PASSWORD), SystemIds())
    cores = os.cpu_count() or 1
    with ProcessPoolExecutor(cores) as pool:
        list(pool.map(_check, [verifier] * cores))  # the processes are there
        begun = time.monotonic()
        list(pool.map(_check, [verifier] * count))
        return count / (time.monotonic() - begun)


def _check(verifier: bytes) -> bool:
    return is_password(Secret(PASSWORD), verifier)


def _results(clients: int, middle: dict[str, float]) -> list[Result]:
    def beside(name: str, figure: str, limit: str, words: str) -> Result:
        ratio = middle[figure] / middle[limit]
        return Result(name, middle[figure], "/s", limit=words, ratio=ratio)

    results = [
        Result("bare Argon2id, all cores", middle["argon2"], "/s"),
        beside(f"first logins, {clients} users at once", "first", "argon2", "bare Argon2id"),
        Result("token issue to first answer p50, first logins", middle["first p50"], "ms"),
        Result("token issue to first answer p99, first logins", middle["first p99"], "ms"),
        Result("nginx GET, as many bytes", middle["nginx"], "/s"),
        beside(f"later logins, {clients} clients", "later", "nginx", "nginx"),
    ]
    for figure, unit in (("p50", "ms"), ("p99", "ms"), ("errors", ""), ("CPU", "us/request")):
        results.append(Result(f"later logins {figure}", middle[f"later {figure}"], unit))
    results.append(beside(f"tokens checked, {clients} clients", "checked", "nginx", "nginx"))
    for figure, unit in (("p50", "ms"), ("p99", "ms"), ("errors", "")):
        results.append(Result(f"tokens checked {figure}", middle[f"checked {figure}"], unit))
    return results
