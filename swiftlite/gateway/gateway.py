"""Gateway: everything that a protocol's edge can ask of storage, in one place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from eventlog.log import Actor
from swiftlite.catalog import buckets, listing, queries, uploads, versions
from swiftlite.catalog.conditions import Conditions
from swiftlite.catalog.rows import Bucket, Listed, Part, Upload, Version
from swiftlite.gateway import copy, multipart, put
from swiftlite.gateway.body import Body
from swiftlite.gateway.copy import CopySource
from swiftlite.gateway.engine import Engine
from swiftlite.gateway.get import ObjectReader, open_object

_NONE: Mapping[str, str] = {}


class Gateway:
    """Buckets, objects and uploads of one store. The edge has authenticated and authorised before.

    Every method that changes something returns when the change will survive the loss of any one
    device and a power cut, and raises when nothing changed. Reads show every change that was
    acknowledged before they began, by whatever process. Version ids: "" is the null version.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._log = engine.log

    # -- buckets -----------------------------------------------------------------------------

    async def create_bucket(
        self, name: str, *, project_id: str, owner: str, region: str, actor: Actor
    ) -> Bucket:
        """Return a new bucket, its name claimed.

        Raises:  InvalidBucketName, BucketAlreadyExists, BucketAlreadyOwnedByYou, TooManyBuckets.
        """
        return await buckets.create_bucket(
            self._log,
            self._engine.ids,
            name,
            project_id=project_id,
            owner=owner,
            region=region,
            actor=actor,
        )

    async def bucket(self, name: str, *, project_id: str) -> Bucket:
        """Return a bucket: the project's own of this name, or whose the name is.

        Raises:  NoSuchBucket.
        """
        return await queries.get_bucket(self._log, name, project_id)

    async def list_buckets(
        self, project_id: str, *, prefix: str = "", after: str = "", limit: int = 10_000
    ) -> listing.Page[Bucket]:
        """Return a page of the project's buckets, by name."""
        return await buckets.list_buckets(
            self._log, project_id, prefix=prefix, after=after, limit=limit
        )

    async def delete_bucket(self, bucket: Bucket, *, actor: Actor) -> None:
        """End a bucket that has no objects, versions or delete markers.

        Raises:  NoSuchBucket, BucketNotEmpty.
        """
        await buckets.delete_bucket(self._log, bucket, actor=actor)

    async def set_versioning(self, bucket: Bucket, mode: str, *, actor: Actor) -> Bucket:
        """Return the bucket with versioning "enabled" or "suspended".

        Raises:  NoSuchBucket, InvalidArgument.
        """
        return await buckets.set_versioning(self._log, bucket, mode, actor=actor)

    # -- objects -----------------------------------------------------------------------------

    async def put_object(
        self,
        bucket: Bucket,
        key: str,
        body: Body,
        *,
        headers: Mapping[str, str] = _NONE,
        meta: Mapping[str, str] = _NONE,
        tags: Mapping[str, str] | None = None,
        conditions: Conditions | None = None,
        owner: str,
        actor: Actor,
    ) -> Version:
        """See `put.put_object`."""
        return await put.put_object(
            self._engine,
            bucket,
            key,
            body,
            headers=headers,
            meta=meta,
            tags=tags or _NONE,
            conditions=conditions,
            owner=owner,
            actor=actor,
        )

    async def open_object(
        self, bucket: Bucket, key: str, *, version_id: str | None = None
    ) -> ObjectReader:
        """Return a reader of the latest version, or of the named one.

        Raises:  NoSuchKey, NoSuchVersion, MethodNotAllowed.
        """
        return await open_object(self._engine, bucket, key, version_id)

    async def head_object(
        self, bucket: Bucket, key: str, *, version_id: str | None = None
    ) -> Version:
        """Return what `open_object` would open, without opening it; it raises the same."""
        return await queries.readable(self._log, bucket.id, key, version_id)

    async def delete_object(
        self,
        bucket: Bucket,
        key: str,
        *,
        version_id: str | None = None,
        conditions: Conditions | None = None,
        owner: str = "",
        actor: Actor,
    ) -> versions.Deleted:
        """Delete the key as the bucket's versioning has it, or exactly the named version.

        Bytes stay for the bucket's retention. What is not there is deleted already.

        Raises:  NoSuchBucket, NoSuchKey, PreconditionFailed.
        """
        if version_id is not None:
            return await versions.delete_version(
                self._log, bucket, key, version_id, conditions=conditions, actor=actor
            )
        return await versions.delete_object(
            self._log,
            self._engine.ids,
            bucket,
            key,
            conditions=conditions,
            owner=owner,
            actor=actor,
        )

    async def copy_object(
        self,
        source: CopySource,
        bucket: Bucket,
        key: str,
        *,
        headers: Mapping[str, str] | None = None,
        meta: Mapping[str, str] | None = None,
        tags: Mapping[str, str] | None = None,
        conditions: Conditions | None = None,
        owner: str,
        actor: Actor,
    ) -> Version:
        """See `copy.copy_object`."""
        return await copy.copy_object(
            self._engine,
            source,
            bucket,
            key,
            headers=headers,
            meta=meta,
            tags=tags,
            conditions=conditions,
            owner=owner,
            actor=actor,
        )

    async def list_objects(
        self,
        bucket: Bucket,
        *,
        prefix: str = "",
        delimiter: str = "",
        after: str = "",
        start_after: str = "",
        limit: int = 1000,
    ) -> listing.Page[tuple[str, Listed]]:
        """Return a page of keys and common prefixes, in the order of their UTF-8 bytes."""
        return await listing.list_objects(
            self._log,
            bucket.id,
            prefix=prefix,
            delimiter=delimiter,
            after=after,
            start_after=start_after,
            limit=limit,
        )

    async def list_versions(
        self,
        bucket: Bucket,
        *,
        prefix: str = "",
        delimiter: str = "",
        key_marker: str = "",
        version_marker: str | None = None,
        limit: int = 1000,
    ) -> listing.VersionPage:
        """Return a page of versions and delete markers, by key, each key's newest first."""
        return await listing.list_versions(
            self._log,
            bucket.id,
            prefix=prefix,
            delimiter=delimiter,
            key_marker=key_marker,
            version_marker=version_marker,
            limit=limit,
        )

    # -- multipart uploads -------------------------------------------------------------------

    async def create_upload(
        self,
        bucket: Bucket,
        key: str,
        *,
        headers: Mapping[str, str] = _NONE,
        meta: Mapping[str, str] = _NONE,
        tags: Mapping[str, str] | None = None,
        owner: str,
        checksum_algorithm: str | None = None,
        checksum_type: str | None = None,
        actor: Actor,
    ) -> Upload:
        """See `multipart.create_upload`."""
        return await multipart.create_upload(
            self._engine,
            bucket,
            key,
            headers=headers,
            meta=meta,
            tags=tags or _NONE,
            owner=owner,
            algorithm=checksum_algorithm or "",
            kind=checksum_type or "",
            actor=actor,
        )

    async def upload(self, bucket: Bucket, key: str, upload_id: bytes) -> Upload:
        """Return an upload in progress.

        Raises:  NoSuchUpload.
        """
        return await queries.get_upload(self._log, bucket.id, key, upload_id)

    async def put_part(
        self,
        bucket: Bucket,
        key: str,
        upload_id: bytes,
        number: int,
        body: Body,
        *,
        actor: Actor,
    ) -> Part:
        """See `multipart.put_part`."""
        return await multipart.put_part(
            self._engine, bucket, key, upload_id, number, body, actor=actor
        )

    async def copy_part(
        self,
        bucket: Bucket,
        key: str,
        upload_id: bytes,
        number: int,
        source: CopySource,
        *,
        start: int | None = None,
        end: int | None = None,
        actor: Actor,
    ) -> Part:
        """See `multipart.copy_part`."""
        return await multipart.copy_part(
            self._engine,
            bucket,
            key,
            upload_id,
            number,
            source,
            start=start,
            end=end,
            actor=actor,
        )

    async def complete_upload(
        self,
        bucket: Bucket,
        key: str,
        upload_id: bytes,
        parts: Sequence[uploads.PartClaim],
        *,
        conditions: Conditions | None = None,
        checksums: Mapping[str, str] = _NONE,
        size: int | None = None,
        actor: Actor,
    ) -> Version:
        """See `multipart.complete_upload`."""
        return await multipart.complete_upload(
            self._engine,
            bucket,
            key,
            upload_id,
            parts,
            conditions=conditions,
            checksums=checksums,
            size=size,
            actor=actor,
        )

    async def abort_upload(
        self, bucket: Bucket, key: str, upload_id: bytes, *, actor: Actor
    ) -> None:
        """Give an upload up; its parts' bytes go with the next sweep.

        Raises:  NoSuchUpload.
        """
        await uploads.abort_upload(self._log, bucket.id, key, upload_id, actor=actor)

    async def list_parts(
        self, bucket: Bucket, key: str, upload_id: bytes, *, after: int = 0, limit: int = 1000
    ) -> listing.Page[Part]:
        """Return a page of an upload's parts, by number.

        Raises:  NoSuchUpload.
        """
        return await listing.list_parts(
            self._log, bucket.id, key, upload_id, after=after, limit=limit
        )

    async def list_uploads(
        self,
        bucket: Bucket,
        *,
        prefix: str = "",
        delimiter: str = "",
        key_marker: str = "",
        upload_marker: bytes | None = None,
        limit: int = 1000,
    ) -> listing.UploadPage:
        """Return a page of uploads in progress, by key, each key's oldest first."""
        return await listing.list_uploads(
            self._log,
            bucket.id,
            prefix=prefix,
            delimiter=delimiter,
            key_marker=key_marker,
            upload_marker=upload_marker,
            limit=limit,
        )
