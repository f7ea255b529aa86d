"""Write: the fragments of a blob that fits one stripe, each appended to a volume of its device."""

from __future__ import annotations

from collections.abc import Awaitable

from swiftlite.coding.stripe import split
from swiftlite.errors import QuorumLost
from swiftlite.gateway.attempt import Attempt
from swiftlite.gateway.engine import Engine
from swiftlite.gateway.quorum import Quorum
from swiftlite.manifest import Blob, Hint, Layout
from swiftlite.node.device import Device
from swiftlite.node.format import Fragment, Label


async def write_whole(engine: Engine, label: Label, data: bytes) -> Blob:
    """Return a blob whose fragments are on devices, synced: 1 byte to one stripe of data.

    Up to `copies_max` bytes are stored as m+1 copies, more as one coded stripe.

    Raises:  QuorumLost, with what was written taken back.
    """
    if len(data) <= engine.settings.copies_max:
        return await engine.together.write(label, data)
    async with engine.stripes:
        return await _write_stripe(engine, label, data)


async def _write_stripe(engine: Engine, label: Label, data: bytes) -> Blob:
    ring = engine.rings.current
    blob_id = engine.ids.uuid7()
    pieces = split(data, engine.k)
    cells = (*pieces, *await engine.in_thread(engine.codec.encode, pieces))
    quorum = Quorum(ring.devices_of(blob_id), ring.handoffs(blob_id), needed=engine.k)

    def send(fragment: int, device: Device) -> Awaitable[Hint]:
        return device.append(
            Fragment(blob_id, fragment), label, size=len(data), payload=cells[fragment]
        )

    async def undo(fragment: int, device: Device, hint: Hint) -> None:
        await device.delete(Fragment(blob_id, fragment), hint)

    attempt: Attempt[Hint] = Attempt(engine, quorum)
    try:
        await attempt.run(send)
        if not quorum.is_durable:
            raise QuorumLost(needed=engine.k + 1, reached=len(quorum.written))
    except BaseException:
        attempt.take_back(undo)
        raise
    return Blob(
        id=blob_id,
        size=len(data),
        layout=Layout.CODED,
        k=engine.k,
        m=engine.m,
        stripe=engine.settings.stripe,
        epoch=ring.epoch,
        hints=tuple(hint for _, hint in sorted(attempt.results.items())),
    )
