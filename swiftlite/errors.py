"""What storage refuses, cannot do now, or found damaged: facts, never a protocol's codes.

Named as S3 names them, where S3 has a name. Each edge has a table from these to its own codes.
"""

from __future__ import annotations

from eventlog.errors import Corrupt, Refused, Unavailable

# -- buckets -------------------------------------------------------------------------------------


class NoSuchBucket(Refused):
    """The bucket {bucket} does not exist."""

    bucket: str
    location: str = ""  # account/container/object, where a link led to it


class BucketAlreadyExists(Refused):
    """The bucket name {bucket} is taken: names are shared by all projects."""

    bucket: str


class BucketAlreadyOwnedByYou(Refused):
    """The bucket {bucket} is already yours."""

    bucket: str


class BucketNotEmpty(Refused):
    """The bucket {bucket} still has objects, versions or delete markers."""

    bucket: str


class InvalidBucketName(Refused):
    """{bucket} is not a bucket name: {reason}."""

    bucket: str


class InvalidAcl(Refused):
    """The access control list is not understood: {reason}."""


class TooManyBuckets(Refused):
    """The project has {limit} buckets; that is the limit."""


class TooManyNotes(Refused):
    """There are {count} entries of metadata; the limit is {limit}."""


# -- objects and versions ------------------------------------------------------------------------


class NoSuchKey(Refused):
    """The key {key} does not exist."""

    key: str
    location: str = ""  # account/container/object, where a link led to it
    delete_marker: bool = False  # the latest version is a delete marker
    version_id: str = ""  # of that marker; "" is the null version


class NoSuchVersion(Refused):
    """The key {key} has no version {version_id}."""

    key: str
    version_id: str


class MethodNotAllowed(Refused):
    """Version {version_id} of {key} is a delete marker: there is nothing to read."""

    key: str
    version_id: str
    modified_us: int


class KeyTooLong(Refused):
    """The key has {size} bytes of UTF-8; the limit is {limit}."""


class InvalidKey(Refused):
    """The key cannot be stored: {reason}."""


class MetadataTooLarge(Refused):
    """The metadata has {size} bytes; the limit is {limit}."""


class EntityTooLarge(Refused):
    """The object has {size} bytes; the limit is {limit}."""


class QuotaExceeded(Refused):
    """Upload exceeds quota."""


class PreconditionFailed(Refused):
    """The condition {condition} does not hold."""

    condition: str


class ConditionalConflict(Refused):
    """{key} kept changing while it was written; nothing was done, try again."""

    key: str


class SourceGone(Unavailable):
    """The version {version_id} of {key} was swept while it was copied."""

    key: str
    version_id: str


# -- objects that stand for others ---------------------------------------------------------------


class SegmentsChanged(Refused):
    """The large object {key} cannot be read: its segment {segment} {reason}."""

    key: str
    segment: str


class TooManyLinks(Refused):
    """Too many levels of symbolic links, maximum allowed is {limit}"""

    limit: int


class LinkChanged(Refused):
    """{reason}"""

    location: str  # account/container/object of what does not fit


# -- multipart uploads ---------------------------------------------------------------------------


class NoSuchUpload(Refused):
    """The upload {upload_id} does not exist: it was completed, aborted, or never started."""

    upload_id: str


class InvalidPart(Refused):
    """Part {number} was not uploaded, or has another ETag or checksum than was named."""

    number: int


class InvalidPartOrder(Refused):
    """Part {number} does not come after the one named before it."""

    number: int


class EntityTooSmall(Refused):
    """Part {number} has {size} bytes; only the last may have fewer than {limit}."""

    number: int
    size: int


# -- requests ------------------------------------------------------------------------------------


class InvalidArgument(Refused):
    """{reason}."""

    argument: str
    value: str


class InvalidRequest(Refused):
    """{reason}."""


class BadDigest(Refused):
    """The {algorithm} of what came is not the one that was promised."""

    algorithm: str


class NotImplementedHere(Refused):
    """{feature} is not implemented."""


# -- devices -------------------------------------------------------------------------------------


class QuorumLost(Unavailable):
    """{reached} fragments could be written; a durable write needs {needed}, so placed that it \
outlives the loss of any one more device."""


class SlowDown(Unavailable):
    """There is too much to do at once: {reason}."""


class ObjectUnreachable(Unavailable):
    """Only {reached} of the {needed} fragments that {key} is read from can be reached now."""

    key: str


class ManifestDamaged(Corrupt):
    """The manifest of the large object {key} cannot be read."""

    key: str


class ObjectDamaged(Corrupt):
    """Too few good fragments are left of {key}: {reason}."""

    key: str
