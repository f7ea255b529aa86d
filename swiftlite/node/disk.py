"""The Disk port: the only way in which bytes reach disks, and its real adapter."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from .format import Buffer

BUFFERS_PER_WRITE_MAX = 1024  # IOV_MAX on Linux


class Stat(NamedTuple):
    """What a file is: `device` and `inode` name it for as long as it exists."""

    device: int
    inode: int
    size: int
    allocated: int  # bytes that the file system gave it


class Space(NamedTuple):
    """Bytes of a file system: free to this process, and in all."""

    free: int
    total: int


class Disk(Protocol):
    """A file system as this project uses one. Every method may raise OSError and may block.

    What is written is certain to be there after a power cut only once `fdatasync` of the file and
    `fsync_dir` of the folder that names it have returned; a sync that failed must not be repeated,
    for the second one may succeed without having written anything. Methods are called from several
    threads at once.
    """

    def open(self, path: str, *, write: bool = False) -> int:
        """Return a descriptor of an existing file."""

    def create(self, path: str) -> int:
        """Return a descriptor of a new file, readable and writable; FileExistsError if there."""

    def close(self, fd: int) -> None:
        """Give a descriptor back, and the locks that it holds."""

    def pread(self, fd: int, size: int, offset: int) -> bytes:
        """Return `size` bytes from `offset`; fewer only at the end of the file."""

    def preadv_nowait(self, fd: int, buffer: bytearray, offset: int) -> int | None:
        """Fill `buffer` from memory alone and say how far; None where a disk would be waited for.

        Never blocks, so that an event loop may call it.
        """

    def pwritev(self, fd: int, buffers: Sequence[Buffer], offset: int) -> int:
        """Write up to 1,024 buffers in a row from `offset`; return the bytes written, maybe few."""

    def fdatasync(self, fd: int) -> None:
        """Return when the file's bytes and length are on the medium."""

    def fsync_dir(self, path: str) -> None:
        """Return when the folder's entries are on the medium."""

    def rename(self, source: str, target: str) -> None:
        """Give a file another name; what had that name is gone in the same step."""

    def unlink(self, path: str) -> None:
        """Remove a name."""

    def mkdir(self, path: str) -> None:
        """Make a folder; FileExistsError if there."""

    def listdir(self, path: str) -> list[str]:
        """Return the names in a folder, sorted."""

    def stat(self, path: str) -> Stat:
        """Say what the name stands for now."""

    def fstat(self, fd: int) -> Stat:
        """Say what was opened, whatever its name stands for now."""

    def punch_hole(self, fd: int, offset: int, length: int) -> None:
        """Make a range read as zeros and give its whole blocks back; the length of the file stays.

        OSError EOPNOTSUPP where the file system has no holes.
        """

    def lock(self, fd: int, *, wait: bool) -> bool:
        """Take the file's exclusive lock until the descriptor is closed; False if another has it.

        The lock is the descriptor's: a second descriptor of the same process is another.
        """

    def space(self, path: str) -> Space:
        """Say how much room there is where `path` is."""


_PUNCH_HOLE_KEEP_SIZE = 0x02 | 0x01
_libc = ctypes.CDLL(None, use_errno=True)
_libc.fallocate.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64]


class PosixDisk:
    """Linux's own file systems."""

    def __init__(self) -> None:
        self._nowait = hasattr(os, "RWF_NOWAIT")

    def open(self, path: str, *, write: bool = False) -> int:
        return os.open(path, (os.O_RDWR if write else os.O_RDONLY) | os.O_CLOEXEC)

    def create(self, path: str) -> int:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)

    def close(self, fd: int) -> None:
        os.close(fd)

    def pread(self, fd: int, size: int, offset: int) -> bytes:
        data = os.pread(fd, size, offset)
        if len(data) == size or not data:
            return data
        parts = [data]  # Linux returns at most 2 GiB less a page at once, and less on a signal
        have = len(data)
        while have < size and (data := os.pread(fd, size - have, offset + have)):
            parts.append(data)
            have += len(data)
        return b"".join(parts)

    def preadv_nowait(self, fd: int, buffer: bytearray, offset: int) -> int | None:
        if not self._nowait:
            return None
        try:
            return os.preadv(fd, [buffer], offset, os.RWF_NOWAIT)
        except BlockingIOError:
            return None
        except OSError as error:
            if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS):
                raise
            self._nowait = False  # an old kernel, or a file system without it
            return None

    def pwritev(self, fd: int, buffers: Sequence[Buffer], offset: int) -> int:
        return os.pwritev(fd, buffers, offset)

    def fdatasync(self, fd: int) -> None:
        os.fdatasync(fd)

    def fsync_dir(self, path: str) -> None:
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    def rename(self, source: str, target: str) -> None:
        os.rename(source, target)

    def unlink(self, path: str) -> None:
        os.unlink(path)

    def mkdir(self, path: str) -> None:
        os.mkdir(path, 0o700)

    def listdir(self, path: str) -> list[str]:
        return sorted(os.listdir(path))

    def stat(self, path: str) -> Stat:
        return _stat(os.stat(path))

    def fstat(self, fd: int) -> Stat:
        return _stat(os.fstat(fd))

    def punch_hole(self, fd: int, offset: int, length: int) -> None:
        if _libc.fallocate(fd, _PUNCH_HOLE_KEEP_SIZE, offset, length) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))

    def lock(self, fd: int, *, wait: bool) -> bool:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            return False
        return True

    def space(self, path: str) -> Space:
        found = os.statvfs(path)
        return Space(found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize)


class Handle:
    """A descriptor that is closed when its last user lets go of it.

    A cache may drop a handle while a thread still reads from it; closing the number then would let
    the thread read, or write, some other file that got the same number.
    """

    __slots__ = ("_disk", "fd")

    def __init__(self, disk: Disk, fd: int) -> None:
        self._disk, self.fd = disk, fd

    def __del__(self) -> None:
        self._disk.close(self.fd)


def write_all(disk: Disk, fd: int, buffers: Sequence[Buffer], offset: int) -> int:
    """Write every byte of the buffers from `offset` on; return how many those are.

    Raises: OSError; what was written before it stays written.
    """
    start, left = offset, list(buffers)
    while left:
        part = left[:BUFFERS_PER_WRITE_MAX]
        wrote = disk.pwritev(fd, part, offset)
        if wrote <= 0 and any(len(buffer) for buffer in part):
            raise OSError(errno.EIO, "a write wrote nothing")
        offset += wrote
        done = 0
        while done < len(part) and wrote >= len(part[done]):
            wrote -= len(part[done])
            done += 1
        del left[:done]
        if wrote:  # stopped inside a buffer
            left[0] = memoryview(left[0])[wrote:]
    return offset - start


def _stat(found: os.stat_result) -> Stat:
    return Stat(found.st_dev, found.st_ino, found.st_size, found.st_blocks * 512)
