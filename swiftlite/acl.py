"""Swift's container ACLs: whom else an owner lets read or write, in one line of text.

    project:user   ids, or names where both are in the domain `default`; `*` instead is anyone
    role           that role in the container's own project
    .r:host        requests that come from pages of this host, without a token; `.host`, `*.host`:
                   of every host below it; `*`: any request; `-host`: but not from there
    .rlistings     those requests may list as well

Elements are separated by commas; in the first two forms, a name may be percent-encoded.
Source: docs.openstack.org Swift "Container ACLs", 2026.
Pure: no clock, no IO.
"""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import unquote, urlsplit

import msgspec

from swiftlite.auth import Principal
from swiftlite.errors import InvalidAcl

SIZE_MAX = 8192  # what a header can hold
LISTINGS = ".rlistings"

_REFERRERS = frozenset({".r", ".ref", ".referer", ".referrer"})
DEFAULT_DOMAIN = "default"
_ID = re.compile(r"[0-9a-fA-F]{32}", re.ASCII)


class Pair(msgspec.Struct, frozen=True):
    """An element `project:user`; None is anyone."""

    project: str | None
    user: str | None
    element: str


class Acl(msgspec.Struct, frozen=True):
    """An ACL that was understood."""

    pairs: tuple[Pair, ...] = ()
    roles: frozenset[str] = frozenset()  # lower case
    referrers: tuple[str, ...] = ()  # lower case, in their order: a later one overrules
    has_listings: bool = False

    def pair_for(self, principal: Principal, *, domain: str = DEFAULT_DOMAIN) -> str | None:
        """Return the element `project:user` that admits this user, or None.

        `domain` is that of the project which the ACL is of: names mean nobody in another's.
        """
        projects, users = {principal.project_id}, {principal.user_id}
        domains = {domain, principal.project_domain_id, principal.user_domain_id}
        if domains == {DEFAULT_DOMAIN}:
            # Nobody becomes somebody else by taking that one's id for a name.
            projects.update(_names(principal.project_name))
            users.update(_names(principal.user_name))
        for pair in self.pairs:
            if (pair.project is None or (pair.project in projects and pair.project)) and (
                pair.user is None or (pair.user in users and pair.user)
            ):
                return pair.element
        return None

    def role_for(self, principal: Principal) -> str | None:
        """Return the role that admits a user of the container's own project, or None."""
        return next((role for role in principal.roles if role in self.roles), None)

    def referrer_for(self, referrer: str) -> str | None:
        """Return the element `.r:host` that admits requests with this `Referer`, or None."""
        host = _host_of(referrer)
        admitting = None
        for element in self.referrers:
            bare = element.removeprefix("-")
            if bare in (host, "*") or (bare.startswith(".") and host.endswith(bare)):
                admitting = None if element.startswith("-") else f".r:{element}"
        return admitting


def cleaned(text: str, *, writes: bool) -> str:
    """Return an ACL's text as it is kept and shown: one spelling of each element, no blanks.

    `writes`: it is to let others write.
    Raises:  InvalidAcl for a designator that nobody knows, a referrer without a host, a referrer
             that is to write, more than 8,192 bytes.
    """
    if len(text.encode("utf-8", "surrogatepass")) > SIZE_MAX:
        raise InvalidAcl(reason=f"it has more than {SIZE_MAX} bytes")
    found = [element.strip() for element in text.split(",")]
    return ",".join(_cleaned(element, writes) for element in found if element)


@lru_cache(1024)
def parsed(text: str) -> Acl:
    """Return what an ACL's cleaned text says."""
    pairs: list[Pair] = []
    roles: set[str] = set()
    referrers: list[str] = []
    for element in text.split(","):
        first, colon, second = element.partition(":")
        if element in ("", LISTINGS):
            continue
        if first == ".r" and colon:
            referrers.append(second.lower())
        elif colon:
            pairs.append(Pair(_side(first), _side(second), element))
        else:
            roles.add(unquote(element).lower())
    return Acl(
        pairs=tuple(pairs),
        roles=frozenset(roles),
        referrers=tuple(referrers),
        has_listings=LISTINGS in text.split(","),
    )


def is_id(text: str) -> bool:
    """Whether this is how ids look; nobody is known by such a name."""
    return _ID.fullmatch(text) is not None


def _cleaned(element: str, writes: bool) -> str:
    first, colon, second = (part.strip() for part in element.partition(":"))
    if not colon or not first.startswith("."):
        return element
    if first not in _REFERRERS:
        raise InvalidAcl(reason=f"Unknown designator {first!r} in {element!r}")
    if writes:
        raise InvalidAcl(reason=f"Referrers cannot be allowed to write: {element!r}")
    minus = "-" if second.startswith("-") else ""
    host = second.removeprefix("-").strip()
    if host != "*":
        host = host.removeprefix("*").strip()
    if host in ("", "."):
        raise InvalidAcl(reason=f"No host after the designator of referrers: {element!r}")
    return f".r:{minus}{host}"


def _side(text: str) -> str | None:
    return None if text.strip() == "*" else unquote(text.strip())


def _names(name: str) -> list[str]:
    return [] if is_id(name) else [name]


def _host_of(referrer: str) -> str:
    """Return the host of a URL; what has none comes from a host that nobody can name."""
    try:
        return (urlsplit(referrer).hostname or "").lower() or "unknown"
    except ValueError:
        return "unknown"
