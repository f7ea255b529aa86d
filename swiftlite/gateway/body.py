"""Body: an object's bytes on their way in, as the edge hands them over."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Protocol

from swiftlite.node.format import Buffer


class Body(Protocol):
    """A request's payload: decoded from every transfer coding, read once, in order."""

    size: int | None
    """How many bytes there will be; None if only the end tells."""

    algorithms: frozenset[str]
    """Digests that `check` wants beside MD5: of "sha256 sha1 crc32 crc32c crc64nvme"."""

    async def read(self) -> bytes:
        """Return the next bytes, b"" at the end.

        Raises:  Refused if the client broke its word: a short body, a bad chunk signature.
        """

    def check(self, digests: Mapping[str, bytes]) -> Mapping[str, str]:
        """Compare what was promised with what came, and return the checksums to store.

        Called once, after the last byte and before anything is committed.
        Shapes:  digests: "md5" and each of `algorithms`, raw; result: name -> base64.
        Raises:  Refused if a promised digest differs.
        """


class Copied:
    """A body that comes in pieces: read from another object, or unpacked from an archive."""

    def __init__(self, pieces: AsyncIterator[Buffer], size: int | None = None) -> None:
        self.size = size
        self.algorithms: frozenset[str] = frozenset()
        self._pieces = pieces

    async def read(self) -> bytes:
        async for piece in self._pieces:
            if len(piece):
                return bytes(piece)
        return b""

    def check(self, digests: Mapping[str, bytes]) -> Mapping[str, str]:
        return {}


class Given:
    """A body that is at hand, all of it."""

    algorithms: frozenset[str] = frozenset()

    def __init__(self, data: bytes = b"") -> None:
        self.size: int | None = len(data)
        self._data = data

    async def read(self) -> bytes:
        data, self._data = self._data, b""
        return data

    def check(self, digests: Mapping[str, bytes]) -> Mapping[str, str]:
        return {}
