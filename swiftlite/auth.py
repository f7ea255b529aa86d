"""What storage needs of identity: a Principal for each request, and the secret behind a key id."""

from __future__ import annotations

from typing import Protocol

import msgspec


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks, and what their key may do at most. Only the authenticator makes one."""

    kind: str  # "user" or "anonymous"
    user_id: str = ""
    project_id: str = ""
    roles: tuple[str, ...] = ()  # "admin", "member", "reader"
    key_id: str = ""
    bucket: str | None = None  # the key reaches this bucket's name only
    read_only: bool = False


ANONYMOUS = Principal(kind="anonymous")


class SigningKey(msgspec.Struct, frozen=True):
    """An access key that is in force: its secret and whom it stands for."""

    secret: str
    principal: Principal

    def __repr__(self) -> str:
        return f"SigningKey({self.principal.key_id!r}, secret hidden)"


class Authenticator(Protocol):
    """Identity, as storage sees it."""

    async def signing_key(self, key_id: str) -> SigningKey | None:
        """Return the key as of now, or None if there is none, it is disabled, or its user is."""


class StaticAuthenticator:
    """Keys given once, for a store without an identity service."""

    def __init__(self, keys: dict[str, SigningKey]) -> None:
        self._keys = keys

    async def signing_key(self, key_id: str) -> SigningKey | None:
        return self._keys.get(key_id)
