"""A container's listing of versions, `?versions`: every version and delete marker, in JSON.

Source: Swift's "Object Versioning" (2026-08).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any

from swiftlite.catalog.listing import VersionEntry, VersionPage
from swiftlite.http.replies import Reply
from swiftlite.swift import kinds
from swiftlite.swift.call import Call
from swiftlite.swift.containers import container_headers
from swiftlite.swift.errors import MARKER_TYPE, Declined
from swiftlite.swift.formats import JSON, best, listing
from swiftlite.swift.listings import DEFAULT_TYPE, limit_of
from swiftlite.swift.times import iso
from swiftlite.swift.versions import ID

REVERSED_MAX = 100_000  # entries that are walked over for one page in reverse

_PAGE = 1000


async def list_versions(call: Call) -> Reply:
    """Return a page of versions and delete markers, each name's newest first."""
    if call.request.query.get("format", "json").lower() != "json":
        raise Declined(406)
    accept = call.request.headers.get("accept", "")
    if accept.strip() and best(f"{JSON},{accept};q=0.1" if "*" in accept else accept) != JSON:
        raise Declined(406)
    limit = limit_of(call.request)
    if call.request.asks("reverse"):
        entries = await _reversed(call, limit)
    else:
        marker, version_marker = _marker(call)
        entries = _entries(await _page(call, marker, version_marker, limit))
    return listing(
        entries,
        JSON,
        root="container",
        element="object",
        name=call.container,
        fields=(),
        headers=await container_headers(call, call.bucket),
    )


def _marker(call: Call) -> tuple[str, str | None]:
    query = call.request.query
    marker, version_marker = query.get("marker", ""), query.get("version_marker")
    if version_marker is None:
        return marker, None
    if not marker:
        raise Declined(400, "version_marker param requires marker")
    if version_marker != "null" and not ID.fullmatch(version_marker):
        raise Declined(400, "invalid version_marker param")
    return marker, "" if version_marker == "null" else version_marker


async def _page(call: Call, marker: str, version_marker: str | None, limit: int) -> VersionPage:
    query = call.request.query
    return await call.gateway.list_versions(
        call.bucket,
        prefix=query.get("prefix", ""),
        delimiter=query.get("delimiter", ""),
        key_marker=marker,
        version_marker=version_marker,
        limit=limit,
    )


async def _reversed(call: Call, limit: int) -> list[dict[str, Any]]:
    """Return what comes before the marker, the last first, by walking from the beginning."""
    end, version_end = _marker(call)
    last: deque[dict[str, Any]] = deque(maxlen=limit)
    at: str = ""
    version_at: str | None = None
    walked = 0
    while True:
        page = await _page(call, at, version_at, _PAGE)
        for entry in _entries(page):
            name = entry.get("name") or entry["subdir"]
            if end and (name > end or (name == end and version_end is None)):
                return list(reversed(last))
            if name == end and entry.get("version_id") == (version_end or "null"):
                return list(reversed(last))
            last.append(entry)
        walked += _PAGE
        if not page.truncated:
            return list(reversed(last))
        if walked > REVERSED_MAX:
            raise Declined(412, "There are too many versions to list them in reverse")
        at, version_at = page.next_key, page.next_version


def _entries(page: VersionPage) -> list[dict[str, Any]]:
    """Return the page's versions and common prefixes, as one list in order."""
    shown = [_shown(entry) for entry in page.entries]
    return _merged(shown, [{"subdir": prefix} for prefix in page.prefixes])


def _shown(entry: VersionEntry) -> dict[str, Any]:
    found = entry.version
    kind = MARKER_TYPE if found.marker else found.headers.get("content-type", DEFAULT_TYPE)
    return {
        "name": entry.key,
        "hash": kinds.EMPTY_ETAG if found.marker else found.etag,
        "bytes": found.size,
        "content_type": kind,
        "last_modified": iso(found.modified_us),
        "version_id": found.version_id or "null",
        "is_latest": entry.is_latest,
        **kinds.listed(found),
    }


def _merged(
    shown: Iterable[dict[str, Any]], folders: Iterable[dict[str, Any]]
) -> list[dict[str, Any]]:
    # Sorting is stable: a name's versions stay in their order.
    entries = [*shown, *folders]
    entries.sort(key=lambda entry: (entry.get("name") or entry["subdir"]).encode())
    return entries
