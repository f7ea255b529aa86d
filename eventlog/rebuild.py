"""Rebuilding table views beside the live ones, and switching in one transaction.

The life of a rebuild, with the log running:

1. new tables are made beside the live ones (those of an attempt that was cut short go first);
2. the log is folded into them in batches, each written under the write lock for a moment;
3. on request, the tail is folded and old and new rows are compared in that one state;
4. under the lock: the tail is folded, the new tables take the names of the old ones, the view's
   row its version, one synced transaction. Writers that hold another set of views find the epoch
   changed and stop;
5. the old tables are emptied in small steps, then dropped.

Killed at any point it has changed nothing but step 4, and starts from the beginning.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import apsw

from eventlog.database import (
    WriteLock,
    create_table,
    open_database,
    rebuilding,
    run,
    sql_tables,
    translated,
    writing,
)
from eventlog.reader import Reader
from eventlog.refold import Difference, Progress, Refold, differences
from eventlog.view import TableView

TAIL = 2000  # events that may be left for the moment in which writers wait
DROPPED_ROWS = 200_000  # a table of so many goes at once, some 20 ms; of a larger one, first
DELETED_ROWS = 10_000  # so many at a time

_NEW, _OLD = "new_", "old_"


class Rebuilt(NamedTuple):
    """A view that was rebuilt up to `position`.

    `compared` says whether there were live rows of this version to compare; `differences` holds
    some of those that were not what the log says, and now are.
    """

    view: str
    version: int
    position: int
    compared: bool
    differences: list[Difference]


def rebuild(
    path: Path,
    views: Sequence[TableView],
    *,
    only: Sequence[str] = (),
    compare: bool = False,
    progress: Progress | None = None,
    vfs: str | None = None,
) -> list[Rebuilt]:
    """Rebuild the views named in `only`, or all; views that the program lost are dropped then.

    Returns when the rebuilt rows are live; waits for a rebuild that is under way.
    Raises: NotALog, ViewParked.
    """
    connection = open_database(path, vfs=vfs)
    lock = WriteLock(path)
    try:
        with rebuilding(path), translated():
            job = _Job(connection, lock, progress)
            job.clear()
            chosen = [view for view in views if not only or view.name in only]
            rebuilt = [job.rebuild(view, compare) for view in chosen]
            if not only:
                job.forget({view.name for view in views})
            job.clear()
            return rebuilt
    finally:
        lock.close()
        connection.close()


class _Job:
    def __init__(
        self, connection: apsw.Connection, lock: WriteLock, progress: Progress | None
    ) -> None:
        self._connection = connection
        self._lock = lock
        self._progress = progress
        self._reader = Reader(connection)
        # What is being built can be built again, so it need not be synced; the switch is.
        connection.pragma("synchronous", "normal")

    def rebuild(self, view: TableView, compare: bool) -> Rebuilt:
        live = sql_tables([view])
        new = {table: _NEW + sql for table, sql in live.items()}
        with self._lock, writing(self._connection):
            for sql in new.values():
                create_table(self._connection, sql)
        refold = Refold(self._connection, [view], new)
        self._catch_up(refold)
        found: list[Difference] = []
        compared = compare and self._version(view.name) == view.version
        if compared:
            with self._lock:
                refold.fold(self._reader.head(), flush=lambda: self._write(refold))
                run(self._connection, "BEGIN")
                self._reader.head()  # the read transaction begins here, at the state just folded
            try:
                found = differences(self._connection, live, new)
            finally:
                run(self._connection, "ROLLBACK")
            self._catch_up(refold)
        self._connection.pragma("synchronous", "full")
        with self._lock, writing(self._connection):
            refold.fold(self._reader.head())
            self._switch(view, live, new, refold.position)
        self._connection.pragma("synchronous", "normal")
        return Rebuilt(view.name, view.version, refold.position, compared, found)

    def forget(self, names: set[str]) -> None:
        """Let go of the views that are not in `names`."""
        self._connection.pragma("synchronous", "full")
        with self._lock, writing(self._connection):
            for (name,) in run(self._connection, "SELECT name FROM view"):
                if name not in names:
                    self._retire(name)
                    run(self._connection, "DELETE FROM view WHERE name = ?", (name,))
                    run(self._connection, "UPDATE log_head SET epoch = epoch + 1")

    def clear(self) -> None:
        """Drop what rebuilds left behind, a few rows at a time: writers wait for no big drop."""
        for prefix in (_NEW, _OLD):
            for sql in self._tables(prefix):
                some = f"(SELECT key FROM {sql} ORDER BY key LIMIT 1 OFFSET {DELETED_ROWS})"
                many = f"SELECT key FROM {sql} ORDER BY key LIMIT 1 OFFSET {DROPPED_ROWS}"
                while run(self._connection, many):
                    with self._lock, writing(self._connection):
                        run(self._connection, f"DELETE FROM {sql} WHERE key < {some}")
                with self._lock, writing(self._connection):
                    run(self._connection, f"DROP TABLE {sql}")

    def _catch_up(self, refold: Refold) -> None:
        while (head := self._reader.head()) - refold.position > TAIL:
            refold.fold(head, flush=lambda: self._write_locked(refold), progress=self._progress)

    def _write_locked(self, refold: Refold) -> None:
        with self._lock:
            self._write(refold)

    def _write(self, refold: Refold) -> None:
        with writing(self._connection):
            refold.write()

    def _switch(
        self, view: TableView, live: dict[str, str], new: dict[str, str], position: int
    ) -> None:
        before = self._version(view.name)
        self._retire(view.name)
        for table, sql in new.items():
            run(self._connection, f"ALTER TABLE {sql} RENAME TO {live[table]}")
        run(
            self._connection,
            "INSERT INTO view VALUES (?1, ?2, ?3)"
            " ON CONFLICT (name) DO UPDATE SET version = ?2, position = ?3",
            (view.name, view.version, position),
        )
        if before != view.version:
            run(self._connection, "UPDATE log_head SET epoch = epoch + 1")

    def _retire(self, name: str) -> None:
        """Rename the live tables of a view, so that `clear` finds them."""
        version = self._version(name)
        if version is not None:
            for sql in self._tables(f"v_{name}_{version}_"):
                run(self._connection, f"ALTER TABLE {sql} RENAME TO {_OLD}{sql}")

    def _version(self, name: str) -> int | None:
        version: int | None = self._connection.execute(
            "SELECT version FROM view WHERE name = ?", (name,)
        ).get
        return version

    def _tables(self, prefix: str) -> list[str]:
        rows = run(
            self._connection,
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND substr(name, 1, ?) = ?",
            (len(prefix), prefix),
        )
        return [name for (name,) in rows]
