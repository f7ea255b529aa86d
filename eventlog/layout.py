"""Laying out a log's file, holding its views against the program's, checkpointing it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import apsw

from eventlog.database import (
    WriteLock,
    create_schema,
    create_table,
    open_database,
    run,
    sql_tables,
    writing,
)
from eventlog.errors import Refused
from eventlog.view import TableView

TRUNCATE_TIMEOUT_MS = 100  # while writers wait


class ViewsDiffer(Refused):
    """The log holds the views {stored}, this program has {wanted}; rebuild them first."""


def check_views(connection: apsw.Connection, views: Sequence[TableView]) -> None:
    """Return if the log holds these versions of these views. Raises: ViewsDiffer."""
    stored = dict(run(connection, "SELECT name, version FROM view"))
    wanted = {view.name: view.version for view in views}
    if any(stored.get(name) != version for name, version in wanted.items()):
        raise ViewsDiffer(stored=_shown(stored.items()), wanted=_shown(wanted.items()))


def prepare(path: Path, views: Sequence[TableView], vfs: str | None) -> int:
    """Lay out the log if it is new, see that it holds these views; return its epoch."""
    lock = WriteLock(path)
    try:
        with lock:
            connection = open_database(path, vfs=vfs)
            try:
                with writing(connection):
                    create_schema(connection)
                    _place_views(connection, views)
                epoch: int = connection.execute("SELECT epoch FROM log_head").get
                return epoch
            finally:
                connection.close()
    finally:
        lock.close()


def _place_views(connection: apsw.Connection, views: Sequence[TableView]) -> None:
    stored = dict(run(connection, "SELECT name, version FROM view"))
    wanted = {view.name: view.version for view in views}
    assert len(wanted) == len(views), "two views share a name"
    if stored == wanted:
        return
    if stored or connection.execute("SELECT pos FROM log_head").get:
        raise ViewsDiffer(stored=_shown(stored.items()), wanted=_shown(wanted.items()))
    for name, version in wanted.items():
        run(connection, "INSERT INTO view VALUES (?, ?, 0)", (name, version))
    for table in sql_tables(views).values():
        create_table(connection, table)


def _shown(views: Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{name} v{version}" for name, version in sorted(views)) or "none"


def checkpoint(path: Path, truncate: bool, vfs: str | None) -> tuple[int, int]:
    """Copy the write-ahead log into the database; return (pages in it, pages copied)."""
    connection = open_database(path, vfs=vfs)
    try:
        copied = connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        if truncate:
            connection.set_busy_timeout(TRUNCATE_TIMEOUT_MS)
            lock = WriteLock(path)
            try:
                with lock:
                    connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
            except apsw.BusyError:
                pass  # somebody reads from the file; it is emptied another time
            finally:
                lock.close()
        return copied
    finally:
        connection.close()
