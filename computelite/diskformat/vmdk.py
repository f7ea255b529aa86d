"""The descriptor of a VMDK image: what it says of extents and parents.

Only images of one file are good: a descriptor alone names other files of the host.
Source: VMware, "Virtual Disk Format 5.0" (2011).
Pure: no clock, no IO.
"""

from __future__ import annotations

import re
import struct

from computelite.diskformat.errors import BadImage, UnsafeImage

SPARSE = b"KDMV"
TEXT = b"# Disk DescriptorFile"

_HEADER = struct.Struct("<4sIIQQQQ")  # magic, version, flags, capacity, grain, offset, size
_SECTOR = 512
_DESCRIPTOR_MAX = 1 << 16
_TYPES = frozenset({"monolithicSparse", "streamOptimized"})
_LINE = re.compile(r'\s*([A-Za-z0-9_.]+)\s*=\s*"?([^"\r\n]*)"?\s*', re.ASCII)
_EXTENT = re.compile(r"\s*(RW|RDONLY|NOACCESS)\s+[0-9]+\s+(\S+)\s*(.*)", re.ASCII)
_NO_PARENT = "ffffffff"


def is_vmdk(head: bytes) -> bool:
    """Whether the bytes begin as a VMDK does, or as the descriptor of one."""
    return head.startswith(SPARSE) or head[:512].lstrip().startswith(TEXT)


def check_vmdk(head: bytes) -> int:
    """Return the size of the disk if the image stands for itself alone.

    Raises:  UnsafeImage for one that names other files, BadImage for what cannot be read.
    """
    if not head.startswith(SPARSE):
        raise UnsafeImage(format="vmdk", reason="it is a descriptor that names other files")
    if len(head) < _HEADER.size:
        raise _bad("the header is cut short")
    _, version, _, capacity, _, offset, size = _HEADER.unpack_from(head)
    if version not in (1, 2, 3):
        raise _bad(f"its version is {version}")
    start, length = offset * _SECTOR, size * _SECTOR
    if not offset or not 0 < length <= _DESCRIPTOR_MAX or start + length > len(head):
        raise _bad("its descriptor is not where it belongs")
    _check_descriptor(head[start : start + length].split(b"\0", 1)[0])
    return int(capacity) * _SECTOR


def _check_descriptor(raw: bytes) -> None:
    text = raw.decode("latin-1")
    settings: dict[str, str] = {}
    extents: list[str] = []
    for line in text.splitlines():
        if extent := _EXTENT.fullmatch(line):
            extents.append(extent[2])
        elif setting := _LINE.fullmatch(line):
            if setting[1].lower() in settings:
                raise _bad(f"its descriptor says {setting[1]} twice")
            settings[setting[1].lower()] = setting[2].strip()
    kind = settings.get("createtype", "")
    if kind not in _TYPES:
        raise UnsafeImage(format="vmdk", reason=f"its type {kind!r} is not of one file")
    if len(extents) != 1 or extents[0] != "SPARSE":
        raise UnsafeImage(format="vmdk", reason="it has extents in other files")
    parent = settings.get("parentcid", _NO_PARENT).lower()
    if parent != _NO_PARENT or "parentfilenamehint" in settings:
        raise UnsafeImage(format="vmdk", reason="it has a parent")


def _bad(reason: str) -> BadImage:
    return BadImage(format="vmdk", reason=reason)
