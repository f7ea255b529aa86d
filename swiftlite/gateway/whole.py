"""Whole: what objects stand for. Links are followed, and manifests read as all that they name.

Every protocol reads through here, so that all of them read the same. What lies elsewhere is opened
only as far as whoever reads may read there.

Source: Swift's "Symlink", "Static Large Objects" and "Dynamic Large Objects" (2026-08).
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import NamedTuple, Protocol, TypeAlias
from urllib.parse import unquote

import msgspec
from msgspec.structs import replace

from eventlog.errors import Refused
from swiftlite import segments
from swiftlite.access import Action
from swiftlite.catalog import queries, walking
from swiftlite.catalog.rows import Bucket, Shown, Version
from swiftlite.errors import (
    LinkChanged,
    ManifestDamaged,
    NoSuchBucket,
    NoSuchKey,
    SegmentsChanged,
    TooManyLinks,
)
from swiftlite.gateway.engine import Engine
from swiftlite.gateway.get import ObjectReader, open_object, readable
from swiftlite.node.format import Buffer
from swiftlite.segments import Segment

STATIC, DYNAMIC, LINK = "slo", "dlo", "symlink"
LARGE = (STATIC, DYNAMIC)
LINKS_MAX = 2
DYNAMIC_SEGMENTS_MAX = 100_000
LINK_ETAG = "x-symlink-target-etag"
ACCOUNT_PREFIX = "AUTH_"

_PAGE = 1000

Check: TypeAlias = Callable[[Action, Bucket], None]
"""Returns if whoever reads may do this with that bucket; raises a Refused if not."""


class Reader(Protocol):
    """What `ObjectReader` promises, of all that an object stands for."""

    version: Version

    def small(self) -> memoryview | None:
        """As `ObjectReader.small`."""

    def stream(self, start: int = 0, end: int | None = None) -> AsyncGenerator[Buffer, None]:
        """As `ObjectReader.stream`; raises SegmentsChanged as well, possibly after some bytes."""


class Whole(NamedTuple):
    """What a name stands for: an object at the end of its links. `location`: "" without any.

    Shapes:  location: account/container/object; version: its size and ETag are the whole's.
    """

    bucket: Bucket
    key: str
    version: Version
    location: str


async def head_whole(
    engine: Engine, bucket: Bucket, key: str, version_id: str | None, check: Check
) -> Whole:
    """Return what `open_whole` would open, without opening it; it raises the same."""
    return await _Resolver(engine, check, 0).head(bucket, key, version_id)


async def open_whole(
    engine: Engine, bucket: Bucket, key: str, version_id: str | None, check: Check
) -> tuple[Whole, Reader]:
    """Return a reader of all that the object stands for.

    Raises:  NoSuchKey, NoSuchVersion, MethodNotAllowed, NoSuchBucket, LinkChanged, TooManyLinks,
             SegmentsChanged, and what `check` raises.
    """
    return await _Resolver(engine, check, 0).open(bucket, key, version_id)


async def open_manifest(
    engine: Engine, bucket: Bucket, key: str, version_id: str | None
) -> tuple[Version, list[Segment]]:
    """Return a static manifest's version and entries; no entries for what is none.

    Raises:  as `open_object`; ManifestDamaged.
    """
    reader = await open_object(engine, bucket, key, version_id)
    if reader.version.kind != STATIC:
        return reader.version, []
    return reader.version, await _segments(reader, key)


def etag_of_itself(version: Version) -> str:
    """Return the ETag of an object's own bytes, be they a manifest."""
    return version.target if version.kind == STATIC else version.etag


