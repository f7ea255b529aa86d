"""Regions, services, endpoints, policies: made, changed, deleted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from computelite.identity.commands.common import as_read, new_id, there
from computelite.identity.errors import NoSuch, NotAllowed, Taken
from computelite.identity.events import catalog as events
from computelite.identity.events.catalog import (
    REGIONS,
    endpoint_stream,
    policy_stream,
    service_stream,
)
from computelite.identity.guards import Absent
from computelite.identity.keys import id_key
from computelite.identity.queries import get_endpoint, get_region, get_service
from computelite.identity.rows import Endpoint, Policy, Region, Service
from eventlog.clock import Ids
from eventlog.log import Actor, Guard, Log
from eventlog.view import Rows


async def create_region(log: Log, *, region_id: str, actor: Actor, **facts: Any) -> Region:
    """Make a region; `facts` as in `region.created`.

    Raises:  Taken; NoSuch for the parent.
    """
    created = events.RegionCreated(region_id=region_id, **facts)

    def refusal() -> Taken:
        return Taken(kind="region", reason=f"the id {region_id} is taken")

    guards: list[Guard] = [Absent("region", id_key(region_id), refusal)]
    guards += _parent(created.parent_region_id)
    await log.append(REGIONS, [created], actor=actor, guards=guards)
    return await get_region(log, region_id)


async def change_region(
    log: Log, region: Region, changes: Mapping[str, Any], *, actor: Actor
) -> Region:
    """Change a region's attributes, as in `region.changed`.

    Raises:  NoSuch, ChangedMeanwhile; NotAllowed if it would be below itself.
    """
    if not changes:
        return region
    guards: list[Guard] = [
        there("region", "region", region.id),
        as_read("region", "region", region),
    ]
    if parent := changes.get("parent_region_id"):
        guards += [*_parent(parent), _NotBelowItself(region.id, parent)]
    changed = events.RegionChanged(region_id=region.id, **changes)
    await log.append(REGIONS, [changed], actor=actor, guards=guards)
    return await get_region(log, region.id)


async def delete_region(log: Log, region_id: str, *, actor: Actor) -> None:
    """Delete a region.

    Raises:  NoSuch; NotAllowed while there are endpoints or regions in it.
    """
    guards: list[Guard] = [there("region", "region", region_id), _RegionEmpty(region_id)]
    deleted = events.RegionDeleted(region_id=region_id)
    await log.append(REGIONS, [deleted], actor=actor, guards=guards)


async def create_service(log: Log, ids: Ids, *, kind: str, actor: Actor, **facts: Any) -> Service:
    """Make a service; `facts` as in `service.created`."""
    service_id = new_id(ids)
    created = events.ServiceCreated(service_id=service_id, type=kind, **facts)
    await log.append(service_stream(service_id), [created], actor=actor)
    return await get_service(log, service_id)


async def change_service(
    log: Log, service: Service, changes: Mapping[str, Any], *, actor: Actor
) -> Service:
    """Change a service's attributes, as in `service.changed`.

    Raises:  NoSuch, ChangedMeanwhile.
    """
    if not changes:
        return service
    changed = events.ServiceChanged(service_id=service.id, **changes)
    guards: list[Guard] = [
        there("service", "service", service.id),
        as_read("service", "service", service),
    ]
    await log.append(service_stream(service.id), [changed], actor=actor, guards=guards)
    return await get_service(log, service.id)


async def delete_service(log: Log, service_id: str, *, actor: Actor) -> None:
    """Delete a service with its endpoints.

    Raises:  NoSuch.
    """
    guards = [there("service", "service", service_id)]
    deleted = events.ServiceDeleted(service_id=service_id)
    await log.append(service_stream(service_id), [deleted], actor=actor, guards=guards)


async def create_endpoint(
    log: Log, ids: Ids, *, service_id: str, actor: Actor, **facts: Any
) -> Endpoint:
    """Make an endpoint; `facts` as in `endpoint.created`.

    Raises:  NoSuch for the service or the region.
    """
    endpoint_id = new_id(ids)
    created = events.EndpointCreated(endpoint_id=endpoint_id, service_id=service_id, **facts)
    guards = [there("service", "service", service_id), *_parent(created.region_id)]
    await log.append(endpoint_stream(endpoint_id), [created], actor=actor, guards=guards)
    return await get_endpoint(log, endpoint_id)


async def change_endpoint(
    log: Log, endpoint: Endpoint, changes: Mapping[str, Any], *, actor: Actor
) -> Endpoint:
    """Change an endpoint's attributes, as in `endpoint.changed`.

    Raises:  NoSuch for it, the service or the region; ChangedMeanwhile.
    """
    if not changes:
        return endpoint
    guards: list[Guard] = [
        there("endpoint", "endpoint", endpoint.id),
        as_read("endpoint", "endpoint", endpoint),
    ]
    if "service_id" in changes:
        guards.append(there("service", "service", changes["service_id"]))
    guards += _parent(changes.get("region_id", ""))
    changed = events.EndpointChanged(endpoint_id=endpoint.id, **changes)
    await log.append(endpoint_stream(endpoint.id), [changed], actor=actor, guards=guards)
    return await get_endpoint(log, endpoint.id)


async def delete_endpoint(log: Log, endpoint_id: str, *, actor: Actor) -> None:
    """Delete an endpoint.

    Raises:  NoSuch.
    """
    guards = [there("endpoint", "endpoint", endpoint_id)]
    deleted = events.EndpointDeleted(endpoint_id=endpoint_id)
    await log.append(endpoint_stream(endpoint_id), [deleted], actor=actor, guards=guards)


async def create_policy(
    log: Log, ids: Ids, *, kind: str, blob: str, actor: Actor, **facts: Any
) -> Policy:
    """Keep a policy document."""
    policy_id = new_id(ids)
    created = events.PolicyCreated(policy_id=policy_id, type=kind, blob=blob, **facts)
    await log.append(policy_stream(policy_id), [created], actor=actor)
    return await get_policy(log, policy_id)


async def change_policy(
    log: Log, policy: Policy, changes: Mapping[str, Any], *, actor: Actor
) -> Policy:
    """Change a policy, as in `policy.changed`.

    Raises:  NoSuch, ChangedMeanwhile.
    """
    if not changes:
        return policy
    changed = events.PolicyChanged(policy_id=policy.id, **changes)
    guards: list[Guard] = [
        there("policy", "policy", policy.id),
        as_read("policy", "policy", policy),
    ]
    await log.append(policy_stream(policy.id), [changed], actor=actor, guards=guards)
    return await get_policy(log, policy.id)


async def delete_policy(log: Log, policy_id: str, *, actor: Actor) -> None:
    """Forget a policy.

    Raises:  NoSuch.
    """
    guards = [there("policy", "policy", policy_id)]
    deleted = events.PolicyDeleted(policy_id=policy_id)
    await log.append(policy_stream(policy_id), [deleted], actor=actor, guards=guards)


async def get_policy(log: Log, policy_id: str) -> Policy:
    """Raises:  NoSuch."""
    row = await log.get("policy", id_key(policy_id))
    if not isinstance(row, Policy):
        raise NoSuch(kind="policy", id=policy_id)
    return row


def _parent(region_id: str) -> list[Guard]:
    return [there("region", "region", region_id)] if region_id else []


class _RegionEmpty:
    """Guard: there is nothing in a region."""

    def __init__(self, region_id: str) -> None:
        self._region_id = region_id

    def keys(self) -> list[tuple[str, bytes]]:
        return []

    def check(self, rows: Rows) -> None:
        for table, field in (("region", "parent_region_id"), ("endpoint", "region_id")):
            lo = b""
            while found := rows.first(table, lo, None):
                if getattr(found[1], field) == self._region_id:
                    raise NotAllowed(
                        reason=f"The region {self._region_id} has a {table}: delete that first."
                    )
                lo = found[0] + b"\0"


class _NotBelowItself:
    """Guard: a region's new parent is not the region, nor below it."""

    def __init__(self, region_id: str, parent_id: str) -> None:
        self._region_id = region_id
        self._parent_id = parent_id

    def keys(self) -> list[tuple[str, bytes]]:
        return []

    def check(self, rows: Rows) -> None:
        above = self._parent_id
        while above:
            if above == self._region_id:
                raise NotAllowed(reason=f"The region {above} cannot be below itself.")
            row = rows.get("region", id_key(above))
            above = row.parent_region_id if row is not None else ""
