"""The log in SQLite: every process that opens it is a group committer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from functools import cache
from pathlib import Path

import apsw
import msgspec

from eventlog.batch import Request
from eventlog.clock import Clock, Ids, SystemClock, SystemIds
from eventlog.committer import Committer
from eventlog.database import (
    Tables,
    error_from,
    open_database,
    row_decoders,
    sql_tables,
    translated,
)
from eventlog.errors import CloudError, LogFailed
from eventlog.event import Event, check_registry
from eventlog.fold import V
from eventlog.framing import Framer, request_hash
from eventlog.layout import check_views, checkpoint, prepare
from eventlog.log import Actor, Appended, Guard, Recorded, Types
from eventlog.reader import Reader
from eventlog.view import Row, TableView

EVENTS_MAX = 1000  # of one append
STREAM_LENGTH_MAX = 255
SEEN_MAX = 256  # rows remembered for the rest of a turn
POLL_S = 0.02  # how late a follower may see what another process committed


class SqliteLog:
    """A Log in one SQLite file, shared by the processes of one machine.

    Belongs to the event loop that opened it, and to the process: open it after a fork.
    """

    def __init__(
        self,
        path: Path,
        connection: apsw.Connection,
        views: Sequence[TableView],
        clock: Clock,
        ids: Ids,
    ) -> None:
        """Use `SqliteLog.open`."""
        self.path = path
        self.views = tuple(views)
        self._connection = connection
        self._reader = Reader(connection)
        self._tables = Tables(connection, sql_tables(views))
        self._decoders = {table: one.decode for table, one in row_decoders(views).items()}
        self._framer = Framer(ids)
        self._loop = asyncio.get_running_loop()
        self._clock = clock
        self._committer: Committer | None = None
        self._vfs: str | None = None
        self._closed = False
        self._is_looking = False  # the connection has a snapshot
        self._seen: dict[tuple[str, bytes], Row | None] = {}  # in it
        self._moved: set[asyncio.Future[None]] = set()
        self._poller: asyncio.Task[None] | None = None

    @classmethod
    async def open(
        cls,
        path: str | Path,
        *,
        views: Sequence[TableView] = (),
        clock: Clock | None = None,
        ids: Ids | None = None,
        read_only: bool = False,
        vfs: str | None = None,
    ) -> SqliteLog:
        """Open the log at `path`, made if it is not there, with all of its table views.

        Raises: NotALog if the file is something else, or absent when `read_only`.
                ViewsDiffer if the log's tables were made by other views, or other versions.
                Damaged, LogUnreadable, LogFull if the file cannot be used.
        """
        path = Path(path)
        check_registry()
        clock, ids = clock or SystemClock(), ids or SystemIds()
        with translated():
            epoch = 0 if read_only else prepare(path, views, vfs)
            connection = open_database(path, read_only=read_only, vfs=vfs)
            try:
                log = cls(path, connection, views, clock, ids)
                if read_only:
                    check_views(connection, views)
                else:
                    log._committer = Committer(path, views, clock, epoch, vfs, log._wake)
            except BaseException:
                connection.close()
                raise
        log._vfs = vfs
        return log

    async def append(
        self,
        stream: str,
        events: Sequence[Event],
        *,
        actor: Actor,
        expect: int | None = None,
        key: str | None = None,
        guards: Sequence[Guard] = (),
        subject: str | None = None,
        at_us: int | None = None,
    ) -> Appended:
        assert events, "an append has at least one event"
        assert len(events) <= EVENTS_MAX, f"an append has at most {EVENTS_MAX} events"
        assert 0 < len(stream) <= STREAM_LENGTH_MAX, f"{stream!r} is too long for a stream"
        assert stream.isprintable(), f"{stream!r} is no stream name"
        when = self._clock.now_us() if at_us is None else at_us
        frames, size = [], 0
        for event in events:
            frame = self._framer.frame(stream, event, actor, when)
            frames.append(frame)
            size += len(frame.data) + len(frame.entry)
        hashed = b"" if key is None else request_hash(stream, events)
        future: asyncio.Future[Appended] = self._loop.create_future()
        self._submit(Request(stream, frames, expect, key, hashed, guards, subject, size, future))
        return await future

    def head(self) -> int:
        self._end_look()
        with translated():
            return self._reader.head()

    async def position_at(self, us: int) -> int:
        with translated():
            return self._reader.position_at(us)

    async def read(
        self,
        *,
        after: int = 0,
        until: int | None = None,
        streams: str | None = None,
        types: Types | None = None,
        limit: int | None = None,
    ) -> AsyncGenerator[Recorded, None]:
        head = self.head()
        until = head if until is None else min(until, head)
        left = until - after if limit is None else limit
        if left <= 0:
            return
        pages = self._reader.pages(after, until, streams=streams, types=types)
        while (page := self._next(pages)) is not None:
            for rec in page:
                yield rec
                left -= 1
                if left <= 0:
                    return
            await asyncio.sleep(0)

    async def follow(
        self,
        *,
        after: int,
        streams: str | None = None,
        types: Types | None = None,
        lag_s: float = 0.0,
    ) -> AsyncGenerator[Recorded, None]:
        """See `Log.follow`; it ends when the log is closed."""
        while not self._closed:
            head = self.head()
            async for rec in self.read(after=after, until=head, streams=streams, types=types):
                yield rec
            after = max(after, head)
            if lag_s:
                await asyncio.sleep(lag_s)
            else:
                await self._wait_past(after)

    async def fold(self, view: V, *, as_of: int | None = None) -> V:
        """Bring a memory view from its position to `as_of`, or to the head, and return it."""
        until = self.head() if as_of is None else as_of
        pages = self._reader.scan(view.position, until, types=view.handles)
        while (page := self._next(pages)) is not None:
            view.fold(page)
            await asyncio.sleep(0)
        view.position = max(view.position, until)
        return view

    async def get(self, table: str, key: bytes) -> Row | None:
        seen = self._seen
        if (table, key) in seen:
            return seen[table, key]
        try:
            if not self._is_looking:
                self._begin_look()
            value = self._tables.get(table, key)
        except apsw.Error as error:  # inline: this is what every request waits for
            raise error_from(error) from error
        row = None if value is None else self._decoders[table](value)
        if len(seen) < SEEN_MAX:
            seen[table, key] = row
        return row

    async def get_many(self, table: str, keys: Sequence[bytes]) -> list[Row | None]:
        if not keys:
            return []
        decode = self._decoders[table]
        with translated():
            found = {key: decode(value) for key, value in self._tables.load(table, keys)}
        return [found.get(key) for key in keys]

    async def scan(
        self,
        table: str,
        lo: bytes,
        hi: bytes | None,
        *,
        limit: int,
        reverse: bool = False,
        shape: type[msgspec.Struct] | None = None,
    ) -> list[tuple[bytes, Row]]:
        decode = self._decoders[table] if shape is None else _decoder_of(shape)
        with translated():
            found = self._tables.range(table, lo, hi, limit, reverse)
        return [(key, decode(value)) for key, value in found]

    def bookmark(self, name: str) -> int:
        """Return the position that was set under `name`; 0 if none was."""
        sql = "SELECT pos FROM bookmark WHERE name = ?"
        with translated():
            position: int | None = self._connection.execute(sql, (name,)).get
        return position or 0

    async def set_bookmark(self, name: str, position: int) -> None:
        """Store `position` under `name`, synced."""
        future: asyncio.Future[Appended] = self._loop.create_future()
        self._submit(
            Request("", (), None, None, b"", (), None, 0, future, bookmark=(name, position))
        )
        await future

    async def checkpoint(self, *, truncate: bool = False) -> tuple[int, int]:
        """Copy the write-ahead log into the database; return (pages in it, pages copied).

        Passive unless `truncate`, which waits for readers and writers, and empties the file.
        One process of a cloud does this, in a thread with a connection of its own.
        Raises: LogFull, LogUnreadable; the write-ahead log keeps what was not copied.
        """
        with translated():
            return await asyncio.to_thread(checkpoint, self.path, truncate, self._vfs)

    @property
    def failure(self) -> LogFailed | None:
        """Why nothing can be appended any more, or None. Then the process should exit."""
        if self._committer is None or self._committer.failure is None:
            return None
        return LogFailed(reason=self._committer.failure)

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        if self._poller is not None:
            self._poller.cancel()
        if self._committer is not None:
            await self._committer.stop()
        self._wake()
        self._end_look()
        self._connection.close()

    def _begin_look(self) -> None:
        """Let the gets of this turn of the loop share one snapshot, and what was found in it.

        To begin and end a snapshot costs more than a get, and who asks for a bucket or for the keys
        is mostly not alone. It is as fresh as a look of one's own: whatever a coroutine that runs
        in this turn may have been told had been received, and so committed, before the turn began.
        """
        self._connection.execute("BEGIN")
        self._is_looking = True
        self._loop.call_soon(self._end_look)

    def _end_look(self) -> None:
        if self._is_looking:
            self._is_looking = False
            self._seen.clear()
            with translated():
                self._connection.execute("ROLLBACK")  # of what only read

    def _next(self, pages: Iterator[list[Recorded]]) -> list[Recorded] | None:
        self._end_look()
        with translated():
            return next(pages, None)

    def _submit(self, request: Request) -> None:
        assert self._committer is not None, "this log was opened to read only"
        if self._closed:
            raise LogFailed(reason="it was closed")
        self._committer.submit(request)

    def _wake(self) -> None:
        for waiter in self._moved:
            if not waiter.done():
                waiter.set_result(None)
        self._moved.clear()

    async def _wait_past(self, position: int) -> None:
        if self._closed or self.head() > position:
            return
        if self._poller is None or self._poller.done():
            self._poller = self._loop.create_task(self._poll(position))
        waiter: asyncio.Future[None] = self._loop.create_future()
        self._moved.add(waiter)
        try:
            await waiter
        finally:
            self._moved.discard(waiter)

    async def _poll(self, position: int) -> None:
        """Wake followers for commits of other processes, as long as there are followers."""
        while True:
            await asyncio.sleep(POLL_S)
            if not self._moved:
                return
            try:
                head = self.head()
            except CloudError:
                self._wake()  # they look for themselves, and meet it
                return
            if head > position:
                position = head
                self._wake()


@cache
def _decoder_of(shape: type[msgspec.Struct]) -> Callable[[bytes], Row]:
    return msgspec.msgpack.Decoder(shape).decode
