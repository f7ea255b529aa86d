"""The sweeper's queue: what ended, and giving up its bytes.

Nothing here deletes bytes. A sweep appends events that name the blobs which nothing references any
more; those events are the evidence on which fragments are deleted, now or after a crash.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

from eventlog.event import Event
from eventlog.log import Actor, Log
from swiftlite.catalog import keys
from swiftlite.catalog.events import PartsSwept, VersionSwept, bucket_stream
from swiftlite.catalog.guards import CountsStand, Stale
from swiftlite.catalog.queries import blobs_of
from swiftlite.catalog.rows import Ended, Past, Shared
from swiftlite.catalog.settle import ATTEMPTS
from swiftlite.catalog.sharing import Count
from swiftlite.errors import ConditionalConflict
from swiftlite.manifest import Blob

PARTS_PER_EVENT = 1000
ENTRIES_PER_APPEND = 200
BLOBS_PER_APPEND = 2000  # more only where one entry has more: it bounds what is held in memory


class Due(NamedTuple):
    """An entry of the queue. `cursor`, given as `after`, asks for what comes behind it."""

    end: int
    begin: int
    entry: Ended
    cursor: bytes


async def due_versions(log: Log, *, until: int, after: bytes = b"", limit: int) -> list[Due]:
    """Return unswept versions that ended at or before position `until`, longest ago first."""
    return await _due(log, keys.VERSION, until, after, limit)


async def due_parts(log: Log, *, until: int, after: bytes = b"", limit: int) -> list[Due]:
    """Return replaced parts and finished uploads, as `due_versions` does versions.

    They need no retention, but while an upload's entry stays, its Complete can be repeated.
    """
    return await _due(log, keys.PARTS, until, after, limit)


async def sweep(log: Log, dues: Sequence[Due], *, actor: Actor) -> list[Blob]:
    """Give up the bytes of these entries; return the blobs that nothing references any more.

    What was swept meanwhile is left out. Its time must have come: that is not checked here.
    """
    freed: list[Blob] = []
    ordered = sorted(dues, key=lambda due: due.entry.bucket_id)
    for bucket_id, group in groupby(ordered, key=lambda due: due.entry.bucket_id):
        waiting = list(group)
        while waiting:
            waiting, blobs = await _sweep_once(log, bucket_id, waiting, actor)
            freed += blobs
    return freed


async def freed_since(log: Log, position: int, blob_id: bytes) -> bool:
    """Return whether an event behind `position` gave up the last reference to a blob."""
    async for rec in log.read(after=position, types={VersionSwept, PartsSwept}):
        event = rec.event
        assert isinstance(event, VersionSwept | PartsSwept)
        if any(blob.id == blob_id for blob in event.freed):
            return True
    return False


async def _sweep_once(
    log: Log, bucket_id: bytes, dues: Sequence[Due], actor: Actor
) -> tuple[list[Due], list[Blob]]:
    """Append one batch of events; return what is not done yet, and the freed blobs."""
    for _ in range(ATTEMPTS):
        found: list[tuple[Due, _Held]] = []
        left: list[Due] = []
        size = 0
        for due in dues:
            if len(found) == ENTRIES_PER_APPEND or size >= BLOBS_PER_APPEND:
                left.append(due)
            elif (held := await _held(log, due)) is not None:
                found.append((due, held))
                size += len(held.blobs)
        if not found:
            return left, []
        blob_ids = list({blob.id for _, held in found for blob in held.blobs})
        rows = await log.get_many("shared", blob_ids)
        counts: dict[bytes, Shared | None] = dict(zip(blob_ids, rows, strict=True))
        count = Count({blob_id: row for blob_id, row in counts.items() if row is not None})
        events: list[Event] = []
        freed: list[Blob] = []
        for due, held in found:
            gone = count.freed(held.blobs)
            events.append(_event(due, held, gone))
            freed += gone
        guard = CountsStand([due.cursor for due, _ in found], counts)
        try:
            await log.append(bucket_stream(bucket_id), events, actor=actor, guards=[guard])
        except Stale:
            continue
        return [due for due, held in found if held.more] + left, freed
    raise ConditionalConflict(key=f"the queue of bucket {bucket_id.hex()}")


class _Held(NamedTuple):
    """What an entry still holds: its blobs, and the parts that they are of."""

    blobs: tuple[Blob, ...]
    numbers: tuple[int, ...] = ()
    more: bool = False  # parts are left that did not fit into one event


async def _held(log: Log, due: Due) -> _Held | None:
    """Return what an entry holds, or None if it was swept."""
    entry = due.entry
    if await log.get("ended", due.cursor) is None:
        return None
    if not entry.upload_id:
        at = keys.version_key(entry.bucket_id, entry.key, due.begin)
        past: Past | None = await log.get("past", at)
        if past is None or past.swept:
            return None
        return _Held(await blobs_of(log, entry.bucket_id, entry.key, past.version))
    if entry.number:
        return _Held(entry.manifest)
    lo, hi = entry.upload_id, keys.successor(entry.upload_id)
    rows = await log.scan("part", lo, hi, limit=PARTS_PER_EVENT + 1)
    parts = [part for _, part in rows[:PARTS_PER_EVENT]]
    blobs = tuple(blob for part in parts for blob in part.manifest)
    numbers = tuple(part.number for part in parts)
    return _Held(blobs, numbers, more=len(rows) > PARTS_PER_EVENT)


def _event(due: Due, held: _Held, freed: tuple[Blob, ...]) -> Event:
    entry = due.entry
    if not entry.upload_id:
        return VersionSwept(bucket_id=entry.bucket_id, key=entry.key, begin=due.begin, freed=freed)
    return PartsSwept(
        bucket_id=entry.bucket_id,
        key=entry.key,
        upload_id=entry.upload_id,
        ended=due.end,
        begin=due.begin,
        numbers=held.numbers,
        freed=freed,
    )


async def _due(log: Log, kind: bytes, until: int, after: bytes, limit: int) -> list[Due]:
    lo = after + b"\0" if after else kind
    rows = await log.scan("ended", lo, keys.ended_key(kind, until + 1, 0), limit=limit)
    dues = []
    for at, entry in rows:
        _, end, begin = keys.split_ended_key(at)
        dues.append(Due(end, begin, entry, at))
    return dues
