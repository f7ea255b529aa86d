"""Proving that a log is whole: order, hashes, commitments, streams, and views equal to a rebuild.

Everything is read in one state of the log, which may be running.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import apsw

from eventlog.codec import (
    Undecodable,
    commitment,
    decode_data,
    decode_entry,
    encode_data,
    encode_entry,
    leaf_hash,
)
from eventlog.database import open_database, run, sql_tables
from eventlog.errors import CloudError
from eventlog.event import type_named
from eventlog.refold import Progress, Refold, differences
from eventlog.view import TableView

PAGE = 1000
FAULTS_MAX = 1000  # told one by one; the others are counted


class Fault(NamedTuple):
    """Something that is not as it was written; `position` is 0 where it is in no event."""

    position: int
    what: str


class Verified(NamedTuple):
    """What a verification found: nothing wrong if `fault_count` is 0."""

    head: int
    events: int
    views: tuple[str, ...]
    faults: list[Fault]
    fault_count: int


def verify(
    path: Path,
    views: Sequence[TableView] = (),
    *,
    progress: Progress | None = None,
    vfs: str | None = None,
) -> Verified:
    """Check the whole log at `path`, and the tables of `views`, without writing to it.

    Raises: NotALog.
    """
    connection = open_database(path, read_only=True, vfs=vfs)
    try:
        run(connection, "BEGIN")
        check = _Check(connection, progress or (lambda done, total: None))
        for part in (check.database, check.events, check.streams, check.head, check.keys):
            check.guarded(part)
        check.guarded(lambda: check.views(views))
        names = tuple(f"{view.name} v{view.version}" for view in views)
        return Verified(check.last, check.count, names, check.faults, check.fault_count)
    finally:
        connection.close()


class _Check:
    def __init__(self, connection: apsw.Connection, progress: Progress) -> None:
        self._connection = connection
        self._progress = progress
        self.faults: list[Fault] = []
        self.fault_count = 0
        self.count = 0
        self.last = 0
        self._versions: dict[int, int] = {}
        self._committed_us = 0

    def fault(self, position: int, what: str) -> None:
        self.fault_count += 1
        if len(self.faults) < FAULTS_MAX:
            self.faults.append(Fault(position, what))

    def guarded(self, part: Callable[[], None]) -> None:
        """Run a part of the check; a database that cannot be read is a fault, too."""
        try:
            part()
        except (apsw.Error, CloudError) as error:
            self.fault(0, f"the database cannot be read: {type(error).__name__}: {error}")

    def database(self) -> None:
        """SQLite's own structures: pages, b-trees, indexes against tables."""
        for (line,) in run(self._connection, f"PRAGMA integrity_check({FAULTS_MAX})"):
            if line != "ok":
                self.fault(0, f"database: {line}")

    def events(self) -> None:
        """Every event by itself and after the one before it."""
        total = self._one("SELECT pos FROM log_head") or 0
        self._kinds = {n: (name, v) for n, name, v in run(self._connection, "SELECT * FROM type")}
        self._names = dict(run(self._connection, "SELECT id, name FROM stream"))
        after: int | None = None
        while True:
            rows = run(
                self._connection,
                "SELECT * FROM event WHERE pos > ? ORDER BY pos LIMIT ?",
                (-1 << 62 if after is None else after, PAGE),
            )
            for row in rows:
                self._event(*row)
            if not rows:
                return
            after = rows[-1][0]
            self._progress(self.last, total)

    def _event(
        self,
        position: int,
        stream: int,
        version: int,
        kind: int,
        at_us: int,
        committed_us: int,
        event_id: bytes,
        entry: bytes,
        data: bytes | None,
        salt: bytes | None,
        _subject: str | None,
        leaf: bytes,
    ) -> None:
        self.count += 1
        if position != self.last + 1:
            missing = f"{self.last + 1} to {position - 1}"
            self.fault(position, f"positions {missing} are missing before it")
        self.last = position
        if leaf_hash(entry) != leaf:
            self.fault(position, "the leaf is not the hash of the entry")
        if committed_us < self._committed_us:
            self.fault(position, "it was committed before its predecessor")
        self._committed_us = max(committed_us, self._committed_us)
        expected = self._versions.get(stream, 0) + 1
        if version != expected:
            self.fault(position, f"it is version {version} of its stream, after {expected - 1}")
        self._versions[stream] = version
        name, schema = self._kinds.get(kind, ("?", 0))
        try:
            self._entry(
                position, entry, data, salt,
                stream=self._names.get(stream), type=name, schema=schema,
                event_id=event_id.hex(), at=at_us,
            )  # fmt: skip
            if data is not None:
                payload = decode_data(name, schema, data)
                known = type_named(name)
                if known and known.version == schema and encode_data(payload) != data:
                    self.fault(position, "the payload is not in canonical form")
        except Undecodable as error:
            self.fault(position, str(error))

    def _entry(
        self, position: int, stored: bytes, data: bytes | None, salt: bytes | None, **columns: Any
    ) -> None:
        entry = decode_entry(stored)
        if encode_entry(entry) != stored:
            self.fault(position, "the entry is not in canonical form")
        for field, value in columns.items():
            if getattr(entry, field) != value:
                said = getattr(entry, field)
                self.fault(position, f"{field} is {value!r}, but {said!r} in the entry")
        if data is None or salt is None:
            if data is not salt:
                self.fault(position, "payload and salt were not erased together")
            return
        if commitment(salt, data).hex() != entry.commit:
            self.fault(position, "the payload is not the one that the entry commits to")
        if len(data) != entry.size:
            self.fault(position, f"the payload has {len(data)} bytes, not {entry.size}")

    def streams(self) -> None:
        """Each stream's row against its events."""
        for number, name, version in run(self._connection, "SELECT * FROM stream"):
            found = self._versions.pop(number, 0)
            if found != version:
                self.fault(0, f"stream {name} is at version {version}, its events at {found}")
        for number in self._versions:
            self.fault(0, f"stream {number} has events but no row")

    def head(self) -> None:
        """The head row against the last event."""
        rows = run(self._connection, "SELECT pos, committed_us, streams FROM log_head")
        if len(rows) != 1:
            self.fault(0, "the log has no head")
            return
        [(position, committed_us, streams)] = rows
        if position != self.last:
            self.fault(0, f"the head is at {position}, the last event at {self.last}")
        if committed_us != self._committed_us:
            self.fault(0, "the head's commit time is not the last event's")
        if streams != (self._one("SELECT max(id) FROM stream") or 0):
            self.fault(0, "the head's count of streams is not that of the streams")

    def keys(self) -> None:
        """Idempotency keys point at events."""
        wrong = "SELECT key FROM idem WHERE first < 1 OR last < first OR last > ?"
        for (key,) in run(self._connection, wrong, (self.last,)):
            self.fault(0, f"idempotency key {key!r} points outside the log")

    def views(self, views: Sequence[TableView]) -> None:
        """The tables against a rebuild, byte for byte."""
        stored = {
            name: (version, position)
            for name, version, position in run(self._connection, "SELECT * FROM view")
        }
        current = []
        for view in views:
            version, position = stored.get(view.name, (0, 0))
            if version != view.version:
                self.fault(0, f"view {view.name} is v{version}, this program has v{view.version}")
            elif position != self.last:
                self.fault(0, f"view {view.name} is at {position}, the log at {self.last}")
            else:
                current.append(view)
        refold = Refold.temporary(self._connection, current)
        refold.fold(self.last, progress=self._progress)
        for wrong in differences(self._connection, sql_tables(current), refold.tables):
            how = "differs" if wrong.stored and wrong.folded else "is missing"
            if wrong.folded is None:
                how = "should not be there"
            self.fault(0, f"table {wrong.table}: the row of key {wrong.key.hex()} {how}")

    def _one(self, sql: str) -> Any:
        return self._connection.execute(sql).get
