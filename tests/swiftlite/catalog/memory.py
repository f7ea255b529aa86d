"""A log in memory: the catalog's meaning without a database, and with races on demand."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from fnmatch import fnmatchcase
from types import SimpleNamespace
from typing import Any

import msgspec

from eventlog.log import Actor, Appended
from eventlog.view import encode_row
from swiftlite.catalog.view import CatalogView

ACTOR = Actor(id="tester", request_id="r1")


def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Return what a coroutine that never has to wait returns."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    raise AssertionError("it waited")


async def collect(items: AsyncIterator[Any]) -> list[Any]:
    return [item async for item in items]


class DictRows:
    """Rows of a view in dictionaries, encoded as the database has them."""

    def __init__(self, view: Any) -> None:
        self.decode = {n: msgspec.msgpack.Decoder(t).decode for n, t in view.tables.items()}
        self.tables: dict[str, dict[bytes, bytes]] = {name: {} for name in view.tables}
        self.order: dict[str, list[bytes]] = {name: [] for name in view.tables}

    def get(self, table: str, key: bytes) -> Any:
        value = self.tables[table].get(key)
        return None if value is None else self.decode[table](value)

    def put(self, table: str, key: bytes, row: Any) -> None:
        if key not in self.tables[table]:
            insort(self.order[table], key)
        self.tables[table][key] = encode_row(row)

    def delete(self, table: str, key: bytes) -> None:
        if self.tables[table].pop(key, None) is not None:
            del self.order[table][bisect_left(self.order[table], key)]

    def first(self, table: str, lo: bytes, hi: bytes | None, reverse: bool = False) -> Any:
        found = self.scan(table, lo, hi, 1, reverse)
        return found[0] if found else None

    def scan(
        self, table: str, lo: bytes, hi: bytes | None, limit: int, reverse: bool = False
    ) -> list[tuple[bytes, Any]]:
        order = self.order[table]
        end = len(order) if hi is None else bisect_left(order, hi)
        keys = order[bisect_left(order, lo) : end]
        if reverse:
            keys.reverse()
        return [(key, self.get(table, key)) for key in keys[:limit]]


class MemoryLog:
    """What the catalog needs of a log. Every event takes a second."""

    def __init__(self) -> None:
        self.view = CatalogView()
        self.rows = DictRows(self.view)
        self.events: list[Any] = []
        self.before_append: list[Callable[[], None]] = []  # each runs once: somebody was faster
        self.reads = 0

    async def append(
        self, stream: str, events: Sequence[Any], *, actor: Actor, guards: Sequence[Any] = ()
    ) -> Appended:
        if self.before_append:
            self.before_append.pop(0)()
        for guard in guards:
            hints = list(guard.keys())
            assert all(table in self.view.tables for table, _ in hints)
            guard.check(self.rows)
        first = len(self.events) + 1
        for event in events:
            assert type(event) in self.view.handles
            assert all(table in self.view.tables for table, _ in self.view.keys(event))
            position = len(self.events) + 1
            rec = SimpleNamespace(
                event=event, position=position, committed_us=position * 1_000_000, stream=stream
            )
            self.events.append(rec)
            self.view.evolve(self.rows, rec)
        return Appended(first, len(self.events), 0, len(self.events) * 1_000_000)

    def head(self) -> int:
        return len(self.events)

    async def read(
        self,
        *,
        after: int = 0,
        until: int | None = None,
        streams: str = "*",
        types: Any = None,
        limit: int | None = None,
    ) -> AsyncIterator[Any]:
        for rec in self.events[after:until]:
            if fnmatchcase(rec.stream, streams) and (types is None or type(rec.event) in types):
                yield rec

    async def get(self, table: str, key: bytes) -> Any:
        return self.rows.get(table, key)

    async def get_many(self, table: str, keys: Sequence[bytes]) -> list[Any]:
        return [self.rows.get(table, key) for key in keys]

    async def scan(
        self,
        table: str,
        lo: bytes,
        hi: bytes | None,
        *,
        limit: int,
        reverse: bool = False,
        shape: Any = None,
    ) -> list[tuple[bytes, Any]]:
        found = self.rows.scan(table, lo, hi, limit, reverse)
        self.reads += len(found)
        return found


class CountingIds:
    """Ids in order: 1, 2, 3 ..."""

    def __init__(self) -> None:
        self.last = 0

    def uuid7(self) -> bytes:
        self.last += 1
        return self.last.to_bytes(16, "big")

    def random(self, size: int) -> bytes:
        return self.uuid7()[:size].ljust(size, b"\0")
