"""The writer of one process's access records: buffered, in the background, within bounds.

    add -> pending (at most PENDING_BYTES, else counted as lost) -> every FLUSH_S one write, in a
    thread -> the hour's segment -> synced when it is full, its hour is over, or the process ends

So a process that is killed loses what the last FLUSH_S brought, a host that loses power what its
kernel had not written yet: access records are not state.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import AsyncIterator, Collection, Sequence
from itertools import groupby
from pathlib import Path

from eventlog.clock import Clock, Ids
from eventlog.records.record import Kind, Record, line_of
from eventlog.records.segments import SEGMENT_BYTES, hour_of

log = logging.getLogger(__name__)

FLUSH_S = 0.25
RETRY_S = 5.0  # after a write that failed
PENDING_BYTES = 1 << 20
_WORD_EVERY_S = 60.0


class RecordWriter:
    """Implements the port `Records` with a folder of segments."""

    def __init__(
        self, folder: Path, name: str, *, kinds: Collection[Kind], clock: Clock, ids: Ids
    ) -> None:
        """Not for callers: see `open`."""
        self._folder = folder
        self._name = name
        self._kinds = frozenset(kinds)
        self._clock = clock
        self._ids = ids
        self._pending: list[tuple[str, bytes]] = []  # the hour and the line
        self._pending_bytes = 0
        self._lost = 0
        self._some = asyncio.Event()
        self._writing = asyncio.Lock()
        self._path = folder
        self._fd = -1  # of the segment in use
        self._hour = ""
        self._written = 0  # bytes of it
        self._next_word_s = 0.0  # when failures are logged again

    @classmethod
    @contextlib.asynccontextmanager
    async def open(
        cls, folder: Path, name: str, *, kinds: Collection[Kind], clock: Clock, ids: Ids
    ) -> AsyncIterator[RecordWriter]:
        """Take records of these kinds while the context lasts; `name` is the process's.

        At its end all that was taken is written and synced.
        """
        writer = cls(folder, name, kinds=kinds, clock=clock, ids=ids)
        task = asyncio.create_task(writer._run(), name="access records")
        try:
            yield writer
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            await writer._flush()
            await asyncio.to_thread(writer._end_segment)

    def wants(self, kind: Kind) -> bool:
        return kind in self._kinds

    def add(self, record: Record) -> None:
        if record.kind not in self._kinds:
            return
        line = line_of(record)
        if self._pending_bytes + len(line) > PENDING_BYTES:
            self._lost += 1
            return
        self._pending.append((hour_of(record.at_us), line))
        self._pending_bytes += len(line)
        self._some.set()

    async def _run(self) -> None:
        while True:
            await self._some.wait()
            await asyncio.sleep(FLUSH_S)
            self._some.clear()
            # A write that is under way ends, also when this is cancelled.
            if not await asyncio.shield(asyncio.ensure_future(self._flush())):
                await asyncio.sleep(RETRY_S)

    async def _flush(self) -> bool:
        """Write what is pending; return whether that went well."""
        async with self._writing:
            return await self._flush_alone()

    async def _flush_alone(self) -> bool:
        lines, self._pending = self._pending, []
        self._pending_bytes = 0
        lost, self._lost = self._lost, 0
        if lost:
            lines.append(self._word_of_loss(lost))
        if not lines:
            return True
        try:
            await asyncio.to_thread(self._write, lines)
        except OSError as error:
            self._lost += lost + len(lines) - (1 if lost else 0)
            self._some.set()  # so that the loss is told, even if nothing follows
            self._complain(error)
            return False
        return True

    def _write(self, lines: Sequence[tuple[str, bytes]]) -> None:
        """Write all of it. Raises: OSError; the segment is given up then, since it may be torn."""
        for hour, some in groupby(lines, key=lambda pair: pair[0]):
            content = b"".join(line for _, line in some)
            if hour != self._hour or self._written >= SEGMENT_BYTES:
                self._end_segment()
            if self._fd < 0:
                self._begin_segment(hour)
            try:
                self._written += len(content)
                left = memoryview(content)
                while left:
                    left = left[os.write(self._fd, left) :]
            except OSError:
                self._end_segment()
                raise

    def _begin_segment(self, hour: str) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path = self._folder / f"{hour}-{self._name}-{self._ids.uuid7().hex()}.jsonl"
        self._fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self._hour, self._written = hour, 0

    def _end_segment(self) -> None:
        if self._fd < 0:
            return
        try:
            if os.fstat(self._fd).st_size == 0:  # on a full disk
                self._path.unlink(missing_ok=True)
            os.fdatasync(self._fd)
        except OSError as error:
            self._complain(error)
        finally:
            os.close(self._fd)
            self._fd = -1

    def _word_of_loss(self, count: int) -> tuple[str, bytes]:
        now_us = self._clock.now_us()
        reason = "there were too many at once, or they could not be written"
        return hour_of(now_us), line_of(
            Record(at_us=now_us, kind=Kind.LOST, count=count, reason=reason)
        )

    def _complain(self, error: OSError) -> None:
        now_s = self._clock.monotonic_s()
        if now_s >= self._next_word_s:
            self._next_word_s = now_s + _WORD_EVERY_S
            log.warning("access records cannot be written: %s", error)
