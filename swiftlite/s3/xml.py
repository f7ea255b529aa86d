"""XML in, within limits, and XML out, escaped: the two directions that every document takes.

Source: XML 1.0, fifth edition; no DOCTYPE, therefore no entities but the five.
Pure: no clock, no IO.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote
from xml.parsers import expat

from swiftlite.http.replies import Reply
from swiftlite.s3.errors import MalformedXML

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
DEPTH_MAX = 16
ELEMENTS_MAX = 100_000

_XML = {"Content-Type": "application/xml"}
_ESCAPED = re.compile('[&<>"\r\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]')
_PLAIN = re.compile(r"[A-Za-z0-9_.~/-]*")
_NAMED = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}


class Element:
    """One element: its local name, its own text, its children in order."""

    __slots__ = ("children", "name", "text")

    def __init__(self, name: str) -> None:
        self.name = name
        self.text = ""
        self.children: list[Element] = []

    def child(self, name: str) -> str | None:
        """Return the text of the only child of this name, or None.

        Raises:  MalformedXML where there are several.
        """
        found = [element.text for element in self.children if element.name == name]
        if len(found) > 1:
            raise MalformedXML()
        return found[0] if found else None

    def required(self, name: str) -> str:
        """Return the text of the only child of this name.

        Raises:  MalformedXML where there is none, or several.
        """
        text = self.child(name)
        if text is None:
            raise MalformedXML()
        return text


def parse(document: bytes, root: str) -> Element:
    """Return the root element, which must be called `root`.

    Raises:  MalformedXML, also for a DOCTYPE, for more than DEPTH_MAX levels or ELEMENTS_MAX.
    """
    builder = _Builder()
    parser = expat.ParserCreate(namespace_separator="}")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = builder.refuse
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    try:
        parser.Parse(document, True)
    except (expat.ExpatError, ValueError, LookupError):
        raise MalformedXML() from None
    if builder.root is None or builder.root.name != root:
        raise MalformedXML()
    return builder.root


class _Builder:
    def __init__(self) -> None:
        self.root: Element | None = None
        self._open: list[Element] = []
        self._texts: list[list[str]] = []
        self._count = 0

    def refuse(self, *_: object) -> None:
        raise MalformedXML()

    def start(self, name: str, _: object) -> None:
        element = Element(name.rpartition("}")[2])
        self._count += 1
        if len(self._open) >= DEPTH_MAX or self._count > ELEMENTS_MAX:
            raise MalformedXML()
        if self._open:
            self._open[-1].children.append(element)
        else:
            self.root = element
        self._open.append(element)
        self._texts.append([])

    def end(self, _: str) -> None:
        self._open.pop().text = "".join(self._texts.pop())

    def data(self, text: str) -> None:
        self._texts[-1].append(text)


def text(value: str) -> str:
    """Return `value` as the text of an element.

    A control character that XML 1.0 cannot carry becomes a character reference, as S3 writes it;
    clients that meet such keys ask for encoding-type=url.
    """
    return _ESCAPED.sub(_escape, value) if _ESCAPED.search(value) else value


def url_text(value: str) -> str:
    """Return `value` as encoding-type=url has it; the result needs no escaping."""
    return value if _PLAIN.fullmatch(value) else quote(value, safe="/")


def leaf(name: str, value: str | int | bool | None) -> str:
    """Return an element with text; nothing at all for None."""
    if value is None:
        return ""
    if isinstance(value, bool):
        value = "true" if value else "false"
    return f"<{name}>{text(str(value))}</{name}>"


def document(root: str, *content: str, namespace: bool = True) -> bytes:
    """Return a whole document; `content` is markup already."""
    attribute = f' xmlns="{NAMESPACE}"' if namespace else ""
    body = "".join(content)
    return f"{DECLARATION}<{root}{attribute}>{body}</{root}>".encode("utf-8", "replace")


def _escape(match: re.Match[str]) -> str:
    char = match.group()
    named = _NAMED.get(char)
    return named if named is not None else f"&#x{ord(char):X};"


def xml_reply(document: bytes, headers: Mapping[str, str] | None = None) -> Reply:
    """Return a document as a reply."""
    return Reply(200, {**_XML, **headers} if headers else _XML, document)
