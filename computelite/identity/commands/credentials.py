"""Credentials that are no access keys: blobs that users want kept."""

from __future__ import annotations

from computelite.identity.commands.common import new_id, there
from computelite.identity.errors import NoSuch
from computelite.identity.events.actors import user_stream
from computelite.identity.events.credentials import (
    CredentialChanged,
    CredentialCreated,
    CredentialDeleted,
)
from computelite.identity.keys import id_key
from computelite.identity.rows import Credential
from computelite.keystore import KeyStore
from eventlog.clock import Ids
from eventlog.log import Actor, Guard, Log


def credential_context(credential_id: str) -> bytes:
    """Return what a credential's sealed blob is bound to."""
    return b"credential/" + id_key(credential_id)


async def create_credential(
    log: Log,
    ids: Ids,
    keystore: KeyStore,
    *,
    user_id: str,
    project_id: str | None,
    kind: str,
    blob: str,
    actor: Actor,
) -> Credential:
    """Keep a blob for a user.

    Raises:  NoSuch for the user or the project.
    """
    credential_id = new_id(ids)
    created = CredentialCreated(
        credential_id=credential_id,
        user_id=user_id,
        project_id=project_id,
        type=kind,
        sealed=keystore.seal(blob.encode(), context=credential_context(credential_id)),
    )
    guards: list[Guard] = [there("user", "user", user_id)]
    if project_id is not None:
        guards.append(there("project", "project", project_id))
    await log.append(user_stream(user_id), [created], actor=actor, guards=guards)
    return await get_credential(log, credential_id)


async def change_credential(
    log: Log, keystore: KeyStore, credential: Credential, blob: str, *, actor: Actor
) -> Credential:
    """Keep another blob instead.

    Raises:  NoSuch.
    """
    sealed = keystore.seal(blob.encode(), context=credential_context(credential.id))
    changed = CredentialChanged(
        credential_id=credential.id, user_id=credential.user_id, sealed=sealed
    )
    guards = [there("credential", "credential", credential.id)]
    await log.append(user_stream(credential.user_id), [changed], actor=actor, guards=guards)
    return await get_credential(log, credential.id)


async def delete_credential(log: Log, credential: Credential, *, actor: Actor) -> None:
    """Forget a blob.

    Raises:  NoSuch.
    """
    deleted = CredentialDeleted(credential_id=credential.id, user_id=credential.user_id)
    guards = [there("credential", "credential", credential.id)]
    await log.append(user_stream(credential.user_id), [deleted], actor=actor, guards=guards)


async def get_credential(log: Log, credential_id: str) -> Credential:
    """Raises:  NoSuch."""
    row = await log.get("credential", id_key(credential_id))
    if not isinstance(row, Credential):
        raise NoSuch(kind="credential", id=credential_id)
    return row


def blob_of(credential: Credential, keystore: KeyStore) -> str:
    """Return what a credential keeps.

    Raises:  SealBroken.
    """
    context = credential_context(credential.id)
    return keystore.unseal(credential.sealed, context=context).decode()
