"""Reading the log's file: pages of events, the head, positions in time.

Every page is one query that is bounded in what it scans, so that it can run on an event loop.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import apsw

from eventlog.database import run
from eventlog.event import type_of
from eventlog.log import Kind, Recorded, Types

PAGE = 512
WINDOW = 4096  # positions scanned at most for one page
TYPES_MERGED_MAX = 8
STREAMS_CACHED_MAX = 100_000

_COLUMNS = (
    "pos, stream_id, ver, type_id, at_us, committed_us, event_id, entry, data, salt, subject_id"
)


class Reader:
    """A reading connection, with the names it has seen."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._execute = connection.execute
        self._kinds: dict[int, Kind] = {}
        self._streams: dict[int, str] = {}

    def head(self) -> int:
        """Return the last position; 0 when the log is empty."""
        position: int = self._execute("SELECT pos FROM log_head").get
        return position

    def position_at(self, us: int) -> int:
        """Return the greatest position committed by `us`; 0 if there is none."""
        low, high = 0, self.head()
        while low < high:
            middle = (low + high + 1) // 2
            [(committed,)] = self._execute(
                "SELECT committed_us FROM event WHERE pos = ?", (middle,)
            )
            if committed <= us:
                low = middle
            else:
                high = middle - 1
        return low

    def pages(
        self,
        after: int,
        until: int,
        *,
        streams: str | None = None,
        types: Types | None = None,
    ) -> Iterator[list[Recorded]]:
        """Yield (after, until] in order, in pages; empty pages are pauses in a long search."""
        if streams is not None and not any(mark in streams for mark in "*?["):
            return self._of_stream(streams, after, until, _names(types))
        if streams is None and types is not None:
            numbers = self._type_ids(_names(types))
            if len(numbers) <= TYPES_MERGED_MAX:
                return self._of_types(numbers, after, until)
        return self.scan(after, until, streams=streams, types=types)

    def scan(
        self,
        after: int,
        until: int,
        *,
        streams: str | None = None,
        types: Types | None = None,
    ) -> Iterator[list[Recorded]]:
        """Yield what `pages` does, by going through all events: best where most are wanted."""
        where, bindings = "", []
        if types is not None:
            numbers = ",".join(map(str, self._type_ids(_names(types))))
            where += f" AND +type_id IN ({numbers})"
        if streams is not None:
            where += " AND (SELECT name FROM stream WHERE id = stream_id) GLOB ?"
            bindings.append(streams)
        sql = f"SELECT {_COLUMNS} FROM event WHERE pos > ? AND pos <= ?{where} ORDER BY pos LIMIT ?"
        while after < until:
            end = min(until, after + WINDOW)
            page = self._page(sql, (after, end, *bindings, PAGE))
            after = page[-1].position if len(page) == PAGE else end
            yield page

    def _of_stream(
        self, stream: str, after: int, until: int, names: frozenset[str] | None
    ) -> Iterator[list[Recorded]]:
        found = run(self._connection, "SELECT id, ver FROM stream WHERE name = ?", (stream,))
        if not found:
            return
        [(number, last)] = found
        where = ""
        if names is not None:
            where = f" AND +type_id IN ({','.join(map(str, self._type_ids(names)))})"
        sql = (
            f"SELECT {_COLUMNS} FROM event INDEXED BY event_by_stream"
            f" WHERE stream_id = ? AND ver > ? AND ver <= ? AND pos <= ?{where}"
            " ORDER BY ver"
        )
        version = self._version_at(number, last, after)
        while version < last:
            end = min(last, version + PAGE)
            page = self._page(sql, (number, version, end, until))
            yield page
            version = end

    def _version_at(self, stream: int, last: int, position: int) -> int:
        """Return the version that the stream was at, at a position."""
        low, high = 0, last
        while low < high:
            middle = (low + high + 1) // 2
            [(placed,)] = self._execute(
                "SELECT pos FROM event WHERE stream_id = ? AND ver = ?", (stream, middle)
            )
            if placed <= position:
                low = middle
            else:
                high = middle - 1
        return low

    def _of_types(self, numbers: list[int], after: int, until: int) -> Iterator[list[Recorded]]:
        if not numbers:
            return
        one = (
            f"SELECT {_COLUMNS} FROM event INDEXED BY event_by_type"
            " WHERE type_id = {} AND pos > ?1 AND pos <= ?2"
        )
        sql = " UNION ALL ".join(one.format(number) for number in numbers)
        sql += " ORDER BY pos LIMIT ?3"
        while after < until:
            page = self._page(sql, (after, until, PAGE))
            after = page[-1].position if len(page) == PAGE else until
            yield page

    def _type_ids(self, names: frozenset[str] | None) -> list[int]:
        """Return the ids of all versions of the named types that the log holds."""
        self._load_kinds()
        return [
            number for number, kind in self._kinds.items() if names is None or kind.name in names
        ]

    def _load_kinds(self) -> None:
        rows = run(self._connection, "SELECT id, name, schema FROM type ORDER BY id")
        self._kinds.update({number: Kind(name, schema) for number, name, schema in rows})

    def _page(self, sql: str, bindings: tuple[Any, ...]) -> list[Recorded]:
        rows = run(self._connection, sql, bindings)
        kinds, streams = self._kinds, self._streams
        page = []
        for pos, stream, ver, kind, at, committed, event_id, entry, data, salt, subject in rows:
            if kind not in kinds:
                self._load_kinds()
            name = streams.get(stream) or self._stream(stream)
            page.append(
                Recorded(
                    pos, name, ver, kinds[kind], at, committed, event_id, entry, data, salt, subject
                )
            )
        return page

    def _stream(self, number: int) -> str:
        if len(self._streams) >= STREAMS_CACHED_MAX:
            self._streams.clear()
        name: str = self._execute("SELECT name FROM stream WHERE id = ?", (number,)).get
        self._streams[number] = name
        return name


def _names(types: Types | None) -> frozenset[str] | None:
    if types is None:
        return None
    return frozenset(one if isinstance(one, str) else type_of(one).name for one in types)
