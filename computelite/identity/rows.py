"""The rows of the identity tables.

Times are UTC microseconds since 1970; `created_us` is the commit time of what made the row. An id
that is "" is none.

Pure: no clock, no IO.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import msgspec

from computelite.identity.events.credentials import AccessRule


class Row(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A row of one of these tables."""


class Ref(Row, frozen=True, kw_only=True, array_like=True):
    """Whose name it is, or what belongs to whom."""

    id: str


class Domain(Row, frozen=True, kw_only=True, array_like=True):
    """A domain."""

    id: str
    name: str
    description: str
    enabled: bool
    options: dict[str, Any]
    extra: dict[str, Any]
    created_us: int


class Project(Row, frozen=True, kw_only=True, array_like=True):
    """A project; its parent is a project, or its domain."""

    id: str
    name: str
    domain_id: str
    parent_id: str
    description: str
    enabled: bool
    tags: tuple[str, ...]
    options: dict[str, Any]
    extra: dict[str, Any]
    created_us: int


class User(Row, frozen=True, kw_only=True, array_like=True):
    """A user.

    `password` is the sealed verifier, b"": none. Passwords are not looked at before
    `locked_until_us`. `tokens_from` is the position of the last event that voided the user's
    tokens, 0 if there was none: a clock can stand still, or go back, between two of them.
    """

    id: str
    name: str
    domain_id: str
    enabled: bool
    default_project_id: str | None
    description: str
    options: dict[str, Any]
    extra: dict[str, Any]
    password: bytes
    password_expires_us: int | None
    locked_until_us: int
    tokens_from: int
    created_us: int


class Group(Row, frozen=True, kw_only=True, array_like=True):
    """A group of users."""

    id: str
    name: str
    domain_id: str
    description: str
    extra: dict[str, Any]
    created_us: int


class Member(Row, frozen=True, kw_only=True, array_like=True):
    """A user is in a group."""

    group_id: str
    user_id: str


class Role(Row, frozen=True, kw_only=True, array_like=True):
    """A role; one with a domain counts only through what it implies."""

    id: str
    name: str
    domain_id: str
    description: str
    options: dict[str, Any]
    extra: dict[str, Any]
    created_us: int


class Implication(Row, frozen=True, kw_only=True, array_like=True):
    """Who has the one role has the other too."""

    role_id: str
    implied_id: str


class Assignment(Row, frozen=True, kw_only=True, array_like=True):
    """A user or a group has a role somewhere; fields as in `role.granted`."""

    role_id: str
    user_id: str
    group_id: str
    project_id: str
    domain_id: str
    system: bool
    inherited: bool


class AccessKey(Row, frozen=True, kw_only=True, array_like=True):
    """An access key, which is an EC2 credential, with its secret sealed."""

    key_id: str
    user_id: str
    project_id: str
    sealed: bytes
    bucket: str | None
    read_only: bool
    description: str
    enabled: bool
    created_us: int
    credential_id: str
    application_credential_id: str


class ApplicationCredential(Row, frozen=True, kw_only=True, array_like=True):
    """An application credential; `sealed` is its secret's verifier, sealed."""

    id: str
    user_id: str
    project_id: str
    name: str
    role_ids: tuple[str, ...]
    sealed: bytes
    description: str
    unrestricted: bool
    expires_us: int | None
    access_rules: tuple[AccessRule, ...]
    created_us: int
    maker_id: str


class Rule(Row, frozen=True, kw_only=True, array_like=True):
    """An access rule, which a user's application credentials share."""

    id: str
    user_id: str
    service: str
    method: str
    path: str


class Credential(Row, frozen=True, kw_only=True, array_like=True):
    """A credential that is no access key; `sealed` is its blob, sealed."""

    id: str
    user_id: str
    project_id: str | None
    type: str
    sealed: bytes
    created_us: int


class RevokedToken(Row, frozen=True, kw_only=True, array_like=True):
    """A token that works no more, by its audit id; with `is_chain`, those made from it too."""

    audit_id: str
    expires_us: int
    is_chain: bool


class Region(Row, frozen=True, kw_only=True, array_like=True):
    """A region."""

    id: str
    description: str
    parent_region_id: str
    extra: dict[str, Any]


class Service(Row, frozen=True, kw_only=True, array_like=True):
    """A service of the catalog."""

    id: str
    type: str
    name: str
    description: str
    enabled: bool
    extra: dict[str, Any]


class Endpoint(Row, frozen=True, kw_only=True, array_like=True):
    """Where a service is; `url` as in `endpoint.created`."""

    id: str
    service_id: str
    interface: str
    url: str
    region_id: str
    enabled: bool
    name: str
    description: str
    extra: dict[str, Any]


class EndpointGroup(Row, frozen=True, kw_only=True, array_like=True):
    """The endpoints that are as `filters` say, which are as in `endpoint-group.created`."""

    id: str
    name: str
    description: str
    filters: dict[str, str | None]


class Association(Row, frozen=True, kw_only=True, array_like=True):
    """A project's catalog shows an endpoint, or a group's; the other id is ""."""

    project_id: str
    endpoint_id: str = ""
    endpoint_group_id: str = ""


class Policy(Row, frozen=True, kw_only=True, array_like=True):
    """A policy document."""

    id: str
    type: str
    blob: str
    extra: dict[str, Any]


class RegisteredLimit(Row, frozen=True, kw_only=True, array_like=True):
    """How much of a resource everybody may have."""

    id: str
    service_id: str
    region_id: str
    resource_name: str
    default_limit: int
    description: str | None


class Limit(Row, frozen=True, kw_only=True, array_like=True):
    """How much of a resource one project or domain may have."""

    id: str
    service_id: str
    region_id: str
    resource_name: str
    resource_limit: int
    project_id: str
    domain_id: str
    description: str | None


class Changed(Row, frozen=True, kw_only=True, array_like=True):
    """Where the log last changed any of this: what was looked up since then still holds."""

    position: int


def credential_id_of(key_id: str) -> str:
    """Return the name that an access key has among credentials, unless it was given another."""
    return sha256(key_id.encode("utf-8", "surrogatepass")).hexdigest()
