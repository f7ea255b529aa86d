"""A disk that misbehaves: loses what was not synced, tears, lies, is slow, fills up, flips bits.

It keeps its files in a real folder, so that inodes, locks and holes are real, and notes what a
power cut would take back.
"""

from __future__ import annotations

import errno
import os
import random  # noqa: TID251 - only with a seed
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import RLock
from typing import Literal

from swiftlite.node.disk import PosixDisk, Space, Stat
from swiftlite.node.format import Buffer

SECTOR = 512

CHANGES = frozenset(
    ["create", "pwritev", "fdatasync", "fsync_dir", "rename", "unlink", "mkdir", "punch_hole"]
)


@dataclass
class Fault:
    """What happens at the `nth` operation of a kind from now on; `any` counts all changes."""

    op: str
    nth: int = 1
    error: int = errno.EIO  # for `how` = error
    how: Literal["error", "short", "flip", "misdirect", "power"] = "error"
    sticky: bool = False  # and at every one after it
    seen: int = 0

    def strikes(self, op: str) -> bool:
        """Count an operation; say whether it is this one's turn."""
        if self.op != op and not (self.op == "any" and op in CHANGES):
            return False
        self.seen += 1
        return self.seen == self.nth or (self.sticky and self.seen > self.nth)


@dataclass(eq=False)
class _File:
    """What the medium has of a file, and which sectors of it are newer in memory."""

    durable: bytearray = field(default_factory=bytearray)
    dirty: set[int] = field(default_factory=set)


class _Folder:
    """A folder, for the table of names."""


_FOLDER = _Folder()
_Names = dict[str, _File | _Folder]


