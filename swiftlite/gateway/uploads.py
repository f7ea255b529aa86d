"""Uploads: what a protocol's edge can ask of multipart uploads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from eventlog.log import Actor
from swiftlite.catalog import listing, queries, uploads
from swiftlite.catalog.conditions import Conditions
from swiftlite.catalog.rows import Bucket, Part, Upload, Version
from swiftlite.gateway import multipart
from swiftlite.gateway.body import Body
from swiftlite.gateway.copy import CopySource
from swiftlite.gateway.engine import Engine
from swiftlite.gateway.whole import Check

_NONE: Mapping[str, str] = {}


class Uploads:
    """Multipart uploads of one store; what holds of `Gateway` holds of it."""

    _engine: Engine

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
        return await queries.get_upload(self._engine.log, bucket.id, key, upload_id)

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
        check: Check,
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
            check=check,
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
        await uploads.abort_upload(self._engine.log, bucket.id, key, upload_id, actor=actor)

    async def list_parts(
        self, bucket: Bucket, key: str, upload_id: bytes, *, after: int = 0, limit: int = 1000
    ) -> listing.Page[Part]:
        """Return a page of an upload's parts, by number.

        Raises:  NoSuchUpload.
        """
        return await listing.list_parts(
            self._engine.log, bucket.id, key, upload_id, after=after, limit=limit
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
            self._engine.log,
            bucket.id,
            prefix=prefix,
            delimiter=delimiter,
            key_marker=key_marker,
            upload_marker=upload_marker,
            limit=limit,
        )
