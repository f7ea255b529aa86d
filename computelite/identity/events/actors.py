"""What happens to domains, projects, users and groups.

Pure: no clock, no IO.
"""

from __future__ import annotations

from typing import Any

from msgspec import UNSET, field

from computelite.identity.events.shape import Json, Maybe, hexed
from eventlog.event import Event, event, upcasts

DEFAULT_DOMAIN = "default"


@event("domain.created", v=1)
class DomainCreated(Event):
    """A domain: what names of projects, users and groups are unique in."""

    domain_id: str
    name: str
    description: str = ""
    enabled: bool = True
    options: Json = field(default_factory=dict)
    extra: Json = field(default_factory=dict)


@event("domain.changed", v=1)
class DomainChanged(Event):
    """Some attributes of a domain are others now."""

    domain_id: str
    name: Maybe[str] = UNSET
    description: Maybe[str] = UNSET
    enabled: Maybe[bool] = UNSET
    options: Maybe[Json] = UNSET
    extra: Maybe[Json] = UNSET


@event("domain.deleted", v=1)
class DomainDeleted(Event):
    """The domain is gone, with the roles and limits on it; nothing was in it any more."""

    domain_id: str


@event("project.created", v=2)
class ProjectCreated(Event):
    """A project: what owns buckets. `parent_id` is a project, or the project's domain."""

    project_id: str
    name: str
    domain_id: str = DEFAULT_DOMAIN
    parent_id: str = DEFAULT_DOMAIN
    description: str = ""
    enabled: bool = True
    tags: tuple[str, ...] = ()
    options: Json = field(default_factory=dict)
    extra: Json = field(default_factory=dict)


@event("project.changed", v=1)
class ProjectChanged(Event):
    """Some attributes of a project are others now."""

    project_id: str
    name: Maybe[str] = UNSET
    description: Maybe[str] = UNSET
    enabled: Maybe[bool] = UNSET
    tags: Maybe[tuple[str, ...]] = UNSET
    options: Maybe[Json] = UNSET
    extra: Maybe[Json] = UNSET


@event("project.tagged", v=1)
class ProjectTagged(Event):
    """The project has one more tag."""

    project_id: str
    tag: str


@event("project.untagged", v=1)
class ProjectUntagged(Event):
    """The project has one tag less."""

    project_id: str
    tag: str


@event("project.deleted", v=1)
class ProjectDeleted(Event):
    """The project is gone, with every role, key, application credential and limit on it."""

    project_id: str


@event("user.created", v=2)
class UserCreated(Event):
    """A user, who may do nothing yet."""

    user_id: str
    name: str
    domain_id: str = DEFAULT_DOMAIN
    enabled: bool = True
    default_project_id: str | None = None
    description: str = ""
    options: Json = field(default_factory=dict)
    extra: Json = field(default_factory=dict)


@event("user.changed", v=1)
class UserChanged(Event):
    """Some attributes of a user are others now; being enabled has events of its own."""

    user_id: str
    name: Maybe[str] = UNSET
    default_project_id: Maybe[str | None] = UNSET
    description: Maybe[str] = UNSET
    options: Maybe[Json] = UNSET
    extra: Maybe[Json] = UNSET


@event("user.password-set", v=2)
class UserPasswordSet(Event):
    """From now on this password is the user's, and no token works that was issued before.

    `sealed` is its Argon2id verifier, sealed; b"" : the user has no password. `expires_us`: when
    it stops working, in UTC microseconds since 1970; None: never.
    """

    user_id: str
    sealed: bytes
    expires_us: int | None = None


@event("user.disabled", v=2)
class UserDisabled(Event):
    """None of the user's keys and passwords works until the user is enabled again.

    No token of theirs that was issued before works ever again.
    """

    user_id: str


@event("user.enabled", v=2)
class UserEnabled(Event):
    """The user's keys and password work again, those that are not disabled themselves."""

    user_id: str


@event("user.locked", v=1)
class UserLocked(Event):
    """After too many wrong passwords, none is looked at until `until_us`."""

    user_id: str
    until_us: int
    failures: int = 0


@event("user.unlocked", v=1)
class UserUnlocked(Event):
    """Passwords are looked at again."""

    user_id: str


@event("user.deleted", v=1)
class UserDeleted(Event):
    """The user is gone, with their roles, memberships, keys and credentials."""

    user_id: str


@event("group.created", v=1)
class GroupCreated(Event):
    """A group, which nobody is in yet."""

    group_id: str
    name: str
    domain_id: str = DEFAULT_DOMAIN
    description: str = ""
    extra: Json = field(default_factory=dict)


@event("group.changed", v=1)
class GroupChanged(Event):
    """Some attributes of a group are others now."""

    group_id: str
    name: Maybe[str] = UNSET
    description: Maybe[str] = UNSET
    extra: Maybe[Json] = UNSET


@event("group.deleted", v=1)
class GroupDeleted(Event):
    """The group is gone, and with it what its members could do through it."""

    group_id: str


@event("group.member-added", v=1)
class MemberAdded(Event):
    """The user has what the group has."""

    group_id: str
    user_id: str


@event("group.member-removed", v=1)
class MemberRemoved(Event):
    """The user no longer has what the group has."""

    group_id: str
    user_id: str


@upcasts("project.created", 1)
def _project_in_default_domain(old: dict[str, Any]) -> dict[str, Any]:
    return hexed(old, "project_id")


@upcasts("user.created", 1)
def _user_in_default_domain(old: dict[str, Any]) -> dict[str, Any]:
    return hexed(old, "user_id")


@upcasts("user.password-set", 1)
def _password_of_hex_id(old: dict[str, Any]) -> dict[str, Any]:
    return hexed(old, "user_id")


@upcasts("user.disabled", 1)
def _disabled_hex_id(old: dict[str, Any]) -> dict[str, Any]:
    return hexed(old, "user_id")


@upcasts("user.enabled", 1)
def _enabled_hex_id(old: dict[str, Any]) -> dict[str, Any]:
    return hexed(old, "user_id")


ACTOR_EVENTS: frozenset[type[Event]] = frozenset(
    {
        DomainCreated,
        DomainChanged,
        DomainDeleted,
        ProjectCreated,
        ProjectChanged,
        ProjectTagged,
        ProjectUntagged,
        ProjectDeleted,
        UserCreated,
        UserChanged,
        UserPasswordSet,
        UserDisabled,
        UserEnabled,
        UserLocked,
        UserUnlocked,
        UserDeleted,
        GroupCreated,
        GroupChanged,
        GroupDeleted,
        MemberAdded,
        MemberRemoved,
    }
)


def domain_stream(domain_id: str) -> str:
    """Return the stream of a domain."""
    return f"domain/{domain_id}"


def project_stream(project_id: str) -> str:
    """Return the stream of a project."""
    return f"project/{project_id}"


def user_stream(user_id: str) -> str:
    """Return the stream of a user, and of what is theirs."""
    return f"user/{user_id}"


def group_stream(group_id: str) -> str:
    """Return the stream of a group and its members."""
    return f"group/{group_id}"
