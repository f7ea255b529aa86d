"""Folding the log into tables again: for a rebuild, a comparison, a look into the past.

Law: the tables equal those that were folded event by event as the log grew.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import apsw
import msgspec

from eventlog.database import Tables, create_table, run, sql_tables
from eventlog.errors import Corrupt, ViewParked
from eventlog.log import Recorded
from eventlog.reader import Reader
from eventlog.view import Overlay, Row, TableView

CELLS_MAX = 100_000  # rows held in memory before they are written

Progress = Callable[[int, int], None]  # positions done, positions in all


class Difference(NamedTuple):
    """A row that is not what the log says; None where there is no row."""

    table: str
    key: bytes
    stored: bytes | None
    folded: bytes | None


class Refold:
    """Some views, folded anew into the empty tables of `connection` that `tables` names."""

    def __init__(
        self, connection: apsw.Connection, views: Sequence[TableView], tables: Mapping[str, str]
    ) -> None:
        self.position = 0
        self._connection = connection
        self.tables = dict(tables)
        self._views = views
        self._reader = Reader(connection)
        self._target = Tables(connection, tables)
        self._overlay = Overlay(views, undoable=False)
        self._handles = frozenset[type]().union(*(view.handles for view in views))

    @classmethod
    def temporary(cls, connection: apsw.Connection, views: Sequence[TableView]) -> Refold:
        """Return one into temporary tables, which go when the connection is closed.

        The log itself may be open to read only.
        """
        tables = {table: f"temp.refold_{table}" for table in sql_tables(views)}
        for sql_table in tables.values():
            create_table(connection, sql_table)
        return cls(connection, views, tables)

    def fold(
        self,
        until: int,
        *,
        flush: Callable[[], None] | None = None,
        progress: Progress | None = None,
    ) -> None:
        """Fold from `position` to `until`, which becomes `position`.

        `flush` is called when rows should be written, and calls `write`, perhaps under a lock.

        Raises: ViewParked where a view fails; nothing is skipped.
        """
        flush = flush or self.write
        with _uncollected():
            for page in self._reader.scan(self.position, until, types=self._handles):
                self._fold(page)
                if self._overlay.size() > CELLS_MAX:
                    flush()
                    if progress is not None:
                        progress(self.position, until)
            self.position = max(self.position, until)
            flush()
        if progress is not None:
            progress(self.position, until)

    def _fold(self, page: list[Recorded]) -> None:
        overlay = self._overlay
        overlay.prefetch(event for rec in page if (event := rec.event) is not None)
        for rec in page:
            try:
                if (event := rec.event) is not None:
                    overlay.evolve(event, rec)
            except (apsw.Error, Corrupt):
                raise
            except Exception as error:
                reason = f"{type(error).__name__}: {error}"
                names = "/".join(view.name for view in self._views)
                raise ViewParked(view=names, position=rec.position, reason=reason) from error
        if page:
            self.position = page[-1].position

    def rows(self, table: str, row: type[msgspec.Struct]) -> Iterator[tuple[bytes, Row]]:
        """Yield the rows of a table that were written, in order of keys."""
        decode = msgspec.msgpack.Decoder(row).decode
        sql = f"SELECT key, value FROM {self.tables[table]} ORDER BY key"
        for key, value in self._connection.execute(sql):
            assert isinstance(key, bytes)
            assert isinstance(value, bytes)
            yield key, decode(value)

    def write(self) -> None:
        """Write the rows that are held in memory."""
        for table, written, gone in self._overlay.changes():
            self._target.write(table, written, gone)
        self._overlay.clear()
        self._overlay.attach(self._target)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Keep the garbage collector from walking the rows again and again: none holds itself."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def differences(
    connection: apsw.Connection,
    stored: Mapping[str, str],
    folded: Mapping[str, str],
    limit: int = 20,
) -> list[Difference]:
    """Return at most `limit` rows of each table in which two sets of SQL tables differ."""
    found: list[Difference] = []
    for table, left in stored.items():
        right = folded[table]
        wrong = run(
            connection,
            f"SELECT a.key, a.value, b.value FROM {left} a LEFT JOIN {right} b ON b.key = a.key"
            " WHERE b.value IS NOT a.value LIMIT ?",
            (limit,),
        )
        missing = run(
            connection,
            f"SELECT b.key, NULL, b.value FROM {right} b LEFT JOIN {left} a ON a.key = b.key"
            " WHERE a.key IS NULL LIMIT ?",
            (limit,),
        )
        found += [Difference(table, *row) for row in (wrong + missing)[:limit]]
    return found
