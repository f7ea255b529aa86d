"""A request's body, as a connection delivers it."""

from __future__ import annotations

from typing import Protocol


class Incoming(Protocol):
    """The bytes behind a request's head, as the connection delivers them."""

    length: int | None
    """What Content-Length says; None if there is none."""

    is_chunked: bool
    """Whether the body has Transfer-Encoding: chunked, which is gone from what `read` returns."""

    async def read(self) -> bytes:
        """Return the next bytes, b"" at the end; the first call says 100 Continue if need be.

        Raises:  IncompleteBody if the client went away, RequestTimeout if it stalled.
        """
