"""The log's port: append with expectations, read from a position, follow, look up rows."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from typing import NamedTuple, Protocol

import msgspec

from eventlog.codec import Data, Entry, Undecodable, decode_data, decode_entry
from eventlog.errors import Unreadable
from eventlog.event import Event
from eventlog.view import Row, Rows


class Actor(msgspec.Struct, frozen=True):
    """On whose behalf something is appended.

    `id`, `request_id` and `cause` are opaque ids and go into the entry, which may be published;
    `source` (an address) and `agent` (a user agent) go into the payload, which can be erased.
    """

    id: str
    request_id: str = ""
    cause: str = ""
    source: str = ""
    agent: str = ""


class Appended(NamedTuple):
    """Where an append was placed: positions `first` to `last`, the stream now at `version`.

    `committed_us` is the commit time of all of it, in UTC microseconds since 1970.
    """

    first: int
    last: int
    version: int
    committed_us: int


class Guard(Protocol):
    """A condition on rows of table views, decided under the log's lock, just before placing."""

    def keys(self) -> Iterable[tuple[str, bytes]]:
        """Return the (table, key) pairs worth loading for the whole batch at once; only a hint."""

    def check(self, rows: Rows) -> None:
        """Return if the append may be placed; raise a Refused otherwise, and append raises it."""


class Kind(NamedTuple):
    """An event type as it was stored."""

    name: str
    schema: int


class Recorded:
    """An event in its place in the log.

    `position` counts from 1 without gaps; `version` counts from 1 within `stream`; `at_us` is
    when it happened by its writer's clock, `committed_us` never decreases with position.
    `data` and `salt` are None once erased, and so is `event`. Payload and entry are decoded when
    they are first asked for.
    """

    __slots__ = (
        "_data",
        "_entry",
        "at_us",
        "committed_us",
        "data",
        "entry",
        "event_id",
        "kind",
        "position",
        "salt",
        "stream",
        "subject",
        "version",
    )

    def __init__(
        self,
        position: int,
        stream: str,
        version: int,
        kind: Kind,
        at_us: int,
        committed_us: int,
        event_id: bytes,
        entry: bytes,
        data: bytes | None,
        salt: bytes | None,
        subject: str | None,
        decoded: Data | None = None,
    ) -> None:
        self.position = position
        self.stream = stream
        self.version = version
        self.kind = kind
        self.at_us = at_us
        self.committed_us = committed_us
        self.event_id = event_id
        self.entry = entry
        self.data = data
        self.salt = salt
        self.subject = subject
        self._data = decoded
        self._entry: Entry | None = None

    @property
    def type(self) -> str:
        return self.kind.name

    @property
    def schema(self) -> int:
        return self.kind.schema

    @property
    def event(self) -> Event | None:
        """The event, upcast to today's shape, or None if it was erased. Raises Unreadable."""
        payload = self._data
        if payload is None:
            if self.data is None:
                return None
            payload = self._decode(self.data)
        return payload.event

    @property
    def source(self) -> str:
        return "" if self.data is None else (self._data or self._decode(self.data)).source

    @property
    def agent(self) -> str:
        return "" if self.data is None else (self._data or self._decode(self.data)).agent

    @property
    def actor(self) -> str:
        return self.envelope.actor

    @property
    def request_id(self) -> str:
        return self.envelope.request_id

    @property
    def cause(self) -> str:
        return self.envelope.cause

    @property
    def envelope(self) -> Entry:
        """The entry, decoded. Raises Unreadable."""
        if self._entry is None:
            try:
                self._entry = decode_entry(self.entry)
            except Undecodable as error:
                raise Unreadable(position=self.position, reason=str(error)) from error
        return self._entry

    def __repr__(self) -> str:
        return f"<{self.position} {self.stream}@{self.version} {self.type} v{self.schema}>"

    def _decode(self, data: bytes) -> Data:
        try:
            self._data = decode_data(self.kind.name, self.kind.schema, data)
        except Undecodable as error:
            raise Unreadable(position=self.position, reason=str(error)) from error
        return self._data


Types = Collection[type[Event] | str]


class Log(Protocol):
    """Facts in order. Positions are gapless and become visible in order, for every reader."""

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
        """Place all of `events` at consecutive positions of `stream`, synced, or none of them.

        `expect` is the version the stream must be at (0: not there yet). `key` makes a retry
        safe: the same request with the same key gets the first answer again. A cancelled call
        may still be placed.

        Raises: Conflict, KeyReused, whatever a guard or a view raised: nothing was placed.
                LogBusy, LogFull: nothing was placed; try later.
                LogFailed: it is unknown whether it was placed; the log is closed.
        """

    def head(self) -> int:
        """Return the last committed position; 0 when the log is empty."""

    async def position_at(self, us: int) -> int:
        """Return the greatest position committed by `us`; 0 if there is none."""

    def read(
        self,
        *,
        after: int = 0,
        until: int | None = None,
        streams: str | None = None,
        types: Types | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[Recorded]:
        """Yield what lies in (after, until], in order; `streams` is a name or a glob."""

    def follow(
        self,
        *,
        after: int,
        streams: str | None = None,
        types: Types | None = None,
        lag_s: float = 0.0,
    ) -> AsyncIterator[Recorded]:
        """Yield what lies after `after`, in order, without skipping, for ever.

        With `lag_s` it looks that often only, so that commits which do not concern the follower
        cost it nothing.
        """

    async def get(self, table: str, key: bytes) -> Row | None:
        """Return a row of a table view as the last commit left it."""

    async def get_many(self, table: str, keys: Sequence[bytes]) -> list[Row | None]:
        """Return the rows of `keys`, in their order, from one state of the log."""

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
        """Return at most `limit` rows with lo <= key < hi in key order, or in reverse.

        `shape`: a row type of fewer fields, the table's own first ones; the others are not decoded.
        """

    async def close(self) -> None:
        """Finish the appends that were accepted, then let go of everything."""
