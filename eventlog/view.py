"""Table views: folds kept in tables of keys and rows, updated with the append itself.

A view is pure: `evolve` sees rows and one event, and changes rows. Keys are bytes whose order is
the order that scans want; rows are frozen, array-like msgspec Structs, stored in their canonical
MessagePack, so that two equal tables are equal byte for byte.

Law: the tables after a batch do not depend on where the batches were cut.

Pure: no clock, no IO.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import msgspec

from eventlog.event import Event

if TYPE_CHECKING:
    from eventlog.log import Recorded

Row = Any  # a frozen array_like msgspec.Struct of the table's row type; tables mix many

encode_row = msgspec.msgpack.Encoder(order="deterministic").encode


class TableView(ABC):
    """A fold whose state is rows of `tables`.

    `name` and `version` are its identity: another shape or another meaning is another version,
    built beside the old one. A view reads and writes only its own tables.
    """

    name: ClassVar[str]
    version: ClassVar[int]
    tables: ClassVar[Mapping[str, type[msgspec.Struct]]]
    handles: ClassVar[frozenset[type[Event]]]

    def keys(self, event: Event) -> Iterable[tuple[str, bytes]]:
        """Return the (table, key) pairs that `evolve` will ask for; only a hint."""
        return ()

    @abstractmethod
    def evolve(self, rows: Rows, rec: Recorded) -> None:
        """Fold one handled event into `rows`. An erased event is not shown."""


class Source(Protocol):
    """Where an overlay finds rows that it does not hold: encoded rows by key."""

    def load(self, table: str, keys: Sequence[bytes]) -> Iterable[tuple[bytes, bytes]]:
        """Return (key, row) of those `keys` that exist."""

    def range(
        self, table: str, lo: bytes, hi: bytes | None, limit: int, reverse: bool
    ) -> list[tuple[bytes, bytes]]:
        """Return at most `limit` (key, row) with lo <= key < hi, in order of keys."""


class _Unknown:
    """The cell of a key that was not looked up yet."""


_UNKNOWN = _Unknown()


class _Cells:
    """What is known of one table: cells, and which of them differ from the source."""

    __slots__ = ("cells", "decode", "dirty", "name", "order", "source")

    def __init__(self, name: str, row: type[msgspec.Struct], source: Source) -> None:
        self.name = name
        self.decode = msgspec.msgpack.Decoder(row).decode
        self.source = source
        self.cells: dict[bytes, Row | None] = {}
        self.dirty: set[bytes] = set()
        self.order: list[bytes] | None = None  # the dirty keys sorted, once somebody scanned

    def get(self, key: bytes) -> Row | None:
        cell = self.cells.get(key, _UNKNOWN)
        if cell is _UNKNOWN:
            self.load((key,))
            cell = self.cells[key]
        return cell

    def load(self, keys: Sequence[bytes]) -> None:
        found = dict(self.source.load(self.name, keys))
        for key in keys:
            value = found.get(key)
            self.cells[key] = None if value is None else self.decode(value)

    def mark(self, key: bytes) -> None:
        if key not in self.dirty:
            self.dirty.add(key)
            if self.order is not None:
                insort(self.order, key)

    def unmark(self, key: bytes) -> None:
        self.dirty.discard(key)
        if self.order is not None:
            del self.order[bisect_left(self.order, key)]

    def dirty_between(self, lo: bytes, hi: bytes | None) -> list[bytes]:
        if self.order is None:
            self.order = sorted(self.dirty)
        end = len(self.order) if hi is None else bisect_left(self.order, hi)
        return self.order[bisect_left(self.order, lo) : end]

    def scan(
        self, lo: bytes, hi: bytes | None, limit: int, reverse: bool
    ) -> list[tuple[bytes, Row]]:
        changed = self.dirty_between(lo, hi)
        # At most len(changed) of the stored rows are outdated, so `limit` good ones remain.
        stored = self.source.range(self.name, lo, hi, limit + len(changed), reverse)
        rows: list[tuple[bytes, Row]] = [
            (key, self.decode(value)) for key, value in stored if key not in self.dirty
        ]
        if changed:
            rows += [(key, self.cells[key]) for key in changed if self.cells[key] is not None]
            rows.sort(key=lambda pair: pair[0], reverse=reverse)
        return rows[:limit]


class Rows:
    """Rows of some tables as the batch has left them so far, its earlier requests included.

    Rows that were handed out or in are never changed in place: put a new one.
    """

    __slots__ = ("_journal", "_tables")

    def __init__(
        self, tables: Mapping[str, _Cells], journal: list[tuple[_Cells, bytes, Any, bool]]
    ) -> None:
        self._tables = tables
        self._journal = journal

    def get(self, table: str, key: bytes) -> Row | None:
        """Return the row, or None."""
        return self._tables[table].get(key)

    def put(self, table: str, key: bytes, row: Row) -> None:
        """Make `row` the row of `key`."""
        self._set(self._tables[table], key, row)

    def delete(self, table: str, key: bytes) -> None:
        """Leave no row of `key`; there may have been none."""
        self._set(self._tables[table], key, None)

    def first(
        self, table: str, lo: bytes, hi: bytes | None, reverse: bool = False
    ) -> tuple[bytes, Row] | None:
        """Return the first (with `reverse`, the last) row with lo <= key < hi, or None."""
        found = self._tables[table].scan(lo, hi, 1, reverse)
        return found[0] if found else None

    def scan(
        self, table: str, lo: bytes, hi: bytes | None, limit: int, reverse: bool = False
    ) -> list[tuple[bytes, Row]]:
        """Return at most `limit` rows with lo <= key < hi, in order of keys, or in reverse."""
        return self._tables[table].scan(lo, hi, limit, reverse)

    def _set(self, cells: _Cells, key: bytes, row: Row | None) -> None:
        before = cells.cells.get(key, _UNKNOWN)
        self._journal.append((cells, key, before, key in cells.dirty))
        cells.cells[key] = row
        cells.mark(key)


class Overlay:
    """The rows of several views while a batch is folded: loaded once, changed here, then written.

    Every change can be undone back to a mark, so that one bad request leaves no trace.
    """

    def __init__(self, views: Sequence[TableView], source: Source) -> None:
        self._views = tuple(views)
        self._source = source
        self._journal: list[tuple[_Cells, bytes, Any, bool]] = []
        self._tables: dict[str, _Cells] = {}
        self._shown: dict[type[Event], list[tuple[TableView, Rows]]] = {}
        for view in self._views:
            own = {name: _Cells(name, row, source) for name, row in view.tables.items()}
            self._tables |= own
            rows = Rows(own, self._journal)
            for cls in view.handles:
                self._shown.setdefault(cls, []).append((view, rows))
        self.rows = Rows(self._tables, self._journal)

    def prefetch(self, pairs: Iterable[tuple[str, bytes]]) -> None:
        """Load the rows of `pairs` that are not known yet, with one query per table."""
        wanted: dict[str, set[bytes]] = {}
        for table, key in pairs:
            wanted.setdefault(table, set()).add(key)
        for table, keys in wanted.items():
            cells = self._tables[table]
            missing = sorted(keys.difference(cells.cells))
            if missing:
                cells.load(missing)

    def shows(self, event: Event) -> bool:
        """Return whether any view handles such an event."""
        return type(event) in self._shown

    def keys(self, event: Event) -> Iterable[tuple[str, bytes]]:
        """Yield what the views hint that folding `event` will ask for."""
        for view, _ in self._shown.get(type(event), ()):
            yield from view.keys(event)

    def evolve(self, rec: Recorded) -> None:
        """Show `rec` to the views that handle it."""
        event = rec.event
        if event is not None:
            for view, rows in self._shown.get(type(event), ()):
                view.evolve(rows, rec)

    def mark(self) -> int:
        """Return a mark for `undo`."""
        return len(self._journal)

    def undo(self, mark: int) -> None:
        """Take back every change since `mark`."""
        while len(self._journal) > mark:
            cells, key, before, was_dirty = self._journal.pop()
            if before is _UNKNOWN:
                del cells.cells[key]
            else:
                cells.cells[key] = before
            if not was_dirty:
                cells.unmark(key)

    def size(self) -> int:
        """Return how many rows are held."""
        return sum(len(cells.cells) for cells in self._tables.values())

    def changes(self) -> Iterable[tuple[str, list[tuple[bytes, bytes]], list[bytes]]]:
        """Yield (table, rows to write, keys to delete) of every changed table, keys sorted."""
        for cells in self._tables.values():
            if cells.dirty:
                keys = sorted(cells.dirty)
                rows = [(key, cells.cells[key]) for key in keys]
                written = [(key, encode_row(row)) for key, row in rows if row is not None]
                yield cells.name, written, [key for key, row in rows if row is None]

    def clear(self) -> None:
        """Forget everything: the source has it now, or it was rolled back."""
        self._journal.clear()
        for cells in self._tables.values():
            cells.cells.clear()
            cells.dirty.clear()
            cells.order = None
