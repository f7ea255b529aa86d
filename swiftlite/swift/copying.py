"""Copies: COPY with Destination, and PUT with X-Copy-From.

An object that is stored as such is copied by reference; of a range, and of what other objects make
up, the bytes are read and written.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from urllib.parse import quote

from swiftlite.access import Action
from swiftlite.catalog.conditions import ANY, Conditions
from swiftlite.catalog.rows import Bucket, Version
from swiftlite.errors import BadDigest
from swiftlite.gateway.copy import CopySource
from swiftlite.gateway.whole import DYNAMIC, LINK, Reader
from swiftlite.http.replies import Buffer, Reply
from swiftlite.swift.call import Call
from swiftlite.swift.conditions import check_read
from swiftlite.swift.errors import Declined
from swiftlite.swift.limits import FILE_MAX
from swiftlite.swift.links import LINK_HEADERS
from swiftlite.swift.metadata import check_metadata
from swiftlite.swift.objects import (
    check_name,
    described_of,
    promised_etag,
    written_headers,
)
from swiftlite.swift.quotas import room_for
from swiftlite.swift.ranges import byte_ranges
from swiftlite.swift.reading import Opened, opened, part_of
from swiftlite.swift.request import account_of, decoded, is_text, project_of
from swiftlite.swift.slo import put_entries
from swiftlite.swift.slo_manifest import as_written, parse
from swiftlite.swift.storing import Described, store, store_copy
from swiftlite.swift.times import modified
from swiftlite.swift.versions import version_id_in


async def copy_object(call: Call) -> Reply:
    """Copy this object to where Destination says."""
    if not call.request.headers.get("destination"):
        raise Declined(412, "Destination header required")
    project_id = _project(call, "destination-account")
    container, name = _place(call, "Destination")
    check_name(name)
    origin = await opened(call, call.bucket, call.name, _version_id(call, call.bucket))
    target = await call.reach(project_id, container, Action.WRITE, name)
    return await _copied(call, (call.bucket, call.name), origin, target, name)


async def put_copy(call: Call) -> Reply:
    """Make this object a copy of the one that X-Copy-From names."""
    if call.incoming.length or (call.incoming.is_chunked and await call.incoming.read()):
        raise Declined(400, "Copy requests require a zero byte body")
    project_id = _project(call, "x-copy-from-account")
    container, name = _place(call, "X-Copy-From")
    check_name(call.name)
    bucket = await call.reach(project_id, container, Action.READ, name)
    origin = await opened(call, bucket, name, _version_id(call, bucket))
    return await _copied(call, (bucket, name), origin, call.bucket, call.name)


async def _copied(
    call: Call, source: tuple[Bucket, str], origin: Opened, target: Bucket, name: str
) -> Reply:
    headers = call.request.headers
    reader, found = origin.reader, origin.version
    conditions = None
    if headers.get("if-none-match", "").strip() == ANY:
        conditions = Conditions(if_none_match=(ANY,))
    asked = {key: headers[key] for key in headers if not (conditions and key == "if-none-match")}
    if not check_read(asked, found.etag, found.modified_us):
        return Reply(304)
    part = part_of(call, found, {})
    start, end = part or _span(headers, found)
    said = _joined(call, found)
    if origin.entries is not None:
        wanted = parse(as_written(origin.entries), own=(target.name, name))
        made = await put_entries(call, wanted, target, name, said=said, conditions=conditions)
        return Reply(201, _told(source, found, said) | written_headers(target, made))
    size = end - start
    # What is a manifest or a link itself here is copied as one; read as a whole, as its bytes.
    is_itself = found.kind == LINK or (
        found.kind == DYNAMIC and call.request.query.get("multipart-manifest") == "get"
    )
    is_whole = is_itself or (size == found.size and not found.kind)
    if size > FILE_MAX and not is_whole:
        raise Declined(413)
    await room_for(call, target, size)
    promised = promised_etag(headers)
    if is_whole and promised and promised != found.etag:
        raise Declined(422)
    if is_whole:
        made = await store_copy(
            call,
            CopySource(bucket=origin.bucket, key=origin.key, version=found),
            target,
            name,
            said=said,
            conditions=conditions,
        )
    else:
        made = await _rewritten(
            call, reader, (start, end), target, name, said, promised, conditions
        )
    return Reply(201, _told(source, found, said) | written_headers(target, made))


async def _rewritten(
    call: Call,
    reader: Reader,
    span: tuple[int, int],
    target: Bucket,
    name: str,
    said: Described,
    promised: str,
    conditions: Conditions | None,
) -> Version:
    async with aclosing(reader.stream(*span)) as pieces:
        body = _Read(pieces, span[1] - span[0], promised)
        return await store(call, target, name, body, said=said, conditions=conditions)


def _joined(call: Call, found: Version) -> Described:
    """Return what the copy is to say: what the source says, and the request over it."""
    said = described_of(call)
    kind = said.headers.get("content-type") or found.headers.get("content-type")
    if call.request.flag("x-fresh-metadata"):
        headers, meta, delete_at_s = said.headers, said.meta, said.delete_at_s
    else:
        headers = {**found.headers, **said.headers}
        meta = {**found.meta, **said.meta}
        delete_at_s = said.delete_at_s or found.delete_at_s
        check_metadata(meta)
    if kind:
        headers = {**headers, "content-type": kind}
    if found.kind == LINK:
        # What it is, and not what is said of it.
        own = LINK_HEADERS & found.headers.keys()
        headers = {**headers, **{name: found.headers[name] for name in own}}
    return Described(headers, meta, delete_at_s)


def _told(source: tuple[Bucket, str], found: Version, said: Described) -> dict[str, str]:
    bucket, key = source
    headers = {
        "X-Copied-From": quote(f"{bucket.name}/{key}"),
        "X-Copied-From-Account": quote(account_of(bucket.project_id)),
        "X-Copied-From-Last-Modified": modified(found.modified_us),
    }
    for name, value in said.meta.items():
        headers["X-Object-Meta-" + name.title()] = value
    if said.delete_at_s:
        headers["X-Delete-At"] = str(said.delete_at_s)
    return headers


def _version_id(call: Call, bucket: Bucket) -> str | None:
    """Return the version of the source that is meant; whoever names one must be let read those."""
    version_id = version_id_in(call.request.query, bucket)
    if version_id is not None:
        call.check_elsewhere(Action.READ_VERSION, bucket)
    return version_id


def _span(headers: Mapping[str, str], found: Version) -> tuple[int, int]:
    spans = byte_ranges(headers["range"], found.size, found.etag) if "range" in headers else None
    if spans is None:
        return 0, found.size
    if len(spans) > 1:
        raise Declined(400, "A copy has one range")
    return spans[0]


def _project(call: Call, header: str) -> str:
    text = call.request.headers.get(header)
    if not text:
        return call.project_id
    account = decoded(text) if is_text(text) else ""
    if not account or "/" in account:
        raise Declined(412, "Account name cannot contain slashes")
    return project_of(account)


def _place(call: Call, header: str) -> tuple[str, str]:
    text = call.request.headers[header.lower()]
    path = decoded(text).removeprefix("/") if is_text(text) else ""
    container, _, name = path.partition("/")
    if not container or not name:
        form = "<container name>/<object name>"
        raise Declined(412, f"{header} header must be of the form {form}")
    return container, name


class _Read:
    """A body that is read from another object."""

    algorithms: frozenset[str] = frozenset()

    def __init__(self, pieces: AsyncGenerator[Buffer, None], size: int, promised: str) -> None:
        self.size: int | None = size
        self._pieces = pieces
        self._promised = promised

    async def read(self) -> bytes:
        async for piece in self._pieces:
            if len(piece):
                return bytes(piece)
        return b""

    def check(self, digests: Mapping[str, bytes]) -> Mapping[str, str]:
        if self._promised and digests["md5"].hex() != self._promised:
            raise BadDigest(algorithm="MD5")
        return {}
