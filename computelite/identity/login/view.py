"""How many wrong passwords in a row were given for whom, apart from the identity tables.

    login_failures   user id -> Failures; no row: none

A wrong password must not make every process forget what it knows of identity, so that this is a
view of its own.

Pure: no clock, no IO.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar

import msgspec

from computelite.identity.events.actors import (
    UserDeleted,
    UserLocked,
    UserPasswordSet,
    UserUnlocked,
)
from computelite.identity.keys import id_key
from computelite.identity.login.events import LOGIN_EVENTS, LoginFailed, LoginForgiven
from eventlog.event import Event
from eventlog.log import Recorded
from eventlog.view import Rows, TableView

TABLE = "login_failures"


class Failures(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """Wrong passwords since the last right one."""

    count: int
    last_us: int


class LoginView(TableView):
    """Folds wrong passwords, and what makes them count no more."""

    name = "login"
    version = 1
    tables: ClassVar[Mapping[str, type[msgspec.Struct]]] = {TABLE: Failures}
    handles: ClassVar[frozenset[type[Event]]] = LOGIN_EVENTS | {
        UserDeleted,
        UserLocked,
        UserPasswordSet,
        UserUnlocked,
    }

    def keys(self, event: Event) -> Iterable[tuple[str, bytes]]:
        return [(TABLE, id_key(event.user_id))]  # type: ignore[attr-defined]

    def evolve(self, rows: Rows, rec: Recorded) -> None:
        match rec.event:
            case LoginFailed(user_id=user_id, window_s=window_s):
                before = rows.get(TABLE, id_key(user_id))
                since = rec.committed_us - window_s * 1_000_000
                count = before.count if before is not None and before.last_us >= since else 0
                failures = Failures(count=count + 1, last_us=rec.committed_us)
                rows.put(TABLE, id_key(user_id), failures)
            case (
                LoginForgiven(user_id=user_id)
                | UserDeleted(user_id=user_id)
                | UserLocked(user_id=user_id)
                | UserPasswordSet(user_id=user_id)
                | UserUnlocked(user_id=user_id)
            ):
                rows.delete(TABLE, id_key(user_id))
            case _:
                pass
