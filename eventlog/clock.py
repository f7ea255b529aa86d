"""Clock and Ids: the only readers of time and randomness."""

from __future__ import annotations

import secrets
import threading
import time
from typing import Protocol


class Clock(Protocol):
    """Says what time it is."""

    def now_us(self) -> int:
        """Return UTC microseconds since 1970; may jump, as the host's clock does."""

    def monotonic_s(self) -> float:
        """Return seconds that never go back, from an arbitrary start; for deadlines and rates."""


class Ids(Protocol):
    """Draws names that nobody has drawn before."""

    def uuid7(self) -> bytes:
        """Return 16 bytes: RFC 9562 UUID version 7, later ones greater within a process."""

    def random(self, size: int) -> bytes:
        """Return `size` unpredictable bytes, fit for salts and keys."""


class SystemClock:
    """The host's clock."""

    def now_us(self) -> int:
        return time.time_ns() // 1000

    def monotonic_s(self) -> float:
        return time.monotonic()


class SystemIds:
    """The host's source of randomness."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0

    def uuid7(self) -> bytes:
        with self._lock:
            # 48 bits of milliseconds and 12 bits of the millisecond's 4,096ths, made to grow
            # strictly even when the clock stands still or goes back.
            stamp = max((time.time_ns() << 12) // 1_000_000, self._last + 1)
            self._last = stamp
        tail = secrets.randbits(62)
        number = ((stamp >> 12) << 80) | (7 << 76) | ((stamp & 0xFFF) << 64) | (2 << 62) | tail
        return number.to_bytes(16, "big")

    def random(self, size: int) -> bytes:
        return secrets.token_bytes(size)
