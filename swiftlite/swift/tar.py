"""Tar, as it comes: blocks in, regular files out. Nothing is collected but headers.

Links, devices, directories and whatever else is no file's bytes are passed over, as Swift does.

Source: POSIX.1-2017, pax; GNU tar's long names.
Pure: no clock, no IO.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

from swiftlite.swift.errors import Declined

MEMBERS_MAX = 1_000_000
EXTENSION_MAX = 256 << 10  # bytes of a pax header or a long name, or of all that is global
GLOBALS_MAX = 100  # names in global headers, which count for every file that follows

_BLOCK = 512
_FILES = (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE)
_WITHOUT_DATA = (
    tarfile.LNKTYPE,
    tarfile.SYMTYPE,
    tarfile.DIRTYPE,
    tarfile.CHRTYPE,
    tarfile.BLKTYPE,
    tarfile.FIFOTYPE,
)
_PAX = (tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE)
_SPARSE = ("GNU.sparse.major", "GNU.sparse.map", "GNU.sparse.size")


class Member(NamedTuple):
    """A file begins. `pax`: its extended header; `is_sparse`: its bytes are not simply its content.

    The name's bytes that are not UTF-8 are surrogate escapes.
    """

    name: str
    size: int
    pax: dict[str, str]
    is_sparse: bool


class Data(NamedTuple):
    """Some bytes of the file that began last."""

    data: bytes


class End(NamedTuple):
    """The file that began last is complete."""


Event: TypeAlias = Member | Data | End


class TarReader:
    """Feed it bytes with `receive`, take events; `finish` says whether the archive was whole."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._left = 0  # bytes of the present member's data
        self._padding = 0  # bytes between it and the next header
        self._kind = b""  # of the member whose data comes: a file's, an extension's, b"" for none
        self._extension = bytearray()
        self._name: str | None = None  # from a long name, for the next header
        self._pax: dict[str, str] = {}  # for the next header
        self._global: dict[str, str] = {}
        self._members = 0
        self._is_over = False

    def receive(self, data: bytes) -> Iterator[Event]:
        """Yield what becomes known by these bytes.

        Raises:  Declined 400.
        """
        if self._is_over:
            return
        self._buffer += data
        while not self._is_over:
            if self._left:
                if not self._buffer:
                    return
                yield from self._content()
            elif self._padding:
                skipped = min(self._padding, len(self._buffer))
                if not skipped:
                    return
                del self._buffer[:skipped]
                self._padding -= skipped
            elif len(self._buffer) < _BLOCK:
                return
            else:
                block = bytes(self._buffer[:_BLOCK])
                del self._buffer[:_BLOCK]
                yield from self._header(block)
        self._buffer.clear()

    def finish(self) -> None:
        """Return if the archive did not end within a member.

        Raises:  Declined 400.
        """
        if self._is_over:
            return
        if not self._members and not self._buffer:
            raise Declined(400, "Invalid Tar File: empty file")
        if self._left or self._buffer or self._name is not None or self._pax:
            raise Declined(400, "Invalid Tar File: unexpected end of data")

    def _content(self) -> Iterator[Event]:
        piece = bytes(self._buffer[: self._left])
        del self._buffer[: len(piece)]
        self._left -= len(piece)
        if self._kind in _FILES:
            yield Data(piece)
        elif self._kind:
            self._extension += piece
        if not self._left:
            yield from self._ended()

    def _ended(self) -> Iterator[Event]:
        kind, self._kind = self._kind, b""
        extension, self._extension = bytes(self._extension), bytearray()
        if kind in _FILES and kind:
            yield End()
        elif kind == tarfile.GNUTYPE_LONGNAME:
            self._name = extension.rstrip(b"\0").decode("utf-8", "surrogateescape")
        elif kind in _PAX and kind:
            self._pax = _records(extension)
        elif kind == tarfile.XGLTYPE:
            self._global |= _records(extension)
            size = sum(len(name) + len(self._global[name]) for name in self._global)
            if len(self._global) > GLOBALS_MAX or size > EXTENSION_MAX:
                raise Declined(400, "Invalid Tar File: it has too many global headers")

    def _header(self, block: bytes) -> Iterator[Event]:
        if not block.strip(b"\0"):
            self._is_over = True
            return
        try:
            info = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        except tarfile.HeaderError:
            raise Declined(400, "Invalid Tar File: bad header") from None
        self._members += 1
        if self._members > MEMBERS_MAX:
            raise Declined(400, f"Invalid Tar File: it has more than {MEMBERS_MAX} members")
        size = info.size
        is_extension = info.type in (
            *_PAX, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK,
        )  # fmt: skip
        pax: dict[str, str] = {}
        if not is_extension:
            pax, self._pax = self._global | self._pax, {}
            size = _size(pax.get("size"), size)
        if size < 0 or (is_extension and size > EXTENSION_MAX):
            raise Declined(400, "Invalid Tar File: bad header")
        if info.type in _WITHOUT_DATA:
            size = 0
        self._left, self._padding = size, -size % _BLOCK
        if is_extension:
            self._kind = info.type
        elif info.type in _FILES or info.type == tarfile.GNUTYPE_SPARSE:
            name = pax.get("path") or self._name or info.name
            self._name = None
            is_sparse = info.type == tarfile.GNUTYPE_SPARSE or any(key in pax for key in _SPARSE)
            self._kind = tarfile.REGTYPE
            yield Member(name, size, pax, is_sparse)
        else:
            self._name = None
            self._kind = b""
        if not size:
            yield from self._ended()


def _size(text: str | None, size: int) -> int:
    if text is None:
        return size
    if not (text.isascii() and text.isdigit() and len(text) <= 19):
        raise Declined(400, "Invalid Tar File: bad header")
    return int(text)


def _records(data: bytes) -> dict[str, str]:
    """Return a pax header's records: `length key=value`, each ended by a line break."""
    found: dict[str, str] = {}
    at = 0
    while at < len(data) and data[at : at + 1] != b"\0":
        space = data.find(b" ", at, at + 8)
        digits = data[at:space]
        if space < 0 or not digits.isdigit():
            raise Declined(400, "Invalid Tar File: bad pax header")
        end = at + int(digits)
        record = data[space + 1 : end]
        key, equals, value = record.partition(b"=")
        if end > len(data) or not equals or not record.endswith(b"\n"):
            raise Declined(400, "Invalid Tar File: bad pax header")
        name = key.decode("utf-8", "surrogateescape")
        found[name] = value[:-1].decode("utf-8", "surrogateescape")
        at = end
    return found
