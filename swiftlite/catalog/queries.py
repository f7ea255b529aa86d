"""What exists: buckets by name, versions by key and id, the blobs behind them.

Each answer is as of the last commit of any process.
"""

from __future__ import annotations

from eventlog.log import Log
from swiftlite.catalog import keys
from swiftlite.catalog.rows import Begin, Bucket, Claim, Upload, Version
from swiftlite.errors import MethodNotAllowed, NoSuchBucket, NoSuchKey, NoSuchUpload, NoSuchVersion
from swiftlite.manifest import Blob

# -- buckets -------------------------------------------------------------------------------------


async def get_bucket(log: Log, name: str, project_id: str) -> Bucket:
    """Return the bucket that S3 means by `name`: the project's own first, then who claimed it.

    Raises:  NoSuchBucket.
    """
    claim: Claim | None = await log.get("bucket_of", keys.bucket_of_key(project_id, name))
    if claim is None:
        claim = await log.get("bucket_claim", keys.claim_key(name))
    bucket = None if claim is None else await bucket_by_id(log, claim.bucket_id)
    if bucket is None:
        raise NoSuchBucket(bucket=name)
    return bucket


async def get_container(log: Log, project_id: str, name: str) -> Bucket:
    """Return the bucket of this name that a project itself has.

    Raises:  NoSuchBucket.
    """
    claim: Claim | None = await log.get("bucket_of", keys.bucket_of_key(project_id, name))
    bucket = None if claim is None else await bucket_by_id(log, claim.bucket_id)
    if bucket is None:
        raise NoSuchBucket(bucket=name)
    return bucket


async def bucket_by_id(log: Log, bucket_id: bytes) -> Bucket | None:
    """Return a bucket, or None if it does not exist any more."""
    bucket: Bucket | None = await log.get("bucket", bucket_id)
    return bucket


# -- versions ------------------------------------------------------------------------------------


async def current(log: Log, bucket_id: bytes, key: str) -> Version | None:
    """Return a key's latest version, or None if there is none or it is a delete marker."""
    version: Version | None = await log.get("current", keys.object_key(bucket_id, key))
    return version


async def latest(log: Log, bucket_id: bytes, key: str) -> Version | None:
    """Return a key's latest version, a delete marker too."""
    found = await current(log, bucket_id, key)
    if found is not None:
        return found
    stem = keys.of_key(bucket_id, key)
    below = await log.scan("noncurrent", stem, keys.successor(stem), limit=1)
    marker: Version | None = below[0][1] if below else None
    if marker is not None and marker.marker:
        return marker
    # It may have come to the top between the two looks.
    return await current(log, bucket_id, key)


async def version(log: Log, bucket_id: bytes, key: str, version_id: str) -> Version | None:
    """Return a live version, or delete marker, by its id; "" is the null version."""
    found = await current(log, bucket_id, key)
    if found is not None and found.version_id == version_id:
        return found
    buried: Begin | None = await log.get("buried", keys.buried_key(bucket_id, key, version_id))
    if buried is not None:
        at = keys.version_key(bucket_id, key, buried.begin)
        below: Version | None = await log.get("noncurrent", at)
        if below is not None:
            return below
    # It may have come to the top between the looks.
    found = await current(log, bucket_id, key)
    return found if found is not None and found.version_id == version_id else None


async def readable(log: Log, bucket_id: bytes, key: str, version_id: str | None = None) -> Version:
    """Return the version that a GET means: the latest, or the one that it names.

    Raises:  NoSuchKey, saying whether a delete marker is in the way; NoSuchVersion;
             MethodNotAllowed if the named version is a delete marker.
    """
    if version_id is None:
        found = await current(log, bucket_id, key) or await latest(log, bucket_id, key)
        if found is None:
            raise NoSuchKey(key=key)
        if found.marker:
            raise NoSuchKey(key=key, delete_marker=True, version_id=found.version_id)
        return found
    found = await version(log, bucket_id, key, version_id)
    if found is None:
        raise NoSuchVersion(key=key, version_id=version_id or "null")
    if found.marker:
        named = version_id or "null"
        raise MethodNotAllowed(key=key, version_id=named, modified_us=found.modified_us)
    return found


async def blobs_of(log: Log, bucket_id: bytes, key: str, version: Version) -> tuple[Blob, ...]:
    """Return the blobs that make up a version, in order; none if it was swept."""
    if version.manifest is not None:
        return version.manifest
    found = await log.get("manifest", keys.version_key(bucket_id, key, version.begin))
    return found.blobs if found else ()


# -- uploads -------------------------------------------------------------------------------------


async def get_upload(log: Log, bucket_id: bytes, key: str, upload_id: bytes) -> Upload:
    """Return an upload in progress.

    Raises:  NoSuchUpload.
    """
    upload: Upload | None = None
    if len(upload_id) == keys.ID_BYTES:
        upload = await log.get("upload", keys.upload_key(bucket_id, key, upload_id))
    if upload is None:
        raise NoSuchUpload(upload_id=upload_id.hex())
    return upload
