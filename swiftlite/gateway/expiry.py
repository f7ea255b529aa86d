"""Expiry: objects whose time is over are deleted, by an event that says so."""

from __future__ import annotations

from eventlog.log import Actor
from swiftlite.catalog import expiry, queries, versions
from swiftlite.catalog.rows import Bucket
from swiftlite.gateway.engine import Engine

EXPIRER = Actor(id="keeper", cause="expired")


async def put_aside(engine: Engine, bucket: Bucket, key: str) -> None:
    """Delete a key's object if its time is over, so that a condition finds none."""
    found = await queries.current(engine.log, bucket.id, key)
    if found is not None and found.is_due(engine.clock.now_us() // 1_000_000):
        await versions.delete_object(engine.log, engine.ids, bucket, key, seen=found, actor=EXPIRER)


async def expire_objects(engine: Engine) -> int:
    """Delete every object whose time is over; return how many were."""
    now_s = engine.clock.now_us() // 1_000_000
    done = 0
    while due := await expiry.due_objects(engine.log, until_s=now_s, limit=expiry.PAGE):
        for bucket, key, seen in due:
            await versions.delete_object(
                engine.log, engine.ids, bucket, key, seen=seen, actor=EXPIRER
            )
        done += len(due)
    return done
