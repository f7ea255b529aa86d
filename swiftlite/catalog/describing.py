"""Describing: what owners say of buckets and accounts, and how much of it is kept.

A key is `meta:` and a name for a note of the owner's, which means nothing here, or the name of a
setting, such as `read-acl`.

Pure: no clock, no IO.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TypeVar

from msgspec.structs import replace

from eventlog.view import Rows
from swiftlite.catalog.limits import NOTES_BYTES_MAX, NOTES_MAX
from swiftlite.catalog.rows import Account, Bucket
from swiftlite.errors import MetadataTooLarge, TooManyNotes

NOTE = "meta:"

Described = TypeVar("Described", bound=Bucket | Account)


def described(row: Described, changed: Mapping[str, str], removed: Collection[str]) -> Described:
    """Return the row with what is said of it now."""
    meta, settings = dict(row.meta), dict(row.settings)
    for key in removed:
        if key.startswith(NOTE):
            meta.pop(key[len(NOTE) :], None)
        else:
            settings.pop(key, None)
    for key, value in changed.items():
        if key.startswith(NOTE):
            meta[key[len(NOTE) :]] = value
        else:
            settings[key] = value
    return replace(row, meta=meta, settings=settings)


def check_notes(meta: Mapping[str, str]) -> None:
    """Pass if there are not too many notes, nor too long ones together.

    Raises:  TooManyNotes, MetadataTooLarge.
    """
    if len(meta) > NOTES_MAX:
        raise TooManyNotes(count=len(meta), limit=NOTES_MAX)
    size = sum(len(name.encode()) + len(value.encode()) for name, value in meta.items())
    if size > NOTES_BYTES_MAX:
        raise MetadataTooLarge(size=size, limit=NOTES_BYTES_MAX)


class NotesFit:
    """Guard: with what is said now, the notes of a bucket or account stay within their limits.

    Decided at commit, so that two that say something at once do not pass the limits together.
    """

    def __init__(
        self,
        table: str,
        key: bytes,
        absent: Bucket | Account,
        changed: Mapping[str, str],
        removed: Collection[str],
    ) -> None:
        """`absent`: what counts as said before where there is no row."""
        self._table = table
        self._key = key
        self._absent = absent
        self._changed = changed
        self._removed = removed

    def keys(self) -> Iterable[tuple[str, bytes]]:
        return ((self._table, self._key),)

    def check(self, rows: Rows) -> None:
        before: Bucket | Account = rows.get(self._table, self._key) or self._absent
        check_notes(described(before, self._changed, self._removed).meta)
