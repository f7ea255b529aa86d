"""The log's SQLite file: how it is opened, laid out and asked."""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import resources
from itertools import chain
from pathlib import Path
from typing import Any

import apsw
import msgspec

from eventlog.errors import CloudError, Corrupt, LogFull, Refused, Unavailable
from eventlog.view import TableView

SQLITE_VERSION_MIN = (3, 51, 3)  # older ones can corrupt a WAL that is reset under a reader
APPLICATION_ID = 0x43554D4C  # "CUML", so that a foreign database is refused
FORMAT = 1
PAGE_SIZE = 8192
CACHE_KIB = 64 * 1024
BUSY_TIMEOUT_MS = 10_000  # only recovery after a crash makes anyone wait here
STATEMENTS_CACHED = 512

TABLE = re.compile(r"[a-z][a-z0-9_]*")
VIEW = re.compile(r"[a-z]+(_[a-z]+)*")  # no digits: a table's name holds view, version, table


class NotALog(Refused):
    """{path} is not an event log: {reason}."""


class Damaged(Corrupt):
    """The log's database is damaged: {reason}."""


class LogUnreadable(Unavailable):
    """The log cannot be read: {reason}."""


@contextmanager
def translated() -> Iterator[None]:
    """Raise what SQLite raises in the body as an error of ours, named for who must act."""
    try:
        yield
    except apsw.Error as error:
        raise error_from(error) from error


def error_from(error: apsw.Error) -> CloudError:
    """Return SQLite's error as one of ours."""
    reason = f"{type(error).__name__}: {error}"
    if isinstance(error, apsw.CorruptError | apsw.NotADBError):
        return Damaged(reason=reason)
    if isinstance(error, apsw.FullError):
        return LogFull()
    return LogUnreadable(reason=reason)


def open_database(
    path: Path, *, read_only: bool = False, vfs: str | None = None
) -> apsw.Connection:
    """Return a connection to the log at `path`, which must be one, or empty.

    Raises: NotALog.
    """
    version = tuple(int(part) for part in apsw.sqlite_lib_version().split("."))
    if version < SQLITE_VERSION_MIN:
        raise NotALog(path=path, reason=f"SQLite {apsw.sqlite_lib_version()} is too old to trust")
    if read_only and not path.exists():
        raise NotALog(path=path, reason="there is no such file")
    try:
        return _open(path, read_only, vfs)
    except apsw.NotADBError as error:
        raise NotALog(path=path, reason="it is not an SQLite database") from error
    except apsw.CantOpenError as error:
        raise NotALog(path=path, reason=f"it cannot be opened ({error})") from error
    except apsw.Error as error:
        raise error_from(error) from error


def _open(path: Path, read_only: bool, vfs: str | None) -> apsw.Connection:
    flags = (
        apsw.SQLITE_OPEN_READONLY
        if read_only
        else apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
    )
    connection = apsw.Connection(
        str(path), flags=flags, vfs=vfs, statementcachesize=STATEMENTS_CACHED
    )
    try:
        connection.set_busy_timeout(BUSY_TIMEOUT_MS)
        empty = connection.pragma("schema_version") == 0
        application = connection.pragma("application_id")
        form = connection.pragma("user_version")
        if application != APPLICATION_ID and (read_only or not empty):
            raise NotALog(path=path, reason="it is a database of something else, or empty")
        if form != FORMAT and not empty:
            raise NotALog(path=path, reason=f"its format is {form}; this program reads {FORMAT}")
        if not read_only:
            connection.pragma("page_size", PAGE_SIZE)
            connection.pragma("journal_mode", "wal")
            connection.pragma("synchronous", "full")
        connection.pragma("mmap_size", 0)
        connection.pragma("wal_autocheckpoint", 0)
        connection.pragma("cache_size", -CACHE_KIB)
    except BaseException:
        connection.close()
        raise
    return connection


def create_schema(connection: apsw.Connection) -> None:
    """Lay out an empty database, in the caller's transaction; do nothing if it is laid out."""
    if connection.pragma("schema_version") != 0:
        return
    run(connection, resources.files("eventlog").joinpath("sql/schema.sql").read_text())
    connection.pragma("application_id", APPLICATION_ID)
    connection.pragma("user_version", FORMAT)


def run(
    connection: apsw.Connection, sql: str, bindings: Sequence[Any] = ()
) -> list[tuple[Any, ...]]:
    """Execute `sql` to its end and return all rows."""
    return connection.execute(sql, bindings).fetchall()


@contextmanager
def writing(connection: apsw.Connection) -> Iterator[None]:
    """Run the body in one write transaction, committed if it returns, else rolled back."""
    run(connection, "BEGIN IMMEDIATE")
    try:
        yield
        run(connection, "COMMIT")
    except BaseException:
        if connection.in_transaction:
            run(connection, "ROLLBACK")
        raise


