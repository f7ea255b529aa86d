"""Digests: the checksums of a body, computed as its bytes pass."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Collection
from typing import TypeAlias

from awscrt import checksums

Buffer: TypeAlias = bytes | bytearray | memoryview

_HASHES = {"sha256": hashlib.sha256, "sha1": hashlib.sha1}
_CRCS: dict[str, tuple[Callable[[Buffer, int], int], int]] = {
    "crc32": (zlib.crc32, 4),
    "crc32c": (checksums.crc32c, 4),
    "crc64nvme": (checksums.crc64nvme, 8),
}
ALGORITHMS = frozenset((*_HASHES, *_CRCS))


class Digests:
    """MD5, and whichever of ALGORITHMS were asked for. Large updates leave other threads free."""

    def __init__(self, algorithms: Collection[str] = ()) -> None:
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._hashes = {name: _HASHES[name]() for name in algorithms if name in _HASHES}
        self._crcs = {name: 0 for name in algorithms if name in _CRCS}
        assert len(self._hashes) + len(self._crcs) == len(algorithms)

    def update(self, data: Buffer) -> None:
        """Take the body's next bytes."""
        self._md5.update(data)
        for digest in self._hashes.values():
            digest.update(data)
        for name, value in self._crcs.items():
            self._crcs[name] = _CRCS[name][0](data, value)

    def result(self) -> dict[str, bytes]:
        """Return the digests so far by name, "md5" among them; CRCs are big-endian."""
        return {
            "md5": self._md5.digest(),
            **{name: digest.digest() for name, digest in self._hashes.items()},
            **{n: value.to_bytes(_CRCS[n][1], "big") for n, value in self._crcs.items()},
        }
