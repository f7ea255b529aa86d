"""A source that is looked into as it passes: nothing of a bad image gets any further.

The first bytes are held until they were inspected, then they go on; a bad end shows after the last
byte, before anything says that the image is there.
"""

from __future__ import annotations

from computelite.diskformat.inspect import Inspector
from computelite.image.vault import Source

# What an image of these is packed in, so that its bytes are no disk's: they are not looked into.
PACKED = frozenset({"ovf", "ova", "docker", "compressed"})


class Inspected:
    """A source with an inspector between it and whoever reads."""

    def __init__(
        self, source: Source, disk_format: str | None, container_format: str | None
    ) -> None:
        self.virtual_size: int | None = None
        self._source = source
        packed = container_format in PACKED
        self._inspector = Inspector(None if packed else disk_format)
        self._held: list[bytes] = []
        self._is_ended = False

    async def read(self) -> bytes:
        """Return the next bytes, b"" at the end.

        Raises:  BadImage and its like, and what the source raises.
        """
        while not self._is_ended:
            data = await self._source.read()
            if data:
                self._inspector.feed(data)
            else:
                self.virtual_size = self._inspector.finish()
                self._is_ended = True
            self._held.append(data)
            if self._inspector.is_settled or self._is_ended:
                break
        held, self._held = b"".join(self._held), []
        return held
