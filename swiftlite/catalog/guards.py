"""Guards: what a command found when it decided, asserted again under the log's lock.

A guard either refuses for good, or raises `Stale`: then the command looks again and decides anew.

Pure: no clock, no IO.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from eventlog.errors import Refused
from eventlog.view import Rows
from swiftlite.catalog import keys
from swiftlite.catalog.conditions import Conditions
from swiftlite.catalog.rows import Bucket, Past, Shared, Upload, Version
from swiftlite.errors import (
    BucketAlreadyExists,
    BucketAlreadyOwnedByYou,
    BucketNotEmpty,
    NoSuchBucket,
    NoSuchUpload,
    SourceGone,
)

Pairs = Iterable[tuple[str, bytes]]


class Stale(Refused):
    """What the command had found has changed."""


def top_of(rows: Rows, bucket_id: bytes, key: str) -> Version | None:
    """Return a key's latest version, a delete marker too, or None."""
    top: Version | None = rows.get("current", keys.object_key(bucket_id, key))
    if top is None:
        stem = keys.of_key(bucket_id, key)
        buried = rows.first("noncurrent", stem, keys.successor(stem))
        top = buried[1] if buried else None
    return top


# -- buckets -------------------------------------------------------------------------------------


class NameIsFree:
    """A project has no bucket of this name, and with `claims`, nobody has claimed it."""

    def __init__(self, name: str, project_id: str, *, claims: bool = True) -> None:
        self._name = name
        self._project_id = project_id
        self._claims = claims

    def keys(self) -> Pairs:
        yield ("bucket_of", keys.bucket_of_key(self._project_id, self._name))
        if self._claims:
            yield ("bucket_claim", keys.claim_key(self._name))

    def check(self, rows: Rows) -> None:
        own = rows.get("bucket_of", keys.bucket_of_key(self._project_id, self._name))
        if own is not None:
            raise BucketAlreadyOwnedByYou(bucket=self._name)
        if not self._claims:
            return
        claim = rows.get("bucket_claim", keys.claim_key(self._name))
        if claim is not None:
            holder = rows.get("bucket", claim.bucket_id)
            if holder is not None and holder.project_id == self._project_id:
                raise BucketAlreadyOwnedByYou(bucket=self._name)
            raise BucketAlreadyExists(bucket=self._name)


class BucketExists:
    """A bucket is there; with `same_versioning`, in the mode in which the command saw it."""

    def __init__(self, bucket: Bucket, *, same_versioning: bool = False) -> None:
        self._bucket = bucket
        self._same_versioning = same_versioning

    def keys(self) -> Pairs:
        return (("bucket", self._bucket.id),)

    def check(self, rows: Rows) -> None:
        bucket = rows.get("bucket", self._bucket.id)
        if bucket is None:
            raise NoSuchBucket(bucket=self._bucket.name)
        if self._same_versioning and bucket.versioning != self._bucket.versioning:
            raise Stale


class BucketIsEmpty:
    """No object, version or delete marker lives in a bucket; open uploads do not count."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def keys(self) -> Pairs:
        return ()

    def check(self, rows: Rows) -> None:
        lo = self._bucket.id
        for table in ("current", "noncurrent"):
            if rows.first(table, lo, keys.successor(lo)) is not None:
                raise BucketNotEmpty(bucket=self._bucket.name)


# -- versions ------------------------------------------------------------------------------------


class ConditionsHold:
    """A key's latest version is as the client wants it."""

    def __init__(
        self,
        bucket_id: bytes,
        key: str,
        conditions: Conditions,
        judge: Callable[[Conditions, Version | None, str], None],
    ) -> None:
        self._bucket_id = bucket_id
        self._key = key
        self._conditions = conditions
        self._judge = judge

    def keys(self) -> Pairs:
        return (("current", keys.object_key(self._bucket_id, self._key)),)

    def check(self, rows: Rows) -> None:
        self._judge(self._conditions, top_of(rows, self._bucket_id, self._key), self._key)


