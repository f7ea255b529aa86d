"""Where an object's bytes are: blobs, and the hints that find their fragments.

Pure: no clock, no IO.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NewType

import msgspec

DeviceId = NewType("DeviceId", int)
BlobId = NewType("BlobId", bytes)


class Layout(IntEnum):
    """How a blob is spread over its fragments."""

    CODED = 1  # fragments 0..k-1 hold the data's cells, k..k+m-1 parity
    COPIES = 2  # each of m+1 fragments holds the whole blob


class Hint(msgspec.Struct, array_like=True, frozen=True):
    """Where one fragment was when it was written. Never updated: see `Blob`.

    Units: offset and length in bytes; length is that of the whole fragment, header included.
    """

    fragment: int
    device: int
    volume: int = 0  # 0: a file of its own, found by the blob's id
    offset: int = 0
    length: int = 0


class Blob(msgspec.Struct, array_like=True, frozen=True):
    """One run of bytes on devices; the unit of placement, of sharing and of reclaiming.

    A hint may be stale (the fragment moved) or absent (its write failed): the device's own index is
    asked then, and after it the devices that newer and older rings name for the blob's partition.
    """

    id: bytes  # 16 bytes, UUIDv7; its last bytes choose the partition
    size: int
    layout: Layout
    k: int
    m: int
    stripe: int  # data bytes per stripe; a multiple of k; the last stripe may be shorter
    epoch: int  # the ring that placed it
    hints: tuple[Hint, ...]

    @property
    def fragments(self) -> int:
        """How many fragments a whole blob has."""
        return self.k + self.m if self.layout is Layout.CODED else self.m + 1

    @property
    def needed(self) -> int:
        """How many fragments suffice to read it."""
        return self.k if self.layout is Layout.CODED else 1
