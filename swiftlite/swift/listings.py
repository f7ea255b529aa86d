"""Listings: the query that asks for a page, and the page of an account or container."""

from __future__ import annotations

from swiftlite.catalog.rows import Bucket, Shown, Usage
from swiftlite.catalog.walking import Window
from swiftlite.swift import kinds
from swiftlite.swift.errors import Declined
from swiftlite.swift.formats import Entry
from swiftlite.swift.limits import LISTING_MAX, POLICY
from swiftlite.swift.request import Request, number
from swiftlite.swift.times import iso

DEFAULT_TYPE = "application/octet-stream"


def window_of(request: Request, *, has_path: bool) -> Window:
    """Return which names the query asks for; with `has_path`, `path` may name a folder."""
    query = request.query
    path = query.get("path") if has_path else None
    return Window(
        prefix=query.get("prefix", "").encode(),
        delimiter=query.get("delimiter", "").encode(),
        marker=query.get("marker", "").encode(),
        end_marker=query.get("end_marker", "").encode(),
        path=None if path is None else path.encode(),
        reverse=request.asks("reverse"),
    )


def limit_of(request: Request) -> int:
    """Return how many entries the query asks for; what is no number asks for all that may be.

    Raises:  Declined: 412 for more than a page may have.
    """
    limit = number(request.query.get("limit", ""))
    if limit is None:
        return LISTING_MAX
    if limit > LISTING_MAX:
        raise Declined(412, f"Maximum limit is {LISTING_MAX}")
    return limit


def container_entry(name: str, found: tuple[Bucket, Usage] | None) -> Entry:
    """Return what an account's listing shows of a container, or of a common prefix."""
    if found is None:
        return {"subdir": name}
    bucket, usage = found
    return {
        "name": name,
        "count": usage.objects,
        "bytes": usage.bytes,
        "last_modified": iso(bucket.changed_us),
        "storage_policy": POLICY,
    }


def object_entry(name: str, found: Shown | None) -> Entry:
    """Return what a container's listing shows of an object, or of a common prefix."""
    if found is None:
        return {"subdir": name}
    return {
        "name": name,
        "hash": found.etag,
        "bytes": found.size,
        "content_type": found.headers.get("content-type", DEFAULT_TYPE),
        "last_modified": iso(found.modified_us),
        **kinds.listed(found),
    }
