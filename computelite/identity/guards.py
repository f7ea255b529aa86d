"""Guards: what a command found when it decided, asserted again under the log's lock.

Pure: no clock, no IO.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from eventlog.errors import Refused
from eventlog.view import Rows


class Absent(msgspec.Struct, frozen=True):
    """No row has this key."""

    table: str
    key: bytes
    refusal: Callable[[], Refused]

    def keys(self) -> Iterable[tuple[str, bytes]]:
        return [(self.table, self.key)]

    def check(self, rows: Rows) -> None:
        if rows.get(self.table, self.key) is not None:
            raise self.refusal()


class Present(msgspec.Struct, frozen=True):
    """A row has this key."""

    table: str
    key: bytes
    refusal: Callable[[], Refused]

    def keys(self) -> Iterable[tuple[str, bytes]]:
        return [(self.table, self.key)]

    def check(self, rows: Rows) -> None:
        if rows.get(self.table, self.key) is None:
            raise self.refusal()


class FreeFor(msgspec.Struct, frozen=True):
    """No row has this key, or one that refers to `id` alone."""

    table: str
    key: bytes
    id: str
    refusal: Callable[[], Refused]

    def keys(self) -> Iterable[tuple[str, bytes]]:
        return [(self.table, self.key)]

    def check(self, rows: Rows) -> None:
        holder = rows.get(self.table, self.key)
        if holder is not None and holder.id != self.id:
            raise self.refusal()


class Empty(msgspec.Struct, frozen=True):
    """No row has a key in a range."""

    table: str
    within: tuple[bytes, bytes | None]
    refusal: Callable[[], Refused]

    def keys(self) -> Iterable[tuple[str, bytes]]:
        return []

    def check(self, rows: Rows) -> None:
        if rows.first(self.table, *self.within) is not None:
            raise self.refusal()


class Decided(msgspec.Struct, frozen=True):
    """The row of a key, or None, is such that `judge` raises nothing."""

    table: str
    key: bytes
    judge: Callable[[Any], None]

    def keys(self) -> Iterable[tuple[str, bytes]]:
        return [(self.table, self.key)]

    def check(self, rows: Rows) -> None:
        self.judge(rows.get(self.table, self.key))
