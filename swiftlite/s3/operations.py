"""Operations: what a method, a path or host, and a query ask for.

S3 chooses among operations by parameters, and one that is overlooked turns "set the bucket's
policy" into "create the bucket": every sub-resource that S3 has is either in the table or refused.
What is no parameter of S3 at all is ignored, as S3 does.

Source: docs.aws.amazon.com AmazonS3 API "Actions", botocore's model of 2026.
Pure: no clock, no IO.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import Enum
from functools import lru_cache

import msgspec

from swiftlite.access import READING, Action
from swiftlite.catalog.keys import check_key
from swiftlite.errors import InvalidArgument, InvalidBucketName, InvalidRequest, NotImplementedHere
from swiftlite.s3.errors import InvalidURI, MethodNotAllowedHere
from swiftlite.s3.request import Request, decoded

_BUCKET_SIZE_MAX = 255
_HOST_SIZE_MAX = 512  # a longer one is read anew each time


class Level(Enum):
    """What a path names."""

    SERVICE = "service"
    BUCKET = "bucket"
    OBJECT = "object"

    __hash__ = object.__hash__  # by identity, as `access.Action`


class Operation(Enum):
    """The operations that are answered, by their names in S3."""

    LIST_BUCKETS = "ListBuckets"
    CREATE_BUCKET = "CreateBucket"
    HEAD_BUCKET = "HeadBucket"
    DELETE_BUCKET = "DeleteBucket"
    GET_BUCKET_LOCATION = "GetBucketLocation"
    GET_BUCKET_VERSIONING = "GetBucketVersioning"
    PUT_BUCKET_VERSIONING = "PutBucketVersioning"
    GET_BUCKET_ACL = "GetBucketAcl"
    PUT_BUCKET_ACL = "PutBucketAcl"
    GET_BUCKET_CONFIGURATION = "GetBucketConfiguration"  # what no bucket has here yet
    LIST_OBJECTS = "ListObjects"
    LIST_OBJECTS_V2 = "ListObjectsV2"
    LIST_OBJECT_VERSIONS = "ListObjectVersions"
    LIST_MULTIPART_UPLOADS = "ListMultipartUploads"
    DELETE_OBJECTS = "DeleteObjects"
    GET_OBJECT = "GetObject"
    HEAD_OBJECT = "HeadObject"
    GET_OBJECT_ATTRIBUTES = "GetObjectAttributes"
    GET_OBJECT_ACL = "GetObjectAcl"
    PUT_OBJECT_ACL = "PutObjectAcl"
    PUT_OBJECT = "PutObject"
    COPY_OBJECT = "CopyObject"
    DELETE_OBJECT = "DeleteObject"
    CREATE_MULTIPART_UPLOAD = "CreateMultipartUpload"
    UPLOAD_PART = "UploadPart"
    UPLOAD_PART_COPY = "UploadPartCopy"
    COMPLETE_MULTIPART_UPLOAD = "CompleteMultipartUpload"
    ABORT_MULTIPART_UPLOAD = "AbortMultipartUpload"
    LIST_PARTS = "ListParts"

    __hash__ = object.__hash__


ACTIONS: Mapping[Operation, Action] = {
    Operation.LIST_BUCKETS: Action.LIST_BUCKETS,
    Operation.CREATE_BUCKET: Action.CREATE_BUCKET,
    Operation.HEAD_BUCKET: Action.LIST,
    Operation.DELETE_BUCKET: Action.DELETE_BUCKET,
    Operation.GET_BUCKET_LOCATION: Action.READ_BUCKET,
    Operation.GET_BUCKET_VERSIONING: Action.READ_BUCKET,
    Operation.PUT_BUCKET_VERSIONING: Action.CHANGE_BUCKET,
    Operation.GET_BUCKET_ACL: Action.READ_BUCKET,
    Operation.PUT_BUCKET_ACL: Action.CHANGE_BUCKET,
    Operation.GET_BUCKET_CONFIGURATION: Action.READ_BUCKET,
    Operation.LIST_OBJECTS: Action.LIST,
    Operation.LIST_OBJECTS_V2: Action.LIST,
    Operation.LIST_OBJECT_VERSIONS: Action.LIST_VERSIONS,
    Operation.LIST_MULTIPART_UPLOADS: Action.LIST_VERSIONS,
    Operation.DELETE_OBJECTS: Action.WRITE,
    Operation.GET_OBJECT: Action.READ,
    Operation.HEAD_OBJECT: Action.READ,
    Operation.GET_OBJECT_ATTRIBUTES: Action.READ,
    Operation.GET_OBJECT_ACL: Action.READ_BUCKET,
    Operation.PUT_OBJECT_ACL: Action.CHANGE_BUCKET,
    Operation.PUT_OBJECT: Action.WRITE,
    Operation.COPY_OBJECT: Action.WRITE,
    Operation.DELETE_OBJECT: Action.WRITE,
    Operation.CREATE_MULTIPART_UPLOAD: Action.WRITE,
    Operation.UPLOAD_PART: Action.WRITE,
    Operation.UPLOAD_PART_COPY: Action.WRITE,
    Operation.COMPLETE_MULTIPART_UPLOAD: Action.WRITE,
    Operation.ABORT_MULTIPART_UPLOAD: Action.WRITE,
    Operation.LIST_PARTS: Action.LIST_VERSIONS,
}

# With a version's id it is about the past, which ACLs give to nobody.
_OF_VERSIONS = {Action.READ: Action.READ_VERSION, Action.WRITE: Action.DELETE_VERSION}

# Answered with "there is none", or with the one answer that is true of every bucket.
CONFIGURATIONS = frozenset(
    {
        "accelerate",
        "cors",
        "encryption",
        "lifecycle",
        "logging",
        "notification",
        "object-lock",
        "ownershipControls",
        "policy",
        "policyStatus",
        "publicAccessBlock",
        "replication",
        "requestPayment",
        "tagging",
        "website",
    }
)

# Sub-resources of S3 that have no row in the table for some method, or none at all.
NOT_HERE = CONFIGURATIONS | {
    "abac",
    "acl",
    "analytics",
    "annotation",
    "append",
    "attributes",
    "delete",
    "intelligent-tiering",
    "inventory",
    "legal-hold",
    "location",
    "metadataConfiguration",
    "metadataInventoryTable",
    "metadataJournalTable",
    "metadataTable",
    "metrics",
    "partNumber",
    "policy",
    "renameObject",
    "restore",
    "retention",
    "select",
    "select-type",
    "session",
    "torrent",
    "uploadId",
    "uploads",
    "versionId",
    "versioning",
    "versions",
}

_PAGE = ("prefix", "delimiter", "encoding-type")
_READING = (
    "versionId",
    "partNumber",
    "response-cache-control",
    "response-content-disposition",
    "response-content-encoding",
    "response-content-language",
    "response-content-type",
    "response-expires",
)


class _Row(msgspec.Struct, frozen=True):
    """An operation: the parameter that selects it, and those that it understands."""

    selector: str  # "": no selector is there
    operation: Operation
    parameters: frozenset[str]


def _row(selector: str, operation: Operation, *parameters: str) -> _Row:
    return _Row(selector, operation, frozenset((selector, *parameters)) - {""})


_TABLE: Mapping[tuple[Level, str], tuple[_Row, ...]] = {
    (Level.SERVICE, "GET"): (
        _row(
            "",
            Operation.LIST_BUCKETS,
            "prefix",
            "continuation-token",
            "max-buckets",
            "bucket-region",
        ),
    ),
    (Level.BUCKET, "PUT"): (
        _row("", Operation.CREATE_BUCKET),
        _row("versioning", Operation.PUT_BUCKET_VERSIONING),
        _row("acl", Operation.PUT_BUCKET_ACL),
    ),
    (Level.BUCKET, "HEAD"): (_row("", Operation.HEAD_BUCKET),),
    (Level.BUCKET, "DELETE"): (_row("", Operation.DELETE_BUCKET),),
    (Level.BUCKET, "POST"): (_row("delete", Operation.DELETE_OBJECTS),),
    (Level.BUCKET, "GET"): (
        _row("", Operation.LIST_OBJECTS, *_PAGE, "marker", "max-keys"),
        _row(
            "list-type",
            Operation.LIST_OBJECTS_V2,
            *_PAGE,
            "max-keys",
            "continuation-token",
            "start-after",
            "fetch-owner",
        ),
        _row(
            "versions",
            Operation.LIST_OBJECT_VERSIONS,
            *_PAGE,
            "max-keys",
            "key-marker",
            "version-id-marker",
        ),
        _row(
            "uploads",
            Operation.LIST_MULTIPART_UPLOADS,
            *_PAGE,
            "max-uploads",
            "key-marker",
            "upload-id-marker",
        ),
        _row("location", Operation.GET_BUCKET_LOCATION),
        _row("versioning", Operation.GET_BUCKET_VERSIONING),
        _row("acl", Operation.GET_BUCKET_ACL),
        *(_row(name, Operation.GET_BUCKET_CONFIGURATION) for name in sorted(CONFIGURATIONS)),
    ),
    (Level.OBJECT, "GET"): (
        _row("", Operation.GET_OBJECT, *_READING),
        _row("uploadId", Operation.LIST_PARTS, "max-parts", "part-number-marker", "encoding-type"),
        _row("attributes", Operation.GET_OBJECT_ATTRIBUTES, "versionId"),
        _row("acl", Operation.GET_OBJECT_ACL, "versionId"),
    ),
    (Level.OBJECT, "HEAD"): (_row("", Operation.HEAD_OBJECT, *_READING),),
    (Level.OBJECT, "PUT"): (
        _row("", Operation.PUT_OBJECT),
        _row("uploadId", Operation.UPLOAD_PART, "partNumber"),
        _row("acl", Operation.PUT_OBJECT_ACL, "versionId"),
    ),
    (Level.OBJECT, "POST"): (
        _row("uploads", Operation.CREATE_MULTIPART_UPLOAD),
        _row("uploadId", Operation.COMPLETE_MULTIPART_UPLOAD),
    ),
    (Level.OBJECT, "DELETE"): (
        _row("", Operation.DELETE_OBJECT, "versionId"),
        _row("uploadId", Operation.ABORT_MULTIPART_UPLOAD),
    ),
}
_PLAIN = {place: next((r for r in rows if not r.selector), None) for place, rows in _TABLE.items()}
_COPIES = {
    Operation.PUT_OBJECT: Operation.COPY_OBJECT,
    Operation.UPLOAD_PART: Operation.UPLOAD_PART_COPY,
}


class Target(msgspec.Struct, frozen=True):
    """What a request asks for: the operation, and the names in it ("" where there is none)."""

    operation: Operation
    bucket: str = ""
    key: str = ""
    has_version: bool = False  # it names one by its id

    @property
    def action(self) -> Action:
        """What the principal must be allowed."""
        action = ACTIONS[self.operation]
        return _OF_VERSIONS.get(action, action) if self.has_version else action

    @property
    def is_reading(self) -> bool:
        """Whether it changes nothing."""
        return self.action in READING


def target_of(
    request: Request, *, virtual_bucket: str | None, signed_by: Collection[str]
) -> Target:
    """Return what the request asks for.

    signed_by: the parameters that carry the signature, which are no part of the question.
    Raises:  NotImplementedHere, MethodNotAllowedHere, InvalidArgument, InvalidBucketName,
             InvalidURI, KeyTooLong, InvalidKey.
    """
    if request.path[:1] != "/":
        raise InvalidURI()
    bucket, key = _names(request.path, virtual_bucket)
    level = Level.OBJECT if key else Level.BUCKET if bucket else Level.SERVICE
    if key:
        check_key(key)
    if bucket and (len(bucket.encode()) > _BUCKET_SIZE_MAX or "\0" in bucket):
        raise InvalidBucketName(bucket=bucket[:64], reason="no bucket has such a name")
    place = (level, request.method)
    query = request.query
    row = _selected(place, query, signed_by) if query else _PLAIN.get(place)
    if row is None:
        if place == (Level.BUCKET, "POST"):
            raise NotImplementedHere(feature="An upload by a browser's form")
        raise MethodNotAllowedHere(allow=", ".join(m for at, m in _TABLE if at is level))
    operation = row.operation
    if "x-amz-copy-source" in request.headers:
        if operation not in _COPIES:
            raise InvalidRequest(
                reason="You can only specify a copy source header for copy requests"
            )
        operation = _COPIES[operation]
    return Target(operation, bucket, key, "versionId" in query)


def virtual_bucket_of(host: str, domains: tuple[str, ...]) -> str | None:
    """Return the bucket that the Host header names, or None where the path does.

    domains: the names under which buckets are hosts: `photos.s3.example.com` for `s3.example.com`.
    """
    return (_hosted if len(host) <= _HOST_SIZE_MAX else _hosted.__wrapped__)(host, domains)


@lru_cache(1024)
def _hosted(host: str, domains: tuple[str, ...]) -> str | None:
    name = host.lower()
    if not name.endswith("]"):
        name = name.partition(":")[0] if name.count(":") == 1 else name
    for domain in domains:
        if name.endswith("." + domain):
            return name[: -len(domain) - 1] or None
    return None


def _names(path: str, virtual_bucket: str | None) -> tuple[str, str]:
    if virtual_bucket is not None:
        return virtual_bucket, decoded(path[1:])
    bucket, _, key = path[1:].partition("/")
    if not bucket and key:
        raise InvalidBucketName(bucket="", reason="the path has none")
    return decoded(bucket), decoded(key)


def _selected(
    place: tuple[Level, str], query: Mapping[str, str], signed_by: Collection[str]
) -> _Row | None:
    names = [n for n in query if n not in signed_by]
    rows = [row for row in _TABLE.get(place, ()) if row.selector and row.selector in query]
    if len(rows) > 1:
        both = " and ".join(row.selector for row in rows[:2])
        raise InvalidArgument(
            argument="ResourceType", value=both, reason=f"Conflicting query parameters: {both}"
        )
    row = rows[0] if rows else _PLAIN.get(place)
    for name in names:
        if row is not None and name in row.parameters:
            continue
        if name in NOT_HERE or name.lower().startswith("x-amz-"):
            raise NotImplementedHere(feature=f"{place[1]} with the parameter {name[:64]}")
    if row is not None and row.operation is Operation.LIST_OBJECTS_V2 and query["list-type"] != "2":
        raise InvalidArgument(
            argument="list-type", value=query["list-type"][:64], reason="Invalid List Type"
        )
    return row
