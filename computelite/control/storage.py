"""Operators' work on storage: how it is, scrub, repair."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from computelite.control.call import Arguments, Call, Nothing
from computelite.control.messages import Progress
from eventlog.log import Log
from swiftlite.catalog.queries import bucket_by_id
from swiftlite.heal import pace
from swiftlite.heal.repair import repair
from swiftlite.heal.scrub import scrub
from swiftlite.heal.unreadable import Unreadable
from swiftlite.ring.tolerance import balance


class Scrub(Arguments, frozen=True, kw_only=True):
    """How thoroughly to look."""

    quick: bool = False  # presence only; otherwise every byte is read


async def status(call: Call, _: Nothing) -> dict[str, Any]:
    """Return how the cloud is."""
    health = await call.cloud.health()
    now = call.cloud.store.tolerance_now()
    return {
        **health.public(),
        "running": call.running,
        "cloud_id": call.cloud.record.cloud_id,
        "code": call.cloud.record.code,
        "survives": str(call.cloud.store.tolerance()),
        "survives_now": None if now is None else str(now),
        "survives_no_loss": call.cloud.store.tolerance().devices == 0,
        "position": health.position,
        "log_failure": health.log_failure,
        "devices": msgspec.to_builtins(health.devices),
    }


async def device_list(call: Call, _: Nothing) -> dict[str, Any]:
    """Return every device and how it is."""
    return {"devices": msgspec.to_builtins(await call.cloud.store.devices.conditions())}


async def ring_show(call: Call, _: Nothing) -> dict[str, Any]:
    """Return the ring in force: its shares, its balance, what it survives."""
    store = call.cloud.store
    ring = store.rings.current
    counts = ring.counts()
    fullest, emptiest = balance(ring)
    return {
        "epoch": ring.epoch,
        "partitions": ring.partitions,
        "fragments": ring.fragments,
        "code": call.cloud.record.code,
        "survives": str(store.tolerance()),
        "fullest": fullest,
        "emptiest": emptiest,
        "devices": [
            {
                "id": device.id,
                "node": device.node,
                "zone": device.zone,
                "weight": device.weight,
                "fragments": counts[device.id],
            }
            for device in ring.devices
        ],
    }


async def scrub_all(call: Call, wanted: Scrub) -> dict[str, Any]:
    """Look at every fragment of every version; return what was found. Changes nothing."""
    await call.cloud.store.refresh()
    found = await scrub(call.cloud.store.engine, deep=not wanted.quick, report=_reporter(call))
    return {
        "clean": found.is_clean,
        **msgspec.to_builtins(found),
        "unreadable": await _named(call.cloud.log, found.unreadable),
    }


async def repair_all(call: Call, _: Nothing) -> dict[str, Any]:
    """Adopt empty folders of known devices, then write what is missing or damaged, everywhere."""
    adopted = await call.cloud.store.adopt(actor=call.actor)
    done = await repair(call.cloud.store.engine, deep=True, report=_reporter(call))
    return {
        "replaced": adopted.replaced,
        "held": adopted.held,
        "refused": {str(device): why for device, why in adopted.refused.items()},
        "devices_out": sorted(call.cloud.store.devices.out()),
        **msgspec.to_builtins(done),
        "named": await _named(call.cloud.log, done.named),
    }


async def _named(log: Log, unreadable: Sequence[Unreadable]) -> list[dict[str, Any]]:
    """Return versions with the names of their buckets; a deleted one has none any more."""
    names: dict[bytes, str | None] = {}
    for each in unreadable:
        if each.bucket_id not in names:
            bucket = await bucket_by_id(log, each.bucket_id)
            names[each.bucket_id] = bucket.name if bucket is not None else None
    return [{**msgspec.to_builtins(x), "bucket": names[x.bucket_id]} for x in unreadable]


def _reporter(call: Call) -> pace.Report:
    def report(progress: pace.Progress) -> None:
        call.report(Progress(progress.what, progress.done, progress.total))

    return report