class _Resolver:
    """Follows links and manifests, `depth` manifests down from what was asked for."""

    def __init__(self, engine: Engine, check: Check, depth: int) -> None:
        self._engine = engine
        self._check = check
        self._depth = depth

    async def head(self, bucket: Bucket, key: str, version_id: str | None) -> Whole:
        version = await readable(self._engine, bucket, key, version_id)
        whole = Whole(bucket, key, version, "")
        if version.kind == LINK:
            whole, _ = await self._followed(bucket, key, version_id)
        if whole.version.kind == DYNAMIC:
            return whole._replace(version=await self._summed(whole))
        return whole

    async def open(self, bucket: Bucket, key: str, version_id: str | None) -> tuple[Whole, Reader]:
        whole, reader = await self._followed(bucket, key, version_id)
        if whole.version.kind == STATIC:
            entries = await _segments(reader, whole.key)
            return whole, _Static(self, whole, entries)
        if whole.version.kind == DYNAMIC:
            whole = whole._replace(version=await self._summed(whole))
            return whole, _Dynamic(self, whole)
        return whole, reader

    async def _followed(
        self, bucket: Bucket, key: str, version_id: str | None
    ) -> tuple[Whole, ObjectReader]:
        etag, location = "", ""
        for _ in range(LINKS_MAX + 1):
            try:
                reader = await open_object(self._engine, bucket, key, version_id)
            except NoSuchKey as error:
                error.location = location
                raise
            version = reader.version
            if version.kind != LINK:
                found = etag_of_itself(version)
                if etag and etag != found:
                    reason = (
                        f"Object Etag {found!r} does not match X-Symlink-Target-Etag header "
                        f"{etag!r}"
                    )
                    raise LinkChanged(reason=reason, location=location)
                return Whole(bucket, key, version, location), reader
            fixed = version.headers.get(LINK_ETAG, "")
            if etag and etag != (fixed or version.etag):
                raise LinkChanged(
                    reason="X-Symlink-Target-Etag headers do not match", location=location
                )
            account, container, key = version.target.split("/", 2)
            etag, location, version_id = fixed, version.target, None
            try:
                bucket = await self._container(account.removeprefix(ACCOUNT_PREFIX), container)
            except NoSuchBucket as error:
                error.location = location
                raise
        raise TooManyLinks(limit=LINKS_MAX)

    async def _container(self, project_id: str, name: str) -> Bucket:
        bucket = await queries.get_container(self._engine.log, project_id, name)
        self._check(Action.READ, bucket)
        return bucket

    # -- segments --------------------------------------------------------------------------------

    async def segment(self, whole: Whole, container: str, key: str) -> Reader:
        """Return a reader of one segment, which is a whole object itself.

        Raises:  SegmentsChanged where it cannot be read, whatever the reason.
        """
        if self._depth >= segments.NESTED_MAX:
            raise SegmentsChanged(key=whole.key, segment=key, reason="is nested too deep")
        deeper = _Resolver(self._engine, self._check, self._depth + 1)
        try:
            bucket = await self._container(whole.bucket.project_id, container)
            _, reader = await deeper.open(bucket, key, None)
        except SegmentsChanged:
            raise
        except Refused:
            raise SegmentsChanged(key=whole.key, segment=key, reason="cannot be read") from None
        return reader

    async def listed(self, whole: Whole) -> AsyncGenerator[tuple[str, Shown], None]:
        """Yield the segments of a dynamic manifest, by name.

        Raises:  NoSuchBucket, SegmentsChanged if there are too many, and what `check` raises.
        """
        container, prefix = _dynamic_target(whole.version)
        log = self._engine.log
        bucket = await queries.get_container(log, whole.bucket.project_id, container)
        self._check(Action.LIST, bucket)
        now_s = self._engine.clock.now_us() // 1_000_000
        marker, count = "", 0
        while True:
            window = walking.Window(prefix=prefix.encode(), marker=marker.encode())
            page = await walking.walk_objects(log, bucket.id, window, limit=_PAGE, now_s=now_s)
            for name, shown in page:
                count += 1
                if count > DYNAMIC_SEGMENTS_MAX:
                    raise SegmentsChanged(
                        key=whole.key, segment=name, reason="is one segment too many"
                    )
                if shown is not None:
                    yield name, shown
            if len(page) < _PAGE:
                return
            marker = page[-1][0]

    async def _summed(self, whole: Whole) -> Version:
        size, digest = 0, hashlib.md5(usedforsecurity=False)
        async for _, shown in self.listed(whole):
            size += shown.size
            digest.update(shown.etag.encode())
        # What was stored of the manifest's own bytes says nothing of the whole.
        return replace(
            whole.version, size=size, etag=digest.hexdigest(), checksums={}, checksum_type=""
        )


class _Static:
    """A static large object, opened."""

    def __init__(self, resolver: _Resolver, whole: Whole, entries: list[Segment]) -> None:
        parts = tuple(segment.length for segment in entries)
        self.version = replace(whole.version, parts=parts, checksums={}, checksum_type="")
        self._resolver = resolver
        self._whole = whole
        self._segments = entries

    def small(self) -> memoryview | None:
        return None

    async def stream(self, start: int = 0, end: int | None = None) -> AsyncGenerator[Buffer, None]:
        until = self.version.size if end is None else end
        for segment, first, last in segments.pieces(self._segments, start, until):
            if segment.is_inline:
                yield base64.b64decode(segment.data)[first:last]
                continue
            container, key = segment.place
            reader = await self._resolver.segment(self._whole, container, key)
            found = reader.version
            if (found.etag, found.size) != (segment.hash, segment.bytes):
                raise SegmentsChanged(key=self._whole.key, segment=key, reason="was replaced")
            async with aclosing(reader.stream(first, last)) as pieces:
                async for piece in pieces:
                    yield piece


class _Dynamic:
    """A dynamic large object, opened. What its segments are is looked up as they are read."""

    def __init__(self, resolver: _Resolver, whole: Whole) -> None:
        self.version = whole.version
        self._resolver = resolver
        self._whole = whole

    def small(self) -> memoryview | None:
        return None

    async def stream(self, start: int = 0, end: int | None = None) -> AsyncGenerator[Buffer, None]:
        until = self.version.size if end is None else end
        container, _ = _dynamic_target(self.version)
        origin = 0
        async with aclosing(self._resolver.listed(self._whole)) as listed:
            async for name, shown in listed:
                first, last = max(start - origin, 0), min(until - origin, shown.size)
                origin += shown.size
                if first >= last:
                    if origin >= until:
                        return
                    continue
                reader = await self._resolver.segment(self._whole, container, name)
                if reader.version.size != shown.size:
                    raise SegmentsChanged(key=self._whole.key, segment=name, reason="was replaced")
                async with aclosing(reader.stream(first, last)) as pieces:
                    async for piece in pieces:
                        yield piece
        if origin < until:
            # Whoever copies it would take what came for the whole.
            raise SegmentsChanged(key=self._whole.key, segment="at the end", reason="went")


def _dynamic_target(version: Version) -> tuple[str, str]:
    container, _, prefix = unquote(version.target).partition("/")
    return container, prefix


async def _segments(reader: ObjectReader, key: str) -> list[Segment]:
    stored = reader.as_stored()
    async with aclosing(stored.stream()) as pieces:
        document = b"".join([bytes(piece) async for piece in pieces])
    try:
        return segments.decoded(document)
    except (msgspec.DecodeError, RecursionError):
        raise ManifestDamaged(key=key) from None
