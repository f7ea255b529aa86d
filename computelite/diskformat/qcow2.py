"""The header of a qcow2 image, versions 2 and 3, and what of it would reach outside the file.

Source: QEMU, docs/interop/qcow2 (2024).
Pure: no clock, no IO.
"""

from __future__ import annotations

import struct

import msgspec

from computelite.diskformat.errors import BadImage, UnsafeImage

MAGIC = b"QFI\xfb"

_FIXED = struct.Struct(">4sIQIIQIIQQIIQ")  # 72 bytes: all of version 2
_MORE = struct.Struct(">QQQII")  # version 3, from byte 72 on
_EXTENSION = struct.Struct(">II")

_V2_LENGTH = 72
_CLUSTER_BITS = range(9, 22)
_L1_BYTES_MAX = 32 << 20  # as QEMU has it
_EXTENSIONS_MAX = 64

_DIRTY, _CORRUPT, _DATA_FILE, _COMPRESSION, _EXTENDED_L2 = (1 << bit for bit in range(5))
_KNOWN = _DIRTY | _CORRUPT | _DATA_FILE | _COMPRESSION | _EXTENDED_L2

_END = 0
_DATA_FILE_NAME = 0x44415441
_BACKING_FORMAT = 0xE2792ACA


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """What a qcow2 header says."""

    version: int
    cluster_bits: int
    virtual_size: int
    has_backing_file: bool
    has_data_file: bool
    is_encrypted: bool
    is_corrupt: bool
    snapshots: int


def is_qcow2(head: bytes) -> bool:
    """Whether the bytes begin as a qcow of any version does."""
    return head[:4] == MAGIC


def parse_header(head: bytes) -> Header:
    """Return what the first bytes of an image say; `head` holds all of the header's extensions.

    Raises:  BadImage for what is no qcow2 of version 2 or 3, or contradicts itself.
    """
    if len(head) < _FIXED.size or not is_qcow2(head):
        raise _bad("the header is cut short")
    (
        _,
        version,
        backing_offset,
        backing_size,
        cluster_bits,
        virtual_size,
        crypt_method,
        l1_size,
        l1_offset,
        refcount_offset,
        refcount_clusters,
        snapshots,
        _,
    ) = _FIXED.unpack_from(head)
    if version not in (2, 3):
        raise _bad(f"its version is {version}, and not 2 or 3")
    incompatible, length = 0, _V2_LENGTH
    if version == 3:
        if len(head) < _FIXED.size + _MORE.size:
            raise _bad("the header is cut short")
        incompatible, _, _, _, length = _MORE.unpack_from(head, _FIXED.size)
        if length < _FIXED.size + _MORE.size or length % 8:
            raise _bad(f"its header has {length} bytes")
    if cluster_bits not in _CLUSTER_BITS:
        raise _bad(f"its clusters have 2^{cluster_bits} bytes")
    cluster = 1 << cluster_bits
    if length > cluster:
        raise _bad("its header is larger than a cluster")
    if incompatible & ~_KNOWN:
        raise _bad("it needs features that are not known")
    # One entry of the first level stands for cluster / 8 clusters; fewer with subclusters.
    reach = cluster * (cluster // (16 if incompatible & _EXTENDED_L2 else 8))
    if l1_size * 8 > _L1_BYTES_MAX or l1_size < -(-virtual_size // reach):
        raise _bad("the size of its tables does not fit the size of its disk")
    for offset in (l1_offset, refcount_offset):
        if offset % cluster:
            raise _bad("a table does not begin with a cluster")
    if not refcount_offset or not refcount_clusters:
        raise _bad("it has no table of reference counts")
    names = _extensions(head, length, cluster)
    return Header(
        version=version,
        cluster_bits=cluster_bits,
        virtual_size=virtual_size,
        has_backing_file=bool(backing_offset or backing_size or _BACKING_FORMAT in names),
        has_data_file=bool(incompatible & _DATA_FILE or _DATA_FILE_NAME in names),
        is_encrypted=crypt_method != 0,
        is_corrupt=bool(incompatible & _CORRUPT),
        snapshots=snapshots,
    )


def check_header(header: Header) -> None:
    """Return if the image stands for itself alone, and can be read.

    Raises:  UnsafeImage for a backing file or a data file, BadImage for what cannot be read.
    """
    if header.has_backing_file:
        raise UnsafeImage(format="qcow2", reason="it has a backing file")
    if header.has_data_file:
        raise UnsafeImage(format="qcow2", reason="it has an external data file")
    if header.is_encrypted:
        raise UnsafeImage(format="qcow2", reason="it is encrypted")
    if header.is_corrupt:
        raise _bad("it is marked as corrupt")


def _extensions(head: bytes, start: int, cluster: int) -> frozenset[int]:
    """Return the types of the header's extensions, which lie in the first cluster."""
    found: list[int] = []
    at = start
    while at + _EXTENSION.size <= cluster:
        if at + _EXTENSION.size > len(head) or len(found) >= _EXTENSIONS_MAX:
            raise _bad("its header's extensions do not end")
        kind, size = _EXTENSION.unpack_from(head, at)
        if kind == _END:
            break
        found.append(kind)
        at += _EXTENSION.size + -(-size // 8) * 8
        if at > cluster:
            raise _bad("an extension of its header leaves the first cluster")
    return frozenset(found)


def _bad(reason: str) -> BadImage:
    return BadImage(format="qcow2", reason=reason)
