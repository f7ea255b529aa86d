"""What happens to the service catalog: regions, services, endpoints, and who is shown which.

And to stored policies.

Pure: no clock, no IO.
"""

from __future__ import annotations

from typing import TypeAlias

from msgspec import UNSET, field

from computelite.identity.events.shape import Json, Maybe
from eventlog.event import Event, event

Filters: TypeAlias = dict[str, str | None]

REGIONS = "regions"
"""The stream of all regions: their ids are names."""


@event("region.created", v=1)
class RegionCreated(Event):
    """A region, under another one or under none ("")."""

    region_id: str
    description: str = ""
    parent_region_id: str = ""
    extra: Json = field(default_factory=dict)


@event("region.changed", v=1)
class RegionChanged(Event):
    """Some attributes of a region are others now."""

    region_id: str
    description: Maybe[str] = UNSET
    parent_region_id: Maybe[str] = UNSET
    extra: Maybe[Json] = UNSET


@event("region.deleted", v=1)
class RegionDeleted(Event):
    """The region is gone; nothing was in it any more."""

    region_id: str


@event("service.created", v=1)
class ServiceCreated(Event):
    """A service: "object-store" and the like."""

    service_id: str
    type: str
    name: str = ""
    description: str = ""
    enabled: bool = True
    extra: Json = field(default_factory=dict)


@event("service.changed", v=1)
class ServiceChanged(Event):
    """Some attributes of a service are others now."""

    service_id: str
    type: Maybe[str] = UNSET
    name: Maybe[str] = UNSET
    description: Maybe[str] = UNSET
    enabled: Maybe[bool] = UNSET
    extra: Maybe[Json] = UNSET


@event("service.deleted", v=1)
class ServiceDeleted(Event):
    """The service is gone, and its endpoints with it."""

    service_id: str


@event("endpoint.created", v=1)
class EndpointCreated(Event):
    """Where a service is. `url` may hold `$(project_id)s`, and `{api}` for the API port's URL."""

    endpoint_id: str
    service_id: str
    interface: str
    url: str
    region_id: str = ""
    enabled: bool = True
    name: str = ""
    description: str = ""
    extra: Json = field(default_factory=dict)


@event("endpoint.changed", v=1)
class EndpointChanged(Event):
    """Some attributes of an endpoint are others now."""

    endpoint_id: str
    service_id: Maybe[str] = UNSET
    interface: Maybe[str] = UNSET
    url: Maybe[str] = UNSET
    region_id: Maybe[str] = UNSET
    enabled: Maybe[bool] = UNSET
    name: Maybe[str] = UNSET
    description: Maybe[str] = UNSET
    extra: Maybe[Json] = UNSET


@event("endpoint.deleted", v=1)
class EndpointDeleted(Event):
    """The endpoint is gone."""

    endpoint_id: str


@event("endpoint.project-added", v=1)
class EndpointProjectAdded(Event):
    """The project's catalog shows the endpoint, and none that nothing added to the project."""

    endpoint_id: str
    project_id: str


@event("endpoint.project-removed", v=1)
class EndpointProjectRemoved(Event):
    """The endpoint is no more added to the project; a project with nothing added sees all."""

    endpoint_id: str
    project_id: str


@event("endpoint-group.created", v=1)
class EndpointGroupCreated(Event):
    """All endpoints, present and to come, that are as `filters` say.

    `filters`: service_id, interface, region_id, each of them or not; the region None is no region.
    """

    endpoint_group_id: str
    name: str
    description: str = ""
    filters: Filters = field(default_factory=dict)


@event("endpoint-group.changed", v=1)
class EndpointGroupChanged(Event):
    """Some attributes of an endpoint group are others now; `filters` are all of them."""

    endpoint_group_id: str
    name: Maybe[str] = UNSET
    description: Maybe[str] = UNSET
    filters: Maybe[Filters] = UNSET


@event("endpoint-group.deleted", v=1)
class EndpointGroupDeleted(Event):
    """The endpoint group is gone, and what it added to projects with it."""

    endpoint_group_id: str


@event("endpoint-group.project-added", v=1)
class EndpointGroupProjectAdded(Event):
    """The project's catalog shows the group's endpoints, as `endpoint.project-added` for each."""

    endpoint_group_id: str
    project_id: str


@event("endpoint-group.project-removed", v=1)
class EndpointGroupProjectRemoved(Event):
    """The endpoint group is no more added to the project."""

    endpoint_group_id: str
    project_id: str


@event("policy.created", v=1)
class PolicyCreated(Event):
    """A document that some service reads its rules from; nothing here does."""

    policy_id: str
    type: str
    blob: str
    extra: Json = field(default_factory=dict)


@event("policy.changed", v=1)
class PolicyChanged(Event):
    """Some attributes of a policy are others now."""

    policy_id: str
    type: Maybe[str] = UNSET
    blob: Maybe[str] = UNSET
    extra: Maybe[Json] = UNSET


@event("policy.deleted", v=1)
class PolicyDeleted(Event):
    """The policy is gone."""

    policy_id: str


CATALOG_EVENTS: frozenset[type[Event]] = frozenset(
    {
        RegionCreated,
        RegionChanged,
        RegionDeleted,
        ServiceCreated,
        ServiceChanged,
        ServiceDeleted,
        EndpointCreated,
        EndpointChanged,
        EndpointDeleted,
        EndpointProjectAdded,
        EndpointProjectRemoved,
        EndpointGroupCreated,
        EndpointGroupChanged,
        EndpointGroupDeleted,
        EndpointGroupProjectAdded,
        EndpointGroupProjectRemoved,
        PolicyCreated,
        PolicyChanged,
        PolicyDeleted,
    }
)


def service_stream(service_id: str) -> str:
    """Return the stream of a service."""
    return f"service/{service_id}"


def endpoint_stream(endpoint_id: str) -> str:
    """Return the stream of an endpoint."""
    return f"endpoint/{endpoint_id}"


def endpoint_group_stream(endpoint_group_id: str) -> str:
    """Return the stream of an endpoint group."""
    return f"endpoint-group/{endpoint_group_id}"


def policy_stream(policy_id: str) -> str:
    """Return the stream of a policy."""
    return f"policy/{policy_id}"
