"""Quotas: how much a bucket and its account may hold, whatever protocol writes.

A bucket's owner notes `quota-bytes` and `quota-count` of it; an account's are settings, which
resellers alone make, all of them or for the one storage policy.
Two uploads at once may pass a quota together, by what they hold; never by more.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from swiftlite.catalog import accounts
from swiftlite.catalog.rows import Bucket, Usage
from swiftlite.errors import QuotaExceeded
from swiftlite.gateway.engine import Engine

BYTES, COUNT = "quota-bytes", "quota-count"
_OF_POLICY = "-policy-policy-0"
OF_ACCOUNT = tuple(name + of for name in (BYTES, COUNT) for of in ("", _OF_POLICY))

_NUMBER = re.compile(r"[0-9]{1,19}", re.ASCII)


async def room_for(
    engine: Engine, bucket: Bucket, size: int | None, *, count: int, is_reseller: bool
) -> int | None:
    """Return how many bytes may still be put into a bucket, None for any number.

    `size`: how many are to be put; None if only the end tells. `is_reseller`: the account's quotas
    do not hold.
    Raises:  QuotaExceeded if that is more than there is room for.
    """
    rooms: list[int] = []
    limits = [_limit(bucket.meta.get(name)) for name in (BYTES, COUNT)]
    if any(limit is not None for limit in limits):
        [usage] = await accounts.usages(engine.log, [bucket])
        _add_room(rooms, limits, usage, count)
    if not is_reseller:
        account = await accounts.get_account(engine.log, bucket.project_id)
        known = {name: _limit(account.settings.get(name)) for name in OF_ACCOUNT}
        if any(limit is not None for limit in known.values()):
            _, usage = await accounts.account_usage(engine.log, bucket.project_id)
            for of in ("", _OF_POLICY):
                _add_room(rooms, [known[BYTES + of], known[COUNT + of]], usage, count)
    room = min(rooms, default=None)
    if room is not None and room < (size or 0):
        raise QuotaExceeded
    return room


def _add_room(rooms: list[int], limits: Sequence[int | None], usage: Usage, count: int) -> None:
    of_bytes, of_objects = limits
    if of_objects is not None and usage.objects + count > of_objects:
        raise QuotaExceeded
    if of_bytes is not None:
        if of_bytes < usage.bytes:
            raise QuotaExceeded
        rooms.append(of_bytes - usage.bytes)


def _limit(text: str | None) -> int | None:
    return int(text) if text is not None and _NUMBER.fullmatch(text) else None
