"""The group committer: one thread per process that places what queued during the last sync.

The life of a batch:

1. wait for a request, then for the write lock (a blocking file lock), then take what queued;
2. BEGIN IMMEDIATE; read the head, the streams and the rows that the requests name;
3. decide each request in order, seeing the effect of those before it; a refused one takes no
   position and leaves no trace;
4. insert the events, fold them into the views, write the changed rows, move the head;
5. COMMIT, which syncs the write-ahead log; release the lock;
6. hand every answer to the event loop in one call.

A full disk rolls the batch back and the log goes on. Any other failure from 2 to 5 fails the log
for good: after a failed sync nobody knows what is on the disk, so the process must exit, and the
next one recovers. A batch of which nothing was placed is rolled back, without a sync.
"""

from __future__ import annotations

import threading
from asyncio import Future
from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from pathlib import Path
from queue import Empty, SimpleQueue

import apsw
import msgspec

from eventlog.clock import Clock
from eventlog.database import Bulk, Tables, WriteLock, open_database, run, sql_tables
from eventlog.errors import Conflict, KeyReused, LogFailed, LogFull
from eventlog.framing import Frame
from eventlog.log import Appended, Guard, Kind, Recorded
from eventlog.view import Overlay, TableView

BATCH_MAX = 2000  # requests; from there on nothing more is added
BATCH_BYTES_MAX = 32 << 20


class Request(msgspec.Struct):
    """One append, framed, with the future that waits for its answer."""

    stream: str
    frames: Sequence[Frame]
    expect: int | None
    key: str | None
    hash: bytes
    guards: Sequence[Guard]
    subject: str | None
    size_bytes: int
    future: Future[Appended]
    bookmark: tuple[str, int] | None = None


Answer = tuple["Future[Appended]", Appended | Exception]


