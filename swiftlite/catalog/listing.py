"""Listings: a page is a few index ranges, however large the bucket is.

With a delimiter, all keys that share a prefix up to it are rolled up into one common prefix; the
listing then goes on at the first key behind that prefix and never walks beneath it.

Law: the pages, put together, are the whole list, for every page size.
Source: S3 API Reference, ListObjectsV2, ListObjectVersions, ListMultipartUploads (2025-11).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Generic, NamedTuple, TypeVar

from eventlog.log import Log
from swiftlite.catalog import keys
from swiftlite.catalog.events import VersionDeleted, bucket_stream
from swiftlite.catalog.queries import get_upload
from swiftlite.catalog.ranges import Range
from swiftlite.catalog.rows import Begin, Listed, Part, Upload, Version
from swiftlite.errors import InvalidArgument

T = TypeVar("T")

UPLOADS_PAGE = 500
LOOKS = 4  # at versions that keep moving while they are listed


class Page(NamedTuple, Generic[T]):
    """A page of a listing. `next`, given as `after`, asks for the one behind it."""

    entries: list[T]
    prefixes: list[str]
    truncated: bool
    next: str


class VersionEntry(NamedTuple):
    """A version, or delete marker, in a listing."""

    key: str
    version: Version
    is_latest: bool


class VersionPage(NamedTuple):
    """A page of a listing of versions; `next_version` is None behind a common prefix."""

    entries: list[VersionEntry]
    prefixes: list[str]
    truncated: bool
    next_key: str
    next_version: str | None


class UploadPage(NamedTuple):
    """A page of a listing of uploads; `next_upload` is None behind a common prefix."""

    entries: list[tuple[str, Upload]]
    prefixes: list[str]
    truncated: bool
    next_key: str
    next_upload: bytes | None


class _Window:
    """Which part of a bucket a listing shows: bytes of row keys, and how keys roll up."""

    def __init__(self, bucket_id: bytes, prefix: str, delimiter: str) -> None:
        self._bucket_id = bucket_id
        self._prefix = _encoded("prefix", prefix)
        self._delimiter = _encoded("delimiter", delimiter)
        self.rolls_up = bool(delimiter)
        self.lo = bucket_id + self._prefix
        self.hi = keys.successor(self.lo)

    def rolled_up(self, key: bytes) -> bytes | None:
        """Return the common prefix that stands for `key`, or None if it stands for itself."""
        if not self._delimiter or not key.startswith(self._prefix):
            return None
        at = key.find(self._delimiter, len(self._prefix))
        return None if at < 0 else key[: at + len(self._delimiter)]

    def behind(self, key: bytes) -> bytes:
        """Return where what comes after the common prefix, or else the key `key`, begins."""
        prefix = self.rolled_up(key)
        return self.behind_key(key) if prefix is None else self.behind_prefix(prefix)

    def behind_key(self, key: bytes) -> bytes:
        """Return where the keys greater than `key` begin: no key holds a NUL."""
        return self._bucket_id + key + b"\1"

    def behind_prefix(self, prefix: bytes) -> bytes:
        """Return where the keys behind all that begin with `prefix` begin."""
        return self._bucket_id + keys.successor(prefix)


def _encoded(argument: str, text: str) -> bytes:
    """Return what a client looks for as bytes; what no key can hold is refused."""
    try:
        encoded = text.encode()
    except UnicodeEncodeError:
        raise InvalidArgument(
            reason=f"{argument} is not Unicode text", argument=argument, value=ascii(text)
        ) from None
    if b"\0" in encoded:
        raise InvalidArgument(
            reason=f"{argument} has a NUL character", argument=argument, value=text
        )
    return encoded


async def list_objects(
    log: Log,
    bucket_id: bytes,
    *,
    prefix: str = "",
    delimiter: str = "",
    after: str = "",
    start_after: str = "",
    limit: int = 1000,
    now_s: int = 0,
) -> Page[tuple[str, Listed]]:
    """Return objects in key order; common prefixes count towards `limit`.

    `after` is a marker: where it lies in a common prefix, that whole prefix is behind;
    `start_after` only leaves out the keys up to it. What is due at `now_s` is not shown.

    Raises:  InvalidArgument if a text cannot be part of a key.
    """
    window = _Window(bucket_id, prefix, delimiter)
    lo = window.lo
    if after:
        lo = max(lo, window.behind(_encoded("marker", after)))
    if start_after:
        lo = max(lo, window.behind_key(_encoded("start-after", start_after)))
    if not delimiter:
        found = await log.scan("current", lo, window.hi, limit=limit + 1, shape=Listed)
        if not any(row.delete_at_s for _, row in found):
            plain = [(key[keys.ID_BYTES :].decode(), row) for key, row in found[:limit]]
            truncated = len(found) > limit > 0
            return Page(plain, [], truncated, plain[-1][0] if truncated else "")
    walk = Range(log, "current", lo, window.hi, most=limit + 1, dense=False, shape=Listed)
    entries: list[tuple[str, Listed]] = []
    prefixes: list[str] = []
    last = ""
    while (row := await walk.peek()) is not None:
        if len(entries) + len(prefixes) == limit:
            return Page(entries, prefixes, limit > 0, last)
        key = row[0][keys.ID_BYTES :]
        common = window.rolled_up(key)
        if row[1].is_due(now_s):
            walk.pop()
        elif common is None:
            last = key.decode()
            entries.append((last, row[1]))
            walk.pop()
        else:
            last = common.decode()
            prefixes.append(last)
            walk.skip_to(window.behind_prefix(common))
    return Page(entries, prefixes, False, "")


async def list_versions(
    log: Log,
    bucket_id: bytes,
    *,
    prefix: str = "",
    delimiter: str = "",
    key_marker: str = "",
    version_marker: str | None = None,
    limit: int = 1000,
) -> VersionPage:
    """Return versions and delete markers, by key, and newest first within a key.

    It goes on behind `key_marker`, or behind one version of it. If that version is gone by now, the
    key is shown from its newest version again: what is live is not left out.

    Raises:  InvalidArgument if a text cannot be part of a key.
    """
    window = _Window(bucket_id, prefix, delimiter)
    start = await _start(log, window, bucket_id, key_marker, version_marker)
    for _ in range(LOOKS):
        before = log.head()
        page = await _page_of_versions(log, window, start, limit)
        if not await _may_have_surfaced(log, bucket_id, before):
            break
    return page


class _Start(NamedTuple):
    """Where a page begins in `current` and in `noncurrent`."""

    tops: bytes
    buried: bytes
    inside: bytes = b""  # a key whose newest versions were shown before


async def _start(
    log: Log, window: _Window, bucket_id: bytes, key_marker: str, version_marker: str | None
) -> _Start:
    if not key_marker:
        return _Start(window.lo, window.lo)
    marker = _encoded("key-marker", key_marker)
    if version_marker is None or window.rolled_up(marker) is not None:
        behind = max(window.lo, window.behind(marker))
        return _Start(behind, behind)
    older = await _behind_version(log, bucket_id, key_marker, version_marker)
    if older is None:
        again = max(window.lo, bucket_id + marker)
        return _Start(again, again)
    return _Start(max(window.lo, window.behind_key(marker)), max(window.lo, older), marker)


async def _page_of_versions(log: Log, window: _Window, start: _Start, limit: int) -> VersionPage:
    most, dense = limit + 1, not window.rolls_up
    tops = Range(log, "current", start.tops, window.hi, most=most, dense=dense)
    buried = Range(log, "noncurrent", start.buried, window.hi, most=most, dense=dense)
    inside = start.inside
    begin = 0  # of the version shown last
    entries: list[VersionEntry] = []
    prefixes: list[str] = []
    last: tuple[str, str | None] = ("", None)
    while True:
        top, below = await tops.peek(), await buried.peek()
        if top is None and below is None:
            return VersionPage(entries, prefixes, False, "", None)
        if len(entries) + len(prefixes) == limit:
            return VersionPage(entries, prefixes, limit > 0, *last)
        key_of_top = None if top is None else top[0][keys.ID_BYTES :]
        key_below = None if below is None else below[0][keys.ID_BYTES : -keys.POSITION_BYTES - 1]
        is_top = key_below is None or (key_of_top is not None and key_of_top <= key_below)
        key = key_of_top if is_top else key_below
        assert key is not None
        common = window.rolled_up(key)
        if common is not None:
            last = (common.decode(), None)
            prefixes.append(last[0])
            tops.skip_to(window.behind_prefix(common))
            buried.skip_to(window.behind_prefix(common))
            continue
        found = top if is_top else below
        assert found is not None
        (tops if is_top else buried).pop()
        version: Version = found[1]
        if key == inside and version.begin == begin:
            continue  # it was on top when `current` was read, and below when `noncurrent` was
        entries.append(VersionEntry(key.decode(), version, key != inside))
        inside, begin = key, version.begin
        last = (entries[-1].key, version.version_id)


async def _may_have_surfaced(log: Log, bucket_id: bytes, since: int) -> bool:
    """Return whether a version may have come to the top since a position.

    Such a one may have been below when `current` was read, and on top when `noncurrent` was.
    """
    if log.head() == since:
        return False
    stream = bucket_stream(bucket_id)
    async for _ in log.read(after=since, streams=stream, types={VersionDeleted}, limit=1):
        return True
    return False


async def _behind_version(log: Log, bucket_id: bytes, key: str, version_id: str) -> bytes | None:
    """Return where in `noncurrent` the versions older than one of them begin."""
    top: Version | None = await log.get("current", keys.object_key(bucket_id, key))
    if top is not None and top.version_id == version_id:
        return keys.of_key(bucket_id, key)
    buried: Begin | None = await log.get("buried", keys.buried_key(bucket_id, key, version_id))
    if buried is None:
        return None
    return keys.version_key(bucket_id, key, buried.begin) + b"\0"


async def list_uploads(
    log: Log,
    bucket_id: bytes,
    *,
    prefix: str = "",
    delimiter: str = "",
    key_marker: str = "",
    upload_marker: bytes | None = None,
    limit: int = 1000,
) -> UploadPage:
    """Return the uploads in progress, by key, and oldest first within a key.

    Raises:  InvalidArgument if a text cannot be part of a key.
    """
    window = _Window(bucket_id, prefix, delimiter)
    lo = window.lo
    if key_marker:
        marker = _encoded("key-marker", key_marker)
        if upload_marker is not None and window.rolled_up(marker) is None:
            lo = max(lo, keys.upload_key(bucket_id, key_marker, upload_marker) + b"\0")
        else:
            lo = max(lo, window.behind(marker))
    walk = Range(log, "upload", lo, window.hi, most=limit + 1, dense=not delimiter)
    entries: list[tuple[str, Upload]] = []
    prefixes: list[str] = []
    last: tuple[str, bytes | None] = ("", None)
    while (found := await walk.peek()) is not None:
        if len(entries) + len(prefixes) == limit:
            return UploadPage(entries, prefixes, limit > 0, *last)
        _, key, upload_id = keys.split_upload_key(found[0])
        common = window.rolled_up(key.encode())
        if common is None:
            entries.append((key, found[1]))
            last = (key, upload_id)
            walk.pop()
        else:
            last = (common.decode(), None)
            prefixes.append(last[0])
            walk.skip_to(window.behind_prefix(common))
    return UploadPage(entries, prefixes, False, "", None)


async def list_parts(
    log: Log, bucket_id: bytes, key: str, upload_id: bytes, *, after: int = 0, limit: int = 1000
) -> Page[Part]:
    """Return the parts of an upload in progress whose numbers are greater than `after`.

    Raises:  NoSuchUpload.
    """
    await get_upload(log, bucket_id, key, upload_id)
    lo = keys.part_key(upload_id, after) + b"\0"
    found = await log.scan("part", lo, keys.successor(upload_id), limit=limit + 1)
    parts: list[Part] = [part for _, part in found[:limit]]
    truncated = 0 < limit < len(found)
    return Page(parts, [], truncated, str(parts[-1].number) if truncated else "")


async def all_uploads(log: Log) -> AsyncIterator[tuple[bytes, str, Upload]]:
    """Yield bucket id, key and upload of all that are in progress, deleted buckets' too."""
    lo = b""
    while found := await log.scan("upload", lo, None, limit=UPLOADS_PAGE):
        for at, upload in found:
            bucket_id, key, _ = keys.split_upload_key(at)
            yield bucket_id, key, upload
        lo = found[-1][0] + b"\0"
