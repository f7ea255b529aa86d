"""What happens to users, projects and access keys.

Streams: `user/<id>` holds a user and their access keys, `project/<id>` a project. Ids are 16 bytes,
in stream names as hex. Names, key ids and secrets (sealed) are in payloads, never in stream names.

Pure: no clock, no IO.
"""

from __future__ import annotations

from eventlog.event import Event, event


@event("project.created", v=1)
class ProjectCreated(Event):
    """A project: what owns buckets."""

    project_id: bytes
    name: str


@event("user.created", v=1)
class UserCreated(Event):
    """A user, who may do nothing yet."""

    user_id: bytes
    name: str


@event("user.password-set", v=1)
class UserPasswordSet(Event):
    """From now on this password is the user's. `sealed` is its Argon2id verifier, sealed."""

    user_id: bytes
    sealed: bytes


@event("user.disabled", v=1)
class UserDisabled(Event):
    """None of the user's keys works until the user is enabled again."""

    user_id: bytes


@event("user.enabled", v=1)
class UserEnabled(Event):
    """The user's keys work again, those that are not disabled themselves."""

    user_id: bytes


@event("role.granted", v=1)
class RoleGranted(Event):
    """The user has one more role in a project: "admin", "member" or "reader"."""

    user_id: bytes
    project_id: bytes
    role: str


@event("access-key.created", v=1)
class AccessKeyCreated(Event):
    """A key that acts for a user in a project, no further than its restrictions.

    `sealed` is its secret, sealed.
    """

    key_id: str
    user_id: bytes
    project_id: bytes
    sealed: bytes
    bucket: str | None = None
    read_only: bool = False
    description: str = ""


@event("access-key.disabled", v=1)
class AccessKeyDisabled(Event):
    """The key signs nothing any more."""

    key_id: str
    user_id: bytes


@event("access-key.enabled", v=1)
class AccessKeyEnabled(Event):
    """The key works again."""

    key_id: str
    user_id: bytes


IDENTITY_EVENTS: frozenset[type[Event]] = frozenset(
    {
        ProjectCreated,
        UserCreated,
        UserPasswordSet,
        UserDisabled,
        UserEnabled,
        RoleGranted,
        AccessKeyCreated,
        AccessKeyDisabled,
        AccessKeyEnabled,
    }
)


def user_stream(user_id: bytes) -> str:
    """Return the stream of a user and their keys."""
    return f"user/{user_id.hex()}"


def project_stream(project_id: bytes) -> str:
    """Return the stream of a project."""
    return f"project/{project_id.hex()}"
