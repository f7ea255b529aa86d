"""What headers say of accounts, containers and objects, within Swift's limits, and back.

    X-Account-Meta-*, X-Container-Meta-*   notes of the owner; an empty value removes
    X-Remove-...                           removes; the value says nothing
    X-Object-Meta-*                        an object's metadata, S3's x-amz-meta-*
    keys of signed links                   kept sealed, shown to owners

Settings are headers that mean something here: each has a row in `ACCOUNT` or `CONTAINER`.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping

import msgspec

from swiftlite import acl
from swiftlite.auth import Sealer
from swiftlite.catalog.describing import NOTE
from swiftlite.catalog.rows import Account, Bucket
from swiftlite.swift.errors import Declined
from swiftlite.swift.limits import (
    META_COUNT_MAX,
    META_NAME_MAX,
    META_TOTAL_MAX,
    META_VALUE_MAX,
)
from swiftlite.swift.request import is_text

SECRETS = ("temp-url-key", "temp-url-key-2")

# Headers of an object that come back with it, as they are.
OBJECT_HEADERS = (
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-type",
    "expires",
    "x-robots-tag",
)


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """A header that sets something: the catalog's name for it, who may, and what it may be."""

    key: str
    header: str  # as replies spell it
    is_owners: bool = False  # only owners see and set it
    checked: Callable[[str], str] | None = None  # returns what is kept, or raises a Refused


class Said(msgspec.Struct, frozen=True):
    """What a request says of a container or account: keys as in `catalog.describing`."""

    set: dict[str, str]
    removed: tuple[str, ...]


def _read_acl(value: str) -> str:
    return acl.cleaned(value, writes=False)


def _write_acl(value: str) -> str:
    return acl.cleaned(value, writes=True)


CONTAINER: dict[str, Setting] = {
    "x-container-read": Setting(
        key="read-acl", header="X-Container-Read", is_owners=True, checked=_read_acl
    ),
    "x-container-write": Setting(
        key="write-acl", header="X-Container-Write", is_owners=True, checked=_write_acl
    ),
}
ACCOUNT: dict[str, Setting] = {}


def said_of(
    headers: Mapping[str, str],
    level: str,
    *,
    sealer: Sealer,
    place: bytes,
    is_owner: bool,
) -> Said:
    """Return what the headers say of a container or account; `level` is which of them.

    `place`: what the keys of its signed links are sealed for.
    Raises:  Declined 400; InvalidAcl.
    """
    settings = CONTAINER if level == "container" else ACCOUNT
    prefix, removing = f"x-{level}-meta-", f"x-remove-{level}-"
    said: dict[str, str] = {}
    removed: list[str] = []
    for name, value in user_metadata(headers, prefix, allow_empty=True).items():
        key = name if name in SECRETS else NOTE + name
        if name in SECRETS and not is_owner:
            continue
        if not value:
            removed.append(key)
        elif name in SECRETS:
            said[key] = _sealed(sealer, value, place, name)
        else:
            said[key] = value
    for header, setting in settings.items():
        value = headers.get(header, "")
        if header not in headers or (setting.is_owners and not is_owner):
            continue
        kept = setting.checked(value) if setting.checked and value else value
        if kept:
            said[setting.key] = kept
        else:
            removed.append(setting.key)
    for header in headers:
        if not header.startswith(removing):
            continue
        rest = header[len(removing) :]
        known = settings.get(f"x-{level}-{rest}") or settings.get(f"x-{rest}")
        if rest.startswith("meta-"):
            name = rest[len("meta-") :]
            gone = name if name in SECRETS else NOTE + name
        elif known is not None:
            gone = known.key
        else:
            continue
        owners = gone in SECRETS or (known is not None and known.is_owners)
        if is_owner or not owners:
            said.pop(gone, None)
            removed.append(gone)
    return Said(said, tuple(dict.fromkeys(removed)))


