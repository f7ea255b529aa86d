"""Credentials: /v3/credentials. Those of the type ec2 are the access keys of S3, one store of them.

Others are blobs that are kept sealed. What a credential is, whose and for which project, is for
ever; what it holds can change.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from computelite.api.call import no_content
from computelite.api.errors import BadRequest
from computelite.api.fields import Id
from computelite.api.routing import Route
from computelite.identity.commands.access_keys import (
    IssuedKey,
    create_access_key,
    delete_access_key,
    get_access_key,
    replace_access_key,
    secret_of,
)
from computelite.identity.commands.credentials import (
    blob_of,
    change_credential,
    create_credential,
    delete_credential,
    get_credential,
)
from computelite.identity.errors import NoSuch, NotAllowed
from computelite.identity.keys import id_key, under
from computelite.identity.queries import every
from computelite.identity.rows import AccessKey, Credential, Ref
from computelite.keystone.call import Call
from computelite.keystone.ec2_credentials import check_made_within, check_room, keys_of, reaches
from computelite.keystone.listing import listed
from computelite.keystone.permit import denied, permit, permit_unrestricted, seen
from computelite.keystone.policy import Target as PolicyTarget
from computelite.keystone.policy import Who, kinds_of
from computelite.secret import Secret
from swiftlite.http.replies import Reply

EC2 = "ec2"
CREDENTIALS_MAX = 1000  # of one user, keys apart

Kind = Annotated[str, Meta(min_length=1, max_length=255)]
Blob = Annotated[str, Meta(min_length=1, max_length=65536)]


class NewCredential(msgspec.Struct, frozen=True, kw_only=True):
    """What makes a credential; without a user it is the caller's."""

    blob: Blob
    type: Kind
    user_id: Id | None = None
    project_id: Id | None = None

    def __repr__(self) -> str:
        return f"NewCredential({self.type!r}, blob hidden)"


class CredentialPatch(msgspec.Struct, frozen=True, kw_only=True):
    """What changes one: the blob."""

    blob: Blob | UnsetType = UNSET
    type: Kind | UnsetType = UNSET
    user_id: Id | UnsetType | None = UNSET
    project_id: Id | UnsetType | None = UNSET

    def __repr__(self) -> str:
        return "CredentialPatch(hidden)"


class Ec2Blob(msgspec.Struct, frozen=True, kw_only=True):
    """What the blob of an ec2 credential says."""

    access: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.-]{3,128}\Z")]
    secret: Annotated[str, Meta(pattern=r"^[!-~]{8,256}\Z")]

    def __repr__(self) -> str:
        return "Ec2Blob(hidden)"


def fields_of(call: Call, row: AccessKey | Credential) -> dict[str, Any]:
    """Return a credential as the API shows it, with what it holds."""
    if isinstance(row, AccessKey):
        secret = secret_of(row, call.keystore).reveal()
        blob = json.dumps({"access": row.key_id, "secret": secret})
        return {
            "id": row.credential_id,
            "type": EC2,
            "user_id": row.user_id,
            "project_id": row.project_id,
            "blob": blob,
        }
    return {
        "id": row.id,
        "type": row.type,
        "user_id": row.user_id,
        "project_id": row.project_id,
        "blob": blob_of(row, call.keystore),
    }


async def list_credentials(call: Call) -> Reply:
    permit_unrestricted(call)
    wanted = call.query.get("user_id")
    if Who.ADMIN not in kinds_of(call.caller, PolicyTarget()):
        if wanted not in (None, call.caller.user_id):
            raise denied(call)
        wanted = call.caller.user_id
    return await listed(
        call,
        "credentials",
        _rows(call, wanted),
        lambda row: fields_of(call, row),
        filters=("user_id", "type", "project_id"),
    )


async def _rows(call: Call, user_id: str | None) -> AsyncIterator[AccessKey | Credential]:
    if user_id is None:
        async for key in every(call.log, "access_key", AccessKey):
            if reaches(call, key):
                yield key
        async for row in every(call.log, "credential", Credential):
            yield row
        return
    async for key in keys_of(call, user_id):
        yield key
    async for ref in every(call.log, "credential_of_user", Ref, under(user_id)):
        yield await get_credential(call.log, ref.id)


