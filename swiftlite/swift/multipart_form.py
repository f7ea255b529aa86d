"""Multipart forms, as they come: bytes in, fields and the pieces of files out.

    preamble --boundary--> headers --blank line--> content --boundary--> headers ... --> over

Source: RFC 7578; RFC 2046 section 5.1.
Pure: no clock, no IO.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum, auto
from typing import NamedTuple, TypeAlias

from swiftlite.swift.errors import Declined

BOUNDARY_MAX = 200
HEAD_MAX = 16 << 10  # bytes of one part's headers
PARTS_MAX = 10_000
_PREAMBLE_MAX = 64 << 10

_ATTRIBUTE = re.compile(r';\s*([\w*-]{1,40})=("(?:[^"\\]|\\.)*"|[^";\s]*)', re.ASCII)


class Part(NamedTuple):
    """A part begins: its field's name, its file's name (None for a plain field), its headers."""

    name: str
    filename: str | None
    headers: dict[str, str]


class Data(NamedTuple):
    """Some bytes of the part that began last."""

    data: bytes


class End(NamedTuple):
    """The part that began last is complete."""


Event: TypeAlias = Part | Data | End


class _State(Enum):
    PREAMBLE = auto()
    BORDER = auto()  # right behind a boundary
    HEAD = auto()
    CONTENT = auto()
    OVER = auto()


class MultipartParser:
    """Feed it bytes with `receive`, take events; `finish` says whether the form was whole."""

    def __init__(self, boundary: str) -> None:
        """Raises:  Declined 400 for what cannot be a boundary."""
        try:
            raw = boundary.encode("ascii")
        except UnicodeError:
            raw = b""
        if not 0 < len(raw) <= BOUNDARY_MAX:
            raise Declined(400, "FormPost: invalid boundary")
        self._mark = b"\r\n--" + raw
        # The first boundary may stand at the very beginning, without a line break before it.
        self._buffer = bytearray(b"\r\n")
        self._state = _State.PREAMBLE
        self._parts = 0
        self._at_start = False  # of a content: the line break before it is not part of it

    def receive(self, data: bytes) -> Iterator[Event]:
        """Yield what becomes known by these bytes.

        Raises:  Declined 400.
        """
        self._buffer += data
        while True:
            before = len(self._buffer), self._state
            yield from self._step()
            if (len(self._buffer), self._state) == before:
                return

    def finish(self) -> None:
        """Return if the last boundary came.

        Raises:  Declined 400.
        """
        if self._state is _State.PREAMBLE:
            raise Declined(400, "FormPost: invalid starting boundary")
        if self._state is not _State.OVER:
            raise Declined(400, "FormPost: the form ends too early")

    def _step(self) -> Iterator[Event]:
        if self._state is _State.PREAMBLE:
            self._preamble()
        elif self._state is _State.BORDER:
            self._border()
        elif self._state is _State.HEAD:
            yield from self._head()
        elif self._state is _State.CONTENT:
            yield from self._content()
        else:
            self._buffer.clear()  # what follows the form means nothing

    def _preamble(self) -> None:
        at = self._buffer.find(self._mark)
        if at >= 0:
            if self._buffer[:at].strip(b"\r\n"):
                raise Declined(400, "FormPost: invalid starting boundary")
            del self._buffer[: at + len(self._mark)]
            self._state = _State.BORDER
        elif len(self._buffer) > _PREAMBLE_MAX:
            raise Declined(400, "FormPost: invalid starting boundary")

    def _border(self) -> None:
        if self._buffer.startswith(b"--"):
            self._buffer.clear()
            self._state = _State.OVER
            return
        at = self._buffer.find(b"\r\n")
        if at < 0:
            if len(self._buffer) > BOUNDARY_MAX:
                raise Declined(400, "FormPost: a boundary does not end")
            return
        if self._buffer[:at].strip(b" \t"):
            raise Declined(400, "FormPost: invalid boundary")
        # The line break stays: a head without headers is then a blank line like any other.
        del self._buffer[:at]
        self._state = _State.HEAD
        self._parts += 1
        if self._parts > PARTS_MAX:
            raise Declined(400, "FormPost: the form has too many parts")

    def _head(self) -> Iterator[Event]:
        at = self._buffer.find(b"\r\n\r\n")
        if at > HEAD_MAX or (at < 0 and len(self._buffer) > HEAD_MAX):
            raise Declined(400, "FormPost: the headers of a part are too long")
        if at < 0:
            return
        part = _part(bytes(self._buffer[:at]))
        # Again one line break stays, since the boundary may follow at once.
        del self._buffer[: at + 2]
        self._state = _State.CONTENT
        self._at_start = True
        yield part

    def _content(self) -> Iterator[Event]:
        at = self._buffer.find(self._mark)
        end = at if at >= 0 else len(self._buffer) - len(self._mark) + 1
        first = 2 if self._at_start else 0
        if end > first or (at >= 0 and self._at_start):
            data = bytes(self._buffer[first:end]) if end > first else b""
            self._at_start = False
            del self._buffer[:end]
            if data:
                yield Data(data)
        if at >= 0:
            del self._buffer[: len(self._mark)]
            self._state = _State.BORDER
            yield End()


def boundary_of(content_type: str) -> str | None:
    """Return the boundary of a multipart form, or None where it is none."""
    kind, _, _ = content_type.partition(";")
    if kind.strip().lower() != "multipart/form-data":
        return None
    return attributes(content_type).get("boundary")


def attributes(value: str) -> dict[str, str]:
    """Return a header's attributes; a browser's `%22` in a name stays as it is."""
    return {
        match.group(1).lower(): re.sub(r"\\(.)", r"\1", match.group(2)[1:-1])
        if match.group(2).startswith('"')
        else match.group(2)
        for match in _ATTRIBUTE.finditer(value[:HEAD_MAX])
    }


def _part(head: bytes) -> Part:
    headers: dict[str, str] = {}
    for line in head.split(b"\r\n"):
        name, colon, value = line.partition(b":")
        if line and not colon:
            raise Declined(400, "FormPost: the headers of a part cannot be read")
        try:
            headers[name.decode("ascii").strip().lower()] = value.decode("utf-8").strip()
        except UnicodeError:
            raise Declined(400, "FormPost: the headers of a part are not UTF-8") from None
    headers.pop("", None)
    told = headers.get("content-disposition", "")
    if told.partition(";")[0].strip().lower() != "form-data":
        return Part("", None, headers)
    found = attributes(told)
    return Part(found.get("name", ""), found.get("filename"), headers)
