"""EC2 credentials, which are the access keys of S3: /v3/users/{user_id}/credentials/OS-EC2.

A key shows its secret to whoever may see it, and gives all that its user has. So an application
credential, which gives less, reaches those keys alone that were made with it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import msgspec

from computelite.api.call import json_reply, no_content
from computelite.api.errors import Forbidden
from computelite.api.fields import Id
from computelite.api.request import checked
from computelite.api.routing import Route
from computelite.errors import NoSuchKey
from computelite.identity.commands.access_keys import (
    create_access_key,
    delete_access_key,
    draw_key,
    get_access_key,
    secret_of,
)
from computelite.identity.errors import NotAllowed
from computelite.identity.keys import id_key, under
from computelite.identity.queries import every, get_user
from computelite.identity.rows import AccessKey, Ref
from computelite.keystone.call import Call
from computelite.keystone.permit import permit, permit_unrestricted, seen
from swiftlite.http.replies import Reply

KEYS_MAX = 1000  # of one user


class NewKey(msgspec.Struct, frozen=True, kw_only=True):
    """In which project the key will act."""

    tenant_id: Id


def key_fields(call: Call, key: AccessKey) -> dict[str, Any]:
    """Return a key as the API shows it, with its secret."""
    return {
        "access": key.key_id,
        "secret": secret_of(key, call.keystore).reveal(),
        "user_id": key.user_id,
        "tenant_id": key.project_id,
        "trust_id": None,
        "links": {"self": call.url("users", key.user_id, "credentials", "OS-EC2", key.key_id)},
    }


async def keys_of(call: Call, user_id: str) -> AsyncIterator[AccessKey]:
    """Yield a user's keys that the caller may see."""
    async for ref in every(call.log, "key_of_user", Ref, under(user_id)):
        key = await call.log.get("access_key", id_key(ref.id))
        if isinstance(key, AccessKey) and reaches(call, key):
            yield key


def reaches(call: Call, key: AccessKey) -> bool:
    """Whether a key gives no more than the caller's application credential, if they came by one."""
    used = call.caller.credential
    return used is None or key.application_credential_id == used.id


async def list_keys(call: Call) -> Reply:
    user_id = await _user(call)
    permit_unrestricted(call)
    shown = [key_fields(call, key) async for key in keys_of(call, user_id)]
    links = {"self": call.base_url + call.request.target, "previous": None, "next": None}
    return json_reply({"credentials": shown, "links": links})


async def create(call: Call) -> Reply:
    user_id = await _user(call)
    permit_unrestricted(call)
    new = checked(call.body, NewKey)
    check_made_within(call, user_id, new.tenant_id)
    await check_room(call, user_id)
    used = call.caller.credential
    key = await create_access_key(
        call.log,
        call.keystore,
        draw_key(call.ids),
        user_id=user_id,
        project_id=new.tenant_id,
        application_credential_id="" if used is None else used.id,
        actor=call.actor,
    )
    return json_reply({"credential": key_fields(call, key)}, 201)


async def show(call: Call) -> Reply:
    key = await _key(call)
    return json_reply({"credential": key_fields(call, key)})


async def delete(call: Call) -> Reply:
    key = await _key(call)
    await delete_access_key(call.log, key, actor=call.actor)
    return no_content()


def check_made_within(call: Call, user_id: str, project_id: str | None) -> None:
    """Return unless an application credential would make something beyond its own limits.

    Raises:  Forbidden.
    """
    caller = call.caller
    if caller.credential is not None and (user_id, project_id) != (
        caller.user_id,
        caller.project_id,
    ):
        raise Forbidden(
            reason="An application credential makes credentials for its own user and project only."
        )


async def check_room(call: Call, user_id: str) -> None:
    """Return unless the user has as many keys as anyone may. Raises: NotAllowed."""
    lo, hi = under(user_id)
    if len(await call.log.scan("key_of_user", lo, hi, limit=KEYS_MAX)) >= KEYS_MAX:
        raise NotAllowed(reason=f"A user has at most {KEYS_MAX} keys.")


async def _user(call: Call) -> str:
    user_id = call.params["user_id"]
    permit(call, user_id=user_id)
    await seen(call, get_user(call.log, user_id))
    return user_id


async def _key(call: Call) -> AccessKey:
    user_id = await _user(call)
    permit_unrestricted(call)
    key = await get_access_key(call.log, call.params["access"])
    if key.user_id != user_id or not reaches(call, key):
        raise NoSuchKey(key_id=key.key_id)
    return key


_ALL = "/v3/users/{user_id}/credentials/OS-EC2"
_ONE = _ALL + "/{access}"

ROUTES = (
    Route("GET", _ALL, list_keys, "ec2_list_credentials"),
    Route("POST", _ALL, create, "ec2_create_credential"),
    Route("GET", _ONE, show, "ec2_get_credential"),
    Route("DELETE", _ONE, delete, "ec2_delete_credential"),
)
