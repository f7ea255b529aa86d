"""The event that the log's benchmarks write: the size and shape of a stored small object's."""

from __future__ import annotations

import msgspec

from eventlog.event import Event, event


class Piece(msgspec.Struct, frozen=True, array_like=True):
    """A place where bytes are."""

    blob: str
    size: int
    epoch: int
    places: tuple[tuple[int, int, int], ...]


@event("bench.object-stored", v=1)
class ObjectStored(Event):
    """Six fields, of them one nested: 190 bytes or so."""

    bucket: str
    key: str
    size: int
    etag: str
    headers: dict[str, str]
    pieces: tuple[Piece, ...]


def stored(number: int) -> ObjectStored:
    """Return an event that differs from those of other numbers."""
    return ObjectStored(
        bucket="9f86d081884c7d65",
        key=f"photos/2026/{number % 977:03d}/{number:08d}.jpg",
        size=4096,
        etag=f"{number * 2654435761 % (1 << 64):032x}",
        headers={"content-type": "image/jpeg"},
        pieces=(Piece(f"{number:032x}", 4096, 3, ((1, 7, 81920), (4, 2, 77824), (5, 9, 4096))),),
    )
