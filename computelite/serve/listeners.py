"""Listening sockets: one address, one socket of its own for each worker."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path

from computelite.errors import WrongUsage

_BACKLOG = 1024


def parse_address(text: str, *, flag: str) -> tuple[str, int]:
    """Return host and port of HOST:PORT or [HOST]:PORT.

    Raises:  WrongUsage.
    """
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not colon or not host or not (port.isascii() and port.isdigit()) or int(port) > 65535:
        raise WrongUsage(reason=f"{flag} {text}: an address is HOST:PORT, such as 127.0.0.1:9000")
    return host, int(port)


class Address:
    """One address that several processes listen on; the kernel spreads connections over them.

    `held` is bound and never listens: it keeps the port ours while workers come and go.
    """

    def __init__(self, text: str, *, flag: str, beside: Address | None = None) -> None:
        """Take the address, which `flag` named, and which is not `beside`.

        Raises:  WrongUsage.
        """
        self._flag = flag
        host, port = parse_address(text, flag=flag)
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        except OSError as error:
            raise WrongUsage(reason=f"{flag} {text}: {error}") from None
        self._family, self._place = found[0][0], found[0][4]
        self._host = host
        # Both would bind, as sockets of one user that share: requests would land on either.
        if beside is not None and self._overlaps(beside):
            raise WrongUsage(
                reason=f"{beside._flag} and {flag} are the same address, {text}: give each its own"
            )
        # A socket that shares the port would bind beside a stranger's of the same user, and each
        # would get half of the connections. One that does not share is refused.
        with self._bound(shared=False, text=text) as probe:
            self._place = probe.getsockname()
        self.held = self._bound(shared=True, text=text)

    def _overlaps(self, other: Address) -> bool:
        hosts = {self._place[0], other._place[0]}
        same = len(hosts) == 1 or bool(hosts & {"0.0.0.0", "::"})
        return same and self._place[1] == other._place[1]

    @property
    def port(self) -> int:
        """The real port."""
        return int(self._place[1])

    def listen(self) -> socket.socket:
        """Return one more listening socket."""
        listener = self._bound(shared=True, text=self.url("tcp"))
        listener.listen(_BACKLOG)
        listener.setblocking(False)
        return listener

    def url(self, scheme: str) -> str:
        """Return the URL that clients on this machine use."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self._host, self._host)
        return (
            f"{scheme}://[{host}]:{self.port}" if ":" in host else f"{scheme}://{host}:{self.port}"
        )

    def close(self) -> None:
        """Give the port back."""
        self.held.close()

    def _bound(self, *, shared: bool, text: str) -> socket.socket:
        bound = socket.socket(self._family, socket.SOCK_STREAM)
        try:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if shared:
                bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            bound.bind(self._place)
        except OSError as error:
            bound.close()
            raise WrongUsage(
                reason=f"{self._flag}: cannot listen on {text}: {error.strerror};"
                f" choose another with {self._flag} HOST:PORT"
            ) from None
        return bound


def tls_context(cert: str, key: str) -> ssl.SSLContext:
    """Return a server's context: TLS 1.2 with forward secrecy, or 1.3.

    Raises:  WrongUsage if the files do not belong together or cannot be read.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE+AESGCM:ECDHE+CHACHA20")
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    for path in (cert, key):
        try:
            Path(path).read_bytes()
        except OSError as error:
            raise WrongUsage(reason=f"--tls: {path}: {error.strerror}") from None
    try:
        # A key under a passphrase is refused: without one here, OpenSSL would ask the terminal.
        context.load_cert_chain(cert, key, password="")
    except (OSError, ssl.SSLError) as error:
        raise WrongUsage(reason=f"--tls: {_tls_fault(cert, key)} ({error})") from None
    return context


def _tls_fault(cert: str, key: str) -> str:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cert)
    except (OSError, ssl.SSLError):
        return f"{cert} has no certificate in PEM"
    return f"{key} is not the certificate's key in PEM, without a passphrase"
