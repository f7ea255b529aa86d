"""Framing: events encoded, salted and hashed, all before the log's lock is taken."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from hashlib import sha256

import msgspec

from eventlog.clock import Ids
from eventlog.codec import (
    ENTRY_SIZE_MAX,
    SALT_SIZE,
    Data,
    Entry,
    commitment,
    encode_data,
    encode_entry,
    encode_event,
    leaf_hash,
    payload,
)
from eventlog.errors import Refused
from eventlog.event import Event, type_of
from eventlog.log import Actor, Kind

DATA_SIZE_MAX = 32 << 20
SALTS_DRAWN = 128  # at once: a system call per salt would cost more than the rest of an append


class EventTooLarge(Refused):
    """An event's {part} of {size} bytes is over the limit of {limit}."""


class Frame(msgspec.Struct, gc=False):
    """One event, encoded and hashed."""

    kind: Kind
    at_us: int
    event_id: bytes
    entry: bytes
    data: bytes
    salt: bytes
    leaf: bytes
    decoded: Data


class Framer:
    """Makes frames, with ids and salts from `ids`."""

    def __init__(self, ids: Ids) -> None:
        self._ids = ids
        self._salts: list[bytes] = []

    def frame(self, stream: str, event: Event, actor: Actor, at_us: int) -> Frame:
        """Return the frame of one event. Raises: EventTooLarge."""
        kind = _kind(type(event))
        decoded = payload(event, actor.source, actor.agent)
        data = encode_data(decoded)
        salt = self._salts.pop() if self._salts else self._draw()
        event_id = self._ids.uuid7()
        entry = encode_entry(
            Entry(
                1, stream, kind.name, kind.schema, event_id.hex(), at_us,
                actor.id, actor.request_id, actor.cause, commitment(salt, data).hex(), len(data),
            )
        )  # fmt: skip
        if len(entry) > ENTRY_SIZE_MAX:
            raise EventTooLarge(part="entry", size=len(entry), limit=ENTRY_SIZE_MAX)
        if len(data) > DATA_SIZE_MAX:
            raise EventTooLarge(part="payload", size=len(data), limit=DATA_SIZE_MAX)
        return Frame(kind, at_us, event_id, entry, data, salt, leaf_hash(entry), decoded)

    def _draw(self) -> bytes:
        drawn = self._ids.random(SALTS_DRAWN * SALT_SIZE)
        starts = range(0, len(drawn), SALT_SIZE)
        self._salts = [drawn[start : start + SALT_SIZE] for start in starts]
        return self._salts.pop()


@cache
def _kind(cls: type[Event]) -> Kind:
    known = type_of(cls)
    return Kind(known.name, known.version)


def request_hash(stream: str, events: Sequence[Event]) -> bytes:
    """Return what an idempotency key stands for: the same stream and the same events."""
    hashed = sha256(stream.encode())
    for event in events:
        known = type_of(type(event))
        body = encode_event(event)
        hashed.update(f"\x00{known.name}\x00{known.version}\x00{len(body)}\x00".encode() + body)
    return hashed.digest()