class WriteLock:
    """The order of the writing processes: a blocking file lock, taken before BEGIN IMMEDIATE.

    SQLite's own waiting is sleep and retry. There are two locks in a row, so that whoever just
    let go of the log cannot overtake a process that already waits for it.
    """

    def __init__(self, path: Path) -> None:
        self._turn = os.open(f"{path}.turn", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._lock = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def acquire(self) -> None:
        """Wait for the lock, and take it."""
        fcntl.flock(self._turn, fcntl.LOCK_EX)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX)
        finally:
            fcntl.flock(self._turn, fcntl.LOCK_UN)

    def try_acquire(self) -> bool:
        """Take the lock if nobody has it or waits for it; return whether it was taken."""
        try:
            fcntl.flock(self._turn, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        finally:
            fcntl.flock(self._turn, fcntl.LOCK_UN)
        return True

    def release(self) -> None:
        """Let go of the lock."""
        fcntl.flock(self._lock, fcntl.LOCK_UN)

    def __enter__(self) -> None:
        self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()

    def close(self) -> None:
        """Let go of the lock files; a lock that is held is released."""
        os.close(self._lock)
        os.close(self._turn)


@contextmanager
def rebuilding(path: Path) -> Iterator[None]:
    """Keep other rebuilds waiting: all of them fold into tables of the same names."""
    fd = os.open(f"{path}.rebuild", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def sql_tables(views: Iterable[TableView]) -> dict[str, str]:
    """Return the SQL table of each view table, by its name, which no two views may share."""
    tables: dict[str, str] = {}
    for view in views:
        assert VIEW.fullmatch(view.name), f"{view.name!r} is no view name"
        for table, row in view.tables.items():
            assert TABLE.fullmatch(table), f"{table!r} is no table name"
            assert table not in tables, f"two views have a table {table}"
            assert row.__struct_config__.array_like, f"{row.__name__} must be array_like"
            assert row.__struct_config__.frozen, f"{row.__name__} must be frozen"
            tables[table] = f"v_{view.name}_{view.version}_{table}"
    return tables


def create_table(connection: apsw.Connection, sql_table: str) -> None:
    """Create an empty table of keys and rows."""
    run(
        connection,
        f"CREATE TABLE {sql_table} (key BLOB PRIMARY KEY, value BLOB NOT NULL)"
        " STRICT, WITHOUT ROWID",
    )


class Tables:
    """View tables in SQL: what overlays and queries read, and where changes go."""

    def __init__(self, connection: apsw.Connection, tables: Mapping[str, str]) -> None:
        self._connection = connection
        self._one: dict[str, str] = {}
        self._many: dict[str, str] = {}
        self._delete: dict[str, str] = {}
        self._upsert: dict[str, Bulk] = {}
        self._sql = dict(tables)
        for table, sql in tables.items():
            self._one[table] = f"SELECT value FROM {sql} WHERE key = ?"
            self._many[table] = f"SELECT key, value FROM {sql} WHERE key IN carray(?)"
            self._delete[table] = f"DELETE FROM {sql} WHERE key IN carray(?)"
            self._upsert[table] = Bulk(
                connection,
                f"INSERT INTO {sql} (key, value) VALUES",
                2,
                "ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            )

    def get(self, table: str, key: bytes) -> bytes | None:
        """Return the encoded row of `key`."""
        value: bytes | None = self._connection.execute(self._one[table], (key,)).get
        return value

    def load(self, table: str, keys: Sequence[bytes]) -> Iterable[tuple[bytes, bytes]]:
        if len(keys) == 1:
            value = self.get(table, keys[0])
            return () if value is None else ((keys[0], value),)
        return run(self._connection, self._many[table], (apsw.carray(tuple(keys)),))

    def range(
        self, table: str, lo: bytes, hi: bytes | None, limit: int, reverse: bool
    ) -> list[tuple[bytes, bytes]]:
        below = "" if hi is None else "AND key < ?2"
        order = "DESC" if reverse else "ASC"
        sql = (
            f"SELECT key, value FROM {self._sql[table]} WHERE key >= ?1 {below}"
            f" ORDER BY key {order} LIMIT ?3"
        )
        return run(self._connection, sql, (lo, hi, limit))

    def write(self, table: str, rows: Sequence[tuple[bytes, bytes]], gone: Sequence[bytes]) -> None:
        """Upsert `rows` and delete the keys `gone`."""
        self._upsert[table].run(rows)
        if gone:
            run(self._connection, self._delete[table], (apsw.carray(tuple(gone)),))


class Bulk:
    """Inserts rows many at a time.

    SQLite runs without the interpreter's lock, one step a statement, and getting that lock back
    from a busy event loop takes up to a switch interval: with a statement per row a batch would
    crawl. So the rows go in statements of 256, 128, 64 or 32 rows, and the rest in one more; each
    text is cached.
    """

    SIZES = (256, 128, 64, *range(32, 0, -1))

    def __init__(
        self, connection: apsw.Connection, head: str, columns: int, tail: str = ""
    ) -> None:
        self._execute = connection.execute
        row = "(" + ",".join("?" * columns) + ")"
        self._sql = {size: f"{head} {','.join([row] * size)} {tail}" for size in self.SIZES}

    def run(self, rows: Sequence[tuple[Any, ...]]) -> None:
        """Insert `rows`."""
        start, left = 0, len(rows)
        while left:
            size = left if left in self._sql else next(n for n in self.SIZES if n < left)
            part = rows[start : start + size]
            self._execute(self._sql[size], tuple(chain.from_iterable(part))).fetchall()
            start += size
            left -= size


def row_decoders(views: Iterable[TableView]) -> dict[str, msgspec.msgpack.Decoder[Any]]:
    """Return the decoder of each view table's rows."""
    return {
        table: msgspec.msgpack.Decoder(row) for view in views for table, row in view.tables.items()
    }
