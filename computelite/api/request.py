"""A request to an API: its path in segments, its query, its JSON body with every type checked.

Pure: no clock, no IO.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar
from urllib.parse import unquote_to_bytes

import msgspec

from computelite.api.errors import BadRequest, NoSuchPath

BODY_SIZE_MAX = 256 << 10
QUERY_SIZE_MAX = 64  # parameters

_HOST = re.compile(r"(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?", re.ASCII)
_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})", re.ASCII)
_WHERE = re.compile(r"(.*) - at `\$(.*)`", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `([^`]*)`")

S = TypeVar("S", bound=msgspec.Struct)


class Request:
    """One request's head. `segments` are the path's parts, decoded once; `headers` lower-case."""

    __slots__ = ("base_url", "headers", "method", "query", "segments", "source", "target")

    def __init__(
        self,
        *,
        method: str,
        target: str,
        headers: Mapping[str, str],
        base_url: str,
        source: str = "",
    ) -> None:
        """`base_url`: the API port's root, without a slash at its end.

        Raises:  NoSuchPath for a path that is not UTF-8, BadRequest for such a query.
        """
        self.method = method
        self.target = target
        self.headers = headers
        self.base_url = base_url
        self.source = source
        path, _, query = target.partition("?")
        try:
            # A slash at the end says nothing.
            self.segments = tuple(_decoded(part) for part in path.strip("/").split("/"))
        except ValueError:
            raise NoSuchPath() from None
        self.query = Query(query)


class Query:
    """The parameters of a query; of repeated ones `get` knows the first, `all` every one."""

    __slots__ = ("_pairs",)

    def __init__(self, raw: str) -> None:
        """Raises:  BadRequest for a broken escape, bytes that are not UTF-8, or too many."""
        pairs = [pair.partition("=") for pair in raw.split("&") if pair]
        if len(pairs) > QUERY_SIZE_MAX:
            raise BadRequest(reason=f"A query has at most {QUERY_SIZE_MAX} parameters.")
        try:
            self._pairs = [(_decoded(name, plus=" "), _decoded(value, plus=" "))
                           for name, _, value in pairs]  # fmt: skip
        except ValueError:
            raise BadRequest(reason="The query is not UTF-8 in percent escapes.") from None

    def __contains__(self, name: str) -> bool:
        return any(found == name for found, _ in self._pairs)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._pairs)

    def get(self, name: str, default: str | None = None) -> str | None:
        """Return the parameter's first value."""
        return next((value for found, value in self._pairs if found == name), default)

    def all(self, name: str) -> list[str]:
        """Return all of the parameter's values."""
        return [value for found, value in self._pairs if found == name]

    def flag(self, name: str) -> bool:
        """Whether the parameter is there and not 0; every other value is true."""
        value = self.get(name)
        return value is not None and value != "0"

    def truth(self, name: str) -> bool | None:
        """Return what a filter on a boolean asks for; None where it is not there.

        Raises:  BadRequest for what is neither.
        """
        value = self.get(name)
        if value is None:
            return None
        if value.lower() in ("true", "1", "t", "yes", "on", "y"):
            return True
        if value.lower() in ("false", "0", "f", "no", "off", "n"):
            return False
        raise BadRequest(reason=f"The parameter {name} is true or false.")


def parse_headers(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return headers by lower-case name; the first of those that are there twice."""
    headers: dict[str, str] = {}
    for name, value in raw:
        headers.setdefault(name.decode("latin-1").lower(), value.decode("utf-8", "replace"))
    return headers


def base_url_of(headers: Mapping[str, str], *, secure: bool, default: str) -> str:
    """Return the API port's root as this client reaches it, which links and the catalog begin with.

    It is the host that the client says it speaks to, since a listener on every address does not
    know its names: a client that lies gets lies back, and nobody else does.
    """
    host = headers.get("host", "")
    if not _HOST.fullmatch(host):
        return default
    return f"{'https' if secure else 'http'}://{host}"


def parse_body(body: bytes, content_type: str) -> dict[str, Any]:
    """Return a body's JSON object; an empty body is an empty object.

    Raises:  BadRequest.
    """
    if not body.strip():
        return {}
    kind = content_type.partition(";")[0].strip().lower()
    if kind not in ("", "application/json"):
        raise BadRequest(reason="The Content-Type of the body must be application/json.")
    try:
        decoded = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise BadRequest(reason="The body is not JSON.") from None
    if not isinstance(decoded, dict):
        raise BadRequest(reason="The body is not a JSON object.")
    return decoded


def checked(value: object, shape: type[S], *, at: str = "") -> S:
    """Return a decoded JSON value as a struct; nothing is coerced, and `at` is where it lies.

    Raises:  BadRequest that names the field.
    """
    try:
        return msgspec.convert(value, shape)
    except msgspec.ValidationError as error:
        raise BadRequest(reason=_explained(str(error), at)) from None


def _explained(text: str, at: str) -> str:
    found = _WHERE.fullmatch(text)
    what, inner = (found[1], found[2]) if found else (text, "")
    if missing := _MISSING.fullmatch(what):
        inner, what = f"{inner}.{missing[1]}", "it is required"
    field = f"{at}{inner}".lstrip(".") or "the body"
    return f"Invalid input for {field}: {what}."


def _decoded(text: str, plus: str = "+") -> str:
    """Return `text` with its percent escapes decoded, and `+` as `plus`. Raises ValueError."""
    if "%" not in text and text.isascii():
        return text.replace("+", plus)
    if _BROKEN_ESCAPE.search(text):
        raise ValueError
    raw = text.replace("+", plus).encode("utf-8", "surrogateescape")
    return unquote_to_bytes(raw).decode("utf-8")
