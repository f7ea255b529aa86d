"""Registered limits and limits: made, changed, deleted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from computelite.identity.commands.common import new_id, there
from computelite.identity.errors import NoSuch, NotAllowed, Taken
from computelite.identity.events.limits import (
    LIMITS,
    LimitChanged,
    LimitCreated,
    LimitDeleted,
    RegisteredLimitChanged,
    RegisteredLimitCreated,
    RegisteredLimitDeleted,
)
from computelite.identity.keys import id_key
from computelite.identity.rows import Limit, RegisteredLimit
from eventlog.clock import Ids
from eventlog.event import Event
from eventlog.log import Actor, Guard, Log
from eventlog.view import Rows


async def create_registered_limits(
    log: Log, ids: Ids, wanted: Sequence[Mapping[str, Any]], *, actor: Actor
) -> list[RegisteredLimit]:
    """Make all of them or none; each as in `registered-limit.created`.

    Raises:  Taken, NoSuch.
    """
    made = [RegisteredLimitCreated(limit_id=new_id(ids), **facts) for facts in wanted]
    _check_differ("registered limit", [_about(each) for each in made])
    guards: list[Guard] = [_RegisteredOnce(each.limit_id, _about(each)) for each in made]
    guards += _places(made)
    events: list[Event] = [*made]
    await log.append(LIMITS, events, actor=actor, guards=guards)
    return [await get_registered_limit(log, each.limit_id) for each in made]


async def change_registered_limit(
    log: Log, limit: RegisteredLimit, changes: Mapping[str, Any], *, actor: Actor
) -> RegisteredLimit:
    """Change it, as in `registered-limit.changed`.

    Raises:  NoSuch, Taken; NotAllowed for another resource while limits of this one are there.
    """
    if not changes:
        return limit
    guards: list[Guard] = [there("registered_limit", "registered limit", limit.id)]
    about = tuple(
        changes.get(name, getattr(limit, name))
        for name in ("service_id", "region_id", "resource_name")
    )
    if about != _about(limit):
        guards += [_NotUsed(_about(limit)), _RegisteredOnce(limit.id, about)]
        guards += _places([_Place(*about[:2])])
    changed = RegisteredLimitChanged(limit_id=limit.id, **changes)
    await log.append(LIMITS, [changed], actor=actor, guards=guards)
    return await get_registered_limit(log, limit.id)


async def delete_registered_limit(log: Log, limit: RegisteredLimit, *, actor: Actor) -> None:
    """Delete it.

    Raises:  NoSuch; NotAllowed while there are limits of its resource.
    """
    guards: list[Guard] = [
        there("registered_limit", "registered limit", limit.id),
        _NotUsed(_about(limit)),
    ]
    deleted = RegisteredLimitDeleted(limit_id=limit.id)
    await log.append(LIMITS, [deleted], actor=actor, guards=guards)


async def create_limits(
    log: Log, ids: Ids, wanted: Sequence[Mapping[str, Any]], *, actor: Actor
) -> list[Limit]:
    """Make all of them or none; each as in `limit.created`.

    Raises:  Taken; NoSuch, also for a resource that is not registered.
    """
    made = [LimitCreated(limit_id=new_id(ids), **facts) for facts in wanted]
    _check_differ("limit", [(each.project_id, each.domain_id, *_about(each)) for each in made])
    guards: list[Guard] = []
    for each in made:
        guards += [_Registered(_about(each)), _LimitOnce(each)]
        if each.project_id:
            guards.append(there("project", "project", each.project_id))
        if each.domain_id:
            guards.append(there("domain", "domain", each.domain_id))
    events: list[Event] = [*made]
    await log.append(LIMITS, events, actor=actor, guards=guards)
    return [await get_limit(log, each.limit_id) for each in made]


async def change_limit(
    log: Log, limit: Limit, changes: Mapping[str, Any], *, actor: Actor
) -> Limit:
    """Change it, as in `limit.changed`.

    Raises:  NoSuch.
    """
    if not changes:
        return limit
    guards = [there("limit", "limit", limit.id)]
    changed = LimitChanged(limit_id=limit.id, **changes)
    await log.append(LIMITS, [changed], actor=actor, guards=guards)
    return await get_limit(log, limit.id)


async def delete_limit(log: Log, limit_id: str, *, actor: Actor) -> None:
    """Delete it.

    Raises:  NoSuch.
    """
    guards = [there("limit", "limit", limit_id)]
    await log.append(LIMITS, [LimitDeleted(limit_id=limit_id)], actor=actor, guards=guards)


async def get_registered_limit(log: Log, limit_id: str) -> RegisteredLimit:
    """Raises:  NoSuch."""
    row = await log.get("registered_limit", id_key(limit_id))
    if not isinstance(row, RegisteredLimit):
        raise NoSuch(kind="registered limit", id=limit_id)
    return row


async def get_limit(log: Log, limit_id: str) -> Limit:
    """Raises:  NoSuch."""
    row = await log.get("limit", id_key(limit_id))
    if not isinstance(row, Limit):
        raise NoSuch(kind="limit", id=limit_id)
    return row


_About = tuple[str, str, str]


def _about(limit: Any) -> _About:
    """Return what it limits: a service's resource, in a region or everywhere."""
    return (limit.service_id, limit.region_id, limit.resource_name)


