"""A disk that forgets what was not synced, fills up, and fails: an SQLite VFS.

SQLite works on real files through it, and sees every write at once, as through a page cache. What
would survive a power cut is kept beside: a write is pending until its file is synced.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import apsw

SECTOR = 512

Apply = Callable[[bytearray], None]


class PowerCut(apsw.IOError):
    """The power went off; nothing works any more."""


class _Image:
    """A file as it would be found: what was synced, and what came after."""

    def __init__(self) -> None:
        self.synced = bytearray()
        self.pending: list[Apply] = []

    def sync(self) -> None:
        for change in self.pending:
            change(self.synced)
        self.pending.clear()


class FaultyDisk(apsw.VFS):
    """An SQLite VFS called `name`, with faults that are switched on by its attributes.

    `operations` counts writes, syncs, truncations and deletions.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name, "")
        self.name = name
        self.operations = 0
        self.cut_at: int | None = None  # the power goes at this operation, before it is done
        self.fail_at: int | None = None  # this operation alone fails with EIO
        self.fail_syncs = False  # every sync fails with EIO
        self.lose_syncs = False  # syncs say that they succeeded, and do nothing
        self.size_max: int | None = None  # bytes that the write-ahead log may grow to
        self.dark = False
        self._images: dict[str, _Image] = {}
        self._lock = threading.RLock()

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:
        return _File(self, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:
        with self._lock:
            self.operate()
            super().xDelete(filename, syncdir)
            self._images.pop(filename, None)

    def survivors(self, folder: Path, chance: Callable[[], float] | None = None) -> None:
        """Write into `folder` what a restart would find.

        Nothing that was not synced; or, with `chance` (draws from 0 to 1), some of it, torn at
        sectors, since a disk may write what it was not yet asked to.
        """
        for name, image in self._images.items():
            found = bytearray(image.synced)
            for change in image.pending:
                if chance is not None and chance() < 0.5:
                    change(found)
            (folder / Path(name).name).write_bytes(found)

    def operate(self) -> None:
        """Count an operation, and fail if it is time to."""
        with self._lock:
            if not self.dark:
                self.operations += 1
                self.dark = self.cut_at is not None and self.operations >= self.cut_at
            if self.dark:
                raise PowerCut("the power is off")
            if self.operations == self.fail_at:
                raise apsw.IOError("EIO")

    def image(self, name: str) -> _Image:
        """Return what is kept of a file."""
        return self._images.setdefault(name, _Image())


class _File(apsw.VFSFile):
    def __init__(self, disk: FaultyDisk, name: Any, flags: list[int]) -> None:
        super().__init__("", name, flags)
        self._disk = disk
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        # A file without a name is temporary, and no part of what survives.
        self._image = disk.image(path) if path else None
        self._limited = bool(path) and path.endswith("-wal")

    def xWrite(self, data: Any, offset: int) -> None:
        disk, image = self._disk, self._image
        with disk._lock:
            disk.operate()
            if self._limited and disk.size_max is not None and offset + len(data) > disk.size_max:
                raise apsw.FullError("the disk is full")
            super().xWrite(data, offset)
            if image is not None:
                for start in range(0, len(data), SECTOR):
                    sector = bytes(data[start : start + SECTOR])
                    image.pending.append(_written(sector, offset + start))

    def xTruncate(self, size: int) -> None:
        with self._disk._lock:
            self._disk.operate()
            super().xTruncate(size)
            if self._image is not None:
                self._image.pending.append(_truncated(size))

    def xSync(self, flags: int) -> None:
        with self._disk._lock:
            self._disk.operate()
            if self._disk.fail_syncs:
                raise apsw.IOError("EIO at sync")
            super().xSync(flags)
            if self._image is not None and not self._disk.lose_syncs:
                self._image.sync()


def _written(data: bytes, offset: int) -> Apply:
    def change(content: bytearray) -> None:
        if len(content) < offset:
            content.extend(bytes(offset - len(content)))
        content[offset : offset + len(data)] = data

    return change


def _truncated(size: int) -> Apply:
    def change(content: bytearray) -> None:
        del content[size:]

    return change
