"""The keys of the catalog's tables: bytes whose order is the wanted order.

An object's key holds no NUL, so `bucket_id + key + NUL + rest` keeps all that belongs to one key
together, in front of every longer key.

Pure: no clock, no IO.
"""

from __future__ import annotations

from swiftlite.catalog.limits import KEY_BYTES_MAX
from swiftlite.errors import InvalidKey, KeyTooLong

ID_BYTES = 16
POSITION_BYTES = 8
POSITION_MAX = (1 << 64) - 1


def check_key(key: str) -> bytes:
    """Return an object's key as UTF-8: 1 to 1,024 bytes, no NUL.

    Raises:  InvalidKey, KeyTooLong.
    """
    try:
        encoded = key.encode()
    except UnicodeEncodeError:
        raise InvalidKey(reason="it is not Unicode text: it has half of a surrogate pair") from None
    if not encoded:
        raise InvalidKey(reason="it is empty")
    if len(encoded) > KEY_BYTES_MAX:
        raise KeyTooLong(size=len(encoded), limit=KEY_BYTES_MAX)
    if b"\0" in encoded:
        raise InvalidKey(reason="it has a NUL character")
    return encoded


def successor(prefix: bytes) -> bytes:
    """Return the least bytes greater than everything that begins with `prefix`.

    All-ones bytes have none: the result is then longer than any key here could be.
    """
    stem = prefix.rstrip(b"\xff")
    if not stem:
        return b"\xff" * (len(prefix) + 1)
    return stem[:-1] + bytes((stem[-1] + 1,))


def position_key(position: int) -> bytes:
    """Return a position as bytes that sort as it does."""
    return position.to_bytes(POSITION_BYTES, "big")


# -- buckets -------------------------------------------------------------------------------------


def claim_key(name: str) -> bytes:
    """bucket_claim: a name that is taken for all projects."""
    return name.encode()


def bucket_of_key(project_id: str, name: str) -> bytes:
    """bucket_of: a project's buckets, in the order of their names."""
    return project_id.encode() + b"\0" + name.encode()


def account_key(project_id: str) -> bytes:
    """account: by project."""
    return project_id.encode()


# -- versions ------------------------------------------------------------------------------------


def object_key(bucket_id: bytes, key: str) -> bytes:
    """current: a bucket's keys, in the order of their UTF-8 bytes."""
    return bucket_id + key.encode()


def of_key(bucket_id: bytes, key: str) -> bytes:
    """The beginning of every row of one key in noncurrent, buried, past, manifest and upload."""
    return bucket_id + key.encode() + b"\0"


def version_key(bucket_id: bytes, key: str, begin: int) -> bytes:
    """noncurrent, past, manifest: one key's versions, newest first."""
    return of_key(bucket_id, key) + position_key(POSITION_MAX - begin)


def buried_key(bucket_id: bytes, key: str, version_id: str) -> bytes:
    """buried: a live version that is not in `current`, by its id."""
    return of_key(bucket_id, key) + version_id.encode()


def split_version_key(row_key: bytes) -> tuple[bytes, str, int]:
    """Return bucket id, key and begin of a row of noncurrent, past or manifest."""
    begin = POSITION_MAX - int.from_bytes(row_key[-POSITION_BYTES:], "big")
    return row_key[:ID_BYTES], row_key[ID_BYTES : -POSITION_BYTES - 1].decode(), begin


def expiry_key(delete_at_s: int, bucket_id: bytes, key: str) -> bytes:
    """expiry: the latest versions whose time will come, in the order of their times."""
    return position_key(delete_at_s) + object_key(bucket_id, key)


def split_expiry_key(row_key: bytes) -> tuple[int, bytes, str]:
    """Return time, bucket id and key of a row of expiry."""
    rest = row_key[POSITION_BYTES:]
    time_s = int.from_bytes(row_key[:POSITION_BYTES], "big")
    return time_s, rest[:ID_BYTES], rest[ID_BYTES:].decode()


# -- uploads -------------------------------------------------------------------------------------


def upload_key(bucket_id: bytes, key: str, upload_id: bytes) -> bytes:
    """upload: one key's uploads, in the order in which their ids were drawn."""
    return of_key(bucket_id, key) + upload_id


def split_upload_key(row_key: bytes) -> tuple[bytes, str, bytes]:
    """Return bucket id, key and upload id of a row of upload."""
    return row_key[:ID_BYTES], row_key[ID_BYTES : -ID_BYTES - 1].decode(), row_key[-ID_BYTES:]


def part_key(upload_id: bytes, number: int) -> bytes:
    """part: an upload's parts, in the order of their numbers."""
    return upload_id + number.to_bytes(2, "big")


# -- the sweeper's queue -------------------------------------------------------------------------

PARTS = b"\0"
VERSION = b"\1"


def ended_key(kind: bytes, end: int, begin: int) -> bytes:
    """ended: parts and uploads apart from versions, each in the order in which they ended."""
    return kind + position_key(end) + position_key(begin)


def split_ended_key(row_key: bytes) -> tuple[bytes, int, int]:
    """Return kind, end and begin of a row of ended."""
    return row_key[:1], int.from_bytes(row_key[1:9], "big"), int.from_bytes(row_key[9:], "big")


# -- devices and rings ---------------------------------------------------------------------------


def device_key(device_id: int) -> bytes:
    """device: by number."""
    return device_id.to_bytes(2, "big")


def ring_key(epoch: int) -> bytes:
    """ring: by epoch."""
    return position_key(epoch)
