"""Signatures that stand for a key: HMACs of TempURLs and forms, with either of an account's keys.

Source: Swift's "TempURL" and "FormPost" (2026-08): hex, or `name:base64`. SHA-1 signs forms only,
since what makes forms knows nothing else; as an HMAC it is not broken.
Pure: no clock, no IO.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Container, Iterable, Sequence
from typing import NamedTuple

DIGESTS = ("sha256", "sha512")
FORM_DIGESTS = ("sha1", *DIGESTS)

_HEX = re.compile(r"[0-9a-fA-F]{40}|[0-9a-fA-F]{64}|[0-9a-fA-F]{128}", re.ASCII)
_BASE64 = re.compile(r"[A-Za-z0-9+/]{0,88}={0,2}", re.ASCII)
_SIZES = {"sha1": 20, "sha256": 32, "sha512": 64}
_BY_SIZE = {size: name for name, size in _SIZES.items()}


class Signature(NamedTuple):
    """What a client claims: the digest's name, and the digest itself."""

    algorithm: str
    digest: bytes

    def __repr__(self) -> str:
        return f"Signature({self.algorithm}, hidden)"


class LinkKey(NamedTuple):
    """A key that may sign links, and what its links may reach."""

    secret: bytes
    container: str  # "" for an account's key: anything in the account

    def __repr__(self) -> str:
        return f"LinkKey(hidden, {self.container!r})"


def parse_signature(text: str, digests: Container[str] = DIGESTS) -> Signature | None:
    """Return what a client sent as a signature, or None where it cannot be one of `digests`."""
    name, colon, value = text.partition(":")
    if not colon:
        if not _HEX.fullmatch(text):
            return None
        digest = bytes.fromhex(text)
        name = _BY_SIZE[len(digest)]
        return Signature(name, digest) if name in digests else None
    if name not in digests or name not in _SIZES:
        return None
    value = value.replace("-", "+").replace("_", "/").rstrip("=")
    if not _BASE64.fullmatch(value):
        return None
    try:
        digest = base64.b64decode(value + "=" * (-len(value) % 4), validate=True)
    except binascii.Error:
        return None
    return Signature(name, digest) if len(digest) == _SIZES[name] else None


def signer(
    keys: Sequence[LinkKey], signature: Signature, messages: Iterable[str]
) -> LinkKey | None:
    """Return the key that signed one of the messages so, or None.

    Every key is tried with every message, whichever matches, in the same time.
    """
    found: LinkKey | None = None
    for message in messages:
        data = message.encode("utf-8", "surrogateescape")
        for key in keys:
            made = hmac.digest(key.secret, data, signature.algorithm)
            if hmac.compare_digest(made, signature.digest) and found is None:
                found = key
    return found
