"""A device's own index of its volumes: which fragment is where, found by reading them.

The index may be lost at any moment: it is made anew from the volumes, and never believed: whoever
asks verifies what is at the place. It does not go through the Disk port since nothing depends on
its bytes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from threading import RLock
from typing import Any, NamedTuple, TypeVar

import apsw

from .disk import Disk, Handle
from .format import Fragment
from .identity import Watch
from .scan import Hole, Record
from .volume import Volumes

_SCHEMA_VERSION = 2
_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS fragment(
    blob BLOB, "index" INTEGER, volume INTEGER, "offset" INTEGER, length INTEGER,
    PRIMARY KEY (blob, "index", volume, "offset")) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS volume(
    number INTEGER PRIMARY KEY,
    birth BLOB,        -- tells it from a volume of the same number that a power cut took back
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


class _Seen(NamedTuple):
    """Up to where a volume was read."""

    birth: bytes
    position: int
    size: int


_T = TypeVar("_T")


class Index:
    """The index in an SQLite database beside the volumes; several processes may use it at once."""

    def __init__(self, disk: Disk, folder: str, volumes: Volumes, watch: Watch) -> None:
        self._disk, self._volumes, self._watch = disk, volumes, watch
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
        entered = self._enter(wait=True)
        assert entered
        try:
            yield
        finally:
            self._leave()

    def places(self, fragment: Fragment) -> list[Place]:
        """Return where a fragment was seen, latest first, without reading any volume."""
        return self._with(lambda db: self._places(db, fragment))

    def catch_up(self) -> None:
        """Read what was appended to any volume since the index was last brought up to date."""
        for number in self._volumes.numbers():
            # Volume by volume, so that those who wait for the lock get their turn.
            self._with(partial(self._catch_up, number=number))

    def position(self, number: int) -> int:
        """Return up to where a volume was read; 0 if never, or if somebody is at it just now.

        Never waits for those who read volumes: the thread that appends asks this.
        """
        if not self._enter(wait=False):
            return 0
        try:
            seen = self._with(partial(self._seen, number=number))
            return seen.position if seen and seen.birth == self._volumes.birth(number) else 0
        finally:
            self._leave()

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

    def _enter(self, *, wait: bool) -> bool:
        if not self._lock.acquire(blocking=wait):
            return False
        if self._depth == 0:
            try:
                self._locked = self._take_lock(wait=wait)
            except BaseException:
                self._lock.release()
                raise
            if self._locked is None:
                self._lock.release()
                return False
        self._depth += 1
        return True

    def _leave(self) -> None:
        self._depth -= 1
        if self._depth == 0:
            self._locked = None
        self._lock.release()

    def _take_lock(self, *, wait: bool) -> Handle | None:
        self._watch.check()  # nothing is ever made in a folder that is not the device
        try:
            handle = Handle(self._disk, self._disk.open(self._lock_path))
        except FileNotFoundError:
            try:
                handle = Handle(self._disk, self._disk.create(self._lock_path))
            except FileExistsError:
                handle = Handle(self._disk, self._disk.open(self._lock_path))
        return handle if self._disk.lock(handle.fd, wait=wait) else None

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

    def _seen(self, db: apsw.Connection, number: int) -> _Seen | None:
        rows = db.execute("SELECT birth, position, size FROM volume WHERE number = ?", (number,))
        row: Any = next(iter(rows.fetchall()), None)
        return _Seen(*row) if row else None

    def _catch_up(self, db: apsw.Connection, number: int) -> None:
        size, birth = self._volumes.size(number), self._volumes.birth(number)
        seen = self._seen(db, number)
        position = min(seen.position, size) if seen and seen.birth == birth else 0
        if seen == (birth, position, size):
            return
        rows: list[tuple[bytes, int, int, int, int]] = []
        with db:
            if not position:
                db.execute("DELETE FROM fragment WHERE volume = ?", (number,))
            for found in self._volumes.walk(number, position, size):
                if isinstance(found, Record):
                    header = found.header
                    rows.append((*header.fragment, number, found.offset, header.length))
                # A tail that does not verify may be one that is being written: it is read again.
                if isinstance(found, Record) or (isinstance(found, Hole) and found.marked):
                    position = found.end
                if len(rows) >= _ROWS_PER_STATEMENT:
                    self._insert(db, rows)
            self._insert(db, rows)
            db.execute(
                "INSERT OR REPLACE INTO volume VALUES (?, ?, ?, ?)", (number, birth, position, size)
            )

    def _insert(self, db: apsw.Connection, rows: list[tuple[bytes, int, int, int, int]]) -> None:
        db.executemany("INSERT OR REPLACE INTO fragment VALUES (?, ?, ?, ?, ?)", rows)
        rows.clear()


def _inode_of(path: str) -> int:
    """Return a file's inode, -1 where there is none."""
    try:
        return os.stat(path).st_ino
    except OSError:
        return -1
