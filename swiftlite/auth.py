"""What storage needs of identity: a Principal for each request, secrets behind keys, a seal."""

from __future__ import annotations

from hashlib import sha256
from typing import Protocol

import msgspec


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """What a signed link or form reaches, and how: objects of one container, nothing else.

    With a `prefix` it reaches every key that begins with it, else `key` alone. What these objects
    are made of, or point at, may lie in the container `within`, or anywhere in the account.
    """

    methods: tuple[str, ...]
    account: str  # the id of the project
    container: str
    key: str = ""
    prefix: str | None = None
    within: str = ""


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks, and what they may do at most. Only an authenticator makes one."""

    kind: str  # "user", "link" (a signed link or form), "anonymous"
    user_id: str = ""
    user_name: str = ""
    user_domain_id: str = ""
    project_id: str = ""  # "" where the token has no project: it reaches no storage
    project_name: str = ""
    project_domain_id: str = ""
    roles: tuple[str, ...] = ()  # names in the project, lower case, implied ones included
    key_id: str = ""  # of the access key, or what tokens are told apart by; no secret
    bucket: str | None = None  # the key reaches this bucket's name only
    read_only: bool = False
    link: Link | None = None


ANONYMOUS = Principal(kind="anonymous")


class SigningKey(msgspec.Struct, frozen=True):
    """An access key that is in force: its secret and whom it stands for."""

    secret: str
    principal: Principal

    def __repr__(self) -> str:
        return f"SigningKey({self.principal.key_id!r}, secret hidden)"


class Authenticator(Protocol):
    """Identity, as S3 sees it."""

    async def signing_key(self, key_id: str) -> SigningKey | None:
        """Return the key as of now, or None if there is none, it is disabled, or its user is."""


class TokenAuthenticator(Protocol):
    """Identity, as Swift sees it."""

    async def bearer(self, token: str) -> Principal | None:
        """Return whom the token stands for, as of now, with the roles they have now.

        None if it is forged, expired or revoked, or its user or project is disabled.
        """


class Sealer(Protocol):
    """Keeps secrets: what is sealed opens here only, and only in its own place."""

    def seal(self, plain: bytes, *, context: bytes) -> bytes:
        """Return `plain` sealed; only the same `context` opens it again."""

    def unseal(self, sealed: bytes, *, context: bytes) -> bytes:
        """Return what was sealed.

        Raises:  a Corrupt if a byte of it or its context is another, or its key is not here.
        """


class StaticAuthenticator:
    """Keys given once, for a store without an identity service."""

    def __init__(self, keys: dict[str, SigningKey]) -> None:
        self._keys = keys

    async def signing_key(self, key_id: str) -> SigningKey | None:
        return self._keys.get(key_id)


class StaticTokens:
    """Tokens given once, for a store without an identity service."""

    def __init__(self, principals: dict[str, Principal]) -> None:
        # By digest, so that how long a look-up takes says nothing about a token.
        self._principals = {_digest(token): who for token, who in principals.items()}

    async def bearer(self, token: str) -> Principal | None:
        return self._principals.get(_digest(token))


def _digest(token: str) -> bytes:
    return sha256(token.encode("utf-8", "surrogatepass")).digest()
