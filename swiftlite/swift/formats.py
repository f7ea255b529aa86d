"""Formats: which form of a listing a client wants, and what that form looks like.

Pure: no clock, no IO.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import msgspec

from swiftlite.http.replies import Reply
from swiftlite.swift.errors import Declined
from swiftlite.swift.request import Request

PLAIN, JSON, XML, TEXT_XML = "text/plain", "application/json", "application/xml", "text/xml"
_OFFERED = (PLAIN, JSON, XML, TEXT_XML)
_BY_NAME = {"plain": PLAIN, "json": JSON, "xml": XML}
_ACCEPTED_MAX = 50  # elements of an Accept header

# What XML 1.0 has no way to write; a name that has such a character is to be listed in JSON.
_UNWRITABLE = {n: 0xFFFD for n in (*range(32), 0xFFFE, 0xFFFF) if n not in (9, 10, 13)}
_LINE_ENDS = {"\r": "&#13;", "\n": "&#10;", "\t": "&#9;"}

Entry = Mapping[str, Any]
"""What a listing shows of one thing: its facts by name, or `subdir` alone."""


def wanted(request: Request) -> str:
    """Return the media type that the query's `format`, or else the Accept header, asks for.

    Raises:  Declined: 406 if it is none of ours, 400 for an Accept that is not one.
    """
    named = request.query.get("format")
    if named:
        return _BY_NAME.get(named.lower(), PLAIN)
    accept = request.headers.get("accept", "")
    return best(accept) if accept.strip() else PLAIN


def best(accept: str) -> str:
    """Return the offered type that an Accept header likes most.

    The header is cut at commas and semicolons, each part looked at once: its cost grows with its
    length and not with its shape.
    Raises:  as `wanted`.
    """
    elements = accept.split(",")
    if len(elements) > _ACCEPTED_MAX:
        raise Declined(400, "Invalid Accept header")
    liked: list[tuple[float, int, int, str]] = []
    for place, element in enumerate(elements):
        kind, *parameters = (part.strip() for part in element.split(";"))
        main, slash, sub = kind.partition("/")
        if not slash or not main or not sub or " " in kind:
            raise Declined(400, "Invalid Accept header")
        quality = _quality(parameters)
        if quality > 0:
            vague = (main == "*") + (sub == "*")
            liked.append((-quality, vague, place, kind.lower()))
    for _, _, _, kind in sorted(liked):
        main = kind.partition("/")[0]
        for offered in _OFFERED:
            if kind in (offered, "*/*") or kind == f"{main}/*" == f"{offered.partition('/')[0]}/*":
                return offered
    raise Declined(406)


def _quality(parameters: Iterable[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "q":
            digits = value.strip()[:8]
            if not digits.replace(".", "", 1).isdecimal() or not digits.isascii():
                raise Declined(400, "Invalid Accept header")
            return min(float(digits), 1.0)
    return 1.0


def listing(
    entries: Sequence[Entry],
    media: str,
    *,
    root: str,
    element: str,
    name: str,
    fields: Sequence[str],
    headers: Mapping[str, str],
) -> Reply:
    """Return a listing as a reply: 204 where plain text has nothing to say.

    `root` and `element` are what XML calls the whole and each entry, `name` is the whole's, and
    `fields` are those that XML shows of an entry, in their order.
    """
    if media == JSON:
        body = msgspec.json.encode(entries)
    elif media == PLAIN:
        body = b"".join(
            [(entry.get("name") or entry["subdir"]).encode() + b"\n" for entry in entries]
        )
    else:
        body = _xml(entries, root, element, name, fields)
    kind = {"Content-Type": f"{media}; charset=utf-8", **headers}
    return Reply(200 if body else 204, kind, body)


def _xml(
    entries: Sequence[Entry], root: str, element: str, name: str, fields: Sequence[str]
) -> bytes:
    parts = [f'<?xml version="1.0" encoding="UTF-8"?>\n<{root} name={_attribute(name)}>']
    for entry in entries:
        if "subdir" in entry:
            inner = f"<name>{_text(entry['subdir'])}</name>" if root == "container" else ""
            parts.append(f"<subdir name={_attribute(entry['subdir'])}>{inner}</subdir>")
        else:
            shown = "".join(f"<{field}>{_text(str(entry[field]))}</{field}>" for field in fields)
            parts.append(f"<{element}>{shown}</{element}>")
    parts.append(f"</{root}>")
    return "".join(parts).encode()


def _text(text: str) -> str:
    return escape(text.translate(_UNWRITABLE), {"\r": "&#13;"})


def _attribute(text: str) -> str:
    return quoteattr(text.translate(_UNWRITABLE), _LINE_ENDS)
