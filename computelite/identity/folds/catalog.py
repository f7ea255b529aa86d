"""How the tables of the catalog, of policies and of limits change.

Pure: no clock, no IO.
"""

from __future__ import annotations

from typing import Any

from computelite.identity.events import catalog as events
from computelite.identity.events import limits
from computelite.identity.folds.fold import Fold, Folds, Range, changes_of, every, replace
from computelite.identity.keys import id_key
from computelite.identity.rows import (
    Endpoint,
    Limit,
    Policy,
    Region,
    RegisteredLimit,
    Row,
    Service,
)
from eventlog.event import Event
from eventlog.log import Recorded
from eventlog.view import Rows

_ALL: Range = (b"", None)


def forget_limits(rows: Rows, *, project_id: str = "", domain_id: str = "") -> None:
    """Forget the limits of a project or a domain that is gone."""
    for key, limit in every(rows, "limit", _ALL):
        if (limit.project_id, limit.domain_id) == (project_id, domain_id):
            rows.delete("limit", key)


def _created(table: str, row: type[Row], id_field: str) -> Fold:
    def fold(rows: Rows, rec: Recorded, event: Event) -> None:
        fields: dict[str, Any] = {name: getattr(event, name) for name in event.__struct_fields__}
        made = row(id=fields.pop(id_field), **fields)
        rows.put(table, id_key(getattr(event, id_field)), made)

    return fold


def _changed(table: str, id_field: str) -> Fold:
    def fold(rows: Rows, rec: Recorded, event: Event) -> None:
        key = id_key(getattr(event, id_field))
        replace(rows, table, key, **changes_of(event, but=id_field))

    return fold


def _deleted(table: str, id_field: str) -> Fold:
    def fold(rows: Rows, rec: Recorded, event: Event) -> None:
        rows.delete(table, id_key(getattr(event, id_field)))

    return fold


def service_deleted(rows: Rows, rec: Recorded, event: events.ServiceDeleted) -> None:
    rows.delete("service", id_key(event.service_id))
    for key, endpoint in every(rows, "endpoint", _ALL):
        if endpoint.service_id == event.service_id:
            rows.delete("endpoint", key)


FOLDS: Folds = {
    events.RegionCreated: _created("region", Region, "region_id"),
    events.RegionChanged: _changed("region", "region_id"),
    events.RegionDeleted: _deleted("region", "region_id"),
    events.ServiceCreated: _created("service", Service, "service_id"),
    events.ServiceChanged: _changed("service", "service_id"),
    events.ServiceDeleted: service_deleted,
    events.EndpointCreated: _created("endpoint", Endpoint, "endpoint_id"),
    events.EndpointChanged: _changed("endpoint", "endpoint_id"),
    events.EndpointDeleted: _deleted("endpoint", "endpoint_id"),
    events.PolicyCreated: _created("policy", Policy, "policy_id"),
    events.PolicyChanged: _changed("policy", "policy_id"),
    events.PolicyDeleted: _deleted("policy", "policy_id"),
    limits.RegisteredLimitCreated: _created("registered_limit", RegisteredLimit, "limit_id"),
    limits.RegisteredLimitChanged: _changed("registered_limit", "limit_id"),
    limits.RegisteredLimitDeleted: _deleted("registered_limit", "limit_id"),
    limits.LimitCreated: _created("limit", Limit, "limit_id"),
    limits.LimitChanged: _changed("limit", "limit_id"),
    limits.LimitDeleted: _deleted("limit", "limit_id"),
}
