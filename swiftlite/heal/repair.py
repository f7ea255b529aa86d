"""Repair: bring blobs back to all their fragments, the most endangered first."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import msgspec

from swiftlite.catalog import blobs
from swiftlite.errors import ObjectDamaged, ObjectUnreachable
from swiftlite.gateway.engine import Engine
from swiftlite.gateway.rebuild import rebuild
from swiftlite.heal.examine import examine, examined, plan_for
from swiftlite.heal.pace import Pace, Report
from swiftlite.heal.plan import Plan
from swiftlite.manifest import Blob
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
    unreadable: int = 0  # too few good fragments are left; `scrub` names them

    @property
    def is_complete(self) -> bool:
        """Whether nothing is left to do."""
        return not self.failed and not self.unreadable


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
    pace = Pace(engine.clock, "repair: most endangered", report=report, bytes_per_s=bytes_per_s)
    waiting, waiting_bytes = 0, 0
    crew = _Crew(engine, done)
    places = blobs.walk(engine.log)
    async with aclosing(examined(engine, places, deep=deep, at_once=LOOKED_AT_ONCE)) as findings:
        async for place, finding in findings:
            plan = plan_for(engine, finding)
            done.blobs += 1
            if plan.spare < 0:
                done.unreadable += 1
            elif plan.writes and plan.spare == 0:
                await crew.send(finding.blob, Label(place.bucket_id, place.key), plan)
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
                await crew.send(finding.blob, Label(place.bucket_id, place.key), plan)
                await pace.step(place.blob.size)
    await crew.finish()
    return done


async def repair_blob(engine: Engine, blob: Blob, label: Label) -> Repaired:
    """Read every fragment of one blob to the last byte, and write what is not there or not good.

    If too few are good, nothing is written, and the result says so.
    """
    done = Repaired(blobs=1)
    plan = plan_for(engine, await examine(engine, blob, deep=True))
    if plan.spare < 0:
        done.unreadable = 1
    elif plan.writes:
        crew = _Crew(engine, done)
        await crew.send(blob, label, plan)
        await crew.finish()
    return done


class _Crew:
    """Rebuilds a few blobs at a time."""

    def __init__(self, engine: Engine, done: Repaired) -> None:
        self._engine = engine
        self._done = done
        self._tasks: set[asyncio.Task[None]] = set()

    async def send(self, blob: Blob, label: Label, plan: Plan) -> None:
        """Begin to carry out a plan, as soon as there is room for one more."""
        while len(self._tasks) >= REBUILT_AT_ONCE:
            await self._some()
        self._tasks.add(asyncio.create_task(self._carry_out(blob, label, plan)))

    async def finish(self) -> None:
        """Wait until every plan was carried out."""
        while self._tasks:
            await self._some()

    async def _some(self) -> None:
        finished, self._tasks = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in finished:
            task.result()

    async def _carry_out(self, blob: Blob, label: Label, plan: Plan) -> None:
        self._done.hurt += 1
        try:
            written = await rebuild(self._engine, blob, label, dict(plan.writes))
        except (ObjectDamaged, ObjectUnreachable):
            self._done.unreadable += 1
            return
        self._done.fragments += len(written)
        if len(written) < len(plan.writes):
            self._done.failed += 1
            return
        self._done.repaired += 1
        self._done.bytes += blob.size
