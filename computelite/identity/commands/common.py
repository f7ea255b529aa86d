"""What commands have in common."""

from __future__ import annotations

from computelite.errors import NameTaken
from computelite.identity.errors import NoSuch
from computelite.identity.guards import Absent, FreeFor, Present
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
