"""Where the control socket is, and who is at its other end."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def short_path(path: Path) -> Iterator[str]:
    """Give a name for a socket of any path: the kernel takes 107 bytes at most."""
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def operator_id(uid: int) -> str:
    """Return who an operator is in the log: the system's user."""
    return f"operator/{uid}"
