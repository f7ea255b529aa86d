"""Sweep: forget what ended long enough ago. Deletes bytes on the evidence of events alone.

1.  An event says which blobs nothing references any more: version.swept, parts.swept.
2.  Their fragments are deleted, device by device; each device has a bookmark of its own in the log,
    up to which it was done. A crash, or a device that was out, is made good on a later pass from
    there: deleting what is gone is no error.
"""

from __future__ import annotations

import asyncio
import contextlib

import msgspec

from eventlog.errors import CloudError
from eventlog.log import Actor
from swiftlite.catalog import queries, sweeping
from swiftlite.catalog.events import PartsSwept, VersionSwept
from swiftlite.gateway.engine import Engine, Late
from swiftlite.manifest import Blob
from swiftlite.node.device import Device
from swiftlite.node.errors import DeviceOut
from swiftlite.node.format import Fragment

RETENTION_S = 7 * 86_400
PARTS_RETENTION_S = 3_600  # a Complete may be repeated this long
BATCH = 200  # queue entries whose events are appended together
BOOKMARK_EVERY = 100  # events
# A disk that hangs must not end the sweeping of all others; reading a lost index again takes long.
DELETE_S = 600.0


class Swept(msgspec.Struct, kw_only=True):
    """What a sweep did."""

    entries: int = 0  # versions, and groups of parts, that gave up their bytes
    blobs: int = 0
    bytes: int = 0  # of those blobs, as clients count them


async def sweep(engine: Engine, *, retention_s: int = RETENTION_S, actor: Actor) -> Swept:
    """Give up the bytes of what ended longer ago than its bucket's retention, and delete them.

    What some process still reads is left for a later pass.

    `retention_s` is for buckets that have none of their own, and for those that are gone.
    """
    done = Swept()
    engine.readers.publish(engine.log.head())
    unread = await engine.in_thread(engine.readers.low_water)
    await _sweep_versions(engine, retention_s, unread, done, actor)
    until = await _position_before(engine, PARTS_RETENTION_S)
    while dues := await sweeping.due_parts(engine.log, until=until, limit=BATCH):
        _count(done, dues, await sweeping.sweep(engine.log, dues, actor=actor))
    await delete_freed(engine)
    return done


async def delete_freed(engine: Engine) -> None:
    """Delete from every device that is up the blobs that events after its bookmark have freed."""
    await asyncio.gather(*(_catch_up(engine, id_) for id_ in engine.devices.up()))


async def _sweep_versions(
    engine: Engine, retention_s: int, unread: int, done: Swept, actor: Actor
) -> None:
    """Sweep versions that ended by `unread`, when nobody reads them, and whose time has come."""
    until_of: dict[int, int] = {}  # retention -> the last position whose time has come
    after = b""
    while dues := await sweeping.due_versions(engine.log, until=unread, after=after, limit=BATCH):
        after = dues[-1].cursor
        ripe = []
        for due in dues:
            bucket = await queries.bucket_by_id(engine.log, due.entry.bucket_id)
            own = None if bucket is None else bucket.retention_s
            stay_s = retention_s if own is None else own
            if stay_s not in until_of:
                until_of[stay_s] = await _position_before(engine, stay_s)
            if due.end <= until_of[stay_s]:
                ripe.append(due)
        if ripe:
            _count(done, ripe, await sweeping.sweep(engine.log, ripe, actor=actor))


async def _position_before(engine: Engine, age_s: int) -> int:
    return await engine.log.position_at(engine.clock.now_us() - age_s * 1_000_000)


def _count(done: Swept, dues: list[sweeping.Due], freed: list[Blob]) -> None:
    done.entries += len(dues)
    done.blobs += len(freed)
    done.bytes += sum(blob.size for blob in freed)


async def _catch_up(engine: Engine, id_: int) -> None:
    """Delete from one device what was freed since its bookmark."""
    with contextlib.suppress(CloudError, OSError, Late):  # it goes on when the device is back
        device = engine.devices[id_]
        name = f"swept/{device.identity.uuid}"
        since = engine.log.bookmark(name)
        head = engine.log.head()
        if since >= head:
            return
        count = 0
        async for rec in engine.log.read(after=since, until=head, types={VersionSwept, PartsSwept}):
            event = rec.event
            assert isinstance(event, VersionSwept | PartsSwept)
            for blob in event.freed:
                await _delete(engine, device, blob)
            count += 1
            if count % BOOKMARK_EVERY == 0:
                await engine.log.set_bookmark(name, rec.position)
        await engine.log.set_bookmark(name, head)


async def _delete(engine: Engine, device: Device, blob: Blob) -> None:
    """Delete whatever fragments of a blob a device has: handoffs and repairs may be anywhere."""
    hints = {hint.fragment: hint for hint in blob.hints if hint.device == device.id}
    for fragment in range(blob.fragments):
        call = device.delete(Fragment(blob.id, fragment), hints.get(fragment))
        await engine.within(DELETE_S, device.id, call)
    if device.state != "ok":
        raise DeviceOut(device=device.id, reason=device.reason)
