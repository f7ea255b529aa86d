"""The bytes of a fragment: headers bound to their place, blocks that carry their identity.

A fragment's image is the same in a volume and in a file of its own; numbers are little-endian.

    header   0  8s  magic 89 "CuFrag" 0A      block   0  4s  magic "CuBk"
             8  B   format version, 1                 4  I   payload bytes
             9  B   kind                              8  16s blob id
            10  H   fragment index                   24  H   fragment index
            12  H   device id                        26  H   0
            14  H   label bytes, L                   28  I   block number
            16  16s blob id                          32  Q   xxh3_64(payload, seed =
            32  Q   size of the blob, 0 unknown               xxh3_64(bytes 0..31))
            40  Q   payload bytes, 0 in a file       40      payload
            48  Q   xxh3_64(bytes 0..47 + label,
                    seed = home ^ volume << 40 ^ offset)
            56      label, then the blocks

    footer   0  8s  magic 89 "CuFoot" 0A, 8 16s blob id, 24 H fragment index, 26 H 0,
            28  I   blocks, 32 I bytes in every block but the last, 36 I 0, 40 Q payload bytes,
            48  Q   xxh3_64 of the blocks' checksums, 56 Q xxh3_64(bytes 0..55, seed = home)

The header's seed names device, volume and offset, so that an image which landed elsewhere, or which
a client planted inside an object's bytes, does not pass for one that was stored there.
Pure: no clock, no IO.
"""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import NamedTuple

import msgspec
from xxhash import xxh3_64_intdigest

Buffer = bytes | bytearray | memoryview

ALIGN = 64  # images start at multiples of it, so that a header never crosses a sector
VERSION = 1
MAGIC = b"\x89CuFrag\n"
HEADER_SIZE = 56
BLOCK_SIZE = 40
FOOTER_SIZE = 64
LABEL_MAX = 0xFFFF

_HEADER = struct.Struct("<8sBBHHH16sQQ")
_BLOCK = struct.Struct("<4sI16sHHI")
_FOOTER = struct.Struct("<8s16sHHIIIQQ")
_LABEL = struct.Struct("<BH")
_SUM = struct.Struct("<Q")
_BLOCK_MAGIC = b"CuBk"
_FOOTER_MAGIC = b"\x89CuFoot\n"
_MASK = (1 << 64) - 1


class Fragment(NamedTuple):
    """Names one fragment of one blob."""

    blob: bytes
    index: int  # type: ignore[assignment]  # hides tuple.index, which nobody needs here


class Label(msgspec.Struct, frozen=True):
    """Which object a fragment was written for, so that a catalog can be rebuilt from devices."""

    bucket_id: bytes
    key: str
    sealed: bytes = b""  # the object's metadata, sealed; empty where there is none


class Kind(IntEnum):
    """What starts at a place in a volume, or in a file."""

    SMALL = 1  # one block, in a volume
    LARGE = 2  # blocks and a footer, in a file of its own
    GAP = 3  # nothing any more; the header's size is the gap's length
    GAP_END = 4  # the last 64 bytes of a gap, so that it can be found from behind
    VOLUME = 5  # the first 64 bytes of a volume; the blob id is one drawn for the volume


_KINDS = {int(kind): kind for kind in Kind}


class Damage(Exception):
    """Bytes are not what was written; the argument says which."""


class Header(NamedTuple):
    """What a verified header says."""

    kind: Kind
    fragment: Fragment
    device: int
    label: bytes
    size: int
    payload: int

    @property
    def blocks_at(self) -> int:
        """Bytes from the image's start to its first block."""
        return HEADER_SIZE + len(self.label)

    @property
    def length(self) -> int:
        """Bytes of a small image, without padding; of anything else, all of it."""
        if self.kind is Kind.SMALL:
            return self.blocks_at + BLOCK_SIZE + self.payload
        return self.size


class Footer(NamedTuple):
    """What a verified footer says."""

    blocks: int
    block: int
    payload: int
    sums: int


def home_of(cloud_id: str, uuid: str) -> int:
    """Return the number that binds a device's images to it."""
    return xxh3_64_intdigest(f"{cloud_id}\0{uuid}".encode())


def aligned(length: int) -> int:
    """Return the length rounded up to where the next image may start."""
    return (length + ALIGN - 1) & -ALIGN


def pack_label(label: Label) -> bytes:
    """Return the label's bytes; their number may exceed LABEL_MAX."""
    key = label.key.encode()
    return _LABEL.pack(len(label.bucket_id), len(key)) + label.bucket_id + key + label.sealed


