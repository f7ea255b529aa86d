"""What every disk must do: the conformance suite of the Disk port."""

from __future__ import annotations

import os
from collections.abc import Callable

from .disk import Disk
from .format import Buffer


def check_disk(make_disk: Callable[[], tuple[Disk, str]]) -> None:
    """Assert that a disk keeps the Disk port's contract; `make_disk` gives one and a new folder."""
    for check in (
        _check_files,
        _check_vectors,
        _check_names,
        _check_holes,
        _check_locks,
        _check_memory,
    ):
        check(*make_disk())


def _expect(kind: type[OSError], work: Callable[[], object]) -> None:
    try:
        work()
    except kind:
        return
    raise AssertionError(f"{kind.__name__} was expected")


def _check_files(disk: Disk, folder: str) -> None:
    path = os.path.join(folder, "a")
    _expect(FileNotFoundError, lambda: disk.open(path))
    fd = disk.create(path)
    _expect(FileExistsError, lambda: disk.create(path))
    assert disk.pwritev(fd, [b"hello"], 3) == 5
    assert disk.pread(fd, 100, 0) == b"\0\0\0hello", "a read past the end returns what there is"
    assert disk.pread(fd, 2, 4) == b"el"
    assert disk.pread(fd, 1, 8) == b""
    disk.fdatasync(fd)
    assert disk.fstat(fd).size == disk.stat(path).size == 8
    assert disk.fstat(fd)[:2] == disk.stat(path)[:2]
    disk.close(fd)
    fd = disk.open(path)
    _expect(OSError, lambda: disk.pwritev(fd, [b"x"], 0))
    disk.close(fd)


def _check_vectors(disk: Disk, folder: str) -> None:
    fd = disk.create(os.path.join(folder, "a"))
    parts: list[Buffer] = [b"", b"ab", bytearray(b"cd"), memoryview(b"xefx")[1:3]]
    assert disk.pwritev(fd, parts, 0) == 6
    assert disk.pwritev(fd, [b"z"] * 1024, 6) == 1024
    assert disk.pread(fd, 7, 0) == b"abcdefz"
    disk.close(fd)


def _check_names(disk: Disk, folder: str) -> None:
    a, b, sub = (os.path.join(folder, name) for name in ("a", "b", "sub"))
    disk.mkdir(sub)
    _expect(FileExistsError, lambda: disk.mkdir(sub))
    first, second = disk.create(a), disk.create(b)
    inode = disk.fstat(first).inode
    assert disk.listdir(folder) == ["a", "b", "sub"]
    disk.rename(a, b)
    disk.fsync_dir(folder)
    assert disk.listdir(folder) == ["b", "sub"]
    assert disk.stat(b).inode == inode, "a rename replaces what had the name"
    disk.rename(b, os.path.join(sub, "b"))
    disk.unlink(os.path.join(sub, "b"))
    _expect(FileNotFoundError, lambda: disk.unlink(b))
    _expect(FileNotFoundError, lambda: disk.rename(a, b))
    _expect(FileNotFoundError, lambda: disk.fsync_dir(os.path.join(folder, "none")))
    assert disk.pwritev(first, [b"x"], 0) == 1, "an open file outlives its name"
    disk.close(first)
    disk.close(second)


def _check_holes(disk: Disk, folder: str) -> None:
    fd = disk.create(os.path.join(folder, "a"))
    disk.pwritev(fd, [b"x" * (1 << 20)], 0)
    disk.fdatasync(fd)
    before = disk.fstat(fd)
    disk.punch_hole(fd, 100, (1 << 20) - 200)
    after = disk.fstat(fd)
    assert after.size == before.size
    assert after.allocated < before.allocated, "the blocks go back"
    assert disk.pread(fd, 102, 0) == b"x" * 100 + b"\0\0"
    assert disk.pread(fd, 102, (1 << 20) - 102) == b"\0\0" + b"x" * 100
    disk.close(fd)


def _check_locks(disk: Disk, folder: str) -> None:
    path = os.path.join(folder, "a")
    first = disk.create(path)
    second = disk.open(path)
    assert disk.lock(first, wait=False)
    assert not disk.lock(second, wait=False), "a lock belongs to its descriptor"
    disk.close(first)
    assert disk.lock(second, wait=True), "closing gives the lock back"
    disk.close(second)


def _check_memory(disk: Disk, folder: str) -> None:
    fd = disk.create(os.path.join(folder, "a"))
    disk.pwritev(fd, [b"hello"], 0)
    buffer = bytearray(5)
    got = disk.preadv_nowait(fd, buffer, 0)
    assert got is None or bytes(buffer[:got]) == b"hello"[:got]
    space = disk.space(folder)
    assert 0 <= space.free <= space.total
    disk.close(fd)
