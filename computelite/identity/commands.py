"""What can be done to users, projects and keys, decided under the log's head lock."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable

import msgspec

from computelite.errors import KeyExists, NameTaken, NoSuchKey, NoSuchUser
from computelite.identity.events import (
    AccessKeyCreated,
    AccessKeyDisabled,
    AccessKeyEnabled,
    ProjectCreated,
    RoleGranted,
    UserCreated,
    UserDisabled,
    UserEnabled,
    UserPasswordSet,
    project_stream,
    user_stream,
)
from computelite.identity.passwords import password_verifier
from computelite.identity.view import AccessKey, Ref
from computelite.keystore import KeyStore
from computelite.secret import Secret
from eventlog.clock import Ids
from eventlog.errors import Refused
from eventlog.event import Event
from eventlog.log import Actor, Guard
from eventlog.sqlite import SqliteLog
from eventlog.view import Rows


class IssuedKey(msgspec.Struct, frozen=True):
    """A new key with its secret, which is shown this once."""

    key_id: str
    secret: Secret


class _Absent(msgspec.Struct, frozen=True):
    """Guard: no row has this key."""

    table: str
    key: bytes
    refusal: Callable[[], Refused]

    def keys(self) -> Iterable[tuple[str, bytes]]:
        return [(self.table, self.key)]

    def check(self, rows: Rows) -> None:
        if rows.get(self.table, self.key) is not None:
            raise self.refusal()


class _Present(msgspec.Struct, frozen=True):
    """Guard: a row has this key."""

    table: str
    key: bytes
    refusal: Callable[[], Refused]

    def keys(self) -> Iterable[tuple[str, bytes]]:
        return [(self.table, self.key)]

    def check(self, rows: Rows) -> None:
        if rows.get(self.table, self.key) is None:
            raise self.refusal()


async def found_admin(
    log: SqliteLog,
    ids: Ids,
    keystore: KeyStore,
    *,
    name: str,
    password: Secret,
    issued: IssuedKey,
    actor: Actor,
) -> None:
    """Make the first user and their project, both called `name`, and the root key.

    Repeated after an interruption it makes what is missing; the user comes with everything at once.
    """
    project = await log.get("project_name", name.encode())
    if isinstance(project, Ref):
        project_id = project.id
    else:
        project_id = ids.uuid7()
        created = ProjectCreated(project_id=project_id, name=name)
        free = _Absent("project_name", name.encode(), lambda: NameTaken(kind="project", name=name))
        await log.append(project_stream(project_id), [created], actor=actor, guards=[free])
    user_id = ids.uuid7()
    verifier = password_verifier(password, ids)
    events: list[Event] = [
        UserCreated(user_id=user_id, name=name),
        UserPasswordSet(
            user_id=user_id, sealed=keystore.seal(verifier, context=password_context(user_id))
        ),
        RoleGranted(user_id=user_id, project_id=project_id, role="admin"),
        _key_created(keystore, issued, user_id=user_id, project_id=project_id, description="root"),
    ]
    free = _Absent("user_name", name.encode(), lambda: NameTaken(kind="user", name=name))
    await log.append(user_stream(user_id), events, actor=actor, guards=[free])


async def switch_user(log: SqliteLog, user_id: bytes, *, enabled: bool, actor: Actor) -> None:
    """Let all of a user's keys sleep, or work again, from the moment this returns.

    Raises:  NoSuchUser.
    """
    switched = UserEnabled(user_id=user_id) if enabled else UserDisabled(user_id=user_id)
    await log.append(user_stream(user_id), [switched], actor=actor, guards=[_user_there(user_id)])


async def create_access_key(
    log: SqliteLog,
    ids: Ids,
    keystore: KeyStore,
    *,
    user_id: bytes,
    project_id: bytes,
    actor: Actor,
    bucket: str | None = None,
    read_only: bool = False,
    description: str = "",
) -> IssuedKey:
    """Make a key that acts for the user in the project; return it with its secret.

    Raises:  NoSuchUser.
    """
    issued = draw_key(ids)
    created = _key_created(
        keystore,
        issued,
        user_id=user_id,
        project_id=project_id,
        bucket=bucket,
        read_only=read_only,
        description=description,
    )
    key_id = issued.key_id
    free = _Absent("access_key", key_id.encode(), lambda: KeyExists(key_id=key_id))
    guards: list[Guard] = [free, _user_there(user_id)]
    await log.append(user_stream(user_id), [created], actor=actor, guards=guards)
    return issued


async def switch_access_key(
    log: SqliteLog, key_id: str, *, enabled: bool, actor: Actor
) -> AccessKey:
    """Disable or enable a key; when this returns every worker knows. Return the key.

    Raises:  NoSuchKey.
    """
    key = await log.get("access_key", key_id.encode())
    if not isinstance(key, AccessKey):
        raise NoSuchKey(key_id=key_id)
    if key.enabled != enabled:
        kind = AccessKeyEnabled if enabled else AccessKeyDisabled
        switched = kind(key_id=key_id, user_id=key.user_id)
        await log.append(user_stream(key.user_id), [switched], actor=actor)
    return msgspec.structs.replace(key, enabled=enabled)


def draw_key(ids: Ids) -> IssuedKey:
    """Draw a key id of 20 characters and a secret of 40 (240 random bits)."""
    key_id = "CL" + base64.b32encode(ids.random(12)).decode("ascii")[:18]
    return IssuedKey(key_id, Secret(base64.urlsafe_b64encode(ids.random(30)).decode("ascii")))


def secret_context(key_id: str) -> bytes:
    """Return what a key's sealed secret is bound to: it opens for no other key."""
    return b"access-key/" + key_id.encode()


def password_context(user_id: bytes) -> bytes:
    """Return what a user's sealed password verifier is bound to."""
    return b"password/" + user_id


def _key_created(
    keystore: KeyStore,
    issued: IssuedKey,
    *,
    user_id: bytes,
    project_id: bytes,
    bucket: str | None = None,
    read_only: bool = False,
    description: str = "",
) -> AccessKeyCreated:
    context = secret_context(issued.key_id)
    return AccessKeyCreated(
        key_id=issued.key_id,
        user_id=user_id,
        project_id=project_id,
        sealed=keystore.seal(issued.secret.reveal().encode(), context=context),
        bucket=bucket,
        read_only=read_only,
        description=description,
    )


def _user_there(user_id: bytes) -> _Present:
    return _Present("user", user_id, lambda: NoSuchUser(user=user_id.hex()))
