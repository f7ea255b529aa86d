"""Assignments: who has which role where, granted and revoked."""

from __future__ import annotations

from typing import Any

import msgspec

from computelite.identity.commands.common import there
from computelite.identity.errors import NoSuch
from computelite.identity.events.actors import group_stream, user_stream
from computelite.identity.events.roles import RoleGranted, RoleRevoked
from computelite.identity.guards import Present
from computelite.identity.keys import assignment_key
from computelite.identity.rows import Assignment
from eventlog.log import Actor, Guard, Log


async def grant_role(log: Log, assignment: Assignment, *, actor: Actor) -> None:
    """Give a role; who has it already keeps it, and nothing is recorded.

    Raises:  NoSuch for the role, the user or group, the project or domain.
    """
    guards: list[Guard] = [there("role", "role", assignment.role_id)]
    for table in ("user", "group", "project", "domain"):
        if id_ := getattr(assignment, f"{table}_id"):
            guards.append(there(table, table, id_))
    if await is_granted(log, assignment):
        return
    event = RoleGranted(**_fields(assignment))
    await log.append(_stream(assignment), [event], actor=actor, guards=guards)


async def revoke_role(log: Log, assignment: Assignment, *, actor: Actor) -> None:
    """Take a role away; from the moment this returns no token has it.

    Raises:  NoSuch if it was not given.
    """

    def refusal() -> NoSuch:
        return NoSuch(kind="role assignment", id=assignment.role_id)

    guards = [Present("assignment", assignment_key(assignment), refusal)]
    event = RoleRevoked(**_fields(assignment))
    await log.append(_stream(assignment), [event], actor=actor, guards=guards)


async def is_granted(log: Log, assignment: Assignment) -> bool:
    """Whether this very role was given, to this actor, here."""
    return await log.get("assignment", assignment_key(assignment)) is not None


def _fields(assignment: Assignment) -> dict[str, Any]:
    return msgspec.structs.asdict(assignment)


def _stream(assignment: Assignment) -> str:
    if assignment.user_id:
        return user_stream(assignment.user_id)
    return group_stream(assignment.group_id)
