"""How long, how large and how many: what one client may cost the edge."""

from __future__ import annotations

import threading
from typing import Protocol

import msgspec


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Deadlines and sizes of one listener.

    Units: seconds, bytes.
    """

    head_s: float = 30.0
    """From the connection, or a head's first byte, to its last."""

    idle_s: float = 75.0
    """Between two requests of one connection."""

    progress_s: float = 60.0
    """Without a byte of a body coming in, or of a reply being taken."""

    linger_s: float = 5.0
    """For the rest of a refused request's body to come, so that the client reads the refusal."""

    handshake_s: float = 10.0
    """For a TLS handshake."""

    goodbye_s: float = 1.0
    """For a client's side of the end of TLS, which idle ones never say."""

    line_size: int = 64 << 10
    """A request line, or one header."""

    head_size: int = 128 << 10
    """A whole head."""

    headers: int = 256

    linger_size: int = 64 << 20
    """Bytes of a refused request's body that are read and thrown away."""

    drain_size: int = 64 << 10
    """A refused body up to this size is read, and the connection goes on."""

    write_buffer: int = 512 << 10
    """Bytes of a reply waiting for a slow reader."""


class Slots(Protocol):
    """Places for connections, counted over all processes that share them."""

    def acquire(self) -> bool:
        """Take a place; False if all are taken."""

    def release(self) -> None:
        """Give a place back."""


class CountedSlots:
    """The places of one process."""

    def __init__(self, limit: int) -> None:
        self._free = limit
        self._lock = threading.Lock()

    def acquire(self) -> bool:
        with self._lock:
            if self._free <= 0:
                return False
            self._free -= 1
            return True

    def release(self) -> None:
        with self._lock:
            self._free += 1
