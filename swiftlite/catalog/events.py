"""The events of storage: all that ever happens to buckets, versions, uploads, devices and rings.

Streams: everything of one bucket is in `bucket/<its id in hex>`, what a project says of its
account in `account/<project id>`, devices and rings are in `ring/storage`. An id is 16 bytes; an
empty `version_id` is S3's null version.

Law: an object version exists if and only if its `object.written` is in the log.
Pure: no clock, no IO.
"""

from __future__ import annotations

from typing import Any

from msgspec import field

from eventlog.event import Event, event, upcasts
from swiftlite.manifest import Blob

RING_STREAM = "ring/storage"


def bucket_stream(bucket_id: bytes) -> str:
    """Return the name of the stream that holds everything of one bucket."""
    return f"bucket/{bucket_id.hex()}"


def account_stream(project_id: str) -> str:
    """Return the name of the stream that holds what a project says of its account."""
    return f"account/{project_id}"


# -- buckets and accounts ------------------------------------------------------------------------


@event("bucket.created", v=2)
class BucketCreated(Event):
    """A bucket came to be; where it is `claimed`, the name is its own among all projects."""

    bucket_id: bytes
    name: str
    project_id: str
    owner: str
    region: str
    claimed: bool = True


@upcasts("bucket.created", 1)
def _every_bucket_claimed_its_name(old: dict[str, Any]) -> dict[str, Any]:
    return old


@event("bucket.deleted", v=1)
class BucketDeleted(Event):
    """An empty bucket went, and gave up its name. Its id is never used again."""

    bucket_id: bytes


@event("bucket.versioning-set", v=1)
class BucketVersioningSet(Event):
    """From here on writes make versions ("enabled") or replace the null version ("suspended")."""

    bucket_id: bytes
    versioning: str


@event("bucket.retention-set", v=1)
class BucketRetentionSet(Event):
    """The bytes of ended versions stay this long from here on; None: as long as the cloud says."""

    bucket_id: bytes
    retention_s: int | None


@event("bucket.described", v=1)
class BucketDescribed(Event):
    """What a bucket's owner says of it: `meta:` and a name is a note of theirs, the rest settings.

    What is neither set nor removed stays.
    """

    bucket_id: bytes
    set: dict[str, str] = field(default_factory=dict)
    removed: tuple[str, ...] = ()


@event("account.described", v=1)
class AccountDescribed(Event):
    """What a project says of its account; as `BucketDescribed`."""

    project_id: str
    set: dict[str, str] = field(default_factory=dict)
    removed: tuple[str, ...] = ()


# -- objects -------------------------------------------------------------------------------------


@event("object.written", v=2)
class ObjectWritten(Event, kw_only=True):
    """A version came to be, with all its bytes durable, and is the latest of its key.

    A null version ends the null version that was there before.
    Shapes:  checksums: name in S3's spelling ("CRC32") -> base64; parts: sizes in bytes, empty
             unless it was a multipart upload; shares: ids of those blobs of the manifest that were
             referenced before, once for each time that they occur.
    Kinds:   "" is the bytes themselves. "slo": the bytes are the list of the segments, in
             canonical JSON, and `target` is their MD5, while `size` and `etag` are those of the
             whole. "dlo": the whole is what lies under `target`, "container/prefix" with percent
             escapes. "symlink": `target` is "account/container/object".
    """

    bucket_id: bytes
    key: str
    size: int
    etag: str
    version_id: str = ""
    owner: str = ""
    checksums: dict[str, str] = field(default_factory=dict)
    checksum_type: str = ""  # "FULL_OBJECT", "COMPOSITE"
    headers: dict[str, str] = field(default_factory=dict)  # Content-Type and its like, lower case
    meta: dict[str, str] = field(default_factory=dict)  # x-amz-meta-*, without the prefix
    tags: dict[str, str] = field(default_factory=dict)
    parts: tuple[int, ...] = ()
    manifest: tuple[Blob, ...] = ()
    shares: tuple[bytes, ...] = ()
    encryption: dict[str, str] | None = None
    upload_id: bytes = b""  # the multipart upload that it came from
    kind: str = ""
    target: str = ""
    delete_at_s: int = 0  # seconds since 1970; 0: never


