"""Users: made, changed, switched, deleted, and their passwords."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from computelite.identity.commands.common import (
    as_read,
    name_is_free,
    name_is_free_for,
    new_id,
    there,
)
from computelite.identity.events.actors import (
    UserChanged,
    UserCreated,
    UserDeleted,
    UserDisabled,
    UserEnabled,
    UserPasswordSet,
    user_stream,
)
from computelite.identity.keys import name_key
from computelite.identity.queries import get_user
from computelite.identity.rows import User
from computelite.keystore import KeyStore
from eventlog.clock import Ids
from eventlog.event import Event
from eventlog.log import Actor, Guard, Log


def password_context(user_id: str) -> bytes:
    """Return what a user's sealed password verifier is bound to."""
    return b"password/" + bytes.fromhex(user_id)


def password_set(
    keystore: KeyStore, user_id: str, verifier: bytes, expires_us: int | None = None
) -> UserPasswordSet:
    """Return the event that makes a password the user's; b"" is none."""
    sealed = keystore.seal(verifier, context=password_context(user_id)) if verifier else b""
    return UserPasswordSet(user_id=user_id, sealed=sealed, expires_us=expires_us)


async def create_user(
    log: Log,
    ids: Ids,
    keystore: KeyStore,
    *,
    domain_id: str,
    name: str,
    actor: Actor,
    verifier: bytes = b"",
    expires_us: int | None = None,
    **facts: Any,
) -> User:
    """Make a user, with a password where there is a `verifier`; `facts` as in `user.created`.

    Raises:  NameTaken; NoSuch for the domain.
    """
    user_id = new_id(ids)
    created = UserCreated(user_id=user_id, domain_id=domain_id, name=name, **facts)
    events: list[Event] = [created]
    if verifier:
        events.append(password_set(keystore, user_id, verifier, expires_us))
    guards: list[Guard] = [
        name_is_free("user_name", name_key(domain_id, name), "user", name),
        there("domain", "domain", domain_id),
    ]
    await log.append(user_stream(user_id), events, actor=actor, guards=guards)
    return await get_user(log, user_id)


async def change_user(
    log: Log,
    keystore: KeyStore,
    user: User,
    changes: Mapping[str, Any],
    *,
    actor: Actor,
    enabled: bool | None = None,
    verifier: bytes = b"",
    expires_us: int | None = None,
) -> User:
    """Change a user's attributes, as in `user.changed`; switch them; give them a password.

    Raises:  NoSuch, NameTaken, ChangedMeanwhile.
    """
    events: list[Event] = []
    guards: list[Guard] = [
        there("user", "user", user.id),
        as_read("user", "user", user),
    ]
    if changes:
        events.append(UserChanged(user_id=user.id, **changes))
    if "name" in changes:
        key = name_key(user.domain_id, changes["name"])
        guards.append(name_is_free_for("user_name", key, "user", changes["name"], user.id))
    if enabled is not None and enabled != user.enabled:
        events.append(UserEnabled(user_id=user.id) if enabled else UserDisabled(user_id=user.id))
    if verifier:
        events.append(password_set(keystore, user.id, verifier, expires_us))
    if events:
        await log.append(user_stream(user.id), events, actor=actor, guards=guards)
    return await get_user(log, user.id)


async def set_password(
    log: Log,
    keystore: KeyStore,
    user_id: str,
    verifier: bytes,
    *,
    actor: Actor,
    expires_us: int | None = None,
) -> None:
    """Make a password the user's; every token of theirs is void, and a lock is open.

    Raises:  NoSuch.
    """
    event = password_set(keystore, user_id, verifier, expires_us)
    guards = [there("user", "user", user_id)]
    await log.append(user_stream(user_id), [event], actor=actor, guards=guards)


async def delete_user(log: Log, user_id: str, *, actor: Actor) -> None:
    """Delete a user, with all that is theirs.

    Raises:  NoSuch.
    """
    deleted = UserDeleted(user_id=user_id)
    guards = [there("user", "user", user_id)]
    await log.append(user_stream(user_id), [deleted], actor=actor, guards=guards)
