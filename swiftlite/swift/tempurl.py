"""TempURL: a URL that says, signed with an account's or container's key, what it is good for.

Source: Swift's "TempURL" (2026-08).
Pure: no clock, no IO.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from urllib.parse import parse_qsl, quote

import msgspec

from swiftlite.swift.signatures import LinkKey, parse_signature, signer

METHODS = ("GET", "HEAD", "PUT", "POST", "DELETE")
HEAD_METHODS = ("HEAD", "GET", "POST", "PUT")  # whichever was signed, HEAD may be asked
FORBIDDEN_HEADERS = ("x-object-manifest", "x-symlink-target")
IGNORED_HEADERS = ("x-timestamp", "x-open-expired")

_PARAMETERS_MAX = 100
_EPOCH = re.compile(r"[0-9]{1,12}", re.ASCII)
_ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z", re.ASCII)
_LAST_S = 253_402_300_799  # the end of the year 9999, the last that a header can say


class TempUrl(msgspec.Struct, frozen=True, kw_only=True):
    """The parameters of a TempURL as they came, decoded; None where one is absent."""

    signature: str | None = None
    expires: str | None = None
    prefix: str | None = None
    filename: str | None = None
    inline: bool = False
    ip_range: str | None = None

    def __repr__(self) -> str:
        return f"TempUrl(expires={self.expires!r}, prefix={self.prefix!r}, signature hidden)"


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """What a verified TempURL allows."""

    container: str  # "" if all of the account
    methods: tuple[str, ...]
    expires_s: int


def parse(raw_query: str) -> TempUrl | None:
    """Return the parameters of a TempURL, or None where the query has nothing of one."""
    if "temp_url_" not in raw_query:
        return None
    found: dict[str, str] = {}
    try:
        pairs = parse_qsl(raw_query, keep_blank_values=True, max_num_fields=_PARAMETERS_MAX)
    except ValueError:
        pairs = [("temp_url_sig", "")]
    for name, value in pairs:
        found.setdefault(name, value)
    if "temp_url_sig" not in found and "temp_url_expires" not in found:
        return None
    return TempUrl(
        signature=found.get("temp_url_sig"),
        expires=found.get("temp_url_expires"),
        prefix=found.get("temp_url_prefix"),
        filename=found.get("filename"),
        inline="inline" in found,
        ip_range=found.get("temp_url_ip_range"),
    )


def expiry_s(text: str | None) -> int | None:
    """Return seconds since 1970 for what a client sent: digits, or 2026-11-22T10:15:00Z."""
    if text is None:
        return None
    if _EPOCH.fullmatch(text):
        at_s = int(text)
        return at_s if at_s <= _LAST_S else None
    if not _ISO.fullmatch(text):
        return None
    try:
        at = datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None
    return int(at.timestamp())


def verify(
    url: TempUrl,
    *,
    method: str,
    account: str,
    container: str,
    name: str,
    keys: Sequence[LinkKey],
    now_s: int,
    source: str,
) -> Grant | None:
    """Return what the URL allows, or None where it is not this request, whatever the reason.

    `name`: the object's, decoded; "" for the container itself, which only a URL for reading with
    the empty prefix reaches. `source`: the client's address.
    """
    expires_s = expiry_s(url.expires)
    signature = parse_signature(url.signature or "")
    if signature is None or expires_s is None or expires_s < now_s or method not in METHODS:
        return None
    if not container or not name.strip("/"):
        is_reading = method in ("GET", "HEAD")
        if not container or name or not is_reading or url.prefix != "":
            return None
    if url.prefix is not None and not name.startswith(url.prefix):
        return None
    if url.ip_range and not _is_within(source, url.ip_range):
        return None
    path = f"/v1/{account}/{container}/"
    path = path + name if url.prefix is None else f"prefix:{path}{url.prefix}"
    first = f"ip={url.ip_range}\n" if url.ip_range else ""
    methods = HEAD_METHODS if method == "HEAD" else (method,)
    key = signer(keys, signature, [f"{first}{verb}\n{expires_s}\n{path}" for verb in methods])
    if key is None:
        return None
    return Grant(container=key.container, methods=(method,), expires_s=expires_s)


def forbidden_header(method: str, headers: Mapping[str, str]) -> str | None:
    """Return a header that would make the upload point at what the URL does not reach."""
    if method in ("GET", "HEAD"):
        return None
    return next((header for header in FORBIDDEN_HEADERS if header in headers), None)


def disposition(url: TempUrl, stored: str | None, name: str, *, is_page: bool = False) -> str:
    """Return the Content-Disposition of an answer to GET: what the URL says, the object, its name.

    `is_page`: what is answered was made for a browser to show.
    """
    if url.inline or is_page:
        return disposition_of("inline", url.filename) if url.filename else "inline"
    if url.filename:
        return disposition_of("attachment", url.filename)
    if stored is not None:
        return stored
    return disposition_of("attachment", name.rstrip("/").rpartition("/")[2])


def disposition_of(kind: str, filename: str) -> str:
    """Return a Content-Disposition with a file name, for old and new clients (RFC 6266)."""
    plain, encoded = quote(filename, safe=" /"), quote(filename)
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{encoded}"


def cleaned(headers: Mapping[str, str]) -> dict[str, str]:
    """Return a reply's headers without the object's metadata, but for what is marked public."""
    return {
        header: value
        for header, value in headers.items()
        if not header.lower().startswith("x-object-meta-")
        or header.lower().startswith("x-object-meta-public-")
    }


def _is_within(address: str, network: str) -> bool:
    try:
        return ipaddress.ip_address(address) in ipaddress.ip_network(network)
    except ValueError:
        return False
