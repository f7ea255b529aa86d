"""Users: /v3/users."""

from __future__ import annotations

import operator
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from computelite.api.call import no_content
from computelite.api.errors import BadRequest
from computelite.api.fields import Id, Name255, Text, changes_of
from computelite.api.routing import Route
from computelite.api.times import micros_from, utc_micros
from computelite.identity.commands.users import change_user, create_user, delete_user
from computelite.identity.keys import id_key
from computelite.identity.queries import every, get_user, user_named
from computelite.identity.rows import Domain, User
from computelite.keystone.call import Call
from computelite.keystone.fields import UserOptions, extras_of, merged_options
from computelite.keystone.listing import listed
from computelite.keystone.passwords import Password, expiry_us, verifier_of
from computelite.keystone.permit import permit, permitted_domain, seen
from computelite.keystone.projects import domain_of_caller
from computelite.keystone.standing import permit_over_user
from swiftlite.http.replies import Reply

FILTERS = ("domain_id", "enabled", "name", "id", "default_project_id")


_COMPARISONS: Mapping[str, Callable[[int, int], bool]] = {
    "lt": operator.lt,
    "lte": operator.le,
    "gt": operator.gt,
    "gte": operator.ge,
    "eq": operator.eq,
    "neq": operator.ne,
}


class NewUser(msgspec.Struct, frozen=True, kw_only=True):
    """What makes a user."""

    name: Name255
    password: Password | None = None
    domain_id: Id | None = None
    default_project_id: Id | None = None
    enabled: bool = True
    description: Text | None = None
    options: UserOptions | UnsetType = UNSET

    def __repr__(self) -> str:
        return f"NewUser({self.name!r}, password hidden)"


class UserPatch(msgspec.Struct, frozen=True, kw_only=True):
    """What changes one; the domain is for ever."""

    name: Name255 | UnsetType = UNSET
    password: Password | UnsetType | None = UNSET
    domain_id: Id | UnsetType = UNSET
    default_project_id: Id | UnsetType | None = UNSET
    enabled: bool | UnsetType = UNSET
    description: Text | UnsetType | None = UNSET
    options: UserOptions | UnsetType = UNSET

    def __repr__(self) -> str:
        return "UserPatch(hidden)"


def user_fields(user: User) -> dict[str, Any]:
    """Return a user as the API shows them."""
    fields = {
        **user.extra,
        "id": user.id,
        "name": user.name,
        "domain_id": user.domain_id,
        "enabled": user.enabled,
        "password_expires_at": (
            None if user.password_expires_us is None else utc_micros(user.password_expires_us)
        ),
        "options": user.options,
    }
    if user.default_project_id is not None:
        fields["default_project_id"] = user.default_project_id
    if user.description:
        fields["description"] = user.description
    return fields


async def list_users(call: Call) -> Reply:
    own = permitted_domain(call)
    expires = _expiry_wanted(call)
    return await listed(
        call,
        "users",
        _candidates(call),
        user_fields,
        filters=FILTERS,
        keep=lambda user: own in (None, user.domain_id) and expires(user.password_expires_us),
    )


def _expiry_wanted(call: Call) -> Callable[[int | None], bool]:
    """Return the tests that ?password_expires_at=lt:2026-11-22T10:00:00Z and its like make."""
    tests: list[tuple[Callable[[int, int], bool], int]] = []
    for text in call.query.all("password_expires_at"):
        how, _, when = text.partition(":")
        us = micros_from(when)
        if how not in _COMPARISONS or us is None:
            raise BadRequest(
                reason="The parameter password_expires_at is OPERATOR:TIME, the operator one of "
                f"{', '.join(_COMPARISONS)}."
            )
        tests.append((_COMPARISONS[how], us))
    return lambda expires_us: (
        not tests or (expires_us is not None and all(fits(expires_us, us) for fits, us in tests))
    )


async def _candidates(call: Call) -> AsyncIterator[User]:
    name, domain_id = call.query.get("name"), call.query.get("domain_id")
    if name and domain_id:
        user = await user_named(call.log, domain_id, name)
        if user is not None:
            yield user
        return
    async for user in every(call.log, "user", User):
        yield user


async def create(call: Call) -> Reply:
    new = call.read("user", NewUser)
    domain_id = new.domain_id or domain_of_caller(call)
    permit(call, domain_id)
    await _check_default_project(call, new.default_project_id)
    extra = extras_of(call, "user", NewUser)
    verifier = await verifier_of(call, new.password) if new.password is not None else b""
    user = await create_user(
        call.log,
        call.ids,
        call.keystore,
        domain_id=domain_id,
        name=new.name,
        verifier=verifier,
        expires_us=expiry_us(call),
        enabled=new.enabled,
        default_project_id=new.default_project_id,
        description=new.description or "",
        options=merged_options({}, new.options),
        extra=extra,
        actor=call.actor,
    )
    return call.member("user", user_fields(user), "users", user.id, status=201)


async def show(call: Call) -> Reply:
    user_id = call.params["user_id"]
    if user_id == call.caller.user_id:
        permit(call, user_id=user_id)
    user = await seen(call, get_user(call.log, user_id))
    permit(call, user.domain_id, user_id=user.id)
    return call.member("user", user_fields(user), "users", user.id)


async def update(call: Call) -> Reply:
    user = await seen(call, get_user(call.log, call.params["user_id"]))
    permit(call, user.domain_id)
    await permit_over_user(call, user)
    patch = call.read("user", UserPatch)
    if patch.domain_id not in (UNSET, user.domain_id):
        raise BadRequest(reason="The domain of a user cannot be changed.")
    changes = changes_of(patch, "name", "default_project_id", "description")
    if "description" in changes:
        changes["description"] = changes["description"] or ""
    if not isinstance(patch.default_project_id, UnsetType):
        await _check_default_project(call, patch.default_project_id)
    if patch.options is not UNSET:
        changes["options"] = merged_options(user.options, patch.options)
    if call.extras("user", UserPatch):
        changes["extra"] = extras_of(call, "user", UserPatch, user.extra)
    verifier = b""
    if isinstance(patch.password, str):
        verifier = await verifier_of(call, patch.password)
    user = await change_user(
        call.log,
        call.keystore,
        user,
        changes,
        enabled=None if isinstance(patch.enabled, UnsetType) else patch.enabled,
        verifier=verifier,
        expires_us=expiry_us(call),
        actor=call.actor,
    )
    return call.member("user", user_fields(user), "users", user.id)


async def delete(call: Call) -> Reply:
    user = await seen(call, get_user(call.log, call.params["user_id"]))
    permit(call, user.domain_id)
    await permit_over_user(call, user)
    await delete_user(call.log, user.id, actor=call.actor)
    return no_content()


async def _check_default_project(call: Call, project_id: str | None) -> None:
    if project_id is None:
        return
    if isinstance(await call.log.get("domain", id_key(project_id)), Domain):
        raise BadRequest(reason="A domain cannot be the default project.")


ROUTES = (
    Route("GET", "/v3/users", list_users, "list_users"),
    Route("POST", "/v3/users", create, "create_user"),
    Route("GET", "/v3/users/{user_id}", show, "get_user"),
    Route("PATCH", "/v3/users/{user_id}", update, "update_user"),
    Route("DELETE", "/v3/users/{user_id}", delete, "delete_user"),
)
