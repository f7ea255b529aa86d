"""Readers: which versions may still be read, by any process of the machine, though they ended.

Each process keeps a file with one number in it, a position of the log: every version that it is
reading, or will read from now on, had not ended by then. Sweep goes no further than the least of
them. A file that nobody holds locked is a dead process's and does not count.
"""

from __future__ import annotations

import fcntl
import os
from collections import Counter
from pathlib import Path

from eventlog.clock import Ids

FOLDER = "readers"


class Lease:
    """Held by whoever reads a version; letting go of the object ends it."""

    __slots__ = ("_held", "_since")

    def __init__(self, held: Counter[int], since: int) -> None:
        self._held, self._since = held, since
        held[since] += 1

    def __del__(self) -> None:
        self._held[self._since] -= 1
        if not self._held[self._since]:
            del self._held[self._since]


class Readers:
    """This process's leases, and what the others have published."""

    def __init__(self, folder: Path, ids: Ids, head: int) -> None:
        """Begin to hold back the sweep at `head`. Blocks for a moment."""
        self._folder = folder
        self._held: Counter[int] = Counter()
        self._published = head
        folder.mkdir(exist_ok=True)
        name = f"{os.getpid()}-{ids.random(8).hex()}"
        # Locked before it has a name that counts: an unlocked one is taken for a dead process's.
        unnamed = folder / f".{name}"
        self._path = folder / name
        self._fd = os.open(unnamed, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._fd, fcntl.LOCK_EX)
        self._write(head)
        os.rename(unnamed, self._path)

    def lease(self) -> Lease:
        """Return a lease on what is current now. Costs next to nothing."""
        return Lease(self._held, self._published)

    def publish(self, head: int) -> None:
        """Let the sweep go on to `head`, or to the oldest lease."""
        self._published = head
        self._write(min(self._held, default=head))

    def low_water(self) -> int:
        """Return the position by which a version must have ended for nobody to read it. Blocks."""
        low = None
        for path in sorted(self._folder.iterdir()):
            position = self._position(path)
            if position is not None:
                low = position if low is None else min(low, position)
        assert low is not None, "this process's own file counts"
        return low

    def close(self) -> None:
        """Stop holding anything back."""
        self._path.unlink(missing_ok=True)
        os.close(self._fd)

    def _write(self, position: int) -> None:
        os.pwrite(self._fd, position.to_bytes(8, "big"), 0)

    def _position(self, path: Path) -> int | None:
        """Return what a living process published, None for a dead one, whose file goes."""
        if path.name.startswith("."):
            return None  # it is starting, and will read nothing that has ended by now
        try:
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        try:
            fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:  # its owner lives; so does this process, for its own file
            return int.from_bytes(os.pread(fd, 8, 0), "big")
        else:
            path.unlink(missing_ok=True)
            return None
        finally:
            os.close(fd)
