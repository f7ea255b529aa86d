"""Progress of long work on a terminal: how much, how fast, how long still."""

from __future__ import annotations

import sys

from eventlog.clock import Clock, SystemClock

DRAWN_EVERY_S = 0.2


class Meter:
    """One line on stderr that is drawn over; nothing where stderr is no terminal."""

    def __init__(self, what: str, clock: Clock | None = None) -> None:
        self._what = what
        self._clock = clock or SystemClock()
        self._start = self._drawn = self._clock.monotonic_s()
        self._first: int | None = None
        self._visible = False

    def __call__(self, done: int, total: int) -> None:
        """Draw how far it is now, not more often than an eye can follow."""
        now = self._clock.monotonic_s()
        if self._first is None or done < self._first:
            self._first, self._start = done, now
        if not sys.stderr.isatty() or now - self._drawn < DRAWN_EVERY_S:
            return
        self._drawn = now
        line = meter_line(self._what, done, total, done - self._first, now - self._start)
        sys.stderr.write("\r\x1b[K" + line)
        sys.stderr.flush()
        self._visible = True

    def close(self) -> None:
        """Take the line away."""
        if self._visible:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


def meter_line(what: str, done: int, total: int, advanced: int, elapsed_s: float) -> str:
    """Return the line: `advanced` of `done` fell into the last `elapsed_s`."""
    rate = advanced / elapsed_s if elapsed_s > 0 else 0.0
    text = f"{what}: {done:,}"
    if total:
        text += f" of {total:,} ({100 * done // total} %)"
    text += f", {rate:,.0f}/s"
    if total and rate > 0:
        left = max(0, int((total - done) / rate))
        text += f", {left // 3600}:{left // 60 % 60:02}:{left % 60:02} left"
    return text
