"""Get: an object's bytes, verified, from whatever fragments are good."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing

from msgspec.structs import replace

from swiftlite.catalog import queries
from swiftlite.catalog.rows import Bucket, Version
from swiftlite.errors import NoSuchKey, NoSuchVersion
from swiftlite.gateway.engine import Engine
from swiftlite.gateway.fragments import Fragments
from swiftlite.gateway.readers import Lease
from swiftlite.manifest import Blob, Layout
from swiftlite.node.format import Buffer, Fragment, Label


class ObjectReader:
    """One version of an object, opened: its bytes stay readable whatever is written meanwhile."""

    def __init__(
        self,
        engine: Engine,
        label: Label,
        version: Version,
        manifest: Sequence[Blob],
        lease: Lease,
    ) -> None:
        self.version = version
        self._engine = engine
        self._label = label
        self._manifest = manifest
        self._lease = lease  # as long as this object lives, sweep spares the version

    def as_stored(self) -> ObjectReader:
        """Return a reader of the bytes that are stored, be they a manifest of others."""
        size = sum(blob.size for blob in self._manifest)
        version = replace(self.version, size=size)
        return ObjectReader(self._engine, self._label, version, self._manifest, self._lease)

    def small(self) -> memoryview | None:
        """Return the whole object if it is small and in memory, verified; never waits.

        None says nothing but "ask `stream`".
        """
        if not self._manifest:
            return memoryview(b"")
        blob = self._manifest[0]
        if len(self._manifest) > 1 or blob.layout is not Layout.COPIES:
            return None
        devices = self._engine.devices
        turn = self._engine.turn()
        for i in range(len(blob.hints)):
            hint = blob.hints[(turn + i) % len(blob.hints)]
            if devices.is_up(hint.device):
                found = devices[hint.device].read_cached(Fragment(blob.id, hint.fragment), hint)
                if found is not None:
                    return found
        return None

    async def stream(self, start: int = 0, end: int | None = None) -> AsyncGenerator[Buffer, None]:
        """Yield the bytes start..end-1, in pieces as they come off the devices, without a copy.

        Close it (`aclosing`) when the client goes.

        Raises:  ObjectDamaged if too few fragments are left, ObjectUnreachable while too many
                 devices are out; possibly after some bytes came.
        """
        until = self.version.size if end is None else end
        assert 0 <= start <= until <= self.version.size
        for blob, first, last in spans(self._manifest, start, until):
            fragments = Fragments(self._engine, blob, self._label)
            async with aclosing(fragments.stream(first, last)) as pieces:
                async for piece in pieces:
                    yield piece


def spans(manifest: Sequence[Blob], start: int, end: int) -> Iterator[tuple[Blob, int, int]]:
    """Yield (blob, first, last) for each blob that holds some of the bytes start..end-1.

    Shapes:  first and last count from the blob's own start; last is exclusive.
    """
    origin = 0
    for blob in manifest:
        if origin >= end:
            return
        if origin + blob.size > start:
            yield blob, max(start - origin, 0), min(end - origin, blob.size)
        origin += blob.size


async def open_object(
    engine: Engine, bucket: Bucket, key: str, version_id: str | None
) -> ObjectReader:
    """Return a reader of the latest version, or of the named one: one catalog lookup.

    Raises:  NoSuchKey, NoSuchVersion, MethodNotAllowed.
    """
    lease = engine.readers.lease()  # before the look-up: the version ends later, if it does
    version = await queries.readable(engine.log, bucket.id, key, version_id)
    if version.delete_at_s:
        _check_due(engine, version, key, version_id)
    manifest = version.manifest
    if manifest is None:
        manifest = await queries.blobs_of(engine.log, bucket.id, key, version)
    return ObjectReader(engine, Label(bucket.id, key), version, manifest, lease)


async def readable(engine: Engine, bucket: Bucket, key: str, version_id: str | None) -> Version:
    """Return the version that a GET means; one whose time is over is gone already.

    Raises:  NoSuchKey, NoSuchVersion, MethodNotAllowed.
    """
    version = await queries.readable(engine.log, bucket.id, key, version_id)
    if version.delete_at_s:
        _check_due(engine, version, key, version_id)
    return version


def _check_due(engine: Engine, version: Version, key: str, version_id: str | None) -> None:
    if version.is_due(engine.clock.now_us() // 1_000_000):
        if version_id is not None:
            raise NoSuchVersion(key=key, version_id=version_id or "null")
        raise NoSuchKey(key=key)
