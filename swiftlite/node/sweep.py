"""Giving back the space of fragments in volumes: gaps, and how they grow together.

A gap is a stretch of a volume that begins with a header of kind GAP, ends with one of kind
GAP_END, and is a hole between them. Neighbouring gaps are joined, since a file system only takes
whole blocks back: without it, deleting fragments of 4 KiB would free next to nothing.
"""

from __future__ import annotations

import errno

from . import format as fmt
from .disk import Disk, Handle, write_all
from .format import ALIGN, Damage, Fragment, Header, Kind

_NOBODY = Fragment(bytes(16), 0)


def make_gap(
    disk: Disk, path: str, *, home: int, volume: int, device: int, start: int, end: int
) -> None:
    """Turn a stretch into a gap, together with the gaps that touch it. Blocks; raises OSError.

    A crash in between leaves zeros, or the end of a gap without its beginning: a walk steps over
    both. The caller holds the device's lock, so that nobody else moves these bounds.
    """
    handle = Handle(disk, disk.open(path, write=True))

    def header(at: int) -> Header | None:
        if at < 0:
            return None
        try:
            data = disk.pread(handle.fd, fmt.HEADER_SIZE, at)
            return fmt.unpack_header(data, home=home, volume=volume, offset=at)
        except Damage:
            return None
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            return None  # a bad sector under a neighbour

    before = header(start - ALIGN)
    if before is not None and before.kind is Kind.GAP_END:
        begin = start - before.size
        found = header(begin)
        if found is not None and found.kind is Kind.GAP and begin + found.size == start:
            start = begin
    after = header(end)
    if after is not None and after.kind is Kind.GAP:
        end += after.size
    for kind, at in ((Kind.GAP, start), (Kind.GAP_END, end - ALIGN)):
        mark = fmt.pack_header(
            kind,
            _NOBODY,
            home=home,
            volume=volume,
            offset=at,
            device=device,
            size=end - start,
        )
        write_all(disk, handle.fd, [mark], at)
    _punch(disk, handle.fd, start + fmt.HEADER_SIZE, end - ALIGN)


def _punch(disk: Disk, fd: int, start: int, end: int) -> None:
    """Make a stretch read as zeros; where there are no holes, by writing them."""
    if start >= end:
        return
    try:
        disk.punch_hole(fd, start, end - start)
    except OSError as error:
        if error.errno != errno.EOPNOTSUPP:
            raise
        zeros = bytes(1 << 20)
        for at in range(start, end, len(zeros)):
            write_all(disk, fd, [memoryview(zeros)[: end - at]], at)
