"""Upkeep: transfers whose process is gone, and bytes that no image has any more.

Both can be done again and again, by any process at the same time.
"""

from __future__ import annotations

from computelite.image.commands import transfers
from computelite.image.errors import TransferOver
from computelite.image.queries import every, find_image
from computelite.image.rows import Ref, Waste
from computelite.image.vault import Vault
from eventlog.clock import Clock
from eventlog.log import Actor, Log


async def fail_lost_transfers(log: Log, clock: Clock, *, actor: Actor) -> int:
    """Give up the transfers whose lease is over; return how many."""
    count = 0
    for ref in [row async for row in every(log, "image_transfer", Ref)]:
        image = await find_image(log, ref.id)
        transfer = None if image is None else image.transfer
        if image is None or transfer is None or transfer.until_us > clock.now_us():
            continue
        try:
            await transfers.fail_transfer(log, image.id, transfer.id, transfers.LOST, actor=actor)
        except TransferOver:
            continue
        count += 1
    return count


async def drop_waste(log: Log, vault: Vault, *, actor: Actor) -> int:
    """Have no bytes of what is waste; return of how many transfers they were."""
    count = 0
    for waste in [row async for row in every(log, "image_waste", Waste)]:
        await vault.drop(waste.image_id, waste.transfer_id, actor=actor)
        await transfers.data_dropped(log, waste.image_id, waste.transfer_id, actor=actor)
        count += 1
    return count