@upcasts("object.written", 1)
def _every_object_was_plain(old: dict[str, Any]) -> dict[str, Any]:
    return old


@event("object.described", v=1)
class ObjectDescribed(Event):
    """The latest version of a key, which is this one, got other headers and metadata.

    They replace what it had; its bytes and its place stay. Its kind is this from here on: a list of
    segments may be given to bytes, and taken from them.
    """

    bucket_id: bytes
    key: str
    version_id: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    meta: dict[str, str] = field(default_factory=dict)
    delete_at_s: int = 0
    kind: str = ""
    target: str = ""


@event("object.deleted", v=1)
class ObjectDeleted(Event):
    """A key was deleted without naming a version.

    Without `marker` (an unversioned bucket) its null version ended. With it a delete marker is the
    latest version now; a null marker (a suspended bucket) ended the null version.
    """

    bucket_id: bytes
    key: str
    marker: bool = False
    version_id: str = ""
    owner: str = ""


@event("version.deleted", v=1)
class VersionDeleted(Event):
    """One named version, or delete marker, ended; the one below it may be the latest now."""

    bucket_id: bytes
    key: str
    version_id: str = ""
    marker: bool = False  # what ended was a delete marker


@event("version.swept", v=1)
class VersionSwept(Event):
    """An ended version gave up its bytes. `freed`: its blobs that nothing references any more.

    This event is the evidence on which their fragments are deleted.
    """

    bucket_id: bytes
    key: str
    begin: int
    freed: tuple[Blob, ...] = ()


# -- multipart uploads ---------------------------------------------------------------------------


@event("upload.started", v=1)
class UploadStarted(Event):
    """A multipart upload was opened."""

    bucket_id: bytes
    key: str
    upload_id: bytes
    owner: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    meta: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    checksum_algorithm: str = ""
    checksum_type: str = ""


@event("part.written", v=1)
class PartWritten(Event):
    """A part came to be, with its bytes durable; it replaces the part of that number, if any."""

    bucket_id: bytes
    key: str
    upload_id: bytes
    number: int
    size: int
    etag: str
    checksums: dict[str, str] = field(default_factory=dict)
    manifest: tuple[Blob, ...] = ()
    shares: tuple[bytes, ...] = ()


@event("upload.completed", v=1)
class UploadCompleted(Event):
    """The parts of these numbers became a version: the `object.written` right after this event.

    The version holds their blobs from there on; parts that are not named wait to be swept.
    """

    bucket_id: bytes
    key: str
    upload_id: bytes
    numbers: tuple[int, ...]


@event("upload.aborted", v=1)
class UploadAborted(Event):
    """An upload was given up; its parts wait to be swept."""

    bucket_id: bytes
    key: str
    upload_id: bytes


@event("parts.swept", v=1)
class PartsSwept(Event):
    """Parts that became no version gave up their bytes. `freed`: as in `VersionSwept`.

    `ended` and `begin` name the entry of the sweeper's queue. With `numbers` empty, the entry was
    one replaced part, or what was remembered of an upload that has no parts left.
    """

    bucket_id: bytes
    key: str
    upload_id: bytes
    ended: int
    begin: int
    numbers: tuple[int, ...] = ()
    freed: tuple[Blob, ...] = ()


# -- devices and rings ---------------------------------------------------------------------------


@event("device.added", v=1)
class DeviceAdded(Event):
    """A formatted device belongs to the cloud from here on."""

    device_id: int
    uuid: str
    node: str
    zone: str
    weight: float
    path: str


@event("device.replaced", v=1)
class DeviceReplaced(Event):
    """An empty device took the place of the one that had this number; it is to be filled."""

    device_id: int
    uuid: str
    path: str


@event("device.removed", v=1)
class DeviceRemoved(Event):
    """A device left the cloud; its number is never used again."""

    device_id: int


@event("ring.built", v=1)
class RingBuilt(Event):
    """Blobs written from here on are placed by this ring; those written before keep their epoch.

    Shapes:  devices: (id, uuid, node, zone, weight) of each; table: 2**part_power rows of
             `fragments` device ids, uint16 little-endian.
    """

    epoch: int
    part_power: int
    fragments: int
    devices: tuple[tuple[int, str, str, str, float], ...]
    table: bytes
