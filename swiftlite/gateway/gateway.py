"""Gateway: everything that a protocol's edge can ask of storage, in one place."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from eventlog.log import Actor
from swiftlite.catalog import listing, versions, walking
from swiftlite.catalog.conditions import Conditions
from swiftlite.catalog.rows import Bucket, Listed, Shown, Version
from swiftlite.gateway import copy, put, whole
from swiftlite.gateway.body import Body
from swiftlite.gateway.buckets import Buckets
from swiftlite.gateway.copy import CopySource
from swiftlite.gateway.expiry import put_aside
from swiftlite.gateway.get import ObjectReader, open_object, readable
from swiftlite.gateway.uploads import Uploads
from swiftlite.gateway.whole import Check, Reader, Whole
from swiftlite.segments import Segment

_NONE: Mapping[str, str] = {}


class Gateway(Buckets, Uploads):
    """Buckets, objects and uploads of one store. The edge has authenticated and authorised before.

    Every method that changes something returns when the change will survive the loss of any one
    device and a power cut, and raises when nothing changed. Reads show every change that was
    acknowledged before they began, by whatever process. Version ids: "" is the null version.
    """

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
        kind: str = "",
        target: str = "",
        size: int | None = None,
        etag: str | None = None,
        delete_at_s: int = 0,
        keep: versions.Keep | None = None,
        owner: str,
        actor: Actor,
    ) -> Version:
        """See `put.put_object`."""
        if conditions:
            await put_aside(self._engine, bucket, key)
        return await put.put_object(
            self._engine,
            bucket,
            key,
            body,
            headers=headers,
            meta=meta,
            tags=tags or _NONE,
            conditions=conditions,
            kind=kind,
            target=target,
            size=size,
            etag=etag,
            delete_at_s=delete_at_s,
            keep=keep,
            owner=owner,
            actor=actor,
        )

    async def describe_object(
        self, bucket: Bucket, key: str, describe: Callable[[Version], Version], *, actor: Actor
    ) -> Version:
        """Return the latest version with other headers and metadata; its bytes and place stay.

        `describe` as in `versions.describe_object`.

        Raises:  NoSuchBucket, NoSuchKey, ConditionalConflict.
        """
        await readable(self._engine, bucket, key, None)
        return await versions.describe_object(self._log, bucket, key, describe, actor=actor)

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
        return await readable(self._engine, bucket, key, version_id)

    async def open_whole(
        self, bucket: Bucket, key: str, *, version_id: str | None = None, check: Check
    ) -> tuple[Whole, Reader]:
        """See `whole.open_whole`: links are followed, and manifests read as what they name."""
        return await whole.open_whole(self._engine, bucket, key, version_id, check)

    async def head_whole(
        self, bucket: Bucket, key: str, *, version_id: str | None = None, check: Check
    ) -> Whole:
        """Return what `open_whole` would open, without opening it; it raises the same."""
        return await whole.head_whole(self._engine, bucket, key, version_id, check)

    async def open_manifest(
        self, bucket: Bucket, key: str, *, version_id: str | None = None
    ) -> tuple[Version, list[Segment]]:
        """See `whole.open_manifest`."""
        return await whole.open_manifest(self._engine, bucket, key, version_id)

    async def delete_object(
        self,
        bucket: Bucket,
        key: str,
        *,
        version_id: str | None = None,
        conditions: Conditions | None = None,
        seen: Version | None = None,
        owner: str = "",
        actor: Actor,
    ) -> versions.Deleted:
        """Delete the key as the bucket's versioning has it, or exactly the named version.

        Bytes stay for the bucket's retention. What is not there is deleted already. With `seen`,
        nothing happens if that is not the latest version any more.

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
            seen=seen,
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
        delete_at_s: int = 0,
        check: Check | None = None,
        keep: versions.Keep | None = None,
        owner: str,
        actor: Actor,
    ) -> Version:
        """See `copy.copy_object`."""
        if conditions:
            await put_aside(self._engine, bucket, key)
        return await copy.copy_object(
            self._engine,
            source,
            bucket,
            key,
            headers=headers,
            meta=meta,
            tags=tags,
            conditions=conditions,
            delete_at_s=delete_at_s,
            check=check,
            keep=keep,
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
            now_s=self._engine.clock.now_us() // 1_000_000,
        )

    async def walk_objects(
        self, bucket: Bucket, window: walking.Window, *, limit: int
    ) -> list[tuple[str, Shown | None]]:
        """Return keys, and common prefixes with None, in their order or in reverse."""
        now_s = self._engine.clock.now_us() // 1_000_000
        return await walking.walk_objects(self._log, bucket.id, window, limit=limit, now_s=now_s)

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
