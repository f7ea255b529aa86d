"""A request's head as Swift reads it: a path of account, container and object; query; headers.

The path is decoded once, and then cut: an escaped slash cuts, as it does in Swift.

Pure: no clock, no IO.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import unquote_to_bytes

from swiftlite.swift.errors import Declined
from swiftlite.swift.limits import ACCOUNT_NAME_MAX, HEADER_MAX

VERSION = "v1"
PREFIX = "AUTH_"

# Headers that say something only once; a second one is how requests are smuggled past a check.
_SINGLE = frozenset(
    {
        "authorization",
        "content-length",
        "content-type",
        "date",
        "destination",
        "destination-account",
        "etag",
        "expect",
        "host",
        "range",
        "transfer-encoding",
        "x-auth-token",
        "x-container-read",
        "x-container-write",
        "x-copy-from",
        "x-copy-from-account",
        "x-delete-after",
        "x-delete-at",
        "x-object-manifest",
        "x-storage-token",
    }
)
_TRUE = frozenset({"true", "1", "yes", "on", "t", "y"})
_NO_TEXT = "Invalid UTF8 or contains NULL"
_NUMBER = re.compile(r"[0-9]{1,19}", re.ASCII)


class Request:
    """One request's head.

    `account`, `container` and `name` are "" where the path ends before them; `account` is as the
    path has it, `project_id` without Swift's prefix, "" for an account that no project could have.
    `query` is decoded once, the last of a name counts; headers have lower-case names, and bytes
    that are not UTF-8 in them are surrogate escapes.
    """

    __slots__ = (
        "account",
        "container",
        "headers",
        "method",
        "name",
        "path",
        "query",
        "raw_path",
        "raw_query",
        "secure",
        "source",
    )

    def __init__(
        self,
        *,
        method: str,
        target: str,
        headers: dict[str, str],
        secure: bool = False,
        source: str = "",
    ) -> None:
        """Read the head.

        Raises:  Declined: 412 for a path or query that is not UTF-8 text, 404 for a path in which
                 an account or container has no name.
        """
        self.method = method
        self.headers = headers
        self.secure = secure
        self.source = source
        self.raw_path, _, self.raw_query = target.partition("?")
        self.path = decoded(self.raw_path)
        self.query = parse_query(self.raw_query) if self.raw_query else {}
        version, _, rest = self.path.removeprefix("/").partition("/")
        parts = rest.split("/", 2) if version == VERSION else []
        self.account, self.container, self.name = (*parts, "", "", "")[:3]
        if (self.name and not self.container) or (self.container and not self.account):
            raise Declined(404)

    @property
    def project_id(self) -> str:
        """The project whose account the path names."""
        return project_of(self.account)

    def flag(self, name: str) -> bool:
        """Return whether a header says yes."""
        return is_true(self.headers.get(name, ""))

    def asks(self, name: str) -> bool:
        """Return whether a parameter of the query says yes."""
        return is_true(self.query.get(name, ""))


def project_of(account: str) -> str:
    """Return the project whose account this is, "" if no project could have it."""
    if not account.startswith(PREFIX) or len(account.encode()) > ACCOUNT_NAME_MAX:
        return ""
    return account[len(PREFIX) :]


def account_of(project_id: str) -> str:
    """Return the account of a project, as paths have it."""
    return PREFIX + project_id


def parse_headers(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return headers by lower-case name; repeated ones joined by a comma.

    Raises:  Declined: 400 where a header that may be there once is there twice, or one is too long.
    """
    headers: dict[str, str] = {}
    for raw_name, raw_value in raw:
        if len(raw_name) + len(raw_value) > HEADER_MAX:
            raise Declined(400, f"A header is longer than {HEADER_MAX} bytes")
        name = raw_name.decode("latin-1").lower()
        value = raw_value.decode("utf-8", "surrogateescape")
        if name in headers:
            if name in _SINGLE:
                raise Declined(400, f"The header {name} was sent more than once")
            value = f"{headers[name]},{value}"
        headers[name] = value
    return headers


def parse_query(raw: str) -> dict[str, str]:
    """Return the parameters, decoded once; of a name that is there twice, the last.

    Raises:  Declined: 412 for what is not UTF-8 text.
    """
    query: dict[str, str] = {}
    for pair in raw.split("&"):
        if pair:
            name, _, value = pair.partition("=")
            query[_plain(name.replace("+", " "))] = _plain(value.replace("+", " "))
    return query


def decoded(text: str) -> str:
    """Return text with its percent escapes decoded.

    Raises:  Declined: 412 for bytes that are not UTF-8, and for a NUL.
    """
    plain = _plain(text)
    if "\0" in plain:
        raise Declined(412, _NO_TEXT)
    return plain


def _plain(text: str) -> str:
    if "%" not in text and text.isascii():
        return text
    try:
        return unquote_to_bytes(text.encode("utf-8", "surrogateescape")).decode("utf-8")
    except UnicodeError:
        raise Declined(412, _NO_TEXT) from None


def is_true(text: str) -> bool:
    """Return whether a value means yes, as Swift takes it."""
    return text.strip().lower() in _TRUE


def number(text: str) -> int | None:
    """Return a number that is written in ASCII digits, or None."""
    return int(text) if _NUMBER.fullmatch(text) else None


def is_text(value: str) -> bool:
    """Return whether a header's value came as UTF-8."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
