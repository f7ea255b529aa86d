"""Repair: bring blobs back to all their fragments, the most endangered first."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing

import msgspec

from swiftlite.catalog import blobs
from swiftlite.catalog.blobs import Place
from swiftlite.catalog.sweeping import freed_since
from swiftlite.errors import ObjectDamaged, ObjectUnreachable
from swiftlite.gateway.attempt import discard
from swiftlite.gateway.engine import Engine
from swiftlite.gateway.rebuild import rebuild
from swiftlite.heal.examine import examine, examined, plan_for
from swiftlite.heal.pace import Pace, Report
from swiftlite.heal.plan import Plan
from swiftlite.heal.unreadable import LISTED_MAX, Unreadable, unreadable
from swiftlite.manifest import Blob, Hint
from swiftlite.node.format import Label

LOOKED_AT_ONCE = 8  # blobs
REBUILT_AT_ONCE = 4  # blobs


class Repaired(msgspec.Struct, kw_only=True):
    """What a repair found and did. A blob that several versions share counts for each."""

    blobs: int = 0  # looked at
    hurt: int = 0  # had fragments to be written
    repaired: int = 0  # have all of them now
    fragments: int = 0  # written
    bytes: int = 0  # of the blobs that were repaired
    failed: int = 0  # some fragment could not be written: try again
    unreadable: int = 0  # too few good fragments are left
    named: list[Unreadable] = []  # those

    @property
    def is_complete(self) -> bool:
        """Whether nothing is left to do."""
        return not self.failed and not self.unreadable

    def __str__(self) -> str:
        """Return it as an operator reads it in the log."""
        said = [f"{self.repaired} of {self.blobs} blobs repaired"] if self.repaired else []
        if self.failed:
            said.append(f"{self.failed} not wholly, as devices failed: to be tried again")
        if self.unreadable:
            said.append(f"{self.unreadable} cannot be read: too few good fragments can be reached")
        return "; ".join(said) or "nothing was to be done"

    def lost(self, place: Place | None, good: int) -> None:
        """Count a blob that cannot be read, and name its version where that is known."""
        self.unreadable += 1
        if place is not None and len(self.named) < LISTED_MAX:
            self.named.append(unreadable(place, good))


async def repair(
    engine: Engine,
    *,
    deep: bool = False,
    report: Report | None = None,
    bytes_per_s: float | None = None,
) -> Repaired:
    """Write what is missing of every blob that a version or part has, and tell about it.

    The catalog is walked twice: blobs that would not survive one more loss are repaired as they are
    met, the others then. What cannot be read stays as it is. `deep` reads every byte to find
    fragments that are there but damaged; without it those are left to scrub and to reads.
    """
    done = Repaired()
    since = engine.log.head()
    pace = Pace(engine.clock, "repair: most endangered", report=report, bytes_per_s=bytes_per_s)
    waiting, waiting_bytes = 0, 0
    crew = _Crew(engine, done, since)
    places = blobs.walk(engine.log)
    async with aclosing(examined(engine, places, deep=deep, at_once=LOOKED_AT_ONCE)) as findings:
        async for place, finding in findings:
            plan = plan_for(engine, finding)
            done.blobs += 1
            if plan.spare < 0:
                # Else it was swept since the walk met it.
                if await blobs.has_bytes(engine.log, place):
                    done.lost(place, place.blob.needed + plan.spare)
            elif plan.writes and plan.spare == 0:
                await crew.send(finding.blob, Label(place.bucket_id, place.key), plan, place)
                await pace.step(place.blob.size)
            elif plan.writes:
                waiting += 1
                waiting_bytes += place.blob.size
    await crew.finish()
    if not waiting:
        return done
    pace = Pace(
        engine.clock,
        "repair",
        report=report,
        bytes_per_s=bytes_per_s,
        total=waiting,
        bytes_total=waiting_bytes,
    )
    places = blobs.walk(engine.log)
    async with aclosing(examined(engine, places, deep=deep, at_once=LOOKED_AT_ONCE)) as findings:
        async for place, finding in findings:
            plan = plan_for(engine, finding)
            if plan.writes and plan.spare > 0:
                await crew.send(finding.blob, Label(place.bucket_id, place.key), plan, place)
                await pace.step(place.blob.size)
    await crew.finish()
    return done


async def repair_blob(
    engine: Engine, blob: Blob, label: Label, *, since: int | None = None
) -> Repaired:
    """Read every fragment of one blob to the last byte, and write what is not there or not good.

    If too few are good, nothing is written, and the result says so. `since` is a position at which
    the blob was still needed; without it, now.
    """
    since = engine.log.head() if since is None else since
    done = Repaired(blobs=1)
    plan = plan_for(engine, await examine(engine, blob, deep=True))
    if plan.spare < 0:
        done.lost(None, blob.needed + plan.spare)
    elif plan.writes:
        crew = _Crew(engine, done, since)
        await crew.send(blob, label, plan)
        await crew.finish()
    return done


class _Crew:
    """Rebuilds a few blobs at a time, which were needed at position `since`."""

    def __init__(self, engine: Engine, done: Repaired, since: int) -> None:
        self._engine = engine
        self._done = done
        self._since = since
        self._tasks: set[asyncio.Task[None]] = set()

    async def send(self, blob: Blob, label: Label, plan: Plan, place: Place | None = None) -> None:
        """Begin to carry out a plan, as soon as there is room for one more."""
        while len(self._tasks) >= REBUILT_AT_ONCE:
            await self._some()
        self._tasks.add(asyncio.create_task(self._carry_out(blob, label, plan, place)))

    async def finish(self) -> None:
        """Wait until every plan was carried out."""
        while self._tasks:
            await self._some()

    async def _some(self) -> None:
        finished, self._tasks = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in finished:
            task.result()

    async def _carry_out(self, blob: Blob, label: Label, plan: Plan, place: Place | None) -> None:
        written: Sequence[Hint] = ()
        is_readable = True
        try:
            written = await rebuild(self._engine, blob, label, dict(plan.writes))
        except (ObjectDamaged, ObjectUnreachable):
            is_readable = False
        if await self._was_swept(blob, place):
            # Its fragments were deleted meanwhile; nobody would come back for these.
            await discard(self._engine, blob.id, written)
            return
        self._done.hurt += 1
        if not is_readable:
            self._done.lost(place, blob.needed + plan.spare)
            return
        self._done.fragments += len(written)
        if len(written) < len(plan.writes):
            self._done.failed += 1
            return
        self._done.repaired += 1
        self._done.bytes += blob.size

    async def _was_swept(self, blob: Blob, place: Place | None) -> bool:
        log = self._engine.log
        if place is not None and await blobs.has_bytes(log, place):
            return False
        # That it cannot be found is no evidence; an event is.
        return await freed_since(log, self._since, blob.id)
