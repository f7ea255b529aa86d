"""Which endpoints a project's catalog shows: those added to the project, or all if nothing was.

Pure: no clock, no IO.
"""

from __future__ import annotations

from collections.abc import Iterable

from computelite.identity.rows import Association, Endpoint, EndpointGroup


def selects(group: EndpointGroup, endpoint: Endpoint) -> bool:
    """Whether an endpoint is as every filter of the group says; without filters each is."""
    facts = {
        "service_id": endpoint.service_id,
        "interface": endpoint.interface,
        "region_id": endpoint.region_id or None,
    }
    return all(name in facts and facts[name] == value for name, value in group.filters.items())


def added_endpoints(
    endpoints: Iterable[Endpoint],
    associations: Iterable[Association],
    groups: Iterable[EndpointGroup],
) -> list[Endpoint]:
    """Return the endpoints that a project's associations add: by themselves, or by a group."""
    alone = {association.endpoint_id for association in associations}
    together = list(groups)
    return [
        endpoint
        for endpoint in endpoints
        if endpoint.id in alone or any(selects(group, endpoint) for group in together)
    ]
