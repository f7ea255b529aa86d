"""What happens to access keys, application credentials, other credentials and tokens.

Pure: no clock, no IO.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET

from computelite.identity.events.shape import Maybe, hexed
from eventlog.event import Event, event, upcasts


@event("access-key.created", v=2)
class AccessKeyCreated(Event):
    """A key that acts for a user in a project, no further than its restrictions.

    It is Keystone's EC2 credential. `sealed` is its secret, sealed. `credential_id` is its name
    among credentials; "": the SHA-256 of the key id. `application_credential_id`: which one it was
    made with, whose limits it keeps.
    """

    key_id: str
    user_id: str
    project_id: str
    sealed: bytes
    bucket: str | None = None
    read_only: bool = False
    description: str = ""
    credential_id: str = ""
    application_credential_id: str = ""


@event("access-key.disabled", v=2)
class AccessKeyDisabled(Event):
    """The key signs nothing any more."""

    key_id: str
    user_id: str


@event("access-key.enabled", v=2)
class AccessKeyEnabled(Event):
    """The key works again."""

    key_id: str
    user_id: str


@event("access-key.deleted", v=1)
class AccessKeyDeleted(Event):
    """The key is gone."""

    key_id: str
    user_id: str


class AccessRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Requests of one kind, that an application credential may be limited to."""

    id: str
    service: str
    method: str
    path: str


@event("application-credential.created", v=2)
class ApplicationCredentialCreated(Event):
    """A way in for a program: some of a user's roles in one project.

    `sealed` is the Argon2id verifier of its secret, sealed. `unrestricted`: it may make other
    credentials. `expires_us`: None for never. `access_rules`: what it is limited to; empty: all.
    `maker_id`: the application credential that it was made with, which it does not outlive.
    """

    credential_id: str
    user_id: str
    project_id: str
    name: str
    role_ids: tuple[str, ...]
    sealed: bytes
    description: str = ""
    unrestricted: bool = False
    expires_us: int | None = None
    access_rules: tuple[AccessRule, ...] = ()
    maker_id: str = ""


@event("application-credential.deleted", v=1)
class ApplicationCredentialDeleted(Event):
    """The application credential is gone, and what was made with it works no more."""

    credential_id: str
    user_id: str


@event("access-rule.deleted", v=1)
class AccessRuleDeleted(Event):
    """A rule that no application credential has any more is forgotten."""

    rule_id: str
    user_id: str


@event("credential.created", v=1)
class CredentialCreated(Event):
    """Something that a user wants kept; `sealed` is it, sealed. Not for keys, which see above."""

    credential_id: str
    user_id: str
    type: str
    sealed: bytes
    project_id: str | None = None


@event("credential.changed", v=1)
class CredentialChanged(Event):
    """A credential holds something else now."""

    credential_id: str
    user_id: str
    type: Maybe[str] = UNSET
    sealed: Maybe[bytes] = UNSET
    project_id: Maybe[str | None] = UNSET


@event("credential.deleted", v=1)
class CredentialDeleted(Event):
    """The credential is gone."""

    credential_id: str
    user_id: str


@event("token.revoked", v=1)
class TokenRevoked(Event):
    """Tokens with this audit id work no more; it can be forgotten after `expires_us`.

    `is_chain`: nor do those that were made from them.
    """

    user_id: str
    audit_id: str
    expires_us: int
    is_chain: bool = False


@upcasts("access-key.created", 1)
def _key_of_hex_ids(old: dict[str, Any]) -> dict[str, Any]:
    return hexed(old, "user_id", "project_id")


@upcasts("access-key.disabled", 1)
def _disabled_key_of_hex_id(old: dict[str, Any]) -> dict[str, Any]:
    return hexed(old, "user_id")


@upcasts("access-key.enabled", 1)
def _enabled_key_of_hex_id(old: dict[str, Any]) -> dict[str, Any]:
    return hexed(old, "user_id")


@upcasts("application-credential.created", 1)
def _made_with_none(old: dict[str, Any]) -> dict[str, Any]:
    return dict(old)


CREDENTIAL_EVENTS: frozenset[type[Event]] = frozenset(
    {
        AccessKeyCreated,
        AccessKeyDisabled,
        AccessKeyEnabled,
        AccessKeyDeleted,
        ApplicationCredentialCreated,
        ApplicationCredentialDeleted,
        AccessRuleDeleted,
        CredentialCreated,
        CredentialChanged,
        CredentialDeleted,
        TokenRevoked,
    }
)
