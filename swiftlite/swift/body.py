"""Body: an upload taken off the wire, bounded, and held to its promises."""

from __future__ import annotations

import base64
from collections.abc import Mapping

from swiftlite.errors import EntityTooLarge
from swiftlite.http.errors import IncompleteBody
from swiftlite.http.incoming import Incoming
from swiftlite.swift.errors import Declined
from swiftlite.swift.limits import FILE_MAX

_CHECKSUM = "CRC64NVME"  # what S3 shows of an object that came without a checksum


class Upload:
    """A request's body on its way to the gateway, as its port `Body` describes it."""

    algorithms = frozenset({_CHECKSUM.lower()})

    def __init__(self, incoming: Incoming, *, etag: str = "", limit: int = FILE_MAX) -> None:
        """`etag`: the MD5 that the client promises, "" for none.

        Raises:  Declined: 411 for a body of no known end, 413 for one over the limit.
        """
        if incoming.length is None and not incoming.is_chunked:
            raise Declined(411, "Missing Content-Length header.")
        if incoming.length is not None and incoming.length > limit:
            raise Declined(413, "Your request is too large.")
        self.size = incoming.length
        self._incoming = incoming
        self._etag = etag
        self._limit = limit
        self._seen = 0

    async def read(self) -> bytes:
        """Return the next bytes, b"" at the end.

        Raises:  EntityTooLarge, and IncompleteBody for fewer than were promised.
        """
        data = await self._incoming.read()
        self._seen += len(data)
        if self._seen > self._limit:
            raise EntityTooLarge(size=self._seen, limit=self._limit)
        if not data and self.size is not None and self._seen != self.size:
            raise IncompleteBody()
        return data

    def check(self, digests: Mapping[str, bytes]) -> Mapping[str, str]:
        """Return the checksum to store, if the body is what was promised.

        Raises:  Declined 422.
        """
        if self._etag and digests["md5"].hex() != self._etag:
            raise Declined(422)
        return {_CHECKSUM: base64.b64encode(digests[_CHECKSUM.lower()]).decode()}


async def document(incoming: Incoming, *, limit: int) -> bytes:
    """Return a whole body, which may be empty.

    Raises:  Declined: 413 for more than `limit` bytes; IncompleteBody.
    """
    if incoming.length is not None and incoming.length > limit:
        raise Declined(413)
    parts: list[bytes] = []
    size = 0
    while data := await incoming.read():
        size += len(data)
        if size > limit:
            raise Declined(413)
        parts.append(data)
    if incoming.length is not None and size != incoming.length:
        raise IncompleteBody()
    return b"".join(parts)
