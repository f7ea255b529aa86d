"""How each event changes the image tables.

Pure: no clock, no IO.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

import msgspec
from msgspec import UNSET

from computelite.image import events
from computelite.image.keys import id_key, pair_key, under
from computelite.image.rows import (
    COMMUNITY,
    GLANCE_DIRECT,
    PENDING,
    PUBLIC,
    STAGE,
    Content,
    Held,
    Image,
    Member,
    Outcome,
    Ref,
    Transfer,
    Waste,
    held_by,
)
from eventlog.event import Event
from eventlog.log import Recorded
from eventlog.view import Rows

Fold: TypeAlias = Callable[[Rows, Recorded, Any], None]

_OPEN = frozenset({PUBLIC, COMMUNITY})
_PAGE = 256


def created(rows: Rows, rec: Recorded, event: events.ImageCreated) -> None:
    image = Image(
        id=event.image_id,
        **_fields(event),
        created_us=rec.committed_us,
        updated_us=rec.committed_us,
        revision=rec.position,
    )
    _put(rows, None, image)


def changed(rows: Rows, rec: Recorded, event: events.ImageChanged) -> None:
    _replace(rows, rec, event.image_id, **_fields(event))


def deleted(rows: Rows, rec: Recorded, event: events.ImageDeleted) -> None:
    image = rows.get("image", id_key(event.image_id))
    if image is None:
        return
    for _, member in _every(rows, "image_member", under(image.id)):
        _forget_member(rows, member.image_id, member.member)
    for part in (image.content, image.staged):
        if part is not None:
            _waste(rows, image.id, part.transfer_id)
    if image.transfer is not None:
        _waste(rows, image.id, image.transfer.id)
        rows.delete("image_transfer", id_key(image.transfer.id))
    rows.delete("image", id_key(image.id))
    rows.delete("image_of", pair_key(image.owner, image.id))
    rows.delete("image_open", pair_key(image.visibility, image.id))
    _count(rows, image.owner, held_by(image), Held())


def deactivated(rows: Rows, rec: Recorded, event: events.ImageDeactivated) -> None:
    _replace(rows, rec, event.image_id, deactivated=True)


def reactivated(rows: Rows, rec: Recorded, event: events.ImageReactivated) -> None:
    _replace(rows, rec, event.image_id, deactivated=False)


def transfer_started(rows: Rows, rec: Recorded, event: events.TransferStarted) -> None:
    transfer = Transfer(
        id=event.transfer_id,
        kind=event.kind,
        until_us=rec.committed_us + event.lease_s * 1_000_000,
        source=event.source,
        started_us=rec.committed_us,
        request_id=rec.request_id,
    )
    _replace(rows, rec, event.image_id, transfer=transfer)
    rows.put("image_transfer", id_key(transfer.id), Ref(id=event.image_id))


def transfer_renewed(rows: Rows, rec: Recorded, event: events.TransferRenewed) -> None:
    if (found := _under_way(rows, event.image_id, event.transfer_id)) is None:
        return
    image, transfer = found
    until_us = rec.committed_us + event.lease_s * 1_000_000
    later = msgspec.structs.replace(transfer, until_us=until_us)
    # Nobody who looks at the image sees a change.
    rows.put("image", id_key(image.id), msgspec.structs.replace(image, transfer=later))


def transfer_failed(rows: Rows, rec: Recorded, event: events.TransferFailed) -> None:
    if (found := _under_way(rows, event.image_id, event.transfer_id)) is None:
        return
    image, transfer = found
    _waste(rows, image.id, transfer.id)
    rows.delete("image_transfer", id_key(transfer.id))
    outcome = _outcome(transfer, rec.committed_us, event.reason)
    _replace(rows, rec, image.id, transfer=None, outcome=outcome)


def filled(rows: Rows, rec: Recorded, event: events.ImageFilled) -> None:
    if (found := _under_way(rows, event.image_id, event.transfer_id)) is None:
        return
    image, transfer = found
    content = Content(
        transfer_id=transfer.id,
        size=event.size,
        checksum=event.checksum,
        hash_value=event.hash_value,
        virtual_size=event.virtual_size,
    )
    rows.delete("image_transfer", id_key(transfer.id))
    if transfer.kind == STAGE:
        _replace(rows, rec, image.id, transfer=None, staged=content)
    else:
        outcome = _outcome(transfer, rec.committed_us, "")
        _replace(rows, rec, image.id, transfer=None, content=content, outcome=outcome)


def imported(rows: Rows, rec: Recorded, event: events.ImageImported) -> None:
    image = rows.get("image", id_key(event.image_id))
    if image is None or image.staged is None:
        return
    outcome = Outcome(
        transfer_id=image.staged.transfer_id,
        kind=GLANCE_DIRECT,
        started_us=rec.committed_us,
        ended_us=rec.committed_us,
        request_id=rec.request_id,
    )
    _replace(rows, rec, image.id, content=image.staged, staged=None, outcome=outcome)


def data_dropped(rows: Rows, rec: Recorded, event: events.DataDropped) -> None:
    rows.delete("image_waste", pair_key(event.image_id, event.transfer_id))


def member_added(rows: Rows, rec: Recorded, event: events.MemberAdded) -> None:
    now_us = rec.committed_us
    member = Member(
        image_id=event.image_id,
        member=event.member,
        status=PENDING,
        created_us=now_us,
        updated_us=now_us,
    )
    _put_member(rows, member)


def member_answered(rows: Rows, rec: Recorded, event: events.MemberAnswered) -> None:
    member = rows.get("image_member", pair_key(event.image_id, event.member))
    if member is not None:
        answered = {"status": event.status, "updated_us": rec.committed_us}
        _put_member(rows, msgspec.structs.replace(member, **answered))


def member_removed(rows: Rows, rec: Recorded, event: events.MemberRemoved) -> None:
    _forget_member(rows, event.image_id, event.member)


FOLDS: Mapping[type[Event], Fold] = {
    events.ImageCreated: created,
    events.ImageChanged: changed,
    events.ImageDeleted: deleted,
    events.ImageDeactivated: deactivated,
    events.ImageReactivated: reactivated,
    events.TransferStarted: transfer_started,
    events.TransferRenewed: transfer_renewed,
    events.TransferFailed: transfer_failed,
    events.ImageFilled: filled,
    events.ImageImported: imported,
    events.DataDropped: data_dropped,
    events.MemberAdded: member_added,
    events.MemberAnswered: member_answered,
    events.MemberRemoved: member_removed,
}


def _fields(event: Event) -> dict[str, Any]:
    """Return what an event says of an image, but for its id and what it leaves as it is."""
    names = (name for name in event.__struct_fields__ if name != "image_id")
    pairs = ((name, getattr(event, name)) for name in names)
    return {name: value for name, value in pairs if value is not UNSET}


def _replace(rows: Rows, rec: Recorded, image_id: str, **changes: Any) -> None:
    """Change an image, if it is there, and say that it changed."""
    before = rows.get("image", id_key(image_id))
    if before is not None:
        stamps = {"updated_us": rec.committed_us, "revision": rec.position}
        _put(rows, before, msgspec.structs.replace(before, **changes, **stamps))


def _put(rows: Rows, before: Image | None, image: Image) -> None:
    """Make `image` the row, and the tables beside it agree with that."""
    if before is not None and before.owner != image.owner:
        rows.delete("image_of", pair_key(before.owner, image.id))
    if before is not None and before.visibility != image.visibility:
        rows.delete("image_open", pair_key(before.visibility, image.id))
    rows.put("image", id_key(image.id), image)
    rows.put("image_of", pair_key(image.owner, image.id), Ref(id=image.id))
    if image.visibility in _OPEN:
        rows.put("image_open", pair_key(image.visibility, image.id), Ref(id=image.id))
    if before is not None and before.owner != image.owner:
        _count(rows, before.owner, held_by(before), Held())
        before = None
    _count(rows, image.owner, Held() if before is None else held_by(before), held_by(image))


def _count(rows: Rows, owner: str, less: Held, more: Held) -> None:
    if less == more:
        return
    held = rows.get("image_held", id_key(owner)) or Held()
    now = Held(
        images=held.images - less.images + more.images,
        bytes=held.bytes - less.bytes + more.bytes,
        transfers=held.transfers - less.transfers + more.transfers,
    )
    if now == Held():
        rows.delete("image_held", id_key(owner))
    else:
        rows.put("image_held", id_key(owner), now)


def _under_way(rows: Rows, image_id: str, transfer_id: str) -> tuple[Image, Transfer] | None:
    """Return the image with this transfer: another one's end is no matter of it."""
    image = rows.get("image", id_key(image_id))
    if image is None or image.transfer is None or image.transfer.id != transfer_id:
        return None
    return image, image.transfer


def _outcome(transfer: Transfer, now_us: int, failure: str) -> Outcome | None:
    if transfer.kind == STAGE:
        return None
    return Outcome(
        transfer_id=transfer.id,
        kind=transfer.kind,
        source=transfer.source,
        started_us=transfer.started_us,
        ended_us=now_us,
        request_id=transfer.request_id,
        failure=failure,
    )


def _waste(rows: Rows, image_id: str, transfer_id: str) -> None:
    waste = Waste(image_id=image_id, transfer_id=transfer_id)
    rows.put("image_waste", pair_key(image_id, transfer_id), waste)


def _put_member(rows: Rows, member: Member) -> None:
    rows.put("image_member", pair_key(member.image_id, member.member), member)
    rows.put("image_for", pair_key(member.member, member.image_id), member)


def _forget_member(rows: Rows, image_id: str, member: str) -> None:
    rows.delete("image_member", pair_key(image_id, member))
    rows.delete("image_for", pair_key(member, image_id))


def _every(rows: Rows, table: str, within: tuple[bytes, bytes]) -> Iterator[tuple[bytes, Any]]:
    lo, hi = within
    while page := rows.scan(table, lo, hi, _PAGE):
        yield from page
        lo = page[-1][0] + b"\0"
