"""Quotas: how much a container or an account may hold.

A container's owner sets X-Container-Meta-Quota-Bytes and -Count; an account's are set by resellers
alone: X-Account-Quota-Bytes and -Count, both also for a policy, of which there is one here, and
X-Account-Meta-Quota-Bytes, the older spelling.
Two uploads at once may pass a quota together, by what they hold; never by more.
"""

from __future__ import annotations

from collections.abc import Mapping

from swiftlite.catalog.describing import NOTE
from swiftlite.catalog.rows import Bucket
from swiftlite.swift.call import Call
from swiftlite.swift.errors import Declined
from swiftlite.swift.limits import POLICY
from swiftlite.swift.metadata import ACCOUNT, Said, Setting
from swiftlite.swift.request import number

_RESELLER = "reselleradmin"
_BYTES, _COUNT = "quota-bytes", "quota-count"
_OF_POLICY = "-policy-" + POLICY.lower()
_EXCEEDED = "Upload exceeds quota."


def _checked(value: str) -> str:
    if number(value) is None:
        raise Declined(400, "Invalid quota.")
    return value


_OF_ACCOUNT = tuple(name + of for name in (_BYTES, _COUNT) for of in ("", _OF_POLICY))
ACCOUNT |= {
    f"x-account-{key}": Setting(key=key, header=f"X-Account-{key.title()}", checked=_checked)
    for key in _OF_ACCOUNT
}


def check_container_quotas(headers: Mapping[str, str]) -> None:
    """Return if the quotas that are set are numbers.

    Raises:  Declined 400.
    """
    for name, what in ((_BYTES, "bytes"), (_COUNT, "count")):
        value = headers.get(f"x-container-meta-{name}")
        if value and number(value) is None:
            raise Declined(400, f"Invalid {what} quota.")


def account_said(call: Call, said: Said) -> Said:
    """Return what is said of an account, with the older spelling of its quota made the newer.

    Raises:  Declined: 403 for a quota that is not a reseller's to set, 400 for one that is none.
    """
    old = NOTE + _BYTES
    keys = {*_OF_ACCOUNT, old}
    if not (keys & said.set.keys() or keys & set(said.removed)):
        return said
    if _RESELLER not in call.principal.roles:
        raise Declined(403)
    changed, removed = dict(said.set), list(said.removed)
    if old in changed and _BYTES not in changed:
        changed[_BYTES] = _checked(changed[old])
    if old in removed and _BYTES not in removed:
        removed.append(_BYTES)
    return Said(changed, tuple(removed))


async def room_for(call: Call, bucket: Bucket, size: int | None, *, count: int = 1) -> int | None:
    """Return how many bytes may still be put into a container, None for any number.

    `size`: how many are to be put; None if only the end tells.
    Raises:  Declined: 413 if that is more than there is room for.
    """
    rooms: list[int] = []
    limits = [number(bucket.meta.get(name, "")) for name in (_BYTES, _COUNT)]
    if any(limit is not None for limit in limits):
        usage = await call.gateway.usage(bucket)
        _room(rooms, limits, usage.objects, usage.bytes, count)
    if _RESELLER not in call.principal.roles:
        account = await call.gateway.account(bucket.project_id)
        known = {name: number(account.settings.get(name, "")) for name in _OF_ACCOUNT}
        if any(limit is not None for limit in known.values()):
            _, usage = await call.gateway.account_usage(bucket.project_id)
            for of in ("", _OF_POLICY):
                limits = [known[_BYTES + of], known[_COUNT + of]]
                _room(rooms, limits, usage.objects, usage.bytes, count)
    room = min(rooms, default=None)
    if room is not None and room < (size or 0):
        raise Declined(413, _EXCEEDED)
    return room


def _room(rooms: list[int], limits: list[int | None], objects: int, size: int, count: int) -> None:
    of_bytes, of_objects = limits
    if of_objects is not None and objects + count > of_objects:
        raise Declined(413, _EXCEEDED)
    if of_bytes is not None:
        if of_bytes < size:
            raise Declined(413, _EXCEEDED)
        rooms.append(of_bytes - size)
