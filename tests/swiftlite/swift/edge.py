"""A real listener that speaks Swift, beside one that speaks S3, over one real store."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec

from computelite.keystore import KeyStore, MasterKey
from eventlog.clock import Clock, SystemClock, SystemIds
from eventlog.errors import CloudError
from eventlog.records.record import Kind, Record
from swiftlite.auth import Principal, StaticAuthenticator, StaticTokens
from swiftlite.gateway.settings import Settings
from swiftlite.http.replies import Reply, head_bytes
from swiftlite.http.server import HttpServer
from swiftlite.s3.app import S3App
from swiftlite.swift.app import SwiftApp
from swiftlite.swift.errors import refused
from tests.swiftlite import clouds
from tests.swiftlite.s3 import edge as s3
from tests.swiftlite.s3.edge import Answer, read_answer

PROJECT, OTHER = "p", "q"


def who(user: str, project: str, *roles: str) -> Principal:
    """Return a user with these roles in a project; names are ids with -name at their end."""
    return Principal(
        kind="user",
        user_id=user,
        user_name=f"{user}-name",
        user_domain_id="default",
        project_id=project,
        project_name=f"{project}-name",
        project_domain_id="default",
        roles=roles,
    )


TOKENS = {
    "owner": who("owner", PROJECT, "member"),
    "reader": who("reader", PROJECT, "reader"),
    "nobody": who("nobody", PROJECT),
    "stranger": who("stranger", OTHER, "member"),
    "reseller": who("reseller", "r", "reselleradmin"),
    "homeless": who("homeless", "", "admin"),
    "foreigner": msgspec.structs.replace(
        who("foreigner", "f", "member"), user_domain_id="d2", project_domain_id="d2"
    ),
}


class MovingClock:
    """The host's clock, set forward by a test, and never back: a log's time would stand still."""

    def __init__(self) -> None:
        self.ahead_s = 0.0

    def now_us(self) -> int:
        return SystemClock().now_us() + int(self.ahead_s * 1_000_000)

    def monotonic_s(self) -> float:
        return SystemClock().monotonic_s()


class Noted:
    """Keeps all access records."""

    def __init__(self) -> None:
        self.records: list[Record] = []

    def wants(self, kind: Kind) -> bool:
        return True

    def add(self, record: Record) -> None:
        self.records.append(record)


class Port:
    """What the API port does around a service."""

    def __init__(self, service: Any, clock: Clock) -> None:
        self._service = service
        self._clock = clock

    async def answer(self, message: Any, incoming: Any, **more: Any) -> tuple[Reply, str]:
        reply = await self._service.answer(message, incoming, **more)
        if message.method == "HEAD":
            reply.length = reply.length if reply.status < 400 else 0
            reply.body = b""
        return reply, ""

    def refusal(self, error: CloudError) -> tuple[Reply, str]:
        return refused(400), ""

    def head_of(self, reply: Reply, request_id: str) -> bytes:
        return head_bytes(reply, own="", now_s=self._clock.now_us() // 1_000_000)


class SwiftEdge(s3.Edge):
    """Both protocols on loopback: `port` speaks S3, as project p; `swift_port` speaks Swift."""

    swift_port = 0

    def __init__(self, path: Path, **options: Any) -> None:
        super().__init__(path, **options)
        self.clock = MovingClock()
        self.noted = Noted()
        self.tokens = dict(TOKENS)
        self.sealer = KeyStore((MasterKey(b"test", bytes(32)),), SystemIds())

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        stopped = asyncio.Event()
        self._stop = stopped.set
        settings = Settings(write_deadline_s=5.0, read_deadline_s=5.0)
        async with clouds.cloud(self.path, settings=settings, clock=self.clock) as self.cloud:
            storage = S3App(
                self.cloud.gateway,
                StaticAuthenticator(self.keys),
                clock=SystemClock(),
                ids=SystemIds(),
                region=s3.REGION,
            )
            app = SwiftApp(
                self.cloud.gateway,
                StaticTokens(self.tokens),
                sealer=self.sealer,
                clock=self.clock,
                ids=SystemIds(),
                records=self.noted,
            )
            self.server = HttpServer(storage)
            swift = HttpServer(Port(app, self.clock))
            for name, server in (("port", self.server), ("swift_port", swift)):
                sock = socket.create_server(("127.0.0.1", 0))
                setattr(self, name, sock.getsockname()[1])
                await server.listen(sock)
            self._ready.set()
            await stopped.wait()
            await asyncio.gather(self.server.drain(5.0), swift.drain(5.0))

    def swift(
        self,
        method: str,
        path: str = "",
        body: bytes | None = None,
        headers: Mapping[str, str] = {},
        *,
        token: str | None = "owner",
        account: str = f"AUTH_{PROJECT}",
        chunked: bool = False,
    ) -> Answer:
        """Ask for `path` under the account: "c/o?x=y", where non-ASCII is escaped."""
        plain, mark, query = path.partition("?")
        target = f"/v1/{account}" + (f"/{quote(plain, safe='/%')}" if plain else "") + mark + query
        return self.raw(method, target, body, headers, token=token, chunked=chunked)

    def raw(
        self,
        method: str,
        target: str,
        body: bytes | None = None,
        headers: Mapping[str, str] = {},
        *,
        token: str | None = "owner",
        chunked: bool = False,
    ) -> Answer:
        """Send one request, byte by byte, on a connection of its own."""
        head = {"Host": f"127.0.0.1:{self.swift_port}"}
        if token is not None:
            head["X-Auth-Token"] = token
        if chunked:
            head["Transfer-Encoding"] = "chunked"
            body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body or b""), body) if body else b"0\r\n\r\n"
        elif body is not None or method in ("PUT", "POST"):
            head["Content-Length"] = str(len(body or b""))
        head |= headers
        lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
        start = f"{method} {target} HTTP/1.1\r\n{lines}\r\n".encode("utf-8", "surrogateescape")
        data = start + (body or b"")
        with closing(self.swift_connection()) as sock:
            sock.sendall(data)
            return read_answer(sock, is_head=method == "HEAD")

    def exchange_swift(self, data: bytes) -> Answer:
        """Send bytes on a connection of their own and return the first reply."""
        with closing(self.swift_connection()) as sock:
            sock.sendall(data)
            return read_answer(sock)

    def swift_connection(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.swift_port), timeout=20)

    def listed(self, path: str, **more: Any) -> list[Any]:
        """Return a listing in JSON."""
        mark = "&" if "?" in path else "?"
        answer = self.swift("GET", f"{path}{mark}format=json", **more)
        assert answer.status == 200, answer
        found: list[Any] = json.loads(answer.body)
        return found

    def names(self, path: str, **more: Any) -> list[str]:
        """Return the names, and common prefixes, of a listing."""
        return [entry.get("name") or entry["subdir"] for entry in self.listed(path, **more)]


@contextmanager
def running(path: Path, **options: Any) -> Iterator[SwiftEdge]:
    """Start both listeners, and stop them afterwards."""
    edge = SwiftEdge(path, **options)
    edge.start()
    try:
        yield edge
    finally:
        edge.stop()
