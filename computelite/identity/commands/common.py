"""What commands have in common."""

from __future__ import annotations

from typing import Any

from computelite.errors import NameTaken
from computelite.identity.errors import ChangedMeanwhile, NoSuch
from computelite.identity.guards import Absent, Decided, FreeFor, Present
from computelite.identity.keys import id_key
from eventlog.clock import Ids


def new_id(ids: Ids) -> str:
    """Draw an id: 32 hexadecimal digits."""
    return ids.uuid7().hex()


def there(table: str, kind: str, id_: str) -> Present:
    """Guard: the thing exists. Its refusal is NoSuch."""
    return Present(table, id_key(id_), lambda: NoSuch(kind=kind, id=id_))


def name_is_free(table: str, key: bytes, kind: str, name: str) -> Absent:
    """Guard: nobody has the name. Its refusal is NameTaken."""
    return Absent(table, key, lambda: NameTaken(kind=kind, name=name))


def name_is_free_for(table: str, key: bytes, kind: str, name: str, id_: str) -> FreeFor:
    """Guard: nobody else has the name. Its refusal is NameTaken."""
    return FreeFor(table, key, id_, lambda: NameTaken(kind=kind, name=name))


def as_read(table: str, kind: str, read: Any) -> Decided:
    """Guard: what a change of a row was made from still is so: its options, clients' attributes.

    Its refusal is ChangedMeanwhile: whoever looks again may have another change.
    """

    def judge(row: Any) -> None:
        for name in ("options", "extra"):
            if row is not None and getattr(row, name, None) != getattr(read, name, None):
                raise ChangedMeanwhile(kind=kind, id=read.id)

    return Decided(table, id_key(read.id), judge)
