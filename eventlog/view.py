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
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, cast

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


class Hinting(Protocol):
    """Names (table, key) pairs that are worth loading."""

    def keys(self) -> Iterable[tuple[str, bytes]]: ...


class _Unknown:
    """The cell of a key that was not looked up yet."""


_UNKNOWN = _Unknown()


class _Cells(dict[bytes, bytes | None]):
    """What is known of one table: encoded rows, None where there is none.

    They are encoded as they are put: a row that cannot be stored fails the request that made it,
    not the batch; nobody can change one in place; and a hundred thousand of them stay small.
    """

    __slots__ = ("decode", "dirty", "name", "order", "source")

    def __init__(self, name: str, row: type[msgspec.Struct]) -> None:
        self.name = name
        self.decode = msgspec.msgpack.Decoder(row).decode
        self.source: Source | None = None  # None: nothing is stored
        self.dirty: set[bytes] = set()  # the keys whose rows differ from the source's
        self.order: list[bytes] | None = None  # the same, sorted, once somebody scanned

    def __missing__(self, key: bytes) -> bytes | None:
        if self.source is None:
            return None
        self.load((key,))
        return self[key]

    def load(self, keys: Sequence[bytes]) -> None:
        assert self.source is not None, "there is nothing to load from"
        self.update(dict.fromkeys(keys))
        self.update(self.source.load(self.name, keys))

    def restore(self, key: bytes, value: bytes | _Unknown | None, dirty: bool) -> None:
        if isinstance(value, _Unknown):
            del self[key]
        else:
            self[key] = value
        if not dirty:
            self.dirty.discard(key)
            if self.order is not None:
                del self.order[bisect_left(self.order, key)]

    def forget(self) -> None:
        self.clear()
        self.dirty.clear()
        self.order = None

    def scan(
        self, lo: bytes, hi: bytes | None, limit: int, reverse: bool
    ) -> list[tuple[bytes, Row]]:
        changed = self._changed_between(lo, hi)
        # At most len(changed) of the stored rows are outdated, so `limit` good ones remain.
        found: list[tuple[bytes, bytes]] = []
        if self.source is not None:
            found = self.source.range(self.name, lo, hi, limit + len(changed), reverse)
        if changed:
            found = [pair for pair in found if pair[0] not in self.dirty]
            found += [(key, value) for key in changed if (value := self[key]) is not None]
            found.sort(reverse=reverse)
        return [(key, self.decode(value)) for key, value in found[:limit]]

    def _changed_between(self, lo: bytes, hi: bytes | None) -> list[bytes]:
        if self.order is None:
            self.order = sorted(self.dirty)
        end = len(self.order) if hi is None else bisect_left(self.order, hi)
        return self.order[bisect_left(self.order, lo) : end]


_Journal = list[tuple[_Cells, bytes, bytes | _Unknown | None, bool]]


class Rows:
    """Rows of some tables as the batch has left them so far, its earlier requests included."""

    __slots__ = ("_journal", "_tables")

    def __init__(self, tables: Mapping[str, _Cells], journal: _Journal | None) -> None:
        self._tables = tables
        self._journal = journal

    def get(self, table: str, key: bytes) -> Row | None:
        """Return the row, or None."""
        cells = self._tables[table]
        value = cells[key]
        return None if value is None else cells.decode(value)

    def put(self, table: str, key: bytes, row: Row) -> None:
        """Make `row` the row of `key`."""
        self._change(self._tables[table], key, encode_row(row))

    def delete(self, table: str, key: bytes) -> None:
        """Leave no row of `key`; there may have been none."""
        self._change(self._tables[table], key, None)

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

    def _change(self, cells: _Cells, key: bytes, value: bytes | None) -> None:
        if self._journal is not None:
            self._journal.append((cells, key, cells.get(key, _UNKNOWN), key in cells.dirty))
        if cells.order is not None and key not in cells.dirty:
            insort(cells.order, key)
        cells[key] = value
        cells.dirty.add(key)


