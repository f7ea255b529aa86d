"""A real listener over a real store, in a thread of its own, and ways to talk to it."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import boto3
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

from eventlog.clock import SystemClock, SystemIds
from swiftlite.auth import Principal, SigningKey, StaticAuthenticator
from swiftlite.gateway.settings import Settings
from swiftlite.http.limits import CountedSlots, Limits, Slots
from swiftlite.http.server import HttpServer
from swiftlite.s3.app import S3App
from tests.swiftlite import clouds

T = TypeVar("T")
REGION = "us-east-1"


def key(name: str, **facts: Any) -> SigningKey:
    """Return a signing key whose id is NAME and whose secret is name-secret."""
    principal: dict[str, Any] = {
        "kind": "user",
        "user_id": "owner",
        "project_id": "p",
        "roles": ("member",),
        "key_id": name,
    }
    return SigningKey(f"{name}-secret", Principal(**(principal | facts)))


KEYS = {
    "ROOT": key("ROOT", roles=("admin",)),
    "READONLY": key("READONLY", read_only=True),
    "READER": key("READER", roles=("reader",)),
    "NOBODY": key("NOBODY", roles=()),
    "OTHER": key("OTHER", project_id="q", user_id="stranger"),
    "ONLYONE": key("ONLYONE", bucket="only-one"),
}


class Answer:
    """A reply as it came over the wire."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes, raw: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body
        self.raw = raw

    @property
    def code(self) -> str:
        """The S3 error code in the body, or ""."""
        _, found, rest = self.body.partition(b"<Code>")
        return rest.partition(b"<")[0].decode() if found else ""

    def __repr__(self) -> str:
        return f"Answer({self.status}, {self.code or self.body[:200]!r})"


class Edge:
    """A listener on loopback. Its loop runs in a thread, so that tests may block."""

    def __init__(self, path: Path, **options: Any) -> None:
        self.path = path
        self.keys = dict(KEYS)
        self._options = options
        self._loop: asyncio.AbstractEventLoop
        self._thread = threading.Thread(target=self._run, name="edge")
        self._ready = threading.Event()
        self._stop: Callable[[], None] = lambda: None
        self.error: BaseException | None = None
        self.port = 0
        self.server: HttpServer
        self.cloud: clouds.Cloud

    def start(self) -> Edge:
        self._thread.start()
        self._ready.wait(30)
        if self.error is not None:
            raise self.error
        return self

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._stop)
        self._thread.join(30)

    def _run(self) -> None:
        try:
            asyncio.run(self._main())
        except BaseException as error:
            self.error = error
        finally:
            self._ready.set()

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        stopped = asyncio.Event()
        self._stop = stopped.set
        settings = Settings(write_deadline_s=5.0, read_deadline_s=5.0)
        async with clouds.cloud(self.path, settings=settings) as self.cloud:
            app = S3App(
                self.cloud.gateway,
                StaticAuthenticator(self.keys),
                clock=self._options.get("clock", SystemClock()),
                ids=SystemIds(),
                region=self._options.get("region", REGION),
                domains=("localhost", "s3.test"),
                records=self._options.get("records"),
                count=self._options.get("count", lambda status: None),
            )
            slots: Slots = self._options.get("slots", CountedSlots(1000))
            self.server = HttpServer(app, limits=self._options.get("limits", Limits()), slots=slots)
            sock = socket.create_server(("127.0.0.1", 0))
            self.port = sock.getsockname()[1]
            await self.server.listen(sock, self._options.get("tls"))
            self._ready.set()
            await stopped.wait()
            await self.server.drain(5.0)

    def share(self, bucket: str, project_id: str = "p", **acls: str) -> None:
        """Give others what `read_acl` and `write_acl` say."""
        said = {name.replace("_", "-"): text for name, text in acls.items()}

        async def work() -> None:
            row = await self.cloud.gateway.bucket(bucket, project_id=project_id)
            await self.cloud.gateway.describe_bucket(row, said, actor=clouds.ACTOR)

        self.run(work())

    def run(self, awaitable: Awaitable[T]) -> T:
        """Run something on the edge's loop and return what it returns."""

        async def wrapped() -> T:
            return await awaitable

        return asyncio.run_coroutine_threadsafe(wrapped(), self._loop).result(30)

    # -- clients -----------------------------------------------------------------------------------

    def client(self, name: str = "ROOT", *, region: str = REGION, **config: Any) -> Any:
        """Return a boto3 client with the named key."""
        scheme = "https" if self._options.get("tls") else "http"
        return boto3.session.Session().client(
            "s3",
            endpoint_url=f"{scheme}://127.0.0.1:{self.port}",
            aws_access_key_id=name,
            aws_secret_access_key=f"{name}-secret",
            region_name=region,
            verify=self._options.get("ca", False) if scheme == "https" else None,
            config=Config(retries={"total_max_attempts": 1, "mode": "standard"}, **config),
        )

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)

    def exchange(self, data: bytes) -> Answer:
        """Send bytes on a connection of their own and return the first reply."""
        with closing(self.connect()) as sock:
            sock.sendall(data)
            return read_answer(sock, is_head=data.startswith(b"HEAD "))

    def request(
        self,
        method: str,
        target: str,
        body: bytes = b"",
        *,
        headers: Mapping[str, str] = {},
        name: str = "ROOT",
        unsigned: Mapping[str, str] = {},
        drop: Sequence[str] = (),
        payload_hash: str | None = None,
    ) -> Answer:
        """Sign with botocore, then send byte by byte what was signed.

        `unsigned` is added and `drop` taken away after signing.
        """
        return self.exchange(
            self.signed(
                method,
                target,
                body,
                headers=headers,
                name=name,
                unsigned=unsigned,
                drop=drop,
                payload_hash=payload_hash,
            )
        )

    def signed(
        self,
        method: str,
        target: str,
        body: bytes = b"",
        *,
        headers: Mapping[str, str] = {},
        name: str = "ROOT",
        unsigned: Mapping[str, str] = {},
        drop: Sequence[str] = (),
        payload_hash: str | None = None,
        region: str = REGION,
        secret: str | None = None,
        service: str = "s3",
        timestamp: str | None = None,
    ) -> bytes:
        """Return a whole request, signed in its header."""
        host = f"127.0.0.1:{self.port}"
        head = {"host": host, **{k.lower(): v for k, v in headers.items()}}
        if body and "content-length" not in head and "transfer-encoding" not in head:
            head["content-length"] = str(len(body))
        credentials = Credentials(name, secret or f"{name}-secret")
        signer = _Signer(credentials, service, region)
        signer.fixed_hash, signer.fixed_time = payload_hash, timestamp
        request = AWSRequest(method, f"http://{host}{target}", headers=head, data=body)
        signer.add_auth(request)
        sent = {k: v for k, v in request.headers.items() if k.lower() not in drop}
        sent.update(unsigned)
        lines = "".join(f"{k}: {v}\r\n" for k, v in sent.items())
        return f"{method} {target} HTTP/1.1\r\n{lines}\r\n".encode() + body


