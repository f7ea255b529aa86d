"""Access keys, which are EC2 credentials: made, switched, deleted."""

from __future__ import annotations

import base64

import msgspec

from computelite.errors import KeyExists, NoSuchKey
from computelite.identity.commands.common import there
from computelite.identity.events.actors import user_stream
from computelite.identity.events.credentials import (
    AccessKeyCreated,
    AccessKeyDeleted,
    AccessKeyDisabled,
    AccessKeyEnabled,
)
from computelite.identity.guards import Absent, Present
from computelite.identity.keys import id_key
from computelite.identity.rows import AccessKey
from computelite.keystore import KeyStore
from computelite.secret import Secret
from eventlog.clock import Ids
from eventlog.errors import Refused
from eventlog.event import Event
from eventlog.log import Actor, Guard, Log


class IssuedKey(msgspec.Struct, frozen=True):
    """A new key with its secret, which is shown this once."""

    key_id: str
    secret: Secret


def draw_key(ids: Ids) -> IssuedKey:
    """Draw a key id of 20 characters and a secret of 40 (240 random bits)."""
    key_id = "CL" + base64.b32encode(ids.random(12)).decode("ascii")[:18]
    return IssuedKey(key_id, Secret(base64.urlsafe_b64encode(ids.random(30)).decode("ascii")))


def secret_context(key_id: str) -> bytes:
    """Return what a key's sealed secret is bound to: it opens for no other key."""
    return b"access-key/" + id_key(key_id)


def secret_of(key: AccessKey, keystore: KeyStore) -> Secret:
    """Return a key's secret.

    Raises:  SealBroken.
    """
    return Secret(keystore.unseal(key.sealed, context=secret_context(key.key_id)).decode())


def key_created(
    keystore: KeyStore,
    issued: IssuedKey,
    *,
    user_id: str,
    project_id: str,
    bucket: str | None = None,
    read_only: bool = False,
    description: str = "",
    credential_id: str = "",
    application_credential_id: str = "",
) -> AccessKeyCreated:
    """Return the event that makes a key."""
    context = secret_context(issued.key_id)
    return AccessKeyCreated(
        key_id=issued.key_id,
        user_id=user_id,
        project_id=project_id,
        sealed=keystore.seal(issued.secret.reveal().encode(), context=context),
        bucket=bucket,
        read_only=read_only,
        description=description,
        credential_id=credential_id,
        application_credential_id=application_credential_id,
    )


async def create_access_key(
    log: Log,
    keystore: KeyStore,
    issued: IssuedKey,
    *,
    user_id: str,
    project_id: str,
    actor: Actor,
    bucket: str | None = None,
    read_only: bool = False,
    description: str = "",
    application_credential_id: str = "",
) -> AccessKey:
    """Make a key that acts for the user in the project; return its row.

    Raises:  NoSuch for the user or the project, KeyExists.
    """
    created = key_created(
        keystore,
        issued,
        user_id=user_id,
        project_id=project_id,
        bucket=bucket,
        read_only=read_only,
        description=description,
        application_credential_id=application_credential_id,
    )
    guards: list[Guard] = [
        key_is_free(issued.key_id),
        there("user", "user", user_id),
        there("project", "project", project_id),
    ]
    if application_credential_id:
        kind = "application credential"
        guards.append(there("application_credential", kind, application_credential_id))
    await log.append(user_stream(user_id), [created], actor=actor, guards=guards)
    return await get_access_key(log, issued.key_id)


async def replace_access_key(
    log: Log, keystore: KeyStore, old: AccessKey, issued: IssuedKey, *, actor: Actor
) -> AccessKey:
    """Let another key id and secret take the place of a key, with all that it may.

    Raises:  NoSuchKey, KeyExists.
    """
    created = key_created(
        keystore,
        issued,
        user_id=old.user_id,
        project_id=old.project_id,
        bucket=old.bucket,
        read_only=old.read_only,
        description=old.description,
        credential_id=old.credential_id,
        application_credential_id=old.application_credential_id,
    )
    deleted = AccessKeyDeleted(key_id=old.key_id, user_id=old.user_id)
    guards: list[Guard] = [_key_there(old.key_id)]
    if issued.key_id != old.key_id:
        guards.append(key_is_free(issued.key_id))
    events: list[Event] = [deleted, created]
    if not old.enabled:
        events.append(AccessKeyDisabled(key_id=issued.key_id, user_id=old.user_id))
    await log.append(user_stream(old.user_id), events, actor=actor, guards=guards)
    return await get_access_key(log, issued.key_id)


async def switch_access_key(log: Log, key_id: str, *, enabled: bool, actor: Actor) -> AccessKey:
    """Disable or enable a key; when this returns every worker knows. Return the key.

    Raises:  NoSuchKey.
    """
    key = await get_access_key(log, key_id)
    if key.enabled != enabled:
        kind = AccessKeyEnabled if enabled else AccessKeyDisabled
        switched = kind(key_id=key_id, user_id=key.user_id)
        guards = [_key_there(key_id)]
        await log.append(user_stream(key.user_id), [switched], actor=actor, guards=guards)
    return msgspec.structs.replace(key, enabled=enabled)


async def delete_access_key(log: Log, key: AccessKey, *, actor: Actor) -> None:
    """Delete a key; when this returns every worker knows.

    Raises:  NoSuchKey.
    """
    deleted = AccessKeyDeleted(key_id=key.key_id, user_id=key.user_id)
    guards = [_key_there(key.key_id)]
    await log.append(user_stream(key.user_id), [deleted], actor=actor, guards=guards)


async def get_access_key(log: Log, key_id: str) -> AccessKey:
    """Raises:  NoSuchKey."""
    key = await log.get("access_key", id_key(key_id))
    if not isinstance(key, AccessKey):
        raise NoSuchKey(key_id=key_id)
    return key


def key_is_free(key_id: str) -> Absent:
    """Guard: no key has this id. Its refusal is KeyExists."""

    def refusal() -> Refused:
        return KeyExists(key_id=key_id)

    return Absent("access_key", id_key(key_id), refusal)


def _key_there(key_id: str) -> Present:
    return Present("access_key", id_key(key_id), lambda: NoSuchKey(key_id=key_id))
