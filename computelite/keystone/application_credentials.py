"""Application credentials: /v3/users/{user_id}/application_credentials, and their access rules.

One never gives more than its maker has: its roles are among theirs; made with another one, it ends
no later, is deleted with it, and its access rules are among that one's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from computelite.api.call import json_reply, no_content
from computelite.api.errors import BadRequest, Forbidden
from computelite.api.fields import Id, Name255, Text
from computelite.api.routing import Route
from computelite.api.times import micros_from, utc_micros
from computelite.identity.commands.application_credentials import (
    application_credentials_of,
    create_application_credential,
    delete_access_rule,
    delete_application_credential,
    draw_application_secret,
)
from computelite.identity.commands.common import new_id
from computelite.identity.errors import NoSuch, NotAllowed
from computelite.identity.events.credentials import AccessRule
from computelite.identity.keys import compared, pair_key, under
from computelite.identity.queries import (
    all_roles,
    every,
    get_application_credential,
    get_user,
)
from computelite.identity.rows import ApplicationCredential, Role, Rule
from computelite.keystone.call import Call
from computelite.keystone.listing import in_turn, listed
from computelite.keystone.passwords import verifier_of
from computelite.keystone.permit import permit, permit_unrestricted, seen
from swiftlite.http.replies import Reply

CREDENTIALS_MAX = 500  # of one user
RULES_MAX = 50  # of one credential

Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "COPY"]


class RoleWanted(msgspec.Struct, frozen=True, kw_only=True):
    """A role by its id or its name."""

    id: Id | None = None
    name: Annotated[str, Meta(max_length=255)] | None = None


class RuleWanted(msgspec.Struct, frozen=True, kw_only=True):
    """An access rule: one that is there, by its id, or a new one."""

    id: Id | None = None
    service: Annotated[str, Meta(min_length=1, max_length=255)] | None = None
    method: Method | None = None
    path: Annotated[str, Meta(max_length=128, pattern=r"^/[!-~]*\Z")] | None = None


class NewCredential(msgspec.Struct, frozen=True, kw_only=True):
    """What makes an application credential; what is empty or null takes its default."""

    name: Name255
    description: Text | None = None
    secret: Annotated[str, Meta(max_length=255)] | None = None
    roles: Annotated[list[RoleWanted], Meta(max_length=100)] | None = None
    expires_at: Annotated[str, Meta(max_length=64)] | None = None
    unrestricted: bool | None = None
    access_rules: Annotated[list[RuleWanted], Meta(max_length=RULES_MAX)] | None = None

    def __repr__(self) -> str:
        return f"NewCredential({self.name!r}, secret hidden)"


def fields_of(row: ApplicationCredential, roles: dict[str, Role]) -> dict[str, Any]:
    """Return an application credential as the API shows it."""
    fields: dict[str, Any] = {
        "id": row.id,
        "name": row.name,
        "description": row.description or None,
        "user_id": row.user_id,
        "project_id": row.project_id,
        "roles": [
            {"id": id_, "name": roles[id_].name, "domain_id": roles[id_].domain_id or None}
            for id_ in row.role_ids
            if id_ in roles
        ],
        "expires_at": None if row.expires_us is None else utc_micros(row.expires_us),
        "unrestricted": row.unrestricted,
    }
    if row.access_rules:
        fields["access_rules"] = [msgspec.structs.asdict(rule) for rule in row.access_rules]
    return fields


async def list_all(call: Call) -> Reply:
    user_id = await _user(call)
    roles = await all_roles(call.log)
    return await listed(
        call,
        "application_credentials",
        in_turn(await application_credentials_of(call.log, user_id)),
        lambda row: fields_of(row, roles),
        path=f"users/{user_id}/application_credentials",
        filters=("name", "id"),
    )


async def create(call: Call) -> Reply:
    user_id = await _user(call)
    permit_unrestricted(call)
    caller = call.caller
    if caller.project_id is None:
        raise Forbidden(reason="An application credential is made with a project's scope.")
    new = call.read("application_credential", NewCredential)
    maker = None
    if caller.credential is not None:
        maker = await get_application_credential(call.log, caller.credential.id)
    roles = await all_roles(call.log)
    role_ids = _roles_wanted(call, new.roles or (), roles)
    expires_us = _expiry_wanted(call, new.expires_at, maker)
    rules = await _rules_wanted(call, user_id, new.access_rules or (), maker)
    if len(await application_credentials_of(call.log, user_id)) >= CREDENTIALS_MAX:
        raise NotAllowed(reason=f"A user has at most {CREDENTIALS_MAX} application credentials.")
    secret = new.secret or draw_application_secret(call.ids).reveal()
    row = await create_application_credential(
        call.log,
        call.ids,
        call.keystore,
        user_id=user_id,
        project_id=caller.project_id,
        name=new.name,
        role_ids=role_ids,
        verifier=await verifier_of(call, secret),
        description=new.description or "",
        unrestricted=bool(new.unrestricted),
        expires_us=expires_us,
        access_rules=rules,
        maker_id="" if maker is None else maker.id,
        actor=call.actor,
    )
    return _shown(call, {**fields_of(row, roles), "secret": secret}, 201)


async def show(call: Call) -> Reply:
    row = await _credential(call)
    return _shown(call, fields_of(row, await all_roles(call.log)), 200)


async def delete(call: Call) -> Reply:
    permit_unrestricted(call)
    await delete_application_credential(call.log, await _credential(call), actor=call.actor)
    return no_content()


def _roles_wanted(
    call: Call, wanted: Sequence[RoleWanted], roles: dict[str, Role]
) -> tuple[str, ...]:
    """Return the ids of the roles that are asked for; all of the caller's where none is.

    Raises:  BadRequest for a role that the caller does not have.
    """
    held = {role.id for role in call.caller.roles}
    if not wanted:
        return tuple(sorted(held))
    found: list[str] = []
    for each in wanted:
        if each.id is None and each.name is None:
            raise BadRequest(reason="A role is named by its id or its name.")
        match = next(
            (
                id_
                for id_ in held
                if each.id == id_ or (each.id is None and _named(roles, id_, each))
            ),
            None,
        )
        if match is None:
            raise BadRequest(reason=f"You do not have the role {each.id or each.name} here.")
        found.append(match)
    return tuple(dict.fromkeys(found))


def _named(roles: dict[str, Role], role_id: str, wanted: RoleWanted) -> bool:
    return (
        wanted.name is not None
        and role_id in roles
        and compared(roles[role_id].name) == compared(wanted.name)
    )


def _expiry_wanted(call: Call, text: str | None, maker: ApplicationCredential | None) -> int | None:
    end = None if maker is None else maker.expires_us
    if not text:
        return end
    expires_us = micros_from(text)
    if expires_us is None:
        raise BadRequest(
            reason="Invalid input for application_credential.expires_at: it is no ISO 8601 time."
        )
    if expires_us <= call.clock.now_us():
        raise BadRequest(reason="Invalid input for application_credential.expires_at: it is past.")
    if end is not None and expires_us > end:
        raise Forbidden(reason="It cannot outlive the application credential that makes it.")
    return expires_us


async def _rules_wanted(
    call: Call, user_id: str, wanted: Sequence[RuleWanted], maker: ApplicationCredential | None
) -> tuple[AccessRule, ...]:
    known = [row async for row in every(call.log, "access_rule", Rule, under(user_id))]
    by_id = {row.id: row for row in known}
    by_meaning = {(row.service, row.method, row.path): row.id for row in known}
    found: list[AccessRule] = []
    for each in wanted:
        if each.id is not None:
            row = by_id.get(each.id)
            if row is None:
                raise NoSuch(kind="access rule", id=each.id)
            service, method, path = row.service, row.method, row.path
        elif each.service is None or each.method is None or each.path is None:
            raise BadRequest(reason="An access rule has service, method and path.")
        else:
            service, method, path = each.service, each.method, each.path
        id_ = by_meaning.setdefault((service, method, path), new_id(call.ids))
        rule = AccessRule(id=id_, service=service, method=method, path=path)
        if rule not in found:
            found.append(rule)
    if maker is not None and maker.access_rules:
        allowed = {(rule.service, rule.method, rule.path) for rule in maker.access_rules}
        if not found:
            return maker.access_rules
        if any((rule.service, rule.method, rule.path) not in allowed for rule in found):
            raise Forbidden(reason="Access rules are among those of the credential that makes it.")
    return tuple(found)


# -- access rules --------------------------------------------------------------------------------


async def list_rules(call: Call) -> Reply:
    user_id = await _user(call)
    return await listed(
        call,
        "access_rules",
        every(call.log, "access_rule", Rule, under(user_id)),
        rule_fields,
        path=f"users/{user_id}/access_rules",
        filters=("service", "method", "path"),
    )


async def show_rule(call: Call) -> Reply:
    rule = await _rule(call)
    where = ("users", rule.user_id, "access_rules", rule.id)
    return call.member("access_rule", rule_fields(rule), *where)


async def delete_rule(call: Call) -> Reply:
    permit_unrestricted(call)
    await delete_access_rule(call.log, await _rule(call), actor=call.actor)
    return no_content()


def rule_fields(rule: Rule) -> dict[str, Any]:
    """Return an access rule as the API shows it."""
    return {"id": rule.id, "service": rule.service, "method": rule.method, "path": rule.path}


async def _rule(call: Call) -> Rule:
    user_id = await _user(call)
    rule = await call.log.get("access_rule", pair_key(user_id, call.params["rule_id"]))
    if not isinstance(rule, Rule):
        raise NoSuch(kind="access rule", id=call.params["rule_id"])
    return rule


# -- what both have in common --------------------------------------------------------------------


async def _user(call: Call) -> str:
    user_id = call.params["user_id"]
    permit(call, user_id=user_id)
    await seen(call, get_user(call.log, user_id))
    return user_id


async def _credential(call: Call) -> ApplicationCredential:
    user_id = await _user(call)
    row = await get_application_credential(call.log, call.params["credential_id"])
    if row.user_id != user_id:
        raise NoSuch(kind="application credential", id=row.id)
    return row


def _shown(call: Call, fields: dict[str, Any], status: int) -> Reply:
    where = call.url("users", fields["user_id"], "application_credentials", fields["id"])
    linked = {**fields, "links": {"self": where}}
    return json_reply({"application_credential": linked}, status)


_ALL = "/v3/users/{user_id}/application_credentials"
_ONE = _ALL + "/{credential_id}"
_RULES = "/v3/users/{user_id}/access_rules"
_RULE = _RULES + "/{rule_id}"

ROUTES = (
    Route("GET", _ALL, list_all, "list_application_credentials"),
    Route("POST", _ALL, create, "create_application_credential"),
    Route("GET", _ONE, show, "get_application_credential"),
    Route("DELETE", _ONE, delete, "delete_application_credential"),
    Route("GET", _RULES, list_rules, "list_access_rules"),
    Route("GET", _RULE, show_rule, "get_access_rule"),
    Route("DELETE", _RULE, delete_rule, "delete_access_rule"),
)
