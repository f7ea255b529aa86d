"""Which hosts and addresses an image may be fetched from: those of the world, not of the inside.

Pure: no clock, no IO.
"""

from __future__ import annotations

from collections.abc import Collection
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import NamedTuple
from urllib.parse import urlsplit

from computelite.image.errors import BadSource

URL_MAX = 2048
PORTS = frozenset({80, 443})
_DEFAULT_PORT = {"http": 80, "https": 443}
_NAT64 = ip_network("64:ff9b::/96")


class Target(NamedTuple):
    """A URL to fetch, taken apart. `shown` is what may be told of it: without its query."""

    url: str
    host: str
    port: int
    shown: str


def target_of(url: str, allowed: Collection[str] = ()) -> Target:
    """Return what a URL names; `allowed` are HOST:PORT that are good wherever they are.

    Raises:  BadSource for what is no plain http or https URL, or of another port than the usual.
    """
    if len(url) > URL_MAX or not url.isascii() or any(not "!" <= c <= "~" for c in url):
        raise BadSource(reason="it is not a URL")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise BadSource(reason="it is not a URL") from None
    scheme, host = parts.scheme.lower(), (parts.hostname or "").lower()
    if scheme not in _DEFAULT_PORT:
        raise BadSource(reason="it is neither http nor https")
    if not host:
        raise BadSource(reason="it names no host")
    if parts.username is not None or parts.password is not None:
        raise BadSource(reason="it has a user in it")
    port = _DEFAULT_PORT[scheme] if port is None else port
    shown = f"{scheme}://{parts.netloc.lower()}{parts.path}"
    target = Target(url=url, host=host, port=port, shown=shown)
    if is_allowed(target, allowed):
        return target
    if port not in PORTS:
        raise BadSource(reason=f"port {port} is not one of {sorted(PORTS)}")
    if (literal := address_in(host)) is not None and not is_public(literal):
        raise BadSource(reason=f"the address {host} is not a public one")
    return target


def is_allowed(target: Target, allowed: Collection[str]) -> bool:
    """Whether the operator named this host and port as good."""
    return f"{target.host}:{target.port}" in allowed


def address_in(host: str) -> IPv4Address | IPv6Address | None:
    """Return the address that a host's name is itself, in any spelling that resolvers take."""
    try:
        return ip_address(host.partition("%")[0])
    except ValueError:
        return _old_spelling(host)


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether an address is one of the world's: no private, local, shared or special one."""
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and address.teredo is not None:
            return False
        if inner is None and address in _NAT64:
            inner = IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
        if address.is_site_local:
            return False
    return (
        address.is_global
        and not address.is_multicast
        and not address.is_reserved
        and not address.is_unspecified
    )


def _old_spelling(host: str) -> IPv4Address | None:
    """Return the address that inet_aton reads: 127.1, 0x7f000001, 017700000001."""
    parts = host.split(".")
    if not 1 <= len(parts) <= 4:
        return None
    numbers: list[int] = []
    for part in parts:
        try:
            if part[:2] in ("0x", "0X"):
                numbers.append(int(part[2:] or "0", 16))
            elif part.isascii() and part.isdigit():
                numbers.append(int(part, 8 if part.startswith("0") and len(part) > 1 else 10))
            else:
                return None
        except ValueError:
            return None
    *heads, last = numbers
    if any(head > 255 for head in heads) or last >= 1 << 8 * (5 - len(numbers)):
        return None
    value = last
    for at, head in enumerate(heads):
        value |= head << 8 * (3 - at)
    return IPv4Address(value)
