"""What happens to limits: how much of a service's resource a project or a domain may have.

Pure: no clock, no IO.
"""

from __future__ import annotations

from msgspec import UNSET

from computelite.identity.events.shape import Maybe
from eventlog.event import Event, event

LIMITS = "limits"
"""The stream of all limits."""


@event("registered-limit.created", v=1)
class RegisteredLimitCreated(Event):
    """How much of a resource everybody may have who has no limit of their own."""

    limit_id: str
    service_id: str
    resource_name: str
    default_limit: int
    region_id: str = ""
    description: str | None = None


@event("registered-limit.changed", v=1)
class RegisteredLimitChanged(Event):
    """Some attributes of a registered limit are others now."""

    limit_id: str
    service_id: Maybe[str] = UNSET
    resource_name: Maybe[str] = UNSET
    default_limit: Maybe[int] = UNSET
    region_id: Maybe[str] = UNSET
    description: Maybe[str | None] = UNSET


@event("registered-limit.deleted", v=1)
class RegisteredLimitDeleted(Event):
    """The registered limit is gone."""

    limit_id: str


@event("limit.created", v=1)
class LimitCreated(Event):
    """How much of a resource one project or one domain may have."""

    limit_id: str
    service_id: str
    resource_name: str
    resource_limit: int
    project_id: str = ""
    domain_id: str = ""
    region_id: str = ""
    description: str | None = None


@event("limit.changed", v=1)
class LimitChanged(Event):
    """Some attributes of a limit are others now."""

    limit_id: str
    resource_limit: Maybe[int] = UNSET
    description: Maybe[str | None] = UNSET


@event("limit.deleted", v=1)
class LimitDeleted(Event):
    """The limit is gone."""

    limit_id: str


LIMIT_EVENTS: frozenset[type[Event]] = frozenset(
    {
        RegisteredLimitCreated,
        RegisteredLimitChanged,
        RegisteredLimitDeleted,
        LimitCreated,
        LimitChanged,
        LimitDeleted,
    }
)
