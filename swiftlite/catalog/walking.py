"""Walking: listings as Swift has them, forwards and backwards, between two markers.

Unlike S3's, a marker inside a common prefix does not put that prefix behind: what comes after the
marker is rolled up again.

Law: the pages, each from the last name of the one before, put together are the whole list.
Source: Swift API reference, "Show container details and list objects"; "Pseudo-hierarchical folders
and directories".
"""

from __future__ import annotations

from typing import Any

import msgspec

from eventlog.log import Log
from swiftlite.catalog import keys
from swiftlite.catalog.rows import Bucket, Claim, Shown, Usage

_CHUNK_MIN = 16
_GROWTH = 4


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """Which names are listed. `marker` comes before the first in the order that is asked for.

    With `path`, what lies directly in that folder is listed, and nothing is rolled up.
    """

    prefix: bytes = b""
    delimiter: bytes = b""
    marker: bytes = b""
    end_marker: bytes = b""
    path: bytes | None = None
    reverse: bool = False


async def walk_objects(
    log: Log, bucket_id: bytes, window: Window, *, limit: int, now_s: int
) -> list[tuple[str, Shown | None]]:
    """Return at most `limit` keys and common prefixes, which have no row, in the order asked for.

    What is due at `now_s` is left out.
    """
    found = await _walk(log, "current", bucket_id, window, limit, Shown, now_s)
    return [(name.decode(), row) for name, row in found]


async def walk_buckets(
    log: Log, project_id: str, window: Window, *, limit: int
) -> list[tuple[str, tuple[Bucket, Usage] | None]]:
    """Return at most `limit` buckets with what they hold, and common prefixes of their names."""
    found = await _walk(log, "bucket_of", keys.bucket_of_key(project_id, ""), window, limit, Claim)
    ids = [row.bucket_id for _, row in found if row is not None]
    buckets = iter(await log.get_many("bucket", ids))
    usages = iter(await log.get_many("usage", ids))
    shown: list[tuple[str, tuple[Bucket, Usage] | None]] = []
    for name, row in found:
        if row is None:
            shown.append((name.decode(), None))
            continue
        bucket, usage = next(buckets), next(usages)
        if bucket is not None:  # it may have gone since the scan
            shown.append((name.decode(), (bucket, usage or Usage())))
    return shown


class _Bounds:
    """The names that are left to look at: low <= name < high, without what they all begin with."""

    def __init__(self, stem: bytes, window: Window) -> None:
        self.prefix, self.delimiter = window.prefix, window.delimiter
        self.folder = window.path is not None
        if window.path is not None:
            self.prefix = window.path.rstrip(b"/") + b"/" if window.path else b""
            self.delimiter = b"/"
        self.stem = stem
        self.reverse = window.reverse
        low, high = window.marker, window.end_marker
        if window.reverse:
            low, high = high, low
        self.first = low
        lo = low + b"\0" if low else b""
        self.lo = stem + max(lo, self.prefix)
        self.hi = keys.successor(stem + self.prefix)
        if high:
            self.hi = min(self.hi, stem + high)

    def leap(self, common: bytes) -> None:
        """Leave out all that begins with `common`, and all before it in the order asked for."""
        if self.reverse:
            # What a folder lists may be named as that which lies in it begins.
            self.hi = self.stem + common + (b"\0" if self.folder else b"")
        else:
            self.lo = self.stem + keys.successor(common)


async def _walk(
    log: Log,
    table: str,
    stem: bytes,
    window: Window,
    limit: int,
    shape: type[msgspec.Struct],
    now_s: int = 0,
) -> list[tuple[bytes, Any]]:
    bounds = _Bounds(stem, window)
    found: list[tuple[bytes, Any]] = []
    chunk = min(limit, _CHUNK_MIN) if bounds.delimiter else limit
    while len(found) < limit and bounds.lo < bounds.hi:
        rows = await log.scan(
            table, bounds.lo, bounds.hi, limit=chunk, reverse=bounds.reverse, shape=shape
        )
        skipped = _take(rows, bounds, found, limit, now_s)
        if len(rows) < chunk:
            break
        chunk = _CHUNK_MIN if 2 * skipped > len(rows) else min(limit, chunk * _GROWTH)
    return found


def _take(
    rows: list[tuple[bytes, Any]],
    bounds: _Bounds,
    found: list[tuple[bytes, Any]],
    limit: int,
    now_s: int,
) -> int:
    """Add what is to be shown of `rows`; return how many were rolled up into what was shown."""
    skipped = 0
    common: bytes | None = None
    for key, row in rows:
        name = key[len(bounds.stem) :]
        if (
            common is not None
            and name.startswith(common)
            and not (bounds.folder and name == common)
        ):
            skipped += 1
            continue
        if len(found) == limit:
            break
        if bounds.reverse:
            bounds.hi = key
        else:
            bounds.lo = key + b"\0"
        if now_s and row.is_due(now_s):
            continue
        end = name.find(bounds.delimiter, len(bounds.prefix)) if bounds.delimiter else -1
        if bounds.folder and name == bounds.prefix:
            continue
        whole = end + len(bounds.delimiter)
        if end < 0 or (bounds.folder and whole == len(name)):
            found.append((name, row))
            continue
        common = name[:whole]
        bounds.leap(common)
        if not bounds.folder and common != bounds.first:
            found.append((common, None))
    return skipped
