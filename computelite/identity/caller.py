"""The caller: what a token says of whom it was issued to, as of the moment that it is used.

Pure: no clock, no IO.
"""

from __future__ import annotations

import msgspec


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """Something with an id, and its name as of now."""

    id: str
    name: str


class HeldRole(msgspec.Struct, frozen=True, kw_only=True):
    """A role that is in force in a scope; `domain_id` is None for a role of the whole cloud."""

    id: str
    name: str
    domain_id: str | None = None


class ScopeProject(msgspec.Struct, frozen=True, kw_only=True):
    """The project of a project scope. A domain that acts as a project has `is_domain`."""

    id: str
    name: str
    domain: Named
    is_domain: bool = False


class AccessRule(msgspec.Struct, frozen=True, kw_only=True):
    """One request that an application credential may be used for."""

    id: str
    service: str
    path: str
    method: str


class UsedCredential(msgspec.Struct, frozen=True, kw_only=True):
    """The application credential that a token was issued to; it narrows what the token may do.

    `access_rules` None: any request.
    """

    id: str
    name: str
    unrestricted: bool
    access_rules: tuple[AccessRule, ...] | None = None


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks: user, scope, and the roles that are in force there, implied ones included.

    At most one of `project`, `domain` and `is_system` is the scope; none of them: unscoped.
    """

    user: Named
    user_domain: Named
    password_expires_us: int | None = None
    project: ScopeProject | None = None
    domain: Named | None = None
    is_system: bool = False
    roles: tuple[HeldRole, ...] = ()
    methods: tuple[str, ...] = ()
    audit_ids: tuple[str, ...] = ()
    issued_us: int = 0
    expires_us: int = 0
    credential: UsedCredential | None = None

    @property
    def user_id(self) -> str:
        """The user's id."""
        return self.user.id

    @property
    def project_id(self) -> str | None:
        """The scope's project, if it is one."""
        return None if self.project is None else self.project.id

    @property
    def domain_id(self) -> str | None:
        """The scope's domain, if it is one."""
        return None if self.domain is None else self.domain.id

    @property
    def is_scoped(self) -> bool:
        """Whether it is for anything, and has roles there."""
        return self.is_system or self.project is not None or self.domain is not None

    @property
    def role_names(self) -> frozenset[str]:
        """The names of the roles in force, in lower case, without those that a domain owns.

        A domain's owner may call a role of theirs as they like: rules on names must not see it.
        """
        return frozenset(role.name.lower() for role in self.roles if role.domain_id is None)

    @property
    def is_restricted(self) -> bool:
        """Whether it came by an application credential that may not make further credentials."""
        return self.credential is not None and not self.credential.unrestricted