async def create(call: Call) -> Reply:
    new = call.read("credential", NewCredential)
    user_id = new.user_id or call.caller.user_id
    permit(call, user_id=user_id)
    permit_unrestricted(call)
    check_made_within(call, user_id, new.project_id)
    row: AccessKey | Credential
    if new.type == EC2:
        if new.project_id is None:
            raise BadRequest(reason="Invalid input for credential.project_id: ec2 needs it.")
        await check_room(call, user_id)
        used = call.caller.credential
        row = await create_access_key(
            call.log,
            call.keystore,
            _key_from(new.blob),
            user_id=user_id,
            project_id=new.project_id,
            application_credential_id="" if used is None else used.id,
            actor=call.actor,
        )
    else:
        await _check_room(call, user_id)
        row = await create_credential(
            call.log,
            call.ids,
            call.keystore,
            user_id=user_id,
            project_id=new.project_id,
            kind=new.type,
            blob=new.blob,
            actor=call.actor,
        )
    return _shown(call, row, 201)


async def show(call: Call) -> Reply:
    return _shown(call, await _found(call), 200)


async def update(call: Call) -> Reply:
    row = await _found(call)
    patch = call.read("credential", CredentialPatch)
    kind = EC2 if isinstance(row, AccessKey) else row.type
    for name, sent, is_now in (
        ("type", patch.type, kind),
        ("user_id", patch.user_id, row.user_id),
        ("project_id", patch.project_id, row.project_id),
    ):
        if sent not in (UNSET, is_now):
            raise BadRequest(reason=f"Invalid input for credential.{name}: it is for ever.")
    if isinstance(patch.blob, UnsetType):
        return _shown(call, row, 200)
    if isinstance(row, AccessKey):
        issued = _key_from(patch.blob)
        row = await replace_access_key(call.log, call.keystore, row, issued, actor=call.actor)
    else:
        row = await change_credential(call.log, call.keystore, row, patch.blob, actor=call.actor)
    return _shown(call, row, 200)


async def delete(call: Call) -> Reply:
    row = await _found(call)
    if isinstance(row, AccessKey):
        await delete_access_key(call.log, row, actor=call.actor)
    else:
        await delete_credential(call.log, row, actor=call.actor)
    return no_content()


async def _found(call: Call) -> AccessKey | Credential:
    credential_id = call.params["credential_id"]
    ref = await call.log.get("access_key_by_credential", id_key(credential_id))
    row: AccessKey | Credential
    if ref is not None:
        row = await get_access_key(call.log, ref.id)
    else:
        row = await seen(call, get_credential(call.log, credential_id))
    permit(call, user_id=row.user_id)
    permit_unrestricted(call)
    if isinstance(row, AccessKey) and not reaches(call, row):
        raise NoSuch(kind="credential", id=credential_id)
    return row


async def _check_room(call: Call, user_id: str) -> None:
    lo, hi = under(user_id)
    found = await call.log.scan("credential_of_user", lo, hi, limit=CREDENTIALS_MAX)
    if len(found) >= CREDENTIALS_MAX:
        raise NotAllowed(reason=f"A user has at most {CREDENTIALS_MAX} credentials.")


def _key_from(blob: str) -> IssuedKey:
    """Return the key that a blob describes.

    Raises:  BadRequest; it repeats nothing of the blob.
    """
    try:
        said = msgspec.json.decode(blob.encode(), type=Ec2Blob)
    except (msgspec.MsgspecError, RecursionError):
        raise BadRequest(
            reason="Invalid input for credential.blob: of the type ec2 it is JSON with `access` "
            "(3 to 128 of letters, digits, dot, dash, underscore) and `secret` (8 to 256 visible "
            "ASCII characters)."
        ) from None
    return IssuedKey(said.access, Secret(said.secret))


def _shown(call: Call, row: AccessKey | Credential, status: int) -> Reply:
    fields = fields_of(call, row)
    return call.member("credential", fields, "credentials", fields["id"], status=status)


_ONE = "/v3/credentials/{credential_id}"

ROUTES = (
    Route("GET", "/v3/credentials", list_credentials, "list_credentials"),
    Route("POST", "/v3/credentials", create, "create_credential"),
    Route("GET", _ONE, show, "get_credential"),
    Route("PATCH", _ONE, update, "update_credential"),
    Route("DELETE", _ONE, delete, "delete_credential"),
)
