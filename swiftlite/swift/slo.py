"""Static large objects: their manifests are put. Reading is `gateway.whole`'s.

Source: Swift's "Static Large Objects" (2026-08).
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping, Sequence

from eventlog.errors import CloudError
from swiftlite import segments
from swiftlite.access import Action
from swiftlite.catalog.conditions import Conditions
from swiftlite.catalog.rows import Bucket, Version
from swiftlite.gateway.body import Given
from swiftlite.gateway.whole import STATIC
from swiftlite.http.replies import Reply
from swiftlite.swift.body import document
from swiftlite.swift.bulk_answer import Report, answered, format_of, rendered, status_line
from swiftlite.swift.call import Call
from swiftlite.swift.errors import Declined, reason_of, status_of
from swiftlite.swift.listings import DEFAULT_TYPE
from swiftlite.swift.objects import (
    absent_of,
    check_name,
    described_of,
    guessed_type,
    promised_etag,
    written_headers,
)
from swiftlite.swift.quotas import room_for
from swiftlite.swift.slo_manifest import (
    MANIFEST_BYTES_MAX,
    Found,
    Wanted,
    parse,
    resolved,
)
from swiftlite.swift.storing import Described, store
from swiftlite.swift.times import modified

_LOOKS_AT_ONCE = 16


class _Problems(Declined):
    """{reason}"""

    def __init__(self, problems: Sequence[tuple[str, str]]) -> None:
        report = Report(facts={}, errors=list(problems))
        super().__init__(400, rendered(report, None, "upload").decode())
        self.problems = list(problems)


async def put_manifest(call: Call) -> Reply:
    """Store a manifest, once all of its segments were looked at."""
    request = call.request
    if "x-copy-from" in request.headers:
        raise Declined(405, "Multipart Manifest PUTs cannot be COPY requests")
    check_name(call.name)
    wanted = parse(await _document(call), own=(call.container, call.name))
    said = described_of(call)
    if "content-type" not in said.headers or request.flag("x-detect-content-type"):
        said.headers["content-type"] = guessed_type(call.name)
    conditions = await absent_of(call)
    kind = format_of(request.headers.get("accept", "")) or "text/plain"

    async def work() -> Version:
        return await put_entries(
            call, wanted, call.bucket, call.name, said=said, conditions=conditions
        )

    if not request.asks("heartbeat"):
        try:
            version = await work()
        except _Problems as error:
            report = Report(facts={}, errors=error.problems)
            return Reply(400, {"Content-Type": kind}, rendered(report, kind, "upload"))
        return Reply(201, written_headers(call.bucket, version))

    async def reported() -> Report:
        try:
            version = await work()
        except CloudError as error:
            status = status_of(error)
            if status >= 500:
                raise
            problems = error.problems if isinstance(error, _Problems) else []
            body = "" if problems else reason_of(error)
            body = body or status_line(status).partition(" ")[2]
            return Report(status=status_line(status), body=body, facts={}, errors=problems)
        facts: dict[str, object] = {
            "Etag": f'"{version.etag}"',
            "Last Modified": modified(version.modified_us),
        }
        return Report(status=status_line(201), facts=facts, errors=[])

    return await answered(reported, kind=kind, root="upload", status=202, at_once=True)


async def put_entries(
    call: Call,
    wanted: Sequence[Wanted],
    bucket: Bucket,
    name: str,
    *,
    said: Described,
    conditions: Conditions | None,
) -> Version:
    """Store a manifest of these entries in a container, whose account has the segments.

    Raises:  Declined: 400 where segments are not as they should be, 422 for another ETag.
    """
    entries, problems = resolved(wanted, await _found(call, bucket.project_id, wanted))
    if problems:
        raise _Problems(problems)
    etag = segments.etag_of(entries)
    promised = promised_etag(call.request.headers)
    if promised and promised != etag:
        raise Declined(422)
    content = segments.encoded(entries)
    await room_for(call, bucket, len(content))
    return await store(
        call,
        bucket,
        name,
        Given(content),
        said=said,
        conditions=conditions,
        kind=STATIC,
        target=hashlib.md5(content, usedforsecurity=False).hexdigest(),
        size=segments.size_of(entries),
        etag=etag,
    )


async def _document(call: Call) -> bytes:
    incoming = call.incoming
    if incoming.length is None and not incoming.is_chunked:
        raise Declined(411)
    try:
        return await document(incoming, limit=MANIFEST_BYTES_MAX)
    except Declined as error:
        raise Declined(error.status, f"Manifest File > {MANIFEST_BYTES_MAX} bytes") from None


async def _found(call: Call, project_id: str, wanted: Sequence[Wanted]) -> Mapping[str, Found]:
    """Return what there is of each path, looked at once however often it is named."""
    entries = list({entry.path: entry for entry in wanted if entry.path}.values())
    found: dict[str, Found] = {}
    for first in range(0, len(entries), _LOOKS_AT_ONCE):
        some = entries[first : first + _LOOKS_AT_ONCE]
        looks = await asyncio.gather(*(_look(call, project_id, entry) for entry in some))
        found |= {entry.path: look for entry, look in zip(some, looks, strict=True)}
    return found


async def _look(call: Call, project_id: str, entry: Wanted) -> Found:
    container, key = entry.place
    try:
        bucket = await call.reach(project_id, container, Action.READ, key)
        whole = await call.gateway.head_whole(bucket, key, check=call.check_elsewhere)
    except CloudError as error:
        status = status_of(error)
        if status >= 500:
            raise
        return Found(problem=status_line(status))
    version = whole.version
    return Found(
        size=version.size,
        etag=version.etag,
        content_type=version.headers.get("content-type", DEFAULT_TYPE),
        modified_us=version.modified_us,
        is_manifest=version.kind == STATIC,
    )
