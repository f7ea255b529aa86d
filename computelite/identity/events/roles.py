"""What happens to roles: what they imply, and who has them where.

Pure: no clock, no IO.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from msgspec import UNSET, field

from computelite.identity.events.shape import Json, Maybe, hexed
from eventlog.event import Event, event, upcasts


@event("role.created", v=1)
class RoleCreated(Event):
    """A role. One with a `domain_id` is that domain's, and counts only through what it implies."""

    role_id: str
    name: str
    domain_id: str = ""
    description: str = ""
    options: Json = field(default_factory=dict)
    extra: Json = field(default_factory=dict)


@event("role.changed", v=1)
class RoleChanged(Event):
    """Some attributes of a role are others now."""

    role_id: str
    name: Maybe[str] = UNSET
    description: Maybe[str] = UNSET
    options: Maybe[Json] = UNSET
    extra: Maybe[Json] = UNSET


@event("role.deleted", v=1)
class RoleDeleted(Event):
    """The role is gone, and nobody has it any more."""

    role_id: str


@event("role.implied", v=1)
class RoleImplied(Event):
    """Who has `role_id` has `implied_id` too."""

    role_id: str
    implied_id: str


@event("role.unimplied", v=1)
class RoleUnimplied(Event):
    """Who has `role_id` does not have `implied_id` by that alone any more."""

    role_id: str
    implied_id: str


@event("role.granted", v=2)
class RoleGranted(Event):
    """A user or a group has one more role on a project, on a domain or on the system.

    One of `user_id` and `group_id` is not empty, and one of `project_id` and `domain_id`, or
    `system` is true. `inherited`: not there, but on every project below.
    """

    role_id: str
    user_id: str = ""
    group_id: str = ""
    project_id: str = ""
    domain_id: str = ""
    system: bool = False
    inherited: bool = False


@event("role.revoked", v=1)
class RoleRevoked(Event):
    """What `role.granted` with the same fields gave is taken back."""

    role_id: str
    user_id: str = ""
    group_id: str = ""
    project_id: str = ""
    domain_id: str = ""
    system: bool = False
    inherited: bool = False


@upcasts("role.granted", 1)
def _role_by_id(old: dict[str, Any]) -> dict[str, Any]:
    lifted = hexed(old, "user_id", "project_id")
    return lifted | {"role_id": built_in_role_id(lifted.pop("role"))}


def built_in_role_id(name: str) -> str:
    """Return the id that a role has, the same in every cloud, that is there from the start."""
    return sha256(f"cumulog role {name}".encode()).hexdigest()[:32]


ROLE_EVENTS: frozenset[type[Event]] = frozenset(
    {
        RoleCreated,
        RoleChanged,
        RoleDeleted,
        RoleImplied,
        RoleUnimplied,
        RoleGranted,
        RoleRevoked,
    }
)


def role_stream(role_id: str) -> str:
    """Return the stream of a role and what it implies."""
    return f"role/{role_id}"
