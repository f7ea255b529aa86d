"""Symbolic links and dynamic manifests: how headers point at other objects.

Source: Swift's "Symlink" and "Dynamic Large Objects" (2026-08).
Pure: no clock, no IO.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote, unquote

import msgspec

from swiftlite.swift.errors import Declined

LINK = "x-symlink-target"
LINK_ACCOUNT = "x-symlink-target-account"
LINK_ETAG = "x-symlink-target-etag"
LINK_BYTES = "x-symlink-target-bytes"
LINK_WHOLE_ETAG = "x-symlink-target-slo-etag"  # for listings alone
LINK_HEADERS = frozenset({LINK_ACCOUNT, LINK_ETAG, LINK_BYTES, LINK_WHOLE_ETAG})
CONTENT_TYPE = "application/symlink"


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """Where a symbolic link points. `etag` is None where it may become anything."""

    account: str
    container: str
    name: str
    etag: str | None = None

    @property
    def target(self) -> str:
        """The link as it is stored: account/container/object."""
        return f"{self.account}/{self.container}/{self.name}"

    @property
    def shown(self) -> str:
        """The link as X-Symlink-Target shows it."""
        return quote(f"{self.container}/{self.name}")


def link_of(
    headers: Mapping[str, str], *, account: str, container: str, name: str
) -> tuple[Link, bool]:
    """Return the link that a PUT of `account/container/name` makes; whether an account was named.

    Raises:  Declined 412, Declined 400, Declined 400.
    """
    path = unquote(headers[LINK], errors="surrogateescape")
    holder, _, target = path.partition("/")
    if not holder or not target or not _is_text(path):
        raise Declined(
            412, "X-Symlink-Target header must be of the form <container name>/<object name>"
        )
    named = headers.get(LINK_ACCOUNT)
    owner = account if named is None else unquote(named, errors="surrogateescape")
    if not owner or "/" in owner or not _is_text(owner):
        raise Declined(412, "Account name cannot contain slashes")
    if (owner, holder, target) == (account, container, name):
        raise Declined(400, "Symlink cannot target itself")
    etag = headers.get(LINK_ETAG, "").strip().removeprefix('"').removesuffix('"') or None
    if etag is not None and any(character in etag for character in ';"\\'):
        raise Declined(400, "Bad X-Symlink-Target-Etag format")
    return Link(account=owner, container=holder, name=target, etag=etag), named is not None


def check_dynamic_manifest(value: str) -> None:
    """Return if the value of X-Object-Manifest names a container and a prefix.

    Raises:  Declined 400.
    """
    container, _, prefix = value.partition("/")
    bad = not container or not prefix or prefix.startswith("/")
    if (
        bad
        or "?" in value
        or "&" in value
        or not _is_text(unquote(value, errors="surrogateescape"))
    ):
        raise Declined(400, "X-Object-Manifest must be in the format container/prefix")


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text
