"""Volumes: files in which small fragments stand one after another.

A volume has one writer at a time, the process that holds its lock; anyone reads it. Nothing in it
is ever truncated or moved: a torn tail stays where it is, and its volume is not appended to again.
"""

from __future__ import annotations

import errno
import os
from collections import OrderedDict
from collections.abc import Callable, Iterator
from threading import Lock

from eventlog.clock import Ids

from . import format as fmt
from .disk import Disk, Handle, write_all
from .format import ALIGN, Buffer, Damage, Fragment, Kind
from .scan import Found, Hole, Record, walk

NUMBER_MAX = (1 << 24) - 1  # the header's seed keeps volume and offset apart up to here
_SUFFIX = ".vol"


class Entry:
    """A fragment on its way into a volume."""

    __slots__ = ("fragment", "label", "payload", "size")

    def __init__(self, fragment: Fragment, label: bytes, size: int, payload: Buffer) -> None:
        self.fragment, self.label, self.size, self.payload = fragment, label, size, payload

    @property
    def length(self) -> int:
        """Bytes of its image, without padding."""
        return fmt.HEADER_SIZE + len(self.label) + fmt.BLOCK_SIZE + len(self.payload)


_SECTOR = 4096
_JOIN_MAX = 16384  # up to here copying the payload costs less than another buffer in the call
_PADDING = [bytes(n) for n in range(ALIGN)]


def image(entry: Entry, *, home: int, device: int, volume: int, offset: int) -> list[Buffer]:
    """Return the buffers that make up an entry's image at a place; a multiple of ALIGN bytes."""
    payload = entry.payload
    head = fmt.pack_header(
        Kind.SMALL,
        entry.fragment,
        home=home,
        volume=volume,
        offset=offset,
        device=device,
        label=entry.label,
        size=entry.size,
        payload=len(payload),
    )
    block = fmt.pack_block(entry.fragment, 0, payload)
    padding = _PADDING[-(len(head) + fmt.BLOCK_SIZE + len(payload)) % ALIGN]
    if len(payload) <= _JOIN_MAX:
        return [b"".join((head, block, payload, padding))]
    return [head + block, payload, padding]


def open_image(
    data: bytes | bytearray, *, home: int, volume: int, offset: int, want: Fragment
) -> memoryview:
    """Return the payload of a small image that was read whole, verified; no copy is made.

    Raises: Damage; LookupError if what is there is sound but is not `want`.
    """
    try:
        header = fmt.unpack_header(data, home=home, volume=volume, offset=offset)
    except Damage:
        if data[: fmt.HEADER_SIZE] == _PADDING[fmt.HEADER_SIZE]:
            raise LookupError("a hole") from None
        raise
    if header.kind is not Kind.SMALL or header.fragment != want:
        raise LookupError("another fragment")
    return fmt.open_block(data, header.blocks_at, want, 0, header.payload)


class Volumes:
    """The volumes of one device, for reading."""

    def __init__(self, disk: Disk, folder: str, *, home: int, open_max: int) -> None:
        self._disk, self._folder, self.home, self._open_max = disk, folder, home, open_max
        self._open: OrderedDict[int, Handle] = OrderedDict()
        self._lock = Lock()

    def path(self, number: int) -> str:
        """Return where a volume is."""
        return os.path.join(self._folder, f"{number:08d}{_SUFFIX}")

    def numbers(self) -> list[int]:
        """Return the volumes that exist, in order."""
        names = self._disk.listdir(self._folder)
        stems = (name.removesuffix(_SUFFIX) for name in names if name.endswith(_SUFFIX))
        return sorted(int(stem) for stem in stems if stem.isascii() and stem.isdigit())

    def opened(self, number: int) -> Handle | None:
        """Return a volume if it is open already. Never blocks."""
        return self._open.get(number)

    def open(self, number: int) -> Handle:
        """Return a volume for reading; at most `open_max` stay open. Raises: OSError."""
        with self._lock:
            if handle := self._open.get(number):
                self._open.move_to_end(number)
                return handle
        handle = Handle(self._disk, self._disk.open(self.path(number)))
        with self._lock:
            self._open[number] = handle
            while len(self._open) > self._open_max:
                self._open.popitem(last=False)
        return handle

    def size(self, number: int) -> int:
        """Return a volume's length now. Raises: OSError."""
        return self._disk.stat(self.path(number)).size

    def walk(self, number: int, start: int, size: int) -> Iterator[Found]:
        """Yield what is in a volume from `start` to `size`. Raises: OSError."""
        handle = self.open(number)

        def read(count: int, offset: int) -> bytes:
            try:
                return self._disk.pread(handle.fd, count, offset)
            except OSError as error:
                if error.errno != errno.EIO:
                    raise
            # A bad sector must not hide the sound ones around it.
            return b"".join(
                self._sector(handle, at, min(_SECTOR, offset + count - at))
                for at in range(offset, offset + count, _SECTOR)
            )

        return walk(read, size, home=self.home, volume=number, start=start)

    def birth(self, number: int) -> bytes:
        """Return what tells a volume from an earlier one of the same number. Raises: OSError."""
        handle = self.open(number)
        return self._disk.pread(handle.fd, fmt.HEADER_SIZE, 0)

    def _sector(self, handle: Handle, at: int, count: int) -> bytes:
        try:
            return self._disk.pread(handle.fd, count, at)
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            return b"\xff" * count  # verifies as nothing, and is not a hole either

    def read(self, fragment: Fragment, number: int, offset: int, length: int) -> memoryview:
        """Return a fragment's payload, verified. Raises: Damage, LookupError, OSError."""
        handle = self.open(number)  # held, since another thread may have it dropped meanwhile
        data = self._disk.pread(handle.fd, length, offset)
        return open_image(data, home=self.home, volume=number, offset=offset, want=fragment)

    def read_cached(
        self, fragment: Fragment, number: int, offset: int, length: int
    ) -> memoryview | None:
        """Return a fragment's payload, verified, if memory has all of it. Never blocks."""
        handle = self._open.get(number)
        if handle is None:
            return None
        data = bytearray(length)
        try:
            if self._disk.preadv_nowait(handle.fd, data, offset) != length:
                return None
            return open_image(data, home=self.home, volume=number, offset=offset, want=fragment)
        except (Damage, LookupError, OSError):
            return None  # the slow path finds out which, and looks elsewhere

    def close(self) -> None:
        """Let go of every volume."""
        with self._lock:
            self._open.clear()


