"""A batch of appends as one transaction: decided in order, then written.

BEGIN IMMEDIATE; the head, the streams, keys and rows that the requests name are read, with one
query each; each request is decided in order, seeing the effect of those before it, a refused one
leaving no trace; then events, streams, keys, changed rows and the head are written.
"""

from __future__ import annotations

from asyncio import Future
from collections.abc import Sequence
from pathlib import Path

import apsw
import msgspec

from eventlog.clock import Clock
from eventlog.database import Bulk, Tables, open_database, run, sql_tables
from eventlog.errors import Conflict, KeyReused
from eventlog.framing import Frame
from eventlog.log import Appended, Guard, Kind, Recorded
from eventlog.view import Overlay, TableView


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


class Writer:
    """The writing connection, its statements, and what stays known between batches."""

    def __init__(
        self,
        path: Path,
        views: Sequence[TableView],
        clock: Clock,
        epoch: int,
        vfs: str | None,
    ) -> None:
        self.connection = open_database(path, vfs=vfs)
        self.clock = clock
        self.epoch = epoch
        self.tables = Tables(self.connection, sql_tables(views))
        self.overlay = Overlay(views, self.tables)
        self.types: dict[Kind, int] = {}
        self.events = Bulk(self.connection, "INSERT INTO event VALUES", 12)
        self.streams = Bulk(
            self.connection,
            "INSERT INTO stream VALUES",
            3,
            "ON CONFLICT (id) DO UPDATE SET ver = excluded.ver",
        )
        self.keys = Bulk(self.connection, "INSERT INTO idem VALUES", 5)
        self.bookmarks = Bulk(
            self.connection,
            "INSERT INTO bookmark VALUES",
            2,
            "ON CONFLICT (name) DO UPDATE SET pos = excluded.pos",
        )

    def commit(self) -> None:
        """Commit, which syncs the write-ahead log."""
        run(self.connection, "COMMIT")

    def rollback(self) -> None:
        """End the transaction, and forget what was known because of it."""
        self.overlay.clear()
        self.types.clear()
        if self.connection.in_transaction:
            run(self.connection, "ROLLBACK")


class Batch:
    """One transaction: what was read under the lock, and what is to be written."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._execute = writer.connection.execute
        self._overlay = writer.overlay
        self.answers: list[Answer] = []
        self.head = 0
        self._streams: dict[str, tuple[int, int]] = {}
        self._keys: dict[str, tuple[bytes, Appended]] = {}
        self._new_keys: list[tuple[str, bytes, int, int, int]] = []
        self._moved: dict[str, None] = {}
        self._rows: list[tuple[object, ...]] = []
        self._bookmarks: dict[str, int] = {}

    def place(self, batch: Sequence[Request]) -> bool:
        """Decide every request of `batch`; return whether there is something to commit."""
        run(self._writer.connection, "BEGIN IMMEDIATE")
        [(epoch, self.head, self._last_us, self._last_stream)] = self._execute(
            "SELECT epoch, pos, committed_us, streams FROM log_head"
        )
        if epoch != self._writer.epoch:
            raise RuntimeError("the set of views was changed by another process; start again")
        self._now = max(self._writer.clock.now_us(), self._last_us)
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
        if not self._rows and not self._bookmarks:
            return False
        self._write()
        return True

    def _load(self, batch: Sequence[Request]) -> None:
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
            (frame.decoded.event for request in batch for frame in request.frames),
            (guard for request in batch for guard in request.guards),
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
        number = self._writer.types.get(kind)
        if number is None:
            self._execute("INSERT OR IGNORE INTO type (name, schema) VALUES (?, ?)", kind)
            [(number,)] = self._execute("SELECT id FROM type WHERE name = ? AND schema = ?", kind)
            self._writer.types[kind] = number
        return number

    def _write(self) -> None:
        self._writer.events.run(self._rows)
        streams = self._streams
        self._writer.streams.run(
            [(number, name, version) for name in self._moved for number, version in [streams[name]]]
        )
        self._writer.keys.run(self._new_keys)
        self._writer.bookmarks.run(list(self._bookmarks.items()))
        for table, written, gone in self._overlay.changes():
            self._writer.tables.write(table, written, gone)
        self._execute(
            "UPDATE log_head SET pos = ?, committed_us = ?, streams = ?",
            (self.head, self._now if self._rows else self._last_us, self._last_stream),
        )
        self._execute("UPDATE view SET position = ?", (self.head,))
