"""The group committer: what queued during the last sync is the next batch.

The life of a batch:

1. the event loop takes the write lock at once if it is free, else a thread waits for it;
2. on the loop, what queued by then is decided and written in one transaction (`batch.py`);
3. the thread commits, which syncs, and releases the lock, while the loop runs on and requests
   queue;
4. on the loop, the next batch begins, then the answers of this one are handed out.

Everything but the waits is on the loop: a thread that shared that work would have to get the
interpreter's lock back from a busy loop at every statement, up to 5 ms each time, and every event
would travel between two processors' caches.

A full disk rolls the batch back and the log goes on. Any other failure from 2 to 3 fails the log
for good: after a failed sync nobody knows what is on the disk, so the process must exit, and the
next one recovers. A batch of which nothing was placed is rolled back, without a sync.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from pathlib import Path
from queue import SimpleQueue

import apsw

from eventlog.batch import Answer, Batch, Request, Writer
from eventlog.clock import Clock
from eventlog.database import WriteLock
from eventlog.errors import CloudError, LogBusy, LogFailed, LogFull
from eventlog.view import TableView

BATCH_MAX = 2000
BATCH_BYTES_MAX = 32 << 20
WAITING_MAX = 20_000
WAITING_BYTES_MAX = 64 << 20
ANSWERED_AT_ONCE = 128  # half of many clients frame their next append while the other half syncs


class Committer:
    """Owns the writing connection; belongs to the running event loop."""

    def __init__(
        self,
        path: Path,
        views: Sequence[TableView],
        clock: Clock,
        epoch: int,
        vfs: str | None,
        moved: Callable[[], None],
    ) -> None:
        """`moved` is called on the loop when the head has moved."""
        self.failure: str | None = None
        self._loop = asyncio.get_running_loop()
        self._moved = moved
        self._lock = WriteLock(path)
        self._writer = Writer(path, views, clock, epoch, vfs)
        self._pending: deque[Request] = deque()
        self._waiting = 0
        self._waiting_bytes = 0
        self._batch: list[Request] = []
        self._answers: list[Answer] = []
        self._busy = False  # from the attempt to lock until the answers
        self._idle: asyncio.Future[None] | None = None
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="log committer", daemon=True)
        self._thread.start()

    def submit(self, request: Request) -> None:
        """Queue an append, or a bookmark; its future is resolved when it is synced or refused.

        Raises: LogBusy, LogFailed.
        """
        if self.failure is not None:
            raise LogFailed(reason=self.failure)
        if self._waiting >= WAITING_MAX:
            raise LogBusy(waiting=self._waiting, limit=WAITING_MAX)
        if self._waiting_bytes + request.size_bytes > WAITING_BYTES_MAX and self._waiting:
            raise LogBusy(waiting=self._waiting_bytes, limit=WAITING_BYTES_MAX)
        self._waiting += 1
        self._waiting_bytes += request.size_bytes
        self._pending.append(request)
        if not self._busy:
            self._busy = True
            self._loop.call_soon(self._begin)  # with what else this turn of the loop brings

    async def stop(self) -> None:
        """Place what is queued, then end the thread and close the connection."""
        if self._busy:
            self._idle = self._loop.create_future()
            await self._idle
        self._jobs.put(None)
        await asyncio.to_thread(self._thread.join)
        # A log that failed may fail to close, too; that adds nothing.
        with nullcontext() if self.failure is None else suppress(apsw.Error):
            self._writer.connection.close()
        self._lock.close()

    def _begin(self) -> None:
        """Step 1: lock."""
        try:
            locked = self._lock.try_acquire()
        except OSError as error:
            self._lock_failed(error)
            return
        if locked:
            self._place()
        else:
            self._jobs.put(self._wait)

    def _wait(self) -> None:
        """Step 1, in the thread, where another process has the lock."""
        try:
            self._lock.acquire()
        except OSError as error:
            self._call(self._lock_failed, error)
        else:
            self._call(self._place)

    def _lock_failed(self, error: OSError) -> None:
        self._take()
        self._fail(f"lock: {error}")
        self._finish()

    def _place(self) -> None:
        """Step 2: one transaction, up to its commit."""
        self._take()
        batch = Batch(self._writer)
        try:
            if batch.place(self._batch):
                self._answers = batch.answers
                self._jobs.put(self._commit)
                return
        except Exception as error:
            self._refuse(error)
        else:
            self._answers = batch.answers
        self._roll_back()
        self._lock.release()
        self._finish()

    def _commit(self) -> None:
        """Step 3, in the thread: sync."""
        failure: Exception | None = None
        try:
            self._writer.commit()
        except Exception as error:
            failure = error
        else:
            self._lock.release()
        self._call(self._committed, failure)

    def _committed(self, failure: Exception | None) -> None:
        if failure is None:
            self._writer.overlay.clear()
            self._moved()
        else:
            self._refuse(failure)
            self._roll_back()
            self._lock.release()
        self._finish()

    def _finish(self) -> None:
        """Step 4: go on, then answer, so that the next sync and the answered clients overlap."""
        answers, self._answers = self._answers, []
        self._waiting -= len(self._batch)
        self._waiting_bytes -= sum(request.size_bytes for request in self._batch)
        self._batch = []
        if self.failure is not None:
            reason = self.failure
            answers += [(request.future, LogFailed(reason=reason)) for request in self._pending]
            self._waiting = self._waiting_bytes = 0
            self._pending.clear()
        self._busy = bool(self._pending)
        if self._busy:
            self._begin()
        elif self._idle is not None:
            self._idle.set_result(None)
        self._answer(answers, 0)

    def _answer(self, answers: list[Answer], start: int) -> None:
        end = start + ANSWERED_AT_ONCE
        for future, answer in answers[start:end]:
            if future.done():
                continue  # its caller gave up waiting
            if isinstance(answer, Exception):
                future.set_exception(answer)
            else:
                future.set_result(answer)
        if end < len(answers):
            # In the turn after next: those just answered run in the next one, and what they append
            # begins to sync before the others are woken.
            self._loop.call_soon(self._loop.call_soon, self._answer, answers, end)

    def _take(self) -> None:
        """Take the next batch from the queue."""
        size, pending = 0, self._pending
        while pending and len(self._batch) < BATCH_MAX and size < BATCH_BYTES_MAX:
            request = pending.popleft()
            self._batch.append(request)
            size += request.size_bytes

    def _refuse(self, failure: Exception) -> None:
        """Answer the whole batch after a failure of the database."""
        if isinstance(failure, apsw.FullError):
            self._refuse_all(lambda: LogFull())
        else:  # whatever it is, nobody knows what the disk holds
            self._fail(f"{type(failure).__name__}: {failure}")

    def _fail(self, reason: str) -> None:
        self.failure = reason
        self._refuse_all(lambda: LogFailed(reason=reason))

    def _refuse_all(self, error: Callable[[], CloudError]) -> None:
        self._answers = [(request.future, error()) for request in self._batch]

    def _roll_back(self) -> None:
        try:
            self._writer.rollback()
        except apsw.Error as error:
            self._fail(f"rollback: {error}")

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()

    def _call(self, done: Callable[..., None], *values: object) -> None:
        with suppress(RuntimeError):  # the loop was closed without closing the log
            self._loop.call_soon_threadsafe(done, *values)