class SimDisk:
    """A file system under `root` with a page cache that a power cut empties.

    After a fault of kind `power` everything fails until `power_cut` was called, which needs all
    users of the disk to have let go of it. What happens is decided by `seed` alone.
    """

    def __init__(self, root: str, *, seed: int = 0, lies: frozenset[str] = frozenset()) -> None:
        self.root = os.path.abspath(root)
        self.faults: list[Fault] = []
        self.log: list[str] = []
        self.lies = lies  # syncs that return without having done anything
        self.latency_s: dict[str, float] = {}  # how long operations of a kind take beside their own
        self.free: int | None = None  # what `space` reports instead of the truth
        self._random = random.Random(seed)
        self._real = PosixDisk()
        self._lock = RLock()
        self._off = False
        self._files: dict[tuple[int, int], _File] = {}
        self._live: _Names = {}
        self._durable: _Names = {}
        self._cuts = 0

    def power_cut(
        self, keep: Literal["none", "some", "all"] = "none", *, index: bool = False
    ) -> None:
        """Leave on the medium what was synced, and of the rest nothing, some sectors, or all.

        Names are kept or lost likewise. A device's index is not written through the port: it is
        lost, or with `index` kept as it was.
        """
        with self._lock:
            self._cuts += 1
            before = f"{self.root}.before-{self._cuts}"
            os.rename(self.root, before)
            os.mkdir(self.root)
            names = self._names_after(keep)
            contents = {
                node: self._content_after(node, self._path_of(node, before), keep)
                for node in {n for n in names.values() if isinstance(n, _File)}
            }
            self._files, self._live, self._durable = {}, {}, {}
            for path in sorted(names, key=len):
                node = names[path]
                if not os.path.isdir(os.path.dirname(path)):
                    continue  # its folder was lost
                if isinstance(node, _File):
                    with open(path, "wb") as file:
                        file.write(contents[node])
                    found = os.stat(path)
                    kept = _File(contents[node])
                    self._files[found.st_dev, found.st_ino] = kept
                    self._live[path] = self._durable[path] = kept
                else:
                    os.mkdir(path)
                    self._live[path] = self._durable[path] = _FOLDER
            if index:
                for folder, _, found_names in os.walk(before):
                    for name in found_names:
                        target = self.root + folder.removeprefix(before)
                        if name.startswith("index.db") and os.path.isdir(target):
                            shutil.copy(os.path.join(folder, name), target)
            shutil.rmtree(before)
            self._off, self.faults = False, []

    def open(self, path: str, *, write: bool = False) -> int:
        self._step("open")
        return self._real.open(path, write=write)

    def create(self, path: str) -> int:
        with self._lock:
            self._step("create")
            fd = self._real.create(path)
            found = self._real.fstat(fd)
            self._files[found.device, found.inode] = self._live[path] = _File()
            return fd

    def close(self, fd: int) -> None:
        self._real.close(fd)

    def pread(self, fd: int, size: int, offset: int) -> bytes:
        self._step("pread")
        return self._real.pread(fd, size, offset)

    def preadv_nowait(self, fd: int, buffer: bytearray, offset: int) -> int | None:
        self._step("preadv_nowait")
        return self._real.preadv_nowait(fd, buffer, offset)

    def pwritev(self, fd: int, buffers: Sequence[Buffer], offset: int) -> int:
        with self._lock:
            fault = self._step("pwritev", fd, buffers, offset)
            data = bytearray(b"".join(buffers))
            if fault == "short" and len(data) > 1:
                del data[self._random.randrange(1, len(data)) :]
            elif fault == "flip":
                data[self._random.randrange(len(data))] ^= 1 << self._random.randrange(8)
            elif fault == "misdirect":
                offset = self._random.randrange(self._real.fstat(fd).size // 64 + 1) * 64
            wrote = self._real.pwritev(fd, [data], offset)
            self._touch(fd, offset, offset + wrote)
            return wrote

    def fdatasync(self, fd: int) -> None:
        with self._lock:
            self._step("fdatasync")
            file = self._file(fd)
            if "fdatasync" in self.lies or file is None:
                return
            size = self._real.fstat(fd).size
            file.durable.extend(bytes(max(0, size - len(file.durable))))
            for sector in file.dirty:
                data = self._real.pread(fd, SECTOR, sector * SECTOR)
                file.durable[sector * SECTOR : sector * SECTOR + len(data)] = data
            file.dirty.clear()

    def fsync_dir(self, path: str) -> None:
        with self._lock:
            self._step("fsync_dir")
            self._real.fsync_dir(path)
            if "fsync_dir" in self.lies:
                return
            for name in self._live.keys() | self._durable.keys():
                if os.path.dirname(name) != path:
                    continue
                if name in self._live:
                    self._durable[name] = self._live[name]
                else:
                    del self._durable[name]

    def rename(self, source: str, target: str) -> None:
        with self._lock:
            self._step("rename")
            self._real.rename(source, target)
            self._live[target] = self._live.pop(source)

    def unlink(self, path: str) -> None:
        with self._lock:
            self._step("unlink")
            self._real.unlink(path)
            self._live.pop(path, None)

    def mkdir(self, path: str) -> None:
        with self._lock:
            self._step("mkdir")
            self._real.mkdir(path)
            self._live[path] = _FOLDER

    def listdir(self, path: str) -> list[str]:
        self._step("listdir")
        return self._real.listdir(path)

    def stat(self, path: str) -> Stat:
        self._step("stat")
        return self._real.stat(path)

    def fstat(self, fd: int) -> Stat:
        self._step("fstat")
        return self._real.fstat(fd)

    def punch_hole(self, fd: int, offset: int, length: int) -> None:
        with self._lock:
            self._step("punch_hole")
            self._real.punch_hole(fd, offset, length)
            self._touch(fd, offset, offset + length)

    def lock(self, fd: int, *, wait: bool) -> bool:
        self._step("lock")
        return self._real.lock(fd, wait=wait)

    def space(self, path: str) -> Space:
        self._step("space")
        free, total = self._real.space(path)
        return Space(free if self.free is None else self.free, total)

    def _step(self, op: str, fd: int = -1, buffers: Sequence[Buffer] = (), offset: int = 0) -> str:
        """Count an operation and let it fail if it is one's turn; return how else it misbehaves."""
        time.sleep(self.latency_s.get(op, 0))
        with self._lock:
            if self._off:
                raise OSError(errno.EIO, "the power is off")
            if op in CHANGES:
                self.log.append(op)
            for fault in [fault for fault in self.faults if fault.strikes(op)]:
                if fault.how == "power":
                    if op == "pwritev" and (part := b"".join(buffers)):
                        # The cut may come in the middle of a write.
                        cut = self._random.randrange(len(part) + 1)
                        self._real.pwritev(fd, [part[:cut]], offset)
                        self._touch(fd, offset, offset + cut)
                    self._off = True
                    raise OSError(errno.EIO, "the power went off")
                if fault.how == "error":
                    raise OSError(fault.error, os.strerror(fault.error))
                return fault.how
        return ""

    def _file(self, fd: int) -> _File | None:
        found = self._real.fstat(fd)
        return self._files.get((found.device, found.inode))

    def _touch(self, fd: int, start: int, end: int) -> None:
        if (file := self._file(fd)) is not None:
            file.dirty.update(range(start // SECTOR, (end + SECTOR - 1) // SECTOR))

    def _path_of(self, node: _File, before: str) -> str | None:
        for path, live in self._live.items():
            if live is node:
                return before + path.removeprefix(self.root)
        return None  # it was unlinked

    def _names_after(self, keep: str) -> _Names:
        if keep == "all":
            return dict(self._live)
        names = dict(self._durable)
        if keep == "some":
            for path in sorted(self._live.keys() | self._durable.keys()):
                if self._live.get(path) is not names.get(path) and self._random.random() < 0.5:
                    if path in self._live:
                        names[path] = self._live[path]
                    else:
                        del names[path]
        return names

    def _content_after(self, node: _File, path: str | None, keep: str) -> bytearray:
        content = bytearray(node.durable)
        if keep == "none" or path is None:
            return content
        with open(path, "rb") as file:
            current = file.read()
        if keep == "all":
            return bytearray(current)
        grain = self._random.choice([1, 8])  # tears at sectors, or at pages of eight
        kept = {g for g in {s // grain for s in node.dirty} if self._random.random() < 0.5}
        for sector in sorted(s for s in node.dirty if s // grain in kept):
            data = current[sector * SECTOR : (sector + 1) * SECTOR]
            start = sector * SECTOR
            content.extend(bytes(max(0, start + len(data) - len(content))))
            content[start : start + len(data)] = data
        if self._random.random() < 0.3:  # the length reached the medium, the data did not
            content.extend(bytes(max(0, len(current) - len(content))))
        return content
