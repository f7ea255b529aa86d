"""Operators' work on access keys."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta

from computelite.control.call import Arguments, Call, Nothing
from computelite.credentials import ADMIN
from computelite.errors import NoSuchUser, WrongUsage
from computelite.identity.commands.access_keys import (
    create_access_key,
    draw_key,
    switch_access_key,
)
from computelite.identity.events.actors import DEFAULT_DOMAIN
from computelite.identity.keys import id_key
from computelite.identity.queries import project_named, user_named
from computelite.identity.rows import AccessKey, User
from computelite.times import utc_text
from swiftlite.catalog.names import check_bucket_name
from swiftlite.errors import InvalidBucketName

_PAGE = 1000


class CreateKey(Arguments, frozen=True, kw_only=True):
    """What the new key may do at most."""

    bucket: str | None = None
    read_only: bool = False
    description: Annotated[str, Meta(max_length=256)] = ""


class SwitchKey(Arguments, frozen=True, kw_only=True):
    """Which key."""

    key_id: Annotated[str, Meta(max_length=128)]


async def create(call: Call, wanted: CreateKey) -> dict[str, Any]:
    """Make a key of the admin user in the admin project; the answer alone shows its secret.

    Raises:  WrongUsage for a bucket that there can never be.
    """
    if wanted.bucket is not None:
        try:
            check_bucket_name(wanted.bucket)
        except InvalidBucketName as error:
            raise WrongUsage(reason=f"--bucket: {error}") from None
    log = call.cloud.log
    admin = await user_named(log, DEFAULT_DOMAIN, ADMIN)
    project = await project_named(log, DEFAULT_DOMAIN, ADMIN)
    if admin is None or project is None:
        raise NoSuchUser(user=ADMIN)
    issued = draw_key(call.cloud.ids)
    await create_access_key(
        log,
        call.cloud.keystore,
        issued,
        user_id=admin.id,
        project_id=project.id,
        bucket=wanted.bucket,
        read_only=wanted.read_only,
        description=wanted.description,
        actor=call.actor,
    )
    claimed = wanted.bucket is None or await log.get("bucket_claim", wanted.bucket.encode())
    return {
        "bucket_exists": bool(claimed),
        "access_key": issued.key_id,
        "secret_key": issued.secret.reveal(),
        "bucket": wanted.bucket,
        "read_only": wanted.read_only,
        "description": wanted.description,
    }


async def list_all(call: Call, _: Nothing) -> dict[str, Any]:
    """Return every key without its secret, in the order of their ids."""
    log = call.cloud.log
    keys: list[dict[str, Any]] = []
    lo = b""
    while page := await log.scan("access_key", lo, None, limit=_PAGE):
        for place, row in page:
            assert isinstance(row, AccessKey)
            user = await log.get("user", id_key(row.user_id))
            keys.append(_shown(row, user.name if isinstance(user, User) else ""))
            lo = place + b"\0"
    return {"keys": keys}


async def disable(call: Call, which: SwitchKey) -> dict[str, Any]:
    """Disable a key; every worker refuses it from the moment this returns.

    Raises:  NoSuchKey.
    """
    return await _switch(call, which.key_id, enabled=False)


async def enable(call: Call, which: SwitchKey) -> dict[str, Any]:
    """Enable a key again.

    Raises:  NoSuchKey.
    """
    return await _switch(call, which.key_id, enabled=True)


async def _switch(call: Call, key_id: str, *, enabled: bool) -> dict[str, Any]:
    key = await switch_access_key(call.cloud.log, key_id, enabled=enabled, actor=call.actor)
    return {"access_key": key.key_id, "enabled": key.enabled}


def _shown(key: AccessKey, user: str) -> dict[str, Any]:
    return {
        "access_key": key.key_id,
        "user": user,
        "bucket": key.bucket,
        "read_only": key.read_only,
        "description": key.description,
        "enabled": key.enabled,
        "created": utc_text(key.created_us),
    }
