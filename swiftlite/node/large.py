"""Large fragments: each a file of its own, whole or absent.

A file is written under tmp/ and takes its name in large/ only when every byte of it is synced, so
that what has a name there is complete.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import suppress
from threading import Lock
from typing import NamedTuple

from xxhash import xxh3_64

from . import format as fmt
from .disk import Disk, Handle, write_all
from .format import Buffer, Damage, Footer, Fragment, Header, Kind


class LargeFile(NamedTuple):
    """A large fragment that is open, its header and footer verified."""

    handle: Handle
    header: Header
    footer: Footer
    size: int

    def block_at(self, number: int) -> int:
        """Return where a block's header is."""
        return self.header.blocks_at + number * (fmt.BLOCK_SIZE + self.footer.block)

    def block_length(self, number: int) -> int:
        """Return how many payload bytes a block has."""
        if number < self.footer.blocks - 1:
            return self.footer.block
        return self.footer.payload - (self.footer.blocks - 1) * self.footer.block


class LargeFiles:
    """The large fragments of one device."""

    def __init__(self, disk: Disk, folder: str, *, home: int, open_max: int) -> None:
        self._disk, self._folder, self._home, self._open_max = disk, folder, home, open_max
        self._open: OrderedDict[Fragment, LargeFile] = OrderedDict()
        self._lock = Lock()

    def path(self, fragment: Fragment) -> str:
        """Return where a fragment is, if it is there."""
        name = fragment.blob.hex()
        # The last byte: the first ones are a time, alike in all blobs of a day.
        return os.path.join(self._folder, name[-2:], f"{name}.{fragment.index}")

    def size(self, fragment: Fragment) -> int | None:
        """Return the length of a fragment's file; None if there is none. Raises: OSError."""
        try:
            return self._disk.stat(self.path(fragment)).size
        except FileNotFoundError:
            return None

    def publish(self, tmp: str, fragment: Fragment) -> None:
        """Give a synced file its name, certain to be found; replaces what had it.

        Raises: OSError.
        """
        path = self.path(fragment)
        folder = os.path.dirname(path)
        try:
            self._disk.rename(tmp, path)
        except FileNotFoundError:
            with suppress(FileExistsError):  # another process was quicker, or tmp itself is gone
                self._disk.mkdir(folder)
            self._disk.rename(tmp, path)
        # Also where somebody else made the folder: they may not have synced it yet.
        self._disk.fsync_dir(self._folder)
        self._disk.fsync_dir(folder)
        self.drop(fragment)

    def read(self, fragment: Fragment, first: int, count: int) -> list[memoryview]:
        """Return blocks `first` to `first + count - 1`, each verified.

        Raises: Damage, also where there are not as many blocks; FileNotFoundError, OSError.
        """
        file = self._opened(fragment)
        try:
            return self._read(file, first, count)
        except Damage:
            self.drop(fragment)  # it may have been replaced by a repair since it was opened
            return self._read(self._opened(fragment), first, count)

    def verify(self, fragment: Fragment) -> Header:
        """Read all of a fragment; return its header. Raises: Damage, FileNotFoundError, OSError."""
        self.drop(fragment)
        file = self._opened(fragment)
        sums = xxh3_64()
        for number in range(file.footer.blocks):
            length = file.block_length(number)
            at = file.block_at(number)
            data = self._disk.pread(file.handle.fd, fmt.BLOCK_SIZE + length, at)
            fmt.open_block(data, 0, fragment, number, length)
            sums.update(data[32 : fmt.BLOCK_SIZE])
        if sums.intdigest() != file.footer.sums:
            raise Damage("footer: the blocks are not those that were written together")
        return file.header

    def open(self, fragment: Fragment) -> LargeFile:
        """Open a fragment's file anew and verify header and footer.

        Raises: Damage, FileNotFoundError, OSError.
        """
        disk = self._disk
        handle = Handle(disk, disk.open(self.path(fragment)))
        size = disk.fstat(handle.fd).size
        head = disk.pread(handle.fd, _HEAD_GUESS, 0)
        labelled = fmt.HEADER_SIZE + fmt.label_size(head)
        if labelled > _HEAD_GUESS:
            head = disk.pread(handle.fd, labelled, 0)
        header = fmt.unpack_header(head, home=self._home, volume=0, offset=0)
        if header.kind is not Kind.LARGE or header.fragment != fragment:
            raise Damage("header of another fragment")
        tail = disk.pread(handle.fd, fmt.FOOTER_SIZE, max(0, size - fmt.FOOTER_SIZE))
        footer = fmt.unpack_footer(tail, fragment, home=self._home)
        expected = header.blocks_at + footer.blocks * fmt.BLOCK_SIZE + footer.payload
        if size != expected + fmt.FOOTER_SIZE:
            raise Damage("length of the file")
        return LargeFile(handle, header, footer, size)

    def unlink(self, fragment: Fragment) -> None:
        """Remove a fragment's file if there is one. Raises: OSError."""
        self.drop(fragment)
        try:
            self._disk.unlink(self.path(fragment))
        except FileNotFoundError:
            return

    def fragments(self) -> Iterator[Fragment]:
        """Yield what has a file here, in the order of the names. Raises: OSError."""
        for folder in self._disk.listdir(self._folder):
            for name in self._disk.listdir(os.path.join(self._folder, folder)):
                blob, _, index = name.partition(".")
                try:
                    yield Fragment(bytes.fromhex(blob), int(index))
                except ValueError:
                    continue  # not ours to judge

    def drop(self, fragment: Fragment) -> None:
        """Let go of a fragment's file."""
        with self._lock:
            self._open.pop(fragment, None)

    def close(self) -> None:
        """Let go of every file: an open one keeps its space after it is removed."""
        with self._lock:
            self._open.clear()

    def _opened(self, fragment: Fragment) -> LargeFile:
        with self._lock:
            if file := self._open.get(fragment):
                self._open.move_to_end(fragment)
                return file
        file = self.open(fragment)
        with self._lock:
            self._open[fragment] = file
            while len(self._open) > self._open_max:
                self._open.popitem(last=False)
        return file

    def _read(self, file: LargeFile, first: int, count: int) -> list[memoryview]:
        if first < 0 or count < 1 or first + count > file.footer.blocks:
            raise Damage(f"it has {file.footer.blocks} blocks, not block {first + count - 1}")
        start = file.block_at(first)
        last = first + count - 1
        end = file.block_at(last) + fmt.BLOCK_SIZE + file.block_length(last)
        data = self._disk.pread(file.handle.fd, end - start, start)
        fragment = file.header.fragment
        return [
            fmt.open_block(
                data, file.block_at(number) - start, fragment, number, file.block_length(number)
            )
            for number in range(first, last + 1)
        ]


