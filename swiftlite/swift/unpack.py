"""Unpacking: compressed bytes in, plain bytes out; each piece and their ratio are bounded.

Pure: no clock, no IO.
"""

from __future__ import annotations

import bz2
import zlib
from typing import Protocol

from swiftlite.swift.errors import Declined

PIECE_MAX = 256 << 10
# A few MiB of any format may unpack to this much; beyond it, only to so many times what came.
FREE_BYTES = 64 << 20
RATIO_MAX = 200

_GZIP = 16 + zlib.MAX_WBITS


class Unpacker(Protocol):
    """Feed it, then take until it gives b"", again and again."""

    is_costly: bool
    """Whether taking takes so long that others would notice."""

    def feed(self, data: bytes) -> None:
        """Add compressed bytes."""

    def take(self) -> bytes:
        """Return some plain bytes, b"" when more compressed ones are needed.

        Raises:  Declined 400.
        """

    def finish(self) -> None:
        """Return if the compressed bytes were complete.

        Raises:  Declined 400.
        """


def unpacker_of(kind: str) -> Unpacker | None:
    """Return what unpacks `tar`, `tar.gz` or `tar.bz2`; None for what is none of them."""
    kind = kind.lower().strip(".")
    if kind == "tar":
        return _Plain()
    if kind == "tar.gz":
        return _Packed(_Gzip())
    return _Packed(_Bzip2()) if kind == "tar.bz2" else None


class _Plain:
    is_costly = False

    def __init__(self) -> None:
        self._data = b""

    def feed(self, data: bytes) -> None:
        self._data += data

    def take(self) -> bytes:
        data, self._data = self._data, b""
        return data

    def finish(self) -> None:
        pass


class _Codec(Protocol):
    """One compressed stream at a time; `rest` is what came behind it."""

    def decompress(self, data: bytes) -> bytes:
        """Return up to PIECE_MAX bytes; what was not used waits inside."""

    @property
    def is_over(self) -> bool:
        """Whether the stream ended."""

    @property
    def rest(self) -> bytes:
        """What came behind the stream's end."""

    def again(self) -> None:
        """Begin another stream: files may be made of several, one after the other."""


class _Packed:
    is_costly = True

    def __init__(self, codec: _Codec) -> None:
        self._codec = codec
        self._data = b""
        self._came = self._gave = 0
        self._is_between = True  # streams: nothing of the next one came

    def feed(self, data: bytes) -> None:
        self._data += data
        self._came += len(data)

    def take(self) -> bytes:
        try:
            piece = self._take()
        except (zlib.error, OSError, ValueError, EOFError):
            raise Declined(400, "Invalid Tar File: the compressed data cannot be read") from None
        self._gave += len(piece)
        if self._gave > FREE_BYTES and self._gave > self._came * RATIO_MAX:
            raise Declined(
                400, f"Invalid Tar File: it unpacks to more than {RATIO_MAX} times its size"
            )
        return piece

    def finish(self) -> None:
        if not self._is_between:
            raise Declined(400, "Invalid Tar File: the compressed data ends too early")

    def _take(self) -> bytes:
        while True:
            if self._codec.is_over:
                self._data = self._codec.rest + self._data
                self._codec.again()
                self._is_between = True
            if self._is_between:
                self._data = self._data.lstrip(b"\0")  # tapes are padded
                if not self._data:
                    return b""
            self._is_between = False
            data, self._data = self._data, b""
            piece = self._codec.decompress(data)
            if piece or not self._codec.is_over:
                return piece


class _Gzip:
    def __init__(self) -> None:
        self._stream = zlib.decompressobj(_GZIP)

    def decompress(self, data: bytes) -> bytes:
        return self._stream.decompress(self._stream.unconsumed_tail + data, PIECE_MAX)

    @property
    def is_over(self) -> bool:
        return self._stream.eof

    @property
    def rest(self) -> bytes:
        return self._stream.unused_data

    def again(self) -> None:
        self._stream = zlib.decompressobj(_GZIP)


class _Bzip2:
    def __init__(self) -> None:
        self._stream = bz2.BZ2Decompressor()

    def decompress(self, data: bytes) -> bytes:
        return self._stream.decompress(data, PIECE_MAX)

    @property
    def is_over(self) -> bool:
        return self._stream.eof

    @property
    def rest(self) -> bytes:
        return self._stream.unused_data

    def again(self) -> None:
        self._stream = bz2.BZ2Decompressor()
