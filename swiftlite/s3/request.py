"""A request's head as the protocol sees it: raw path, raw query, headers; nothing decoded twice.

Pure: no clock, no IO.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from urllib.parse import unquote_to_bytes

from swiftlite.errors import InvalidArgument
from swiftlite.s3.errors import AccessDenied, InvalidURI
from swiftlite.s3.names import Names, names_of, names_sent

_NUMBER = re.compile(r"[0-9]{1,19}", re.ASCII)
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_CANONICAL_PATH = re.compile(r"(?:[A-Za-z0-9\-._~/]|%[0-9A-F]{2})*", re.ASCII)
_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}", re.ASCII)
_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})", re.ASCII)
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


class Request:
    """One request's head.

    `headers` has lower-case names; values are UTF-8 where they can be (other bytes are surrogate
    escapes, so that what was signed can be hashed again). `query` is decoded once; `+` is a plus.
    """

    __slots__ = (
        "headers",
        "method",
        "names",
        "path",
        "query",
        "raw_query",
        "secure",
        "source",
        "target",
    )

    def __init__(
        self,
        *,
        method: str,
        target: str,
        headers: dict[str, str],
        names: Names | None = None,
        secure: bool = False,
        source: str = "",
    ) -> None:
        """`names`: what follows from the headers' names, where that is known already."""
        self.method = method
        self.target = target
        self.path, _, self.raw_query = target.partition("?")
        self.headers: Mapping[str, str] = headers
        self.names = names or names_of(tuple(headers))
        self.query: dict[str, str] = parse_query(self.raw_query) if self.raw_query else {}
        self.secure = secure
        self.source = source

    def add_headers(self, more: Mapping[str, str]) -> None:
        """Have these headers too. Raises as `merged`."""
        self.headers = merged(self.headers, more)
        self.names = names_of(tuple(self.headers))

    def query_headers(self) -> list[str]:
        """Return the parameters that are headers which the signer of a URL moved there."""
        return [
            name
            for name in self.query
            if name.lower().startswith("x-amz-") or name.lower() in ("content-type", "content-md5")
        ]


def parse_headers(raw: Sequence[tuple[bytes, bytes]]) -> tuple[Names, dict[str, str]]:
    """Return headers by lower-case name; repeated ones joined by a comma, as signers join them.

    Raises:  InvalidRequest where a header that may be there once is there twice.
    """
    names = names_sent([name for name, _ in raw])
    # Decoded in one go. No value has a line feed, since one ends a header.
    lines = b"\n".join([value for _, value in raw])
    values = lines.decode("utf-8", "surrogateescape").split("\n")
    if not names.are_repeated:
        return names, dict(zip(names.all, values, strict=True)) if raw else {}
    headers: dict[str, str] = {}
    for name, value in zip(names.all, values, strict=True):
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    return names, headers


def parse_query(raw: str) -> dict[str, str]:
    """Return the parameters, decoded once.

    Raises:  InvalidURI for a broken escape or bytes that are not UTF-8; InvalidArgument for a
             parameter that is there twice.
    """
    query: dict[str, str] = {}
    for pair in raw.split("&"):
        if not pair:
            continue
        name, _, value = pair.partition("=")
        name = decoded(name)
        if name in query:
            raise InvalidArgument(
                argument=name, value="", reason="The parameter was sent more than once"
            )
        query[name] = decoded(value)
    return query


def decoded(text: str) -> str:
    """Return `text` with its percent escapes decoded.

    Raises:  InvalidURI for a broken escape, or bytes that are not UTF-8.
    """
    if "%" not in text and text.isascii():
        return text
    if _BROKEN_ESCAPE.search(text):
        raise InvalidURI()
    try:
        return unquote_to_bytes(text.encode("utf-8", "surrogateescape")).decode("utf-8")
    except UnicodeError:
        raise InvalidURI() from None


def check_header(name: str, value: str) -> None:
    """Return if what came in a query, where anything can be escaped, can be a header.

    Raises:  InvalidArgument; as a header it could not have come, nor be sent back.
    """
    if not _TOKEN.fullmatch(name):
        raise InvalidArgument(argument=name[:64], value="", reason="No header has such a name")
    if _CONTROL.search(value):
        raise InvalidArgument(
            argument=name, value="", reason="A header cannot hold control characters"
        )


def canonical_path(raw: str) -> str:
    """Return the path as signers write it: RFC 3986 escapes in upper case, nothing normalised.

    An escaped slash stays escaped, `//` and `..` stay, since in S3 they are parts of a key.
    """
    return raw if _CANONICAL_PATH.fullmatch(raw) else _reencoded(raw, keep="/")


def canonical_query(raw: str, *, leave_out: str = "") -> str:
    """Return the query as signers write it: re-encoded, sorted by name and then by value."""
    pairs = []
    for pair in raw.split("&"):
        if not pair:
            continue
        name, _, value = pair.partition("=")
        name = _reencoded(name)
        if leave_out and name == leave_out:
            continue
        pairs.append((name, _reencoded(value)))
    pairs.sort()
    return "&".join([f"{name}={value}" for name, value in pairs])


def sorted_query(raw: str, *, leave_out: str = "") -> str:
    """Return the query in signing order, each parameter spelled as it was sent."""
    pairs = [pair.partition("=") for pair in raw.split("&") if pair]
    kept = sorted((name, value) for name, _, value in pairs if name != leave_out)
    return "&".join([f"{name}={value}" for name, value in kept])


def number(text: str, *, low: int, high: int) -> int | None:
    """Return the number in ASCII digits, or None where it is not one or is out of bounds."""
    if not _NUMBER.fullmatch(text):
        return None
    value = int(text)
    return value if low <= value <= high else None


def merged(headers: Mapping[str, str], more: Mapping[str, str]) -> dict[str, str]:
    """Return `headers` with `more`.

    Raises:  AccessDenied where both name a header, and differ: only one of them was signed.
    """
    for name, value in more.items():
        if headers.get(name, value) != value:
            raise AccessDenied(reason=f"{name} in the header is not the one that was signed")
    return {**headers, **more}


def _reencoded(raw: str, keep: str = "") -> str:
    out = []
    at = 0
    for match in _ESCAPE.finditer(raw):
        out.append(_encoded(raw[at : match.start()], keep))
        byte = int(match.group()[1:], 16)
        out.append(chr(byte) if byte in _UNRESERVED else match.group().upper())
        at = match.end()
    out.append(_encoded(raw[at:], keep))
    return "".join(out)


def _encoded(text: str, keep: str) -> str:
    kept = keep.encode()
    return "".join(
        chr(byte) if byte in _UNRESERVED or byte in kept else f"%{byte:02X}"
        for byte in text.encode("utf-8", "surrogateescape")
    )