def _check_differ(kind: str, several: Sequence[tuple[str, ...]]) -> None:
    if len(set(several)) < len(several):
        raise Taken(kind=kind, reason="the request has it twice")


class _Place:
    def __init__(self, service_id: str, region_id: str) -> None:
        self.service_id = service_id
        self.region_id = region_id


def _places(limits: Sequence[Any]) -> list[Guard]:
    guards: list[Guard] = []
    for each in limits:
        guards.append(there("service", "service", each.service_id))
        if each.region_id:
            guards.append(there("region", "region", each.region_id))
    return guards


class _Looks:
    """A guard that goes through all the rows of a table: there are few."""

    def keys(self) -> list[tuple[str, bytes]]:
        return []

    def rows_of(self, rows: Rows, table: str) -> list[Any]:
        found, lo = [], b""
        while one := rows.first(table, lo, None):
            found.append(one[1])
            lo = one[0] + b"\0"
        return found


class _RegisteredOnce(_Looks):
    def __init__(self, limit_id: str, about: _About) -> None:
        self._limit_id = limit_id
        self._wanted = about

    def check(self, rows: Rows) -> None:
        for row in self.rows_of(rows, "registered_limit"):
            if _about(row) == self._wanted and row.id != self._limit_id:
                raise Taken(kind="registered limit", reason=f"{self._wanted[2]} has one")


class _Registered(_Looks):
    def __init__(self, about: _About) -> None:
        self._wanted = about

    def check(self, rows: Rows) -> None:
        if not any(_about(row) == self._wanted for row in self.rows_of(rows, "registered_limit")):
            raise NoSuch(kind="registered limit for the resource", id=self._wanted[2])


class _NotUsed(_Looks):
    def __init__(self, about: _About) -> None:
        self._wanted = about

    def check(self, rows: Rows) -> None:
        if any(_about(row) == self._wanted for row in self.rows_of(rows, "limit")):
            raise NotAllowed(reason="There are limits of this resource: delete them first.")


class _LimitOnce(_Looks):
    def __init__(self, limit: LimitCreated) -> None:
        self._limit = limit

    def check(self, rows: Rows) -> None:
        wanted = self._limit
        for row in self.rows_of(rows, "limit"):
            same = (row.project_id, row.domain_id) == (wanted.project_id, wanted.domain_id)
            if same and _about(row) == _about(wanted):
                raise Taken(kind="limit", reason=f"{wanted.resource_name} has one")
