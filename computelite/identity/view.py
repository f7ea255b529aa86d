"""The identity tables: users, projects and access keys as they are now.

    user         user id            -> User
    user_name    name, UTF-8        -> Ref
    project      project id         -> Project
    project_name name, UTF-8        -> Ref
    access_key   key id, ASCII      -> AccessKey
    identity     one row, key empty -> Changed

Pure: no clock, no IO.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar

import msgspec

from computelite.identity.events import (
    IDENTITY_EVENTS,
    AccessKeyCreated,
    AccessKeyDisabled,
    AccessKeyEnabled,
    ProjectCreated,
    RoleGranted,
    UserCreated,
    UserDisabled,
    UserEnabled,
    UserPasswordSet,
)
from eventlog.event import Event
from eventlog.log import Recorded
from eventlog.view import Rows, TableView


class Row(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A row of one of these tables."""


class Grant(Row, frozen=True, kw_only=True, array_like=True):
    """A user's roles in one project."""

    project_id: bytes
    roles: tuple[str, ...]


class User(Row, frozen=True, kw_only=True, array_like=True):
    """A user; `password` is the sealed verifier, empty: none."""

    id: bytes
    name: str
    enabled: bool
    password: bytes
    grants: tuple[Grant, ...]
    created_us: int

    def roles_in(self, project_id: bytes) -> tuple[str, ...]:
        """Return the user's roles in a project."""
        return next((g.roles for g in self.grants if g.project_id == project_id), ())


class Project(Row, frozen=True, kw_only=True, array_like=True):
    """A project."""

    id: bytes
    name: str
    created_us: int


class Ref(Row, frozen=True, kw_only=True, array_like=True):
    """Whose name it is."""

    id: bytes


class AccessKey(Row, frozen=True, kw_only=True, array_like=True):
    """An access key with its secret sealed."""

    key_id: str
    user_id: bytes
    project_id: bytes
    sealed: bytes
    bucket: str | None
    read_only: bool
    description: str
    enabled: bool
    created_us: int


class Changed(Row, frozen=True, kw_only=True, array_like=True):
    """Where the log last changed any of this: what was looked up since then still holds."""

    position: int


class IdentityView(TableView):
    """Folds the identity events into the tables."""

    name = "identity"
    version = 1
    tables: ClassVar[Mapping[str, type[msgspec.Struct]]] = {
        "user": User,
        "user_name": Ref,
        "project": Project,
        "project_name": Ref,
        "access_key": AccessKey,
        "identity": Changed,
    }
    handles: ClassVar[frozenset[type[Event]]] = IDENTITY_EVENTS

    def keys(self, event: Event) -> Iterable[tuple[str, bytes]]:
        match event:
            case AccessKeyCreated() | AccessKeyDisabled() | AccessKeyEnabled():
                return [("access_key", event.key_id.encode())]
            case UserCreated() | UserPasswordSet() | UserDisabled() | UserEnabled() | RoleGranted():
                return [("user", event.user_id)]
            case ProjectCreated():
                return [("project", event.project_id)]
            case _:
                return []

    def evolve(self, rows: Rows, rec: Recorded) -> None:
        rows.put("identity", b"", Changed(position=rec.position))
        match rec.event:
            case ProjectCreated(project_id=id_, name=name):
                rows.put("project", id_, Project(id=id_, name=name, created_us=rec.committed_us))
                rows.put("project_name", name.encode(), Ref(id=id_))
            case UserCreated(user_id=id_, name=name):
                user = User(
                    id=id_,
                    name=name,
                    enabled=True,
                    password=b"",
                    grants=(),
                    created_us=rec.committed_us,
                )
                rows.put("user", id_, user)
                rows.put("user_name", name.encode(), Ref(id=id_))
            case UserPasswordSet(user_id=id_, sealed=sealed):
                _change_user(rows, id_, password=sealed)
            case UserDisabled(user_id=id_):
                _change_user(rows, id_, enabled=False)
            case UserEnabled(user_id=id_):
                _change_user(rows, id_, enabled=True)
            case RoleGranted() as granted:
                _grant(rows, granted)
            case AccessKeyCreated() as key:
                rows.put("access_key", key.key_id.encode(), _access_key(key, rec.committed_us))
            case AccessKeyDisabled(key_id=key_id):
                _switch_key(rows, key_id, enabled=False)
            case AccessKeyEnabled(key_id=key_id):
                _switch_key(rows, key_id, enabled=True)
            case _:
                pass


def _access_key(event: AccessKeyCreated, created_us: int) -> AccessKey:
    return AccessKey(
        key_id=event.key_id,
        user_id=event.user_id,
        project_id=event.project_id,
        sealed=event.sealed,
        bucket=event.bucket,
        read_only=event.read_only,
        description=event.description,
        enabled=True,
        created_us=created_us,
    )


def _change_user(rows: Rows, user_id: bytes, **changes: object) -> None:
    # An event about a user whose creation was erased changes nothing.
    if (user := rows.get("user", user_id)) is not None:
        rows.put("user", user_id, msgspec.structs.replace(user, **changes))


def _switch_key(rows: Rows, key_id: str, *, enabled: bool) -> None:
    if (key := rows.get("access_key", key_id.encode())) is not None:
        rows.put("access_key", key_id.encode(), msgspec.structs.replace(key, enabled=enabled))


def _grant(rows: Rows, event: RoleGranted) -> None:
    if (user := rows.get("user", event.user_id)) is None:
        return
    roles = tuple(sorted({*user.roles_in(event.project_id), event.role}))
    others = tuple(g for g in user.grants if g.project_id != event.project_id)
    grants = (*others, Grant(project_id=event.project_id, roles=roles))
    rows.put("user", event.user_id, msgspec.structs.replace(user, grants=grants))
