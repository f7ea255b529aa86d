"""Clock and Ids: the only readers of time and randomness."""

from __future__ import annotations

import os
import secrets
import struct
import threading
import time
from typing import Protocol

_UUID = struct.Struct(">QQ")


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

    _POOL = 512  # ids drawn per system call, which costs more than the rest of an append

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0
        self._tails: list[int] = []
        # A forked child must not draw its parent's bytes.
        os.register_at_fork(after_in_child=self._tails.clear)

    def uuid7(self) -> bytes:
        with self._lock:
            # 48 bits of milliseconds and 12 bits of the millisecond's 4,096ths, made to grow
            # strictly even when the clock stands still or goes back.
            stamp = (time.time_ns() << 12) // 1_000_000
            if stamp <= self._last:
                stamp = self._last + 1
            self._last = stamp
            if not self._tails:
                self._tails += struct.unpack(f"{self._POOL}Q", secrets.token_bytes(8 * self._POOL))
            tail = self._tails.pop()
        return _UUID.pack((stamp >> 12) << 16 | 7 << 12 | stamp & 0xFFF, 2 << 62 | tail >> 2)

    def random(self, size: int) -> bytes:
        return secrets.token_bytes(size)
