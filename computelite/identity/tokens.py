"""Tokens: facts about a login, sealed; a token is its own record, and no process keeps a list.

A token says who logged in, how, when, and for which scope. It carries no roles and no names: those
are looked up at each use, so that what was taken away is gone with the next request.

    base64url( format 1 | key id 4 | nonce 12 | AES-256-GCM( MessagePack array ) )

Pure: no clock, no IO.
"""

from __future__ import annotations

import base64
import binascii
import re
from enum import Enum
from typing import Protocol

import msgspec

from eventlog.errors import Corrupt

TOKEN_SIZE_MAX = 255
_CONTEXT = b"token"
_VERSION = 1
_TEXT = re.compile(r"[A-Za-z0-9_-]{1,255}", re.ASCII)
_HEX_ID = re.compile(r"[0-9a-f]{32}", re.ASCII)

# In the order of their bits in a stored token: only ever added to at the end.
METHODS = ("password", "token", "application_credential", "ec2credential")


class ScopeKind(Enum):
    """What a token is for."""

    UNSCOPED = 0
    PROJECT = 1
    DOMAIN = 2
    SYSTEM = 3


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """What is in a token.

    `user_stamp` is the user's `tokens_from` as it was at the login: any other value since voids
    the token. `chain_id` is the audit id of the first of the tokens that this one was made from,
    its own if it is that one. Units: issued_us microseconds, expires_s seconds since 1970.
    """

    user_id: str
    user_stamp: int
    methods: tuple[str, ...]
    issued_us: int
    expires_s: int
    audit_id: str
    chain_id: str
    scope: ScopeKind = ScopeKind.UNSCOPED
    scope_id: str = ""
    credential_id: str = ""

    @property
    def audit_ids(self) -> tuple[str, ...]:
        """Its own audit id, and then the chain's where that is another."""
        own = self.audit_id
        return (own,) if self.chain_id == own else (own, self.chain_id)


class Sealing(Protocol):
    """What seals and opens; the key store is one."""

    def seal(self, plain: bytes, *, context: bytes) -> bytes: ...

    def unseal(self, sealed: bytes, *, context: bytes) -> bytes: ...


class _Stored(msgspec.Struct, frozen=True, array_like=True):
    """The sealed array, ids packed as `_packed` has it."""

    version: int
    user: bytes
    stamp: int
    methods: int
    issued_us: int
    expires_s: int
    audit: bytes
    chain: bytes
    scope: int
    scope_id: bytes
    credential: bytes


def seal_token(token: Token, sealer: Sealing) -> str:
    """Return the token as clients hold it: at most 255 characters, all safe in a header."""
    stored = _Stored(
        _VERSION,
        _packed(token.user_id),
        token.user_stamp,
        sum(1 << METHODS.index(method) for method in set(token.methods)),
        token.issued_us,
        token.expires_s,
        _unbase64(token.audit_id),
        b"" if token.chain_id == token.audit_id else _unbase64(token.chain_id),
        token.scope.value,
        _packed(token.scope_id),
        _packed(token.credential_id),
    )
    text = _base64(sealer.seal(msgspec.msgpack.encode(stored), context=_CONTEXT))
    assert len(text) <= TOKEN_SIZE_MAX, "an id is longer than ids are"
    return text


def open_token(text: str, sealer: Sealing) -> Token | None:
    """Return what is in a token; None for what is not one of ours, or was altered."""
    if not _TEXT.fullmatch(text):
        return None
    try:
        plain = sealer.unseal(_unbase64(text), context=_CONTEXT)
        stored = msgspec.msgpack.decode(plain, type=_Stored)
    except (binascii.Error, ValueError, msgspec.DecodeError, Corrupt):
        return None
    # Base64 has bits to spare: another spelling of the same bytes is not the token.
    if stored.version != _VERSION or _base64(_unbase64(text)) != text:
        return None
    audit_id = _base64(stored.audit)
    return Token(
        user_id=_unpacked(stored.user),
        user_stamp=stored.stamp,
        methods=tuple(name for bit, name in enumerate(METHODS) if stored.methods >> bit & 1),
        issued_us=stored.issued_us,
        expires_s=stored.expires_s,
        audit_id=audit_id,
        chain_id=_base64(stored.chain) if stored.chain else audit_id,
        scope=ScopeKind(stored.scope),
        scope_id=_unpacked(stored.scope_id),
        credential_id=_unpacked(stored.credential),
    )


def audit_id_from(random: bytes) -> str:
    """Return an audit id: 16 random bytes as 22 characters."""
    return _base64(random)


def _packed(id_: str) -> bytes:
    """Return an id of 32 hexadecimal digits as 0 and 16 bytes, another one as 1 and its text."""
    return b"\0" + bytes.fromhex(id_) if _HEX_ID.fullmatch(id_) else b"\1" + id_.encode()


def _unpacked(packed: bytes) -> str:
    return packed[1:].hex() if packed[:1] == b"\0" else packed[1:].decode()


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode("ascii").rstrip("=")


def _unbase64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
