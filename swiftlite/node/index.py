"""A device's own index of its volumes: which fragment is where, found by reading them.

The index may be lost at any moment: it is made anew from the volumes, and never believed: whoever
asks verifies what is at the place. It does not go through the Disk port since nothing depends on
its bytes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import RLock
from typing import NamedTuple, TypeVar

import apsw

from .disk import Disk, Handle
from .format import Fragment
from .scan import Record
from .volume import Volumes

_SCHEMA_VERSION = 1
_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS fragment(
    blob BLOB, "index" INTEGER, volume INTEGER, "offset" INTEGER, length INTEGER,
    PRIMARY KEY (blob, "index", volume, "offset")) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS volume(
    number INTEGER PRIMARY KEY,
    position INTEGER,  -- all before it was read, and the last of it was a whole record or a hole
    size INTEGER);     -- how long the volume was when it was read
PRAGMA user_version = {_SCHEMA_VERSION};
"""
_ROWS_PER_STATEMENT = 1000


class Place(NamedTuple):
    """Where an image stands."""

    volume: int
    offset: int
    length: int


_T = TypeVar("_T")


class Index:
    """The index in an SQLite database beside the volumes; several processes may use it at once."""

    def __init__(self, disk: Disk, folder: str, volumes: Volumes) -> None:
        self._disk, self._volumes = disk, volumes
        self._path = os.path.join(folder, "index.db")
        self._lock_path = os.path.join(folder, "index.lock")
        self._lock = RLock()
        self._depth = 0
        self._locked: Handle | None = None
        self._db: apsw.Connection | None = None
        self._inode = 0

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Keep other threads and processes out of the index, and from sweeping the volumes."""
        with self._lock:
            if self._depth == 0:
                self._locked = self._take_lock()
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
                if self._depth == 0:
                    self._locked = None

    def places(self, fragment: Fragment) -> list[Place]:
        """Return where a fragment was seen, latest first, without reading any volume."""
        return self._with(lambda db: self._places(db, fragment))

    def catch_up(self) -> None:
        """Read what was appended to any volume since the index was last brought up to date."""
        self._with(self._catch_up)

    def position(self, number: int) -> int:
        """Return up to where a volume was read; 0 if never."""

        def ask(db: apsw.Connection) -> int:
            rows = list(db.execute("SELECT position FROM volume WHERE number = ?", (number,)))
            return rows[0][0] if rows else 0

        return self._with(ask)

    def forget(self, fragment: Fragment, place: Place) -> None:
        """Take one place out of the index."""
        self._with(
            lambda db: db.execute(
                'DELETE FROM fragment WHERE blob = ? AND "index" = ? AND volume = ?'
                ' AND "offset" = ?',
                (*fragment, place.volume, place.offset),
            )
        )

    def close(self) -> None:
        """Let go of the database."""
        with self._lock:
            if self._db is not None:
                self._db.close()
                self._db = None

    def _take_lock(self) -> Handle:
        try:
            handle = Handle(self._disk, self._disk.open(self._lock_path))
        except FileNotFoundError:
            try:
                handle = Handle(self._disk, self._disk.create(self._lock_path))
            except FileExistsError:
                handle = Handle(self._disk, self._disk.open(self._lock_path))
        self._disk.lock(handle.fd, wait=True)
        return handle

    def _with(self, work: Callable[[apsw.Connection], _T]) -> _T:
        """Do something with the database; where it proves unusable, with a new one.

        The last resort, on a disk that is full or read-only, is one in memory.
        """
        with self.exclusive():
            for attempt in (self._opened, self._made_anew):
                try:
                    return work(attempt())
                except (apsw.Error, UnicodeDecodeError):
                    continue
            return work(self._made_in_memory())

    def _opened(self) -> apsw.Connection:
        if self._db is not None:
            if self._inode == _inode_of(self._path) or not self._inode:
                return self._db
            self.close()  # somebody removed it, or found it broken and made a new one
        self._db = db = apsw.Connection(self._path)
        db.set_busy_timeout(10_000)
        db.execute("PRAGMA journal_mode = WAL").fetchall()
        # NORMAL: after a power cut the rows and the positions still fit each other.
        db.execute("PRAGMA synchronous = NORMAL").fetchall()
        if db.pragma("user_version") != _SCHEMA_VERSION:
            db.execute("DROP TABLE IF EXISTS fragment; DROP TABLE IF EXISTS volume;" + _SCHEMA)
        self._inode = _inode_of(self._path)
        return db

    def _made_anew(self) -> apsw.Connection:
        self.close()
        try:
            # The database first: SQLite ignores a journal without one.
            for suffix in ("", "-wal", "-shm"):
                if os.path.exists(self._path + suffix):
                    os.unlink(self._path + suffix)
        except OSError:
            return self._made_in_memory()
        return self._opened()

    def _made_in_memory(self) -> apsw.Connection:
        self.close()
        self._db, self._inode = apsw.Connection(":memory:"), 0
        self._db.execute(_SCHEMA)
        return self._db

    def _places(self, db: apsw.Connection, fragment: Fragment) -> list[Place]:
        rows = db.execute(
            'SELECT volume, "offset", length FROM fragment WHERE blob = ? AND "index" = ?'
            ' ORDER BY volume DESC, "offset" DESC',
            tuple(fragment),
        )
        return [Place(*row) for row in rows]

    def _catch_up(self, db: apsw.Connection) -> None:
        seen = {number: (position, size) for number, position, size in db.execute(
            "SELECT number, position, size FROM volume")}  # fmt: skip
        for number in self._volumes.numbers():
            position, before = seen.get(number, (0, -1))
            size = self._volumes.size(number)
            if size != before:
                self._read(db, number, min(position, size), size)

    def _read(self, db: apsw.Connection, number: int, position: int, size: int) -> None:
        rows = []
        with db:
            for found in self._volumes.walk(number, position, size):
                if isinstance(found, Record):
                    header = found.header
                    rows.append((*header.fragment, number, found.offset, header.length))
                    position = found.end
                if len(rows) >= _ROWS_PER_STATEMENT:
                    self._insert(db, rows)
            self._insert(db, rows)
            # A tail that does not verify may be one that is being written: it is read again.
            db.execute("INSERT OR REPLACE INTO volume VALUES (?, ?, ?)", (number, position, size))

    def _insert(self, db: apsw.Connection, rows: list[tuple[bytes, int, int, int, int]]) -> None:
        db.executemany("INSERT OR REPLACE INTO fragment VALUES (?, ?, ?, ?, ?)", rows)
        rows.clear()


def _inode_of(path: str) -> int:
    """Return a file's inode, -1 where there is none."""
    try:
        return os.stat(path).st_ino
    except OSError:
        return -1
