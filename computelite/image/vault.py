"""The vault: where images' bytes are, in storage of the cloud's own that no project reaches.

The bytes of each transfer are one object, `image id/transfer id`, written in parts as they come, so
that neither the size of an image nor that of a worker's memory sets a bound on the other.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Mapping
from typing import Protocol

from computelite.image.errors import OverLimit
from computelite.image.rows import Content
from eventlog.log import Actor
from swiftlite.catalog.rows import Bucket
from swiftlite.catalog.uploads import PartClaim
from swiftlite.errors import BucketAlreadyOwnedByYou, NoSuchBucket, NoSuchKey, NoSuchUpload
from swiftlite.gateway.gateway import Gateway
from swiftlite.http.replies import Buffer

PROJECT = ".images"
"""The account. A leading dot is no project's: `swiftlite.access` lets nobody in."""

BUCKET = "images"
PART_BYTES = 1 << 30
_HASHED_BYTES = 1 << 20  # hashed at a time, in a thread


class Source(Protocol):
    """An image's bytes on their way in."""

    async def read(self) -> bytes:
        """Return the next bytes, b"" at the end."""


class Vault:
    """Keeps images' bytes."""

    def __init__(self, gateway: Gateway, *, part_bytes: int = PART_BYTES) -> None:
        self._gateway = gateway
        self._part_bytes = part_bytes

    async def store(
        self, image_id: str, transfer_id: str, source: Source, *, limit: int, actor: Actor
    ) -> Content:
        """Return when all bytes are durable, and what they are; `virtual_size` is left open.

        Raises:  OverLimit for more than `limit` bytes, what the source raises, QuorumLost and its
                 like; what came is there then until it is dropped.
        """
        bucket = await self._bucket(actor)
        key = _key(image_id, transfer_id)
        upload = await self._gateway.create_upload(bucket, key, owner=PROJECT, actor=actor)
        hashed = _Hashed(source, limit)
        claims: list[PartClaim] = []
        while not claims or not hashed.is_ended:
            body = _Part(hashed, self._part_bytes)
            number = len(claims) + 1
            part = await self._gateway.put_part(bucket, key, upload.id, number, body, actor=actor)
            claims.append(PartClaim(part.number, part.etag))
        checksum, hash_value = await hashed.result()
        await self._gateway.complete_upload(
            bucket, key, upload.id, claims, size=hashed.size, actor=actor
        )
        return Content(
            transfer_id=transfer_id, size=hashed.size, checksum=checksum, hash_value=hash_value
        )

    async def open(
        self, image_id: str, content: Content, start: int = 0, end: int | None = None
    ) -> AsyncGenerator[Buffer, None]:
        """Return the bytes start..end-1, verified as they come off the devices.

        Raises:  NoSuchKey and its like.
        """
        bucket = await self._gateway.container(PROJECT, BUCKET)
        key = _key(image_id, content.transfer_id)
        reader = await self._gateway.open_object(bucket, key)
        return reader.stream(start, content.size if end is None else end)

    async def drop(self, image_id: str, transfer_id: str, *, actor: Actor) -> None:
        """Have no bytes of a transfer, however far it came. What is gone already is no error."""
        try:
            bucket = await self._gateway.container(PROJECT, BUCKET)
        except NoSuchBucket:
            return
        key = _key(image_id, transfer_id)
        page = await self._gateway.list_uploads(bucket, prefix=key)
        for found, upload in page.entries:
            if found == key:
                try:
                    await self._gateway.abort_upload(bucket, key, upload.id, actor=actor)
                except NoSuchUpload:
                    continue
        try:
            await self._gateway.head_object(bucket, key)
        except NoSuchKey:
            return
        await self._gateway.delete_object(bucket, key, owner=PROJECT, actor=actor)

    async def _bucket(self, actor: Actor) -> Bucket:
        try:
            return await self._gateway.container(PROJECT, BUCKET)
        except NoSuchBucket:
            pass
        try:
            return await self._gateway.create_container(
                BUCKET, project_id=PROJECT, owner=PROJECT, region="", actor=actor
            )
        except BucketAlreadyOwnedByYou:
            return await self._gateway.container(PROJECT, BUCKET)


class _Hashed:
    """A source whose bytes are counted, bounded and hashed as they pass."""

    def __init__(self, source: Source, limit: int) -> None:
        self.size = 0
        self.is_ended = False
        self._source = source
        self._limit = limit
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._sha512 = hashlib.sha512()
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0
        self._hashing: asyncio.Future[None] | None = None
        self._put_back = b""

    async def read(self, most: int) -> bytes:
        """Return the next bytes, at most so many; b"" at the end."""
        data, self._put_back = self._put_back, b""
        if not data:
            data = await self._source.read()
            self.size += len(data)
            if self.size > self._limit:
                raise OverLimit(reason=f"Image exceeds the limit of {self._limit} bytes.")
            self.is_ended = not data
        if len(data) > most:
            data, self._put_back = data[:most], data[most:]
        self._waiting.append(data)
        self._waiting_bytes += len(data)
        if self._waiting_bytes >= _HASHED_BYTES:
            await self._hash()
        return data

    async def result(self) -> tuple[str, str]:
        """Return the MD5 and the SHA-512 in hex, when all was read."""
        await self._hash()
        if self._hashing is not None:
            await self._hashing
        return self._md5.hexdigest(), self._sha512.hexdigest()

    async def _hash(self) -> None:
        """Hash what waits in a thread, while the next bytes come in."""
        if self._hashing is not None:
            await self._hashing
        pieces, self._waiting, self._waiting_bytes = self._waiting, [], 0
        self._hashing = asyncio.ensure_future(asyncio.to_thread(self._update, pieces))

    def _update(self, pieces: list[bytes]) -> None:
        for piece in pieces:
            self._md5.update(piece)
            self._sha512.update(piece)


class _Part:
    """So many bytes of a source, as the gateway's port `Body` has it."""

    size: int | None = None
    algorithms: frozenset[str] = frozenset()

    def __init__(self, source: _Hashed, most: int) -> None:
        self._source = source
        self._left = most

    async def read(self) -> bytes:
        data = await self._source.read(self._left) if self._left else b""
        self._left -= len(data)
        return data

    def check(self, digests: Mapping[str, bytes]) -> Mapping[str, str]:
        return {}


def _key(image_id: str, transfer_id: str) -> str:
    return f"{image_id}/{transfer_id}"