class Overlay:
    """The rows of several views while a batch is folded: loaded once, changed here, then written.

    With `undoable`, every change can be taken back to a mark, so that one bad request leaves no
    trace. Without `source`, nothing is stored yet, and nothing is looked up.
    """

    def __init__(
        self, views: Sequence[TableView], source: Source | None = None, *, undoable: bool = True
    ) -> None:
        self._journal: _Journal | None = [] if undoable else None
        self._tables: dict[str, _Cells] = {}
        self._shown: dict[type[Event], list[tuple[TableView, Rows]]] = {}
        for view in views:
            own = {name: _Cells(name, row) for name, row in view.tables.items()}
            self._tables |= own
            rows = Rows(own, self._journal)
            for cls in view.handles:
                self._shown.setdefault(cls, []).append((view, rows))
        self.rows = Rows(self._tables, self._journal)
        self.attach(source)

    def attach(self, source: Source | None) -> None:
        """Look rows up in `source` from now on."""
        self._source = source
        for cells in self._tables.values():
            cells.source = source

    def shows(self, event: Event) -> bool:
        """Return whether any view handles such an event."""
        return type(event) in self._shown

    def prefetch(self, events: Iterable[Event], hinting: Iterable[Hinting] = ()) -> None:
        """Load, with one query per table, the rows that views hint at for `events`, and others.

        A hint that fails is none: folding the event, or checking the guard, meets the same bug
        where it concerns one request alone.
        """
        if self._source is None or not self._tables:
            return
        wanted: dict[str, set[bytes]] = {}
        for event in events:
            for view, _ in self._shown.get(type(event), ()):
                with suppress(Exception):
                    for table, key in view.keys(event):
                        wanted.setdefault(table, set()).add(key)
        for one in hinting:
            with suppress(Exception):
                for table, key in one.keys():  # noqa: SIM118 - it is no dict
                    wanted.setdefault(table, set()).add(key)
        for table, keys in wanted.items():
            cells = self._tables.get(table)
            if cells is not None and (missing := sorted(keys.difference(cells))):
                cells.load(missing)

    def evolve(self, event: Event, rec: Recorded) -> None:
        """Show `rec`, whose event `event` is, to the views that handle it."""
        for view, rows in self._shown.get(type(event), ()):
            view.evolve(rows, rec)

    def mark(self) -> int:
        """Return a mark for `undo`."""
        assert self._journal is not None, "this overlay cannot be undone"
        return len(self._journal)

    def undo(self, mark: int) -> None:
        """Take back every change since `mark`."""
        assert self._journal is not None, "this overlay cannot be undone"
        while len(self._journal) > mark:
            cells, key, before, dirty = self._journal.pop()
            cells.restore(key, before, dirty)

    def size(self) -> int:
        """Return how many rows are held."""
        return sum(len(cells) for cells in self._tables.values())

    def changes(self) -> Iterable[tuple[str, list[tuple[bytes, bytes]], list[bytes]]]:
        """Yield (table, rows to write, keys to delete) of every changed table, keys sorted."""
        for cells in self._tables.values():
            if not cells.dirty:
                continue
            keys = sorted(cells.dirty)
            # No step of the interpreter per row where it can be helped: a rebuild has millions.
            changed = list(zip(keys, map(cells.get, keys), strict=True))
            gone: list[bytes] = []
            if None in cells.values():
                gone = [key for key, value in changed if value is None]
                changed = [pair for pair in changed if pair[1] is not None]
            yield cells.name, cast(list[tuple[bytes, bytes]], changed), gone

    def clear(self) -> None:
        """Forget everything: the source has it now, or it was rolled back."""
        if self._journal is not None:
            self._journal.clear()
        for cells in self._tables.values():
            if cells or cells.order is not None:
                cells.forget()
