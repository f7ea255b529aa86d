"""Inspecting an image as it streams by: its first bytes decide, before any of them is kept.

Pure: no clock, no IO.
"""

from __future__ import annotations

import struct

from computelite.diskformat.errors import BadImage, UnsafeImage, WrongFormat
from computelite.diskformat.probe import HEAD, ISO, RAW, TAIL, probe
from computelite.diskformat.qcow2 import check_header, parse_header
from computelite.diskformat.vmdk import check_vmdk

# A kernel, a ramdisk and a machine image are whatever bytes they are, as raw disks are.
PLAIN = frozenset({RAW, "aki", "ari", "ami"})
INSPECTED = PLAIN | {"qcow2", "vmdk", "vdi", "vhd", "vhdx", "iso", "ploop"}

_VDI_TYPE_AT, _VDI_SIZE_AT = 0x4C, 0x170
_VDI_DYNAMIC, _VDI_STATIC = 1, 2
_VHD_SIZE_AT, _VHD_TYPE_AT = 0x30, 0x3C
_VHD_FIXED, _VHD_DYNAMIC = 2, 3


def check_head(declared: str, head: bytes) -> int | None:
    """Return the disk's size as the first bytes tell it; None where they do not.

    `head` is the image's first HEAD bytes, or all of a shorter one.
    Raises:  WrongFormat if they show another format than was declared, UnsafeImage if the image
             would have a tool open other files, BadImage if it cannot be read.
    """
    found = probe(head)
    if declared in PLAIN:
        if found not in (RAW, ISO):
            raise WrongFormat(format=declared, found=found)
        return None
    if found == RAW and declared == "vhd":
        return None  # one of fixed size shows it at its end
    if found != declared:
        raise WrongFormat(format=declared, found=found)
    match declared:
        case "qcow2":
            header = parse_header(head)
            check_header(header)
            return header.virtual_size
        case "vmdk":
            return check_vmdk(head)
        case "vdi":
            return _vdi(head)
        case "vhd":
            return _vhd(head)
    return None


def check_tail(declared: str, head: bytes, tail: bytes, size: int) -> int | None:
    """Return the disk's size as the end tells it, where `check_head` could not.

    `tail` is the image's last TAIL bytes, `size` that of the whole.
    Raises:  WrongFormat, UnsafeImage, BadImage.
    """
    if declared in PLAIN or declared == ISO:
        return size
    if declared == "vhd" and probe(head) == RAW:
        if size <= TAIL or probe(head, tail) != "vhd":
            raise WrongFormat(format=declared, found=RAW)
        return _vhd(tail)
    return None


def _vdi(head: bytes) -> int:
    if len(head) < _VDI_SIZE_AT + 8:
        raise BadImage(format="vdi", reason="the header is cut short")
    (kind,) = struct.unpack_from("<I", head, _VDI_TYPE_AT)
    if kind not in (_VDI_DYNAMIC, _VDI_STATIC):
        raise UnsafeImage(format="vdi", reason="it is a difference to another image")
    return int(struct.unpack_from("<Q", head, _VDI_SIZE_AT)[0])


def _vhd(footer: bytes) -> int:
    if len(footer) < TAIL:
        raise BadImage(format="vhd", reason="the footer is cut short")
    (kind,) = struct.unpack_from(">I", footer, _VHD_TYPE_AT)
    if kind not in (_VHD_FIXED, _VHD_DYNAMIC):
        raise UnsafeImage(format="vhd", reason="it is a difference to another image")
    return int(struct.unpack_from(">Q", footer, _VHD_SIZE_AT)[0])


class Inspector:
    """Looks at an image's bytes as they come, and keeps no more than its head and its tail."""

    def __init__(self, declared: str | None) -> None:
        """`declared`: the format; None: the payload is no disk image, and anything is good."""
        self._declared = declared if declared in INSPECTED else None
        self._head = bytearray()
        self._tail = b""
        self._size = 0
        self._checked = self._declared is None
        self._virtual_size: int | None = None

    @property
    def is_settled(self) -> bool:
        """Whether the head was looked at: bytes may be kept from here on."""
        return self._checked

    def feed(self, data: bytes) -> None:
        """Take the next bytes.

        Raises:  BadImage and its like, as soon as the head shows it.
        """
        self._size += len(data)
        if self._declared is None:
            return
        self._tail = data[-TAIL:] if len(data) >= TAIL else (self._tail + data)[-TAIL:]
        if not self._checked:
            self._head += data[: HEAD - len(self._head)]
            if len(self._head) >= HEAD:
                self._settle()

    def finish(self) -> int | None:
        """Return the size of the disk inside, None where it is not known, when all bytes came.

        Raises:  BadImage and its like.
        """
        if self._declared is None:
            return None
        if not self._checked:
            self._settle()
        told = check_tail(self._declared, bytes(self._head), self._tail, self._size)
        return self._virtual_size if told is None else told

    def _settle(self) -> None:
        assert self._declared is not None
        self._virtual_size = check_head(self._declared, bytes(self._head))
        self._checked = True
