"""The body of `POST /v3/auth/tokens`: which proofs are shown, and what scope is asked for.

Pure: no clock, no IO.
"""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

import msgspec
from msgspec import UNSET, Meta, UnsetType, field

from computelite.api.errors import BadRequest, NotAuthenticated
from computelite.api.request import checked
from computelite.identity.login.shown import (
    ByCredential,
    ByPassword,
    ByToken,
    DomainRef,
    DomainScope,
    ProjectScope,
    Proof,
    Scope,
    SystemScope,
    Unscoped,
    UserRef,
)
from computelite.identity.passwords import PASSWORD_SIZE_MAX
from computelite.secret import Secret

_AT = "auth.identity"

Short = Annotated[str, Meta(max_length=255)]
Hidden = Annotated[str, Meta(max_length=PASSWORD_SIZE_MAX)]


class Asked(NamedTuple):
    """What is shown, in order, and the scope; None: none was named."""

    proofs: tuple[Proof, ...]
    scope: Scope | None


class _Domain(msgspec.Struct):
    id: Short | None = None
    name: Short | None = None


class _User(msgspec.Struct):
    id: Short | None = None
    name: Short | None = None
    domain: _Domain | None = None
    password: Hidden | None = None

    def __repr__(self) -> str:
        return f"_User({self.id!r}, {self.name!r}, password hidden)"


class _Password(msgspec.Struct):
    user: _User


class _Token(msgspec.Struct):
    id: Hidden

    def __repr__(self) -> str:
        return "_Token(hidden)"


class _Credential(msgspec.Struct):
    secret: Hidden
    id: Short | None = None
    name: Short | None = None
    user: _User | None = None

    def __repr__(self) -> str:
        return f"_Credential({self.id!r}, {self.name!r}, secret hidden)"


class _Identity(msgspec.Struct):
    methods: Annotated[list[Short], Meta(min_length=1, max_length=8)]
    password: _Password | None = None
    token: _Token | None = None
    application_credential: _Credential | None = None


class _Project(msgspec.Struct):
    id: Short | None = None
    name: Short | None = None
    domain: _Domain | None = None


class _System(msgspec.Struct):
    all: bool


class _Scopes(msgspec.Struct):
    project: _Project | UnsetType = UNSET
    domain: _Domain | UnsetType = UNSET
    system: _System | UnsetType = UNSET
    unscoped: dict[str, Any] | UnsetType = UNSET
    trust: Any = field(name="OS-TRUST:trust", default=UNSET)


class _Auth(msgspec.Struct):
    identity: _Identity
    scope: _Scopes | str | None = None


def parse_auth(body: dict[str, Any]) -> Asked:
    """Return what is asked for.

    Raises:  BadRequest that names the field; NotAuthenticated for a method that there is not.
    """
    auth = checked(body.get("auth", {}), _Auth, at="auth")
    methods = auth.identity.methods
    if len(set(methods)) < len(methods):
        raise BadRequest(reason=f"{_AT}.methods names a method twice.")
    return Asked(tuple(_proof(auth.identity, method) for method in methods), _scope(auth.scope))


def _proof(identity: _Identity, method: str) -> Proof:
    if method not in ("password", "token", "application_credential"):
        raise NotAuthenticated()
    shown = getattr(identity, method)
    if shown is None:
        raise BadRequest(reason=f"Expecting to find {method} in {_AT}.")
    match shown:
        case _Password(user=user):
            if user.password is None:
                raise BadRequest(reason=f"Expecting to find password in {_AT}.password.user.")
            return ByPassword(_user(user, f"{_AT}.password.user"), Secret(user.password))
        case _Token(id=token):
            return ByToken(Secret(token))
        case _Credential(id=id_, secret=secret) if id_ is not None:
            return ByCredential(Secret(secret), id=id_)
        case _Credential(name=str(name), user=_User() as user, secret=secret):
            at = f"{_AT}.application_credential.user"
            return ByCredential(Secret(secret), name=name, user=_user(user, at))
        case _:
            raise BadRequest(
                reason=f"Expecting to find id, or name and user, in {_AT}.application_credential."
            )


def _user(user: _User, at: str) -> UserRef:
    if user.id is not None:
        return UserRef(id=user.id)
    if not user.name:
        raise BadRequest(reason=f"Expecting to find id or name in {at}.")
    return UserRef(name=user.name, domain=_domain(user.domain, at))


def _domain(domain: _Domain | None, at: str) -> DomainRef:
    if domain is None:
        raise BadRequest(reason=f"Expecting to find domain in {at}.")
    if domain.id is None and not domain.name:
        raise BadRequest(reason=f"Expecting to find id or name in {at}.domain.")
    return DomainRef(id=domain.id, name=domain.name)


def _scope(scope: _Scopes | str | None) -> Scope | None:
    if scope is None:
        return None
    if isinstance(scope, str):
        if scope != "unscoped":
            raise BadRequest(reason='auth.scope is an object, or the word "unscoped".')
        return Unscoped()
    named = [name for name in scope.__struct_fields__ if getattr(scope, name) is not UNSET]
    if not named:
        raise BadRequest(reason="Expecting to find system, project, domain or unscoped in scope.")
    if "trust" in named:
        # Passed over, it would be a token for more than was asked for.
        raise BadRequest(reason="There are no trusts here for a token to be scoped to.")
    if len(named) > 1:
        raise BadRequest(reason=f"A token has one scope, not {' and '.join(named)}.")
    match getattr(scope, named[0]):
        case _Project(id=id_) if id_ is not None:
            return ProjectScope(id=id_)
        case _Project(name=name, domain=domain):
            if not name:
                raise BadRequest(reason="Expecting to find id or name in auth.scope.project.")
            return ProjectScope(name=name, domain=_domain(domain, "auth.scope.project"))
        case _Domain() as domain:
            return DomainScope(_domain(domain, "auth.scope"))
        case _System(all=whole):
            if not whole:
                raise BadRequest(reason="auth.scope.system.all must be true.")
            return SystemScope()
        case _:
            return Unscoped()
