"""The names in a bulk delete's body: one URL-encoded path in each line.

Pure: no clock, no IO.
"""

from __future__ import annotations

from urllib.parse import quote, unquote_to_bytes

from swiftlite.swift.errors import Declined

NAMES_MAX = 10_000
PATH_MAX = 1024 + 256 + 2  # bytes of /container/object
_LINE_MAX = 2 * PATH_MAX  # as it is sent


class Name:
    """One name: its place, if it has one, and how it is spelled in a report."""

    __slots__ = ("container", "is_valid", "key", "quoted")

    def __init__(self, raw: bytes) -> None:
        path = raw.lstrip(b"/")
        self.quoted = quote(raw)
        container, _, key = path.partition(b"/")
        try:
            self.container = container.decode("utf-8")
            self.key = key.decode("utf-8")
            self.is_valid = b"\0" not in path
        except UnicodeDecodeError:
            self.container = self.key = ""
            self.is_valid = False

    @property
    def is_container(self) -> bool:
        """Whether a container is meant."""
        return not self.key


class NameList:
    """Feed it with `receive`; `finish` returns the names."""

    def __init__(self) -> None:
        self._line = b""
        self._names: list[Name] = []

    def receive(self, data: bytes) -> None:
        """Add bytes.

        Raises:  Declined 413, Declined 400.
        """
        *lines, self._line = (self._line + data).split(b"\n")
        for line in lines:
            self._add(line)
        if len(self._line) > _LINE_MAX:
            raise Declined(400, "Invalid File Name")

    def finish(self) -> list[Name]:
        """Return the names in their order.

        Raises:  Declined 413.
        """
        self._add(self._line)
        return self._names

    def _add(self, line: bytes) -> None:
        if len(line) > _LINE_MAX:
            raise Declined(400, "Invalid File Name")
        raw = unquote_to_bytes(line.strip())
        if not raw:
            return
        if len(self._names) == NAMES_MAX:
            raise Declined(413, f"Maximum Bulk Deletes: {NAMES_MAX} per request")
        self._names.append(Name(raw))
