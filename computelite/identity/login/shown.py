"""What somebody shows to log in, and what they want a token for. No protocol is in it.

Pure: no clock, no IO.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from computelite.secret import Secret


class DomainRef(msgspec.Struct, frozen=True):
    """A domain, by id or, where that is None, by name."""

    id: str | None = None
    name: str | None = None


class UserRef(msgspec.Struct, frozen=True):
    """A user, by id or, where that is None, by name in a domain."""

    id: str | None = None
    name: str = ""
    domain: DomainRef = DomainRef()


class ByPassword(msgspec.Struct, frozen=True):
    """A user and their password."""

    user: UserRef
    password: Secret


class ByToken(msgspec.Struct, frozen=True):
    """A token that was issued before."""

    token: Secret


class ByCredential(msgspec.Struct, frozen=True):
    """An application credential, by id or by its name among a user's, and its secret."""

    secret: Secret
    id: str | None = None
    name: str = ""
    user: UserRef = UserRef()


Proof: TypeAlias = ByPassword | ByToken | ByCredential


class ProjectScope(msgspec.Struct, frozen=True):
    """A project, by id or, where that is None, by name in a domain."""

    id: str | None = None
    name: str = ""
    domain: DomainRef = DomainRef()


class DomainScope(msgspec.Struct, frozen=True):
    """A domain itself."""

    domain: DomainRef


class SystemScope(msgspec.Struct, frozen=True):
    """The cloud as a whole."""


class Unscoped(msgspec.Struct, frozen=True):
    """Nothing: a token that can only be exchanged."""


Scope: TypeAlias = ProjectScope | DomainScope | SystemScope | Unscoped
