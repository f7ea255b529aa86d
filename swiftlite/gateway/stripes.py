"""Stripes: a body cut into runs of one length as it comes in."""

from __future__ import annotations

from swiftlite.errors import EntityTooLarge
from swiftlite.gateway.body import Body


class Stripes:
    """Cuts a body; holds no more than one stripe and one read of it.

    Law:     the stripes, one after the other, are the body; all but the last have `length` bytes.
    """

    def __init__(self, body: Body, length: int, *, limit: int) -> None:
        self.size = 0  # bytes that have come so far
        self.is_ended = False  # `next` has nothing more
        self._body = body
        self._length = length
        self._limit = limit
        self._rest = b""  # what was read beyond the stripe

    async def next(self) -> bytes:
        """Return the next stripe, b"" at the end.

        Raises:  EntityTooLarge as soon as more than `limit` bytes came; what the body raises.
        """
        chunks, held = [self._rest], len(self._rest)
        while held < self._length:
            chunk = await self._body.read()
            if not chunk:
                self.is_ended = True
                break
            chunks.append(chunk)
            held += len(chunk)
            self.size += len(chunk)
            if self.size > self._limit:
                raise EntityTooLarge(size=self.size, limit=self._limit)
        data = chunks[1] if len(chunks) == 2 and not chunks[0] else b"".join(chunks)
        if held <= self._length:
            self._rest = b""
            return data
        self._rest = data[self._length :]
        return data[: self._length]