_HEAD_GUESS = 4096  # holds the header and nearly every label


class LargeWriter:
    """One large fragment under way; its methods block and are called one at a time."""

    def __init__(
        self, disk: Disk, tmp: str, fragment: Fragment, label: bytes, *, home: int, device: int
    ) -> None:
        """Begin a file under tmp/.

        Raises: OSError; FileExistsError if another process cleared the name away meanwhile.
        """
        self._disk, self.tmp, self.fragment, self._home = disk, tmp, fragment, home
        self._handle = Handle(disk, disk.create(tmp))
        # Whoever tidies up tmp/ takes the lock first; see `clear_leftovers`.
        if not disk.lock(self._handle.fd, wait=False) or not self._has_name():
            raise FileExistsError(tmp)
        head = fmt.pack_header(
            Kind.LARGE, fragment, home=home, volume=0, offset=0, device=device, label=label
        )
        self._at = write_all(disk, self._handle.fd, [head], 0)
        self._blocks = self._block = self._payload = 0
        self._sums = xxh3_64()

    def write(self, payload: Buffer) -> None:
        """Append one block; all but the last have the same length. Raises: OSError."""
        assert self._payload == self._blocks * self._block, "only the last block may be shorter"
        assert self._blocks == 0 or len(payload) <= self._block, "blocks do not grow"
        head = fmt.pack_block(self.fragment, self._blocks, payload)
        self._at += write_all(self._disk, self._handle.fd, [head, payload], self._at)
        self._block = self._block or len(payload)
        self._blocks += 1
        self._payload += len(payload)
        self._sums.update(head[32:])

    def finish(self) -> int:
        """Write the footer and sync the file; return its length. Raises: OSError."""
        footer = Footer(self._blocks, self._block, self._payload, self._sums.intdigest())
        tail = fmt.pack_footer(self.fragment, footer, home=self._home)
        self._at += write_all(self._disk, self._handle.fd, [tail], self._at)
        self._disk.fdatasync(self._handle.fd)
        return self._at

    def _has_name(self) -> bool:
        """Say whether nobody tidied the file away before it was locked."""
        try:
            named = self._disk.stat(self.tmp)
        except FileNotFoundError:
            return False
        opened = self._disk.fstat(self._handle.fd)
        return (named.device, named.inode) == (opened.device, opened.inode)

    def discard(self) -> None:
        """Remove what was written, as far as the disk lets us."""
        try:
            self._disk.unlink(self.tmp)
        except OSError:
            return  # whoever opens the device next tidies up


def clear_leftovers(disk: Disk, folder: str) -> None:
    """Remove from tmp/ what no living process is writing. Raises: OSError."""
    for name in disk.listdir(folder):
        path = os.path.join(folder, name)
        try:
            handle = Handle(disk, disk.open(path, write=True))
        except FileNotFoundError:
            continue
        if disk.lock(handle.fd, wait=False):
            try:
                disk.unlink(path)
            except FileNotFoundError:
                continue