def shown_of(
    row: Bucket | Account, level: str, *, sealer: Sealer, place: bytes, is_owner: bool
) -> dict[str, str]:
    """Return what was said of a container or account as headers, to the caller's rights."""
    title = f"X-{level.title()}-Meta-"
    headers = {title + name.title(): value for name, value in row.meta.items()}
    for setting in (CONTAINER if level == "container" else ACCOUNT).values():
        value = row.settings.get(setting.key)
        if value and (is_owner or not setting.is_owners):
            headers[setting.header] = value
    if is_owner:
        for name in SECRETS:
            if name in row.settings:
                headers[title + name.title()] = unsealed(sealer, row.settings[name], place, name)
    return headers


def link_keys(row: Bucket | Account, *, sealer: Sealer) -> list[str]:
    """Return the keys that links into a container, or into all of an account, are signed with."""
    return [
        unsealed(sealer, row.settings[name], place_of(row), name)
        for name in SECRETS
        if name in row.settings
    ]


def place_of(row: Bucket | Account) -> bytes:
    """Return what the keys of a container's or account's signed links are sealed for."""
    if isinstance(row, Bucket):
        return container_place(row.project_id, row.name)
    return account_place(row.project_id)


def container_place(project_id: str, name: str) -> bytes:
    """As `place_of`, of a container that may not be there yet."""
    return b"swift/" + project_id.encode() + b"/" + name.encode()


def account_place(project_id: str) -> bytes:
    """As `place_of`, of an account."""
    return b"swift/" + project_id.encode()


def user_metadata(
    headers: Mapping[str, str], prefix: str, *, allow_empty: bool = False
) -> dict[str, str]:
    """Return what the headers with a prefix say, by lower-case names without it.

    Empty values are left out, unless `allow_empty`.
    Raises:  Declined: 400 for what is over a limit, or is not text.
    """
    found: dict[str, str] = {}
    total = 0
    for header, value in headers.items():
        if not header.startswith(prefix):
            continue
        name = header[len(prefix) :]
        if not name:
            raise Declined(400, "Metadata name cannot be empty")
        if not is_text(value):
            raise Declined(400, "Metadata must be valid UTF-8")
        size = len(value.encode())
        if len(name) > META_NAME_MAX:
            raise Declined(400, f"Metadata name too long: {header[:256]}")
        if size > META_VALUE_MAX:
            raise Declined(400, f"Metadata value longer than {META_VALUE_MAX}: {header}")
        total += len(name) + size
        if value or allow_empty:
            found[name] = value
    if len(found) > META_COUNT_MAX:
        raise Declined(400, f"Too many metadata items; max {META_COUNT_MAX}")
    if total > META_TOTAL_MAX:
        raise Declined(400, f"Total metadata too large; max {META_TOTAL_MAX}")
    return found


def check_metadata(meta: Mapping[str, str]) -> None:
    """Return if an object may have this metadata; a copy joins the source's and the request's.

    Raises:  Declined 400.
    """
    user_metadata({f"-{name}": value for name, value in meta.items()}, "-")


def object_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return those headers of a request that come back with the object.

    Raises:  Declined: 400 for what is not text.
    """
    found = {name: headers[name] for name in OBJECT_HEADERS if headers.get(name)}
    for name, value in found.items():
        if not is_text(value):
            raise Declined(400, f"Invalid {name.title()}")
    return found


def _sealed(sealer: Sealer, value: str, place: bytes, name: str) -> str:
    context = place + b"#" + name.encode()
    return base64.b64encode(sealer.seal(value.encode(), context=context)).decode()


def unsealed(sealer: Sealer, kept: str, place: bytes, name: str) -> str:
    """Return a key of signed links in clear.

    Raises:  a Corrupt if it was altered, or is another place's.
    """
    context = place + b"#" + name.encode()
    return sealer.unseal(base64.b64decode(kept), context=context).decode()
