"""The rows of the catalog's tables.

Rows are arrays on disk: fields are only ever added at the end, under a new version of the view.
Pure: no clock, no IO.
"""

from __future__ import annotations

from typing import Any, dataclass_transform

import msgspec

from eventlog.view import Rows
from swiftlite.manifest import Blob


@dataclass_transform(frozen_default=True, field_specifiers=(msgspec.field,))
class Row(msgspec.Struct, array_like=True, frozen=True):
    """What all rows have in common: a compact, deterministic form."""


class Bucket(Row):
    """A bucket that exists."""

    id: bytes
    project_id: str
    name: str
    owner: str
    created_us: int
    region: str
    versioning: str = ""  # "", "enabled", "suspended"; never "" again after it was set
    retention_s: int | None = None  # None: the cloud's default
    meta: dict[str, str] = {}  # what its owner noted: lower-case names, without a prefix
    settings: dict[str, str] = {}  # what its owner set: "read-acl", "write-acl" and their like
    claimed: bool = True  # whether the name is its own among all projects
    changed_us: int = 0  # when it was made, or described last


class Claim(Row):
    """Whose a name is."""

    bucket_id: bytes


class Account(Row):
    """What a project says of its account; one that never said anything has no row."""

    project_id: str
    created_us: int = 0
    meta: dict[str, str] = {}
    settings: dict[str, str] = {}


class Usage(Row):
    """What lives in a bucket; of a list of segments, only itself counts."""

    objects: int = 0  # keys whose latest version is no delete marker
    bytes: int = 0  # of all versions that live


class Listed(Row):
    """What a listing shows of a version: its first fields, so that the rest is not decoded.

    Shapes:  checksums: name in S3's spelling -> base64.
    """

    version_id: str  # "" is the null version
    begin: int  # position of the event that made it
    modified_us: int  # when it was written, or described last
    size: int = 0
    etag: str = ""
    owner: str = ""
    marker: bool = False
    kind: str = ""  # see `events.ObjectWritten`
    delete_at_s: int = 0  # 0: never
    checksums: dict[str, str] = {}
    checksum_type: str = ""

    def is_due(self, now_s: int) -> bool:
        """Whether its time is over: it is as if it were deleted."""
        return 0 < self.delete_at_s <= now_s


class Shown(Listed):
    """What Swift's listing shows of a version: as `Listed`, with what its headers say."""

    headers: dict[str, str] = {}
    target: str = ""


class Version(Shown):
    """One version of an object, or a delete marker.

    Shapes:  parts: sizes in bytes, empty unless it was a multipart upload; manifest: None if it is
             in the table `manifest`: ask `queries.blobs_of`.
    """

    meta: dict[str, str] = {}
    tags: dict[str, str] = {}
    parts: tuple[int, ...] = ()
    manifest: tuple[Blob, ...] | None = ()
    encryption: dict[str, str] | None = None

    @property
    def is_null(self) -> bool:
        """Whether this is the null version, which the next null version replaces."""
        return not self.version_id


class Begin(Row):
    """Where a version began: the last part of its key in `noncurrent`, or which one expires."""

    begin: int


class Past(Row):
    """A version that ended. Once swept it has no bytes, and an empty manifest."""

    version: Version
    end: int
    swept: bool


class Manifest(Row):
    """The blobs of a version that has too many for its own row."""

    blobs: tuple[Blob, ...]


class Ended(Row):
    """Something whose bytes may go: an entry of the sweeper's queue.

    Without `upload_id` it is a version, to be found in `past`. With it and `number`, that part was
    replaced, and `manifest` says what it held. With it alone, the upload was completed or aborted,
    and whatever parts are left in `part` are to go.
    """

    bucket_id: bytes
    key: str
    upload_id: bytes = b""
    number: int = 0
    manifest: tuple[Blob, ...] = ()


class Shared(Row):
    """How many references there are to a blob that was ever shared; others have exactly one.

    The row stays when only one is left, since that one may be under another key than the blob's
    label says.
    """

    references: int


class Upload(Row):
    """A multipart upload in progress."""

    id: bytes
    begin: int
    started_us: int
    changed: int  # position of the last event that concerned it or one of its parts
    owner: str
    headers: dict[str, str]
    meta: dict[str, str]
    tags: dict[str, str]
    checksum_algorithm: str
    checksum_type: str


class Part(Row):
    """A part of an upload in progress."""

    number: int
    begin: int
    modified_us: int
    size: int
    etag: str
    checksums: dict[str, str]
    manifest: tuple[Blob, ...]


class Completed(Row):
    """What a completed upload became, so that a repeated Complete gets the same answer."""

    bucket_id: bytes
    key: str
    version: Version  # with an empty manifest


class DeviceRow(Row):
    """A device of the cloud, or one that left it."""

    id: int
    uuid: str
    node: str
    zone: str
    weight: float
    path: str
    state: str  # "in", "removed"


class RingRow(Row):
    """A ring, as its event describes it."""

    epoch: int
    part_power: int
    fragments: int
    devices: tuple[tuple[int, str, str, str, float], ...]
    table: bytes


def existing(rows: Rows, table: str, key: bytes) -> Any:
    """Return a row that the events before this one must have made."""
    row = rows.get(table, key)
    assert row is not None, f"no row {key.hex()} in {table}"
    return row
