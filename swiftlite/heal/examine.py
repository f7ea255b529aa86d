"""Examine: look where one blob's fragments are, and whether they are good."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator

import msgspec

from eventlog.errors import CloudError
from swiftlite.catalog.blobs import Place
from swiftlite.gateway.engine import Engine
from swiftlite.heal.plan import Plan, plan
from swiftlite.manifest import Blob
from swiftlite.node.device import Device
from swiftlite.node.errors import FragmentDamaged, FragmentMissing
from swiftlite.node.format import Fragment


class Finding(msgspec.Struct, frozen=True):
    """What is on the devices that can be asked, of one blob.

    Shapes:  held: fragment -> devices with a good one; damaged: (fragment, device); unknown: the
             fragments that were not found while a device that may have them is out.
    """

    blob: Blob
    held: dict[int, set[int]]
    damaged: tuple[tuple[int, int], ...]
    unknown: tuple[int, ...]

    @property
    def missing(self) -> tuple[int, ...]:
        """Fragments of which no good one was found."""
        return tuple(f for f in range(self.blob.fragments) if not self.held.get(f))

    @property
    def is_whole(self) -> bool:
        """Whether every fragment was found, and none was damaged."""
        return not self.missing and not self.damaged

    @property
    def is_readable(self) -> bool:
        """Whether enough good fragments were found."""
        return self.blob.fragments - len(self.missing) >= self.blob.needed


async def examine(engine: Engine, blob: Blob, *, deep: bool) -> Finding:
    """Look at every fragment of a blob; with `deep` read all of its bytes and verify them."""
    held: dict[int, set[int]] = {}
    damaged: list[tuple[int, int]] = []
    unknown: list[int] = []

    async def look(fragment: int, device: int) -> None:
        try:
            if await _has(engine.devices[device], blob, fragment, deep=deep):
                held.setdefault(fragment, set()).add(device)
        except FragmentDamaged:
            damaged.append((fragment, device))
        except (CloudError, OSError):
            unknown.append(fragment)

    async def search(fragment: int) -> None:
        likely = likely_devices(engine, blob, fragment)
        for device in likely:
            await look(fragment, device)
        if not held.get(fragment):
            for device in engine.devices.up():
                if device not in likely:
                    await look(fragment, device)

    await asyncio.gather(*(search(fragment) for fragment in range(blob.fragments)))
    return Finding(
        blob,
        held,
        tuple(sorted(damaged)),
        tuple(sorted(f for f in set(unknown) if not held.get(f))),
    )


def likely_devices(engine: Engine, blob: Blob, fragment: int) -> list[int]:
    """Return where a fragment should be: by its hint, and by each ring, the newest first."""
    found = [hint.device for hint in blob.hints if hint.fragment == fragment]
    for ring in engine.rings.known():
        home = ring.devices_of(blob.id)
        if fragment < len(home):
            found.append(home[fragment])
    return list(dict.fromkeys(found))


def plan_for(engine: Engine, finding: Finding) -> Plan:
    """Return what should be written, given the ring in force and the devices that are up."""
    blob = finding.blob
    ring = engine.rings.current
    home = ring.devices_of(blob.id)
    return plan(
        finding.held,
        home=home[: blob.fragments],
        spares=(*home[blob.fragments :], *ring.handoffs(blob.id)),
        needed=blob.needed,
        up=engine.devices.up(),
    )


async def examined(
    engine: Engine, places: AsyncIterator[Place], *, deep: bool, at_once: int
) -> AsyncGenerator[tuple[Place, Finding], None]:
    """Yield each place with what was found there, in order, looking at a few at a time."""
    under_way: deque[tuple[Place, asyncio.Task[Finding]]] = deque()
    try:
        async for place in places:
            task = asyncio.create_task(examine(engine, place.blob, deep=deep))
            under_way.append((place, task))
            if len(under_way) >= at_once:
                yield under_way[0][0], await under_way[0][1]
                under_way.popleft()
        while under_way:
            yield under_way[0][0], await under_way[0][1]
            under_way.popleft()
    finally:
        for _, task in under_way:
            task.cancel()


async def _has(device: Device, blob: Blob, fragment: int, *, deep: bool) -> bool:
    name = Fragment(blob.id, fragment)
    if not deep:
        return await device.find(name) is not None
    hints = [hint for hint in blob.hints if (hint.fragment, hint.device) == (fragment, device.id)]
    try:
        await device.check(name, hints[0] if hints else None)
    except FragmentMissing:
        return False
    return True