class Committer:
    """Owns the writing connection and the thread that uses it."""

    def __init__(
        self,
        path: Path,
        views: Sequence[TableView],
        clock: Clock,
        epoch: int,
        deliver: Callable[[list[Answer], int, int], None],
        vfs: str | None,
    ) -> None:
        self._queue: SimpleQueue[list[Request] | None] = SimpleQueue()
        self._clock = clock
        self._epoch = epoch
        self._deliver = deliver
        self._lock = WriteLock(path)
        self._connection = open_database(path, vfs=vfs)
        self._tables = Tables(self._connection, sql_tables(views))
        self._overlay = Overlay(views, self._tables)
        self._types: dict[Kind, int] = {}
        self._events = Bulk(self._connection, "INSERT INTO event VALUES", 12)
        self._streams = Bulk(
            self._connection,
            "INSERT INTO stream VALUES",
            3,
            "ON CONFLICT (id) DO UPDATE SET ver = excluded.ver",
        )
        self._keys = Bulk(self._connection, "INSERT INTO idem VALUES", 5)
        self._bookmarks = Bulk(
            self._connection,
            "INSERT INTO bookmark VALUES",
            2,
            "ON CONFLICT (name) DO UPDATE SET pos = excluded.pos",
        )
        self.failure: str | None = None
        self._thread = threading.Thread(target=self._run, name="log committer", daemon=True)
        self._thread.start()

    def submit(self, requests: list[Request]) -> None:
        """Queue appends, at least one; their futures are resolved on the event loop."""
        self._queue.put(requests)

    def stop(self) -> None:
        """Place what is queued, then end the thread and close the connection."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        stopping = False
        try:
            while not stopping:
                first = self._queue.get()
                if first is None:
                    break
                batch = first
                if self.failure is None:
                    try:
                        with self._lock:
                            stopping = self._drain(batch)
                            answers, head = self._commit(batch)
                    except OSError as error:
                        answers, head = self._failed(batch, f"lock: {error}"), 0
                else:
                    answers, head = self._failed(batch, self.failure), 0
                self._deliver(answers, head, sum(request.size_bytes for request in batch))
        finally:
            # A log that failed may fail to close, too; that adds nothing.
            with nullcontext() if self.failure is None else suppress(apsw.Error):
                self._connection.close()
            self._lock.close()

    def _drain(self, batch: list[Request]) -> bool:
        size = sum(request.size_bytes for request in batch)
        try:
            while len(batch) < BATCH_MAX and size < BATCH_BYTES_MAX:
                requests = self._queue.get_nowait()
                if requests is None:
                    return True
                batch += requests
                size += sum(request.size_bytes for request in requests)
        except Empty:
            pass
        return False

    def _commit(self, batch: list[Request]) -> tuple[list[Answer], int]:
        """Return the answer of every request of the batch, and the new head (0: unknown)."""
        answers: list[Answer]
        try:
            work = _Batch(self)
            work.place(batch)
            return work.answers, work.head
        except apsw.FullError:
            answers = [(request.future, LogFull()) for request in batch]
        except Exception as error:  # whatever it is, nobody knows what the disk holds
            answers = self._failed(batch, f"{type(error).__name__}: {error}")
        try:
            self.rollback()
        except apsw.Error as error:
            answers = self._failed(batch, f"rollback: {error}")
        return answers, 0

    def rollback(self) -> None:
        """End the transaction, and forget what was known because of it."""
        self._overlay.clear()
        self._types.clear()
        if self._connection.in_transaction:
            run(self._connection, "ROLLBACK")

    def _failed(self, batch: list[Request], reason: str) -> list[Answer]:
        self.failure = reason
        return [(request.future, LogFailed(reason=reason)) for request in batch]


class _Batch:
    """One transaction: what was read under the lock, and what is to be written."""

    def __init__(self, committer: Committer) -> None:
        self._c = committer
        self._execute = committer._connection.execute
        self._overlay = committer._overlay
        self.answers: list[Answer] = []
        self.head = 0
        self._streams: dict[str, tuple[int, int]] = {}
        self._keys: dict[str, tuple[bytes, Appended]] = {}
        self._new_keys: list[tuple[str, bytes, int, int, int]] = []
        self._moved: dict[str, None] = {}
        self._rows: list[tuple[object, ...]] = []
        self._bookmarks: dict[str, int] = {}

    def place(self, batch: list[Request]) -> None:
        run(self._c._connection, "BEGIN IMMEDIATE")
        [(epoch, self.head, self._last_us, self._last_stream)] = self._execute(
            "SELECT epoch, pos, committed_us, streams FROM log_head"
        )
        if epoch != self._c._epoch:
            raise RuntimeError("the set of views was changed by another process; start again")
        self._now = max(self._c._clock.now_us(), self._last_us)
        self._load(batch)
        overlay, answers, decide = self._overlay, self.answers, self._decide
        for request in batch:
            mark = overlay.mark()
            try:
                answers.append((request.future, decide(request)))
            except apsw.Error:
                raise
            except Exception as error:  # a guard's refusal, or a view's bug: this request's alone
                overlay.undo(mark)
                answers.append((request.future, error))
        if self._rows or self._bookmarks:
            self._write()
            run(self._c._connection, "COMMIT")
            overlay.clear()
        else:
            self._c.rollback()

    def _load(self, batch: list[Request]) -> None:
        """Read, with one query per table, what the batch's requests name."""
        names = tuple({request.stream for request in batch})
        for name, number, version in self._execute(
            "SELECT name, id, ver FROM stream WHERE name IN carray(?)", (apsw.carray(names),)
        ):
            self._streams[name] = (number, version)
        keys = tuple({request.key for request in batch if request.key is not None})
        if keys:
            for key, hashed, *placed in self._execute(
                "SELECT key, hash, first, last, idem.ver, committed_us FROM idem"
                " JOIN event ON pos = last WHERE key IN carray(?)",
                (apsw.carray(keys),),
            ):
                self._keys[key] = (hashed, Appended(*placed))
        self._overlay.prefetch(
            [frame.decoded.event for request in batch for frame in request.frames],
            [guard for request in batch for guard in request.guards],
        )

    def _decide(self, request: Request) -> Appended:
        if request.bookmark is not None:
            name, position = request.bookmark
            self._bookmarks[name] = position
            return Appended(0, 0, 0, self._now)
        if request.key is not None and request.key in self._keys:
            hashed, before = self._keys[request.key]
            if hashed != request.hash:
                raise KeyReused(key=request.key)
            return before
        stream, version = self._streams.get(request.stream, (0, 0))
        if request.expect is not None and request.expect != version:
            raise Conflict(stream=request.stream, expected=request.expect, actual=version)
        for guard in request.guards:
            guard.check(self._overlay.rows)
        number = stream or self._last_stream + 1
        overlay, now, name, subject = self._overlay, self._now, request.stream, request.subject
        position = self.head
        rows = []
        for frame in request.frames:
            position += 1
            version += 1
            if overlay.shows(frame.decoded.event):
                overlay.evolve(
                    frame.decoded.event,
                    Recorded(
                        position, name, version, frame.kind, frame.at_us, now, frame.event_id,
                        frame.entry, frame.data, frame.salt, subject, frame.decoded,
                    ),
                )  # fmt: skip
            rows.append(
                (
                    position, number, version, self._type_id(frame.kind), frame.at_us, now,
                    frame.event_id, frame.entry, frame.data, frame.salt, subject, frame.leaf,
                )
            )  # fmt: skip
        placed = Appended(self.head + 1, position, version, now)
        if not stream:
            self._last_stream = number
        self._streams[name] = (number, version)
        self._moved[name] = None
        self._rows += rows
        self.head = position
        if request.key is not None:
            self._keys[request.key] = (request.hash, placed)
            self._new_keys.append((request.key, request.hash, *placed[:3]))
        return placed

    def _type_id(self, kind: Kind) -> int:
        number = self._c._types.get(kind)
        if number is None:
            self._execute("INSERT OR IGNORE INTO type (name, schema) VALUES (?, ?)", kind)
            [(number,)] = self._execute("SELECT id FROM type WHERE name = ? AND schema = ?", kind)
            self._c._types[kind] = number
        return number

    def _write(self) -> None:
        self._c._events.run(self._rows)
        streams = self._streams
        self._c._streams.run(
            [(number, name, version) for name in self._moved for number, version in [streams[name]]]
        )
        self._c._keys.run(self._new_keys)
        self._c._bookmarks.run(list(self._bookmarks.items()))
        for table, written, gone in self._overlay.changes():
            self._c._tables.write(table, written, gone)
        self._execute(
            "UPDATE log_head SET pos = ?, committed_us = ?, streams = ?",
            (self.head, self._now if self._rows else self._last_us, self._last_stream),
        )
        self._execute("UPDATE view SET position = ?", (self.head,))