class _Signer(S3SigV4Auth):
    """botocore's signer, which signs what it is given."""

    fixed_hash: str | None = None
    fixed_time: str | None = None

    def payload(self, request: Any) -> str:
        return self.fixed_hash or super().payload(request)

    def headers_to_sign(self, request: Any) -> Any:
        headers = super().headers_to_sign(request)
        del headers["content-length"]
        return headers

    def _should_sha256_sign_payload(self, request: Any) -> bool:
        return True

    def _set_necessary_date_headers(self, request: Any) -> None:
        if self.fixed_time is not None:
            request.context["timestamp"] = self.fixed_time
        super()._set_necessary_date_headers(request)


def read_answer(sock: socket.socket, *, is_head: bool = False) -> Answer:
    """Read one reply; at the end of the connection, what came until then."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = sock.recv(65536)
        if not piece:
            return Answer(0, {}, b"", data)
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.decode("utf-8", "surrogateescape").split("\r\n")
    status = int(lines[0].split(" ")[1])
    headers = {k.lower(): v for k, _, v in (line.partition(": ") for line in lines[1:])}
    length = 0 if is_head or status in (100, 204, 304) else int(headers["content-length"])
    while len(body) < length:
        piece = sock.recv(65536)
        if not piece:
            break
        body += piece
    return Answer(status, headers, body, data)


@contextmanager
def running(path: Path, **options: Any) -> Iterator[Edge]:
    """Start an edge, and stop it afterwards."""
    edge = Edge(path, **options).start()
    try:
        yield edge
    finally:
        edge.stop()


def target_of(url: str) -> str:
    """Return path and query of a URL."""
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def tls_context(path: Path) -> tuple[ssl.SSLContext, Path]:
    """Return a server's context with a certificate for 127.0.0.1, and the certificate."""
    import datetime
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    private = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(private.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(private, hashes.SHA256())
    )
    chain = path / "tls.pem"
    chain.write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    public = path / "ca.pem"
    public.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return context, public
