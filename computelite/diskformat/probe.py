"""Which format the first bytes of a disk image show, as the tools that open it would guess.

Pure: no clock, no IO.
"""

from __future__ import annotations

from computelite.diskformat.qcow2 import is_qcow2
from computelite.diskformat.vmdk import is_vmdk

HEAD = 128 << 10  # so much of an image's beginning is looked at, or all of a shorter one
TAIL = 512  # and so much of its end

RAW = "raw"
ISO = "iso"

_ISO_AT, _ISO = 0x8001, (b"CD001", b"BEA01", b"NSR02", b"NSR03")
_ISO_STEP, _ISO_DESCRIPTORS = 2048, 8
_VDI_AT, _VDI = 0x40, bytes.fromhex("7f10dabe")
_VHD = b"conectix"
# Formats that nobody can declare, or that have no lie of their own, by how they begin.
_BEGINNINGS = (
    (b"QED\0", "qed"),
    (b"vhdxfile", "vhdx"),
    (_VHD, "vhd"),
    (b"WithoutFreeSpace", "ploop"),
    (b"WithouFreSpacExt", "ploop"),
    (b"LUKS\xba\xbe", "luks"),
    (b"Bochs Virtual HD Image", "bochs"),
    (b"#!/bin/sh\n#V2.0 Format", "cloop"),
)


def probe(head: bytes, tail: bytes = b"") -> str:
    """Return the format that shows: `head` is the first HEAD bytes, `tail` the last TAIL ones.

    RAW is what shows no other. An ISO file system behind a structure of another format is that
    other one.
    """
    if is_qcow2(head):
        return "qcow2" if head[4:8] in (b"\0\0\0\2", b"\0\0\0\3") else "qcow"
    if is_vmdk(head):
        return "vmdk"
    for beginning, name in _BEGINNINGS:
        if head.startswith(beginning):
            return name
    if head[_VDI_AT : _VDI_AT + len(_VDI)] == _VDI:
        return "vdi"
    if tail.startswith(_VHD):
        return "vhd"
    descriptors = range(_ISO_AT, _ISO_AT + _ISO_STEP * _ISO_DESCRIPTORS, _ISO_STEP)
    if any(head[at : at + 5] in _ISO for at in descriptors):
        return ISO
    return RAW