class HasObject:
    """A key has an object on top."""

    def __init__(self, bucket_id: bytes, key: str) -> None:
        self._at = keys.object_key(bucket_id, key)

    def keys(self) -> Pairs:
        return (("current", self._at),)

    def check(self, rows: Rows) -> None:
        if rows.get("current", self._at) is None:
            raise Stale


class IsCurrent:
    """A key has this object on top, described as it was; with None, it has no object there."""

    def __init__(self, bucket_id: bytes, key: str, version: Version | None) -> None:
        self._at = keys.object_key(bucket_id, key)
        self._version = version

    def keys(self) -> Pairs:
        return (("current", self._at),)

    def check(self, rows: Rows) -> None:
        if rows.get("current", self._at) != self._version:
            raise Stale


class VersionLives:
    """A version, or delete marker, that the command saw is still live."""

    def __init__(self, bucket_id: bytes, key: str, version: Version) -> None:
        self._bucket_id = bucket_id
        self._key = key
        self._version = version

    def keys(self) -> Pairs:
        return (("current", keys.object_key(self._bucket_id, self._key)),)

    def check(self, rows: Rows) -> None:
        if not _lives(rows, self._bucket_id, self._key, self._version.begin):
            raise Stale


class BytesRemain:
    """The version that a copy shares blobs with still has them: it lives, or was not swept yet."""

    def __init__(self, bucket_id: bytes, key: str, begin: int) -> None:
        self._bucket_id = bucket_id
        self._key = key
        self._begin = begin

    def keys(self) -> Pairs:
        return (("current", keys.object_key(self._bucket_id, self._key)),)

    def check(self, rows: Rows) -> None:
        if _lives(rows, self._bucket_id, self._key, self._begin):
            return
        at = keys.version_key(self._bucket_id, self._key, self._begin)
        past: Past | None = rows.get("past", at)
        if past is None or past.swept:
            version_id = past.version.version_id if past else ""
            raise SourceGone(key=self._key, version_id=version_id)


def _lives(rows: Rows, bucket_id: bytes, key: str, begin: int) -> bool:
    top: Version | None = rows.get("current", keys.object_key(bucket_id, key))
    if top is not None and top.begin == begin:
        return True
    return rows.get("noncurrent", keys.version_key(bucket_id, key, begin)) is not None


# -- uploads -------------------------------------------------------------------------------------


class UploadExists:
    """An upload is in progress."""

    def __init__(self, bucket_id: bytes, key: str, upload_id: bytes) -> None:
        self._at = keys.upload_key(bucket_id, key, upload_id)
        self._upload_id = upload_id

    def keys(self) -> Pairs:
        return (("upload", self._at),)

    def check(self, rows: Rows) -> None:
        if rows.get("upload", self._at) is None:
            raise NoSuchUpload(upload_id=self._upload_id.hex())


class UploadUnchanged:
    """An upload is in progress, and none of its parts was written since the command saw them."""

    def __init__(self, bucket_id: bytes, key: str, upload: Upload) -> None:
        self._at = keys.upload_key(bucket_id, key, upload.id)
        self._changed = upload.changed

    def keys(self) -> Pairs:
        return (("upload", self._at),)

    def check(self, rows: Rows) -> None:
        upload = rows.get("upload", self._at)
        if upload is None or upload.changed != self._changed:
            raise Stale


# -- sweeping ------------------------------------------------------------------------------------


class CountsStand:
    """Queue entries are still there, and their blobs have as many references as the command saw.

    Shapes:  waiting: keys in `ended`; counts: each blob's row in `shared`, None where it has none.
    """

    def __init__(self, waiting: Sequence[bytes], counts: Mapping[bytes, Shared | None]) -> None:
        self._waiting = waiting
        self._counts = counts

    def keys(self) -> Pairs:
        yield from (("ended", at) for at in self._waiting)
        yield from (("shared", blob_id) for blob_id in self._counts)

    def check(self, rows: Rows) -> None:
        if any(rows.get("ended", at) is None for at in self._waiting):
            raise Stale
        if any(rows.get("shared", at) != count for at, count in self._counts.items()):
            raise Stale
