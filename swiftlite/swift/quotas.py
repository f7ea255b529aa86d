"""Quotas: how much a container or an account may hold.

A container's owner sets X-Container-Meta-Quota-Bytes and -Count; an account's are set by resellers
alone: X-Account-Quota-Bytes and -Count, both also for a policy, of which there is one here, and
X-Account-Meta-Quota-Bytes, the older spelling.
What they hold back is `gateway.quotas`, in every protocol.
"""

from __future__ import annotations

from collections.abc import Mapping

from swiftlite.access import RESELLER
from swiftlite.catalog.describing import NOTE
from swiftlite.catalog.rows import Bucket
from swiftlite.gateway.quotas import BYTES, COUNT, OF_ACCOUNT
from swiftlite.swift.call import Call
from swiftlite.swift.errors import Declined
from swiftlite.swift.metadata import ACCOUNT, Said, Setting
from swiftlite.swift.request import number


def _checked(value: str) -> str:
    if number(value) is None:
        raise Declined(400, "Invalid quota.")
    return value


ACCOUNT |= {
    f"x-account-{key}": Setting(key=key, header=f"X-Account-{key.title()}", checked=_checked)
    for key in OF_ACCOUNT
}


def check_container_quotas(headers: Mapping[str, str]) -> None:
    """Return if the quotas that are set are numbers.

    Raises:  Declined 400.
    """
    for name, what in ((BYTES, "bytes"), (COUNT, "count")):
        value = headers.get(f"x-container-meta-{name}")
        if value and number(value) is None:
            raise Declined(400, f"Invalid {what} quota.")


def account_said(call: Call, said: Said) -> Said:
    """Return what is said of an account, with the older spelling of its quota made the newer.

    Raises:  Declined: 403 for a quota that is not a reseller's to set, 400 for one that is none.
    """
    old = NOTE + BYTES
    keys = {*OF_ACCOUNT, old}
    if not (keys & said.set.keys() or keys & set(said.removed)):
        return said
    if RESELLER not in call.principal.roles:
        raise Declined(403)
    changed, removed = dict(said.set), list(said.removed)
    if old in changed and BYTES not in changed:
        changed[BYTES] = _checked(changed[old])
    if old in removed and BYTES not in removed:
        removed.append(BYTES)
    return Said(changed, tuple(removed))


async def room_for(call: Call, bucket: Bucket, size: int | None, *, count: int = 1) -> int | None:
    """Return how many bytes may still be put into a container, None for any number.

    `size`: how many are to be put; None if only the end tells.
    Raises:  QuotaExceeded if that is more than there is room for.
    """
    is_reseller = RESELLER in call.principal.roles
    return await call.gateway.room_for(bucket, size, count=count, is_reseller=is_reseller)
