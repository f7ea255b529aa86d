"""Reading: what a GET, a HEAD or a copy means of a name, and how it is told.

multipart-manifest=get   a manifest itself, and not what it names; format=raw as it was put
symlink=get              a link itself, and not its target
version-id               that version
part-number              that segment or part, of what has several
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator
from typing import NamedTuple
from urllib.parse import quote

from msgspec.structs import replace

from swiftlite import segments
from swiftlite.catalog.rows import Bucket, Version
from swiftlite.gateway.whole import LINK, STATIC, Reader
from swiftlite.http.replies import Buffer
from swiftlite.segments import Segment
from swiftlite.swift import kinds
from swiftlite.swift.call import Call
from swiftlite.swift.errors import Declined
from swiftlite.swift.request import account_of, number
from swiftlite.swift.slo_manifest import as_written

_PARTS_MAX = 10_000


class Opened(NamedTuple):
    """What a request means: where it lies, its reader, and what replies add about it.

    `entries`: those of a static manifest that is meant itself.
    """

    bucket: Bucket
    key: str
    reader: Reader
    headers: dict[str, str]
    entries: list[Segment] | None = None

    @property
    def version(self) -> Version:
        """What is told of it: with the whole's size and ETag, where the whole is meant."""
        return self.reader.version


async def opened(call: Call, bucket: Bucket, name: str, version_id: str | None = None) -> Opened:
    """Return what the request means by a name.

    Raises:  NoSuchKey and its like, SegmentsChanged, LinkChanged, TooManyLinks, Denied.
    """
    query = call.request.query
    if query.get("multipart-manifest") == "get":
        return await _manifest(call, bucket, name, version_id)
    if query.get("symlink") == "get":
        version = await call.gateway.head_object(bucket, name, version_id=version_id)
        if version.kind == LINK:
            return await _itself(call, bucket, name, version_id)
    whole, reader = await call.gateway.open_whole(
        bucket, name, version_id=version_id, check=call.check_elsewhere
    )
    headers = kinds.whole_headers(whole.version)
    return Opened(
        whole.bucket,
        whole.key,
        reader,
        headers | _place(whole.bucket, whole.key, whole.version, whole.location),
    )


async def looked_at(
    call: Call, bucket: Bucket, name: str, version_id: str | None = None
) -> tuple[Version, dict[str, str]]:
    """Return what `opened` would tell, without opening what need not be; it raises the same."""
    query = call.request.query
    if query.keys() & {"multipart-manifest", "symlink", "part-number"}:
        found = await opened(call, bucket, name, version_id)
        return found.version, found.headers
    whole = await call.gateway.head_whole(
        bucket, name, version_id=version_id, check=call.check_elsewhere
    )
    headers = kinds.whole_headers(whole.version)
    return whole.version, headers | _place(whole.bucket, whole.key, whole.version, whole.location)


def part_of(call: Call, version: Version, headers: dict[str, str]) -> tuple[int, int] | None:
    """Return (start, end) of the part that the query names, and tell in `headers` of how many.

    None where it names none, or the object has none.
    Raises:  Declined: 400 for what is no number, 416 for a part that is not there.
    """
    text = call.request.query.get("part-number")
    if text is None or not version.parts:
        return None
    named = number(text)
    if not named:
        raise Declined(400, "Part number must be an integer greater than 0")
    headers["X-Parts-Count"] = str(len(version.parts))
    if named > min(len(version.parts), _PARTS_MAX):
        told = {name.replace("-", "_"): value for name, value in headers.items()}
        told["Content_Range"] = f"bytes */{version.size}"
        raise Declined(416, "The requested part number is not satisfiable", **told)
    start = sum(version.parts[: named - 1])
    return start, start + version.parts[named - 1]


async def _itself(call: Call, bucket: Bucket, name: str, version_id: str | None) -> Opened:
    reader = await call.gateway.open_object(bucket, name, version_id=version_id)
    headers = kinds.own_headers(reader.version) | _place(bucket, name, reader.version, "")
    return Opened(bucket, name, reader, headers)


async def _manifest(call: Call, bucket: Bucket, name: str, version_id: str | None) -> Opened:
    if call.request.query.get("symlink") != "get":
        whole = await call.gateway.head_whole(
            bucket, name, version_id=version_id, check=call.check_elsewhere
        )
        if whole.location:
            found = await _manifest_at(call, whole.bucket, whole.key, None)
            return found._replace(
                headers=found.headers
                | _place(whole.bucket, whole.key, whole.version, whole.location)
            )
    return await _manifest_at(call, bucket, name, version_id)


async def _manifest_at(call: Call, bucket: Bucket, name: str, version_id: str | None) -> Opened:
    version, entries = await call.gateway.open_manifest(bucket, name, version_id=version_id)
    if version.kind != STATIC:
        return await _itself(call, bucket, name, version_id)
    return _shown(call, bucket, name, version, entries)


def _shown(
    call: Call, bucket: Bucket, name: str, version: Version, entries: list[Segment]
) -> Opened:
    headers = kinds.own_headers(version) | _place(bucket, name, version, "")
    if call.request.query.get("format") == "raw":
        body, etag = as_written(entries), ""
    else:
        body, etag = segments.encoded(entries), version.target
        headers["Content-Type"] = "application/json; charset=utf-8"
    etag = etag or hashlib.md5(body, usedforsecurity=False).hexdigest()
    headers["Etag"] = etag
    told = replace(version, size=len(body), etag=etag)
    return Opened(bucket, name, _Given(told, body), headers, entries)


def _place(bucket: Bucket, name: str, version: Version, location: str) -> dict[str, str]:
    place = quote(f"/v1/{account_of(bucket.project_id)}/{bucket.name}/{name}")
    headers = {"Content-Location": place} if location else {}
    if bucket.versioning:
        headers["X-Object-Version-Id"] = version.version_id or "null"
        if version.version_id and not location:
            headers["Content-Location"] = f"{place}?version-id={version.version_id}"
    return headers


class _Given:
    """A reader of bytes that are at hand."""

    def __init__(self, version: Version, body: bytes) -> None:
        self.version = version
        self._body = body

    def small(self) -> memoryview:
        return memoryview(self._body)

    async def stream(self, start: int = 0, end: int | None = None) -> AsyncGenerator[Buffer, None]:
        yield memoryview(self._body)[start:end]