class Tail:
    """The volume that this process appends to. Used by one thread."""

    def __init__(
        self,
        disk: Disk,
        folder: str,
        volumes: Volumes,
        *,
        device: int,
        ids: Ids,
        roll_bytes: int,
    ) -> None:
        self._disk, self._folder, self._volumes = disk, folder, volumes
        self._device, self._ids, self._roll_bytes = device, ids, roll_bytes
        self._handle: Handle | None = None
        self._inode = (0, 0)
        self.number = 0
        self.end = 0

    @property
    def is_open(self) -> bool:
        """Whether there is a volume that has room."""
        return self._handle is not None and self.end < self._roll_bytes

    def ready(self, known: Callable[[int], int]) -> Handle:
        """Return the volume to append to, a new one if need be, its name certain to be found.

        `known(number)` says up to where a volume was read by someone, so that only what comes after
        is read again. Raises: OSError.
        """
        if not self.is_open:
            self._handle = None
            numbers = self._volumes.numbers()
            for number in reversed(numbers[-_REUSE_TRIES:]):
                if self._reuse(number, known(number)):
                    break
            else:
                self._create(max([0, *numbers]))
        assert self._handle is not None
        return self._handle

    def is_in_place(self) -> bool:
        """Say whether the volume's name still leads to the file that is being written."""
        assert self._handle is not None
        named = self._disk.stat(self._volumes.path(self.number))
        return (named.device, named.inode) == self._inode

    def abandon(self) -> None:
        """Let go of the volume: its tail is torn, or nothing more will be appended."""
        self._handle = None

    def _reuse(self, number: int, known: int) -> bool:
        try:
            handle = Handle(self._disk, self._disk.open(self._volumes.path(number), write=True))
        except FileNotFoundError:
            return False
        if not self._disk.lock(handle.fd, wait=False):
            return False
        opened = self._disk.fstat(handle.fd)
        size = opened.size
        if size >= self._roll_bytes or size % ALIGN or not 0 <= size - known <= _REUSE_SCAN_MAX:
            return False
        for found in self._volumes.walk(number, known, size):
            if not (isinstance(found, Record) or (isinstance(found, Hole) and found.marked)):
                return False
        # Its maker may have ended between making the file and syncing its name.
        self._disk.fsync_dir(self._folder)
        self._handle, self.number, self.end = handle, number, size
        self._inode = (opened.device, opened.inode)
        return True

    def _create(self, last: int) -> None:
        number = last
        while True:
            number += 1
            path = self._volumes.path(number)
            try:
                handle = Handle(self._disk, self._disk.create(path))
            except FileExistsError:
                continue
            # Another process that looks for a volume to reuse may have been quicker to lock it.
            if self._disk.lock(handle.fd, wait=False):
                break
        head = fmt.pack_header(
            Kind.VOLUME,
            Fragment(self._ids.uuid7(), 0),
            home=self._volumes.home,
            volume=number,
            offset=0,
            device=self._device,
            size=ALIGN,
        )
        end = write_all(self._disk, handle.fd, [head.ljust(ALIGN, b"\0")], 0)
        self._disk.fsync_dir(self._folder)
        opened = self._disk.fstat(handle.fd)
        self._handle, self.number, self.end = handle, number, end
        self._inode = (opened.device, opened.inode)


_REUSE_TRIES = 8  # volumes looked at, newest first; each costs a lock and maybe a scan of its tail
_REUSE_SCAN_MAX = 64 << 20  # reading more than this at start costs more than a new volume does