def unpack_label(data: Buffer) -> Label:
    """Return the label that `pack_label` packed; its bytes were verified with the header."""
    bucket, key = _LABEL.unpack_from(data)
    at = _LABEL.size + bucket
    raw = bytes(data)
    return Label(raw[_LABEL.size : at], raw[at : at + key].decode(), raw[at + key :])


def pack_header(
    kind: Kind,
    fragment: Fragment,
    *,
    home: int,
    volume: int,
    offset: int,
    device: int,
    label: bytes = b"",
    size: int = 0,
    payload: int = 0,
) -> bytes:
    """Return header and label for this place on this device."""
    fixed = _HEADER.pack(
        MAGIC, VERSION, kind, fragment.index, device, len(label), fragment.blob, size, payload
    )
    check = xxh3_64_intdigest(fixed + label, (home ^ volume << 40 ^ offset) & _MASK)
    return fixed + _SUM.pack(check) + label


def unpack_header(data: bytes | bytearray, *, home: int, volume: int, offset: int) -> Header:
    """Return the header that `data` begins with, verified to have been written for this place.

    Raises: Damage, also if `data` ends inside the label.
    """
    if len(data) < HEADER_SIZE:
        raise Damage("header cut short")
    magic, version, kind, index, device, labelled, blob, size, payload = _HEADER.unpack_from(data)
    if magic != MAGIC:
        raise Damage("header magic")
    label = bytes(data[HEADER_SIZE : HEADER_SIZE + labelled])
    check = xxh3_64_intdigest(data[:48] + label, (home ^ volume << 40 ^ offset) & _MASK)
    if check != _SUM.unpack_from(data, 48)[0]:
        raise Damage("header checksum")
    if version != VERSION or kind not in _KINDS:
        raise Damage(f"format version {version}, kind {kind} is unknown")
    return Header(_KINDS[kind], Fragment(blob, index), device, label, size, payload)


def claimed_fragment(data: Buffer) -> Fragment | None:
    """Return which fragment an unverified header claims to be of; None if it is not even long."""
    if len(data) < HEADER_SIZE:
        return None
    return Fragment(bytes(data[16:32]), int.from_bytes(data[10:12], "little"))


def label_size(data: Buffer) -> int:
    """Return how long an unverified header claims its label to be."""
    return int.from_bytes(data[14:16], "little")


def pack_block(fragment: Fragment, number: int, payload: Buffer) -> bytes:
    """Return the header that stands before the payload."""
    fixed = _BLOCK.pack(_BLOCK_MAGIC, len(payload), fragment.blob, fragment.index, 0, number)
    return fixed + _SUM.pack(xxh3_64_intdigest(payload, xxh3_64_intdigest(fixed)))


def open_block(data: Buffer, at: int, fragment: Fragment, number: int, length: int) -> memoryview:
    """Return the payload of the block at `data[at:]`, verified to be this one; no copy is made.

    Raises: Damage.
    """
    fixed = bytes(data[at : at + 32])
    if fixed != _BLOCK.pack(_BLOCK_MAGIC, length, fragment.blob, fragment.index, 0, number):
        raise Damage(f"block {number}: header")
    view = memoryview(data)[at + BLOCK_SIZE : at + BLOCK_SIZE + length]
    if len(view) != length:
        raise Damage(f"block {number}: cut short")
    if xxh3_64_intdigest(view, xxh3_64_intdigest(fixed)) != block_sum(data, at):
        raise Damage(f"block {number}: checksum")
    return view


def block_sum(data: Buffer, at: int) -> int:
    """Return the checksum that a block's header states."""
    check: int = _SUM.unpack_from(data, at + 32)[0]
    return check


def pack_footer(fragment: Fragment, footer: Footer, *, home: int) -> bytes:
    """Return the last 64 bytes of a file."""
    fixed = _FOOTER.pack(
        _FOOTER_MAGIC, fragment.blob, fragment.index, 0, footer.blocks, footer.block, 0,
        footer.payload, footer.sums,
    )  # fmt: skip
    return fixed + _SUM.pack(xxh3_64_intdigest(fixed, home))


def unpack_footer(data: Buffer, fragment: Fragment, *, home: int) -> Footer:
    """Return the footer, verified to be this fragment's.

    Raises: Damage.
    """
    if len(data) != FOOTER_SIZE:
        raise Damage("footer cut short")
    magic, blob, index, zero, blocks, block, nought, payload, sums = _FOOTER.unpack_from(data)
    if magic != _FOOTER_MAGIC:
        raise Damage("footer magic")
    if xxh3_64_intdigest(bytes(data[:56]), home) != _SUM.unpack_from(data, 56)[0]:
        raise Damage("footer checksum")
    if (blob, index, zero, nought) != (*fragment, 0, 0):
        raise Damage("footer of another fragment")
    return Footer(blocks, block, payload, sums)
