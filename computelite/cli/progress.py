"""Progress of long work on a terminal: how much, how fast, how long still."""

from __future__ import annotations

import sys
from types import TracebackType

from computelite.control.messages import Progress
from eventlog.clock import Clock


class Meter:
    """One line on stderr that is drawn over; nothing where stderr is no terminal."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._start = clock.monotonic_s()
        self._first: Progress | None = None
        self._drawn = False

    def __enter__(self) -> Meter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._drawn:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def show(self, progress: Progress) -> None:
        """Draw how far it is now."""
        if not sys.stderr.isatty():
            return
        if self._first is None or self._first.what != progress.what:
            self._first, self._start = progress, self._clock.monotonic_s()
        elapsed = self._clock.monotonic_s() - self._start
        sys.stderr.write(
            "\r\x1b[K" + progress_line(progress, progress.done - self._first.done, elapsed)
        )
        sys.stderr.flush()
        self._drawn = True


def progress_line(progress: Progress, advanced: int, elapsed_s: float) -> str:
    """Return the line: `advanced` is what was done during `elapsed_s`."""
    rate = advanced / elapsed_s if elapsed_s > 0 else 0.0
    text = f"{progress.what}: {progress.done:,}"
    if progress.total:
        text += f" of {progress.total:,} ({100 * progress.done // progress.total} %)"
    text += f", {rate:,.0f}/s"
    if progress.total and rate > 0:
        left = int((progress.total - progress.done) / rate)
        text += f", {left // 3600}:{left // 60 % 60:02}:{left % 60:02} left"
    return text
