"""Events to stored bytes and back: canonical JSON, commitments and leaves.

An event is stored as two byte strings. `data` is the payload: the event, and where the request
came from. `entry` is the envelope that the Merkle tree covers: opaque ids, and a commitment to
the payload instead of the payload, so that data can be erased and every proof stays valid. It
holds no position and no stream version, so it is complete before the log's lock is taken.

Law:    decode(encode(x)) == x.
Source: RFC 6962 section 2.1 (June 2013) for the leaf hash.

Pure: no clock, no IO.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Any, Protocol, cast

import msgspec

from eventlog.event import Event, EventType, type_named, type_of, upcast

ENTRY_SIZE_MAX = 65_535  # C2SP tlog-tiles: an entry's length is a uint16
SALT_SIZE = 32

_encoder = msgspec.json.Encoder(order="deterministic")


class Data(Protocol):
    """A payload, decoded: the event and what the request said of its origin."""

    @property
    def event(self) -> Event: ...
    @property
    def source(self) -> str: ...
    @property
    def agent(self) -> str: ...


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The envelope, whose canonical bytes are a leaf of the tree; the fields' order is permanent.

    `at` is UTC microseconds since 1970; `event_id` and `commit` are hexadecimal; `size` is that
    of the payload in bytes.
    """

    v: int
    stream: str
    type: str
    schema: int
    event_id: str
    at: int
    actor: str
    request_id: str
    cause: str
    commit: str
    size: int


class Undecodable(Exception):
    """Stored bytes are not what their type and version say."""


_data_types: dict[type[Event], Callable[..., Data]] = {}
_decoders: dict[tuple[str, int], Callable[[bytes], Data]] = {}
_entries = msgspec.json.Decoder(Entry)


def encode_event(event: Event) -> bytes:
    """Return the canonical bytes of an event alone."""
    return _encoder.encode(event)


def payload(event: Event, source: str = "", agent: str = "") -> Data:
    """Return an event with what its request said of its origin."""
    shape = _data_types.get(type(event)) or _data_type(type_of(type(event)))
    return shape(event, source, agent)


def encode_data(data: Data) -> bytes:
    """Return the canonical bytes of a payload."""
    return _encoder.encode(data)


def decode_data(name: str, schema: int, data: bytes) -> Data:
    """Return the payload that was stored as version `schema` of `name`, upcast to today's.

    Raises: Undecodable if the name or version is unknown here or the bytes do not fit it.
    """
    try:
        decode = _decoders.get((name, schema)) or _decoder(name, schema)
        return decode(data)
    except (msgspec.MsgspecError, KeyError, TypeError, ValueError) as error:
        raise Undecodable(f"{name} v{schema}: {error}") from error


def encode_entry(entry: Entry) -> bytes:
    """Return the canonical bytes of an envelope."""
    return _encoder.encode(entry)


def decode_entry(entry: bytes) -> Entry:
    """Return the envelope that `entry` holds.

    Raises: Undecodable.
    """
    try:
        return _entries.decode(entry)
    except msgspec.MsgspecError as error:
        raise Undecodable(f"entry: {error}") from error


def commitment(salt: bytes, data: bytes) -> bytes:
    """Return SHA-256(salt || data)."""
    return sha256(salt + data).digest()


def leaf_hash(entry: bytes) -> bytes:
    """Return RFC 6962's hash of a leaf: SHA-256(0x00 || entry)."""
    return sha256(b"\x00" + entry).digest()


def _data_type(known: EventType) -> Callable[..., Data]:
    shape = msgspec.defstruct(
        f"{known.cls.__name__}Data",
        [("event", known.cls), ("source", str, ""), ("agent", str, "")],
        frozen=True,
        forbid_unknown_fields=True,
        omit_defaults=True,
        gc=False,
    )
    _data_types[known.cls] = cast(Callable[..., Data], shape)
    return _data_types[known.cls]


def _decoder(name: str, schema: int) -> Callable[[bytes], Data]:
    known = type_named(name)
    if known is None:
        raise Undecodable(f"no event type {name} is known here")
    if schema > known.version:
        raise Undecodable(f"{name} v{schema} is newer than v{known.version}, known here")
    shape = _data_types.get(known.cls) or _data_type(known)
    current = msgspec.json.Decoder(cast(type[Data], shape)).decode

    def lift(data: bytes) -> Data:
        old = msgspec.json.decode(data, type=dict[str, Any])
        old["event"] = upcast(name, schema, old["event"])
        return current(_encoder.encode(old))

    _decoders[name, schema] = current if schema == known.version else lift
    return _decoders[name, schema]
