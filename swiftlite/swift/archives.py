"""Archives: containers that keep, in another container, what was there before.

    X-Versions-Location: a stack     a delete brings the version before back
    X-History-Location: a history    a delete is kept as well, as a marker

An old version is `<length of the name, three hex digits><name>/<when it was written>`. The copies
share their bytes. Only Swift's requests keep versions so; S3's have versions of their own.

Source: Swift's "Object Versioning", legacy modes (2026-08).
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import unquote

from eventlog.errors import Refused
from swiftlite.access import Action
from swiftlite.catalog.conditions import ANY, Conditions
from swiftlite.catalog.rows import Bucket, Shown, Version
from swiftlite.catalog.versions import Deleted, Keep
from swiftlite.catalog.walking import Window
from swiftlite.errors import NoSuchBucket, NoSuchKey, PreconditionFailed
from swiftlite.gateway.body import Given
from swiftlite.gateway.copy import CopySource
from swiftlite.swift.call import Call
from swiftlite.swift.errors import MARKER_TYPE, Declined
from swiftlite.swift.metadata import CONTAINER, Said, Setting
from swiftlite.swift.times import timestamp

STACK, HISTORY = "versions-location", "history-location"

_TRIES = 100  # names that are taken, each ten microseconds on
_PAGE = 100
_HEADERS = {STACK: "x-versions-location", HISTORY: "x-history-location"}


class _Overtaken(Refused):
    """What a delete had found has changed."""


class Place(NamedTuple):
    """Where old versions go, and whether deletes are kept too."""

    container: str
    is_history: bool


def _checked(value: str) -> str:
    if "/" in unquote(value):
        raise Declined(412, "Container name cannot contain slashes")
    return value


CONTAINER[_HEADERS[STACK]] = Setting(
    key=STACK, header="X-Versions-Location", is_owners=False, checked=_checked
)
CONTAINER[_HEADERS[HISTORY]] = Setting(
    key=HISTORY, header="X-History-Location", is_owners=False, checked=_checked
)


def settled(said: Said, headers: Mapping[str, str]) -> Said:
    """Return what is said of a container with at most one of the two modes set.

    Raises:  Declined: 400 for both at once.
    """
    if STACK in said.set and HISTORY in said.set:
        raise Declined(
            400, "Only one of x-versions-location or x-history-location may be specified"
        )
    gone = {STACK, HISTORY} & set(said.removed)
    for removing in ("x-remove-versions-location", "x-remove-history-location"):
        if headers.get(removing):
            gone = {STACK, HISTORY}
    mode = next((mode for mode in (STACK, HISTORY) if mode in said.set), None)
    if mode is not None:
        gone = {HISTORY if mode == STACK else STACK}
    elif gone:
        gone = {STACK, HISTORY}
    kept = [key for key in said.removed if key not in (STACK, HISTORY)]
    return Said(said.set, (*kept, *sorted(gone)))


def place_of(bucket: Bucket) -> Place | None:
    """Return where a container's old versions go, None if they do not."""
    for mode in (STACK, HISTORY):
        value = bucket.settings.get(mode)
        if value:
            return Place(unquote(value), mode == HISTORY)
    return None


async def check(call: Call, bucket: Bucket, name: str) -> None:
    """Return if the present object could be kept; this saves a client an upload that is refused.

    Raises:  Declined: 412 if there is nowhere to keep it.
    """
    place = place_of(bucket)
    if place is not None and await _present(call, bucket, name) is not None:
        await _archive(call, bucket, place)


def keeper(call: Call, bucket: Bucket, name: str) -> Keep | None:
    """Return what keeps an object in the moment before it is written over, None for a container
    that does not keep any.

    Not before: a write that comes to nothing leaves nothing, and no object is written over that
    came while the client sent its own.
    Raises:  Declined: 412 if there is nowhere to keep it.
    """
    place = place_of(bucket)
    if place is None:
        return None

    async def keep(found: Version | None) -> None:
        if found is not None and not _is_due(call, found):
            await _keep(call, bucket, name, found, await _archive(call, bucket, place))

    return keep


async def remove(call: Call, bucket: Bucket, name: str, *, seen: Version | None = None) -> Deleted:
    """Delete the present object as the container's mode has it; with `seen`, that version alone.

    Raises:  NoSuchKey; PreconditionFailed if it is not what was seen; Declined 412, as `check`;
             Denied where the version before it lies in a container that the caller may not take
             it from.
    """
    place = place_of(bucket)
    assert place is not None
    for _ in range(_TRIES):
        found = await _present(call, bucket, name)
        if seen is not None and found != seen:
            raise PreconditionFailed(condition="X-If-Delete-At")
        with contextlib.suppress(_Overtaken):
            if place.is_history:
                return await _remove_into(call, bucket, name, found, place)
            return await _remove_from(call, bucket, name, found, place)
    raise Declined(409)


async def _present(call: Call, bucket: Bucket, name: str) -> Version | None:
    try:
        return await call.gateway.head_object(bucket, name)
    except NoSuchKey:
        return None


async def _remove_into(
    call: Call, bucket: Bucket, name: str, found: Version | None, place: Place
) -> Deleted:
    archive = await _archive(call, bucket, place)
    at_us = call.now_us
    if found is not None:
        await _keep(call, bucket, name, found, archive)
        at_us = max(at_us, found.modified_us + 10)  # whatever the clock says, it comes after
    await _written(call, archive, name, at_us, headers={"content-type": MARKER_TYPE})
    if found is None:
        raise NoSuchKey(key=name)
    return await _deleted(call, bucket, name, seen=found)


async def _remove_from(
    call: Call, bucket: Bucket, name: str, found: Version | None, place: Place
) -> Deleted:
    try:
        archive = await call.gateway.container(bucket.project_id, place.container)
    except NoSuchBucket:
        archive = None
    kept = [] if archive is None else await _kept(call, archive, name)
    if archive is None or not kept:
        if found is None:
            raise NoSuchKey(key=name)
        return await _deleted(call, bucket, name, seen=found)
    newest, shown = kept[0]
    # Who may only write here does not by that empty the other container (CVE-2015-1856).
    await call.reach(archive.project_id, archive.name, Action.WRITE, newest)
    if found is not None and newest == _stem(name) + _when(found.modified_us):
        source = CopySource(bucket=bucket, key=name, version=found)
        if await _is_kept(call, archive, newest, source):
            # It is the present object itself: what was to be written over it never came.
            await _deleted(call, archive, newest)
            raise _Overtaken
    if _is_marker(shown):
        if found is not None:
            return await _deleted(call, bucket, name, seen=found)
        if len(kept) > 1 and not _is_marker(kept[1][1]):
            await _restored(call, archive, kept[1][0], bucket, name, found)
            await _deleted(call, archive, kept[1][0])
        return await _deleted(call, archive, newest)
    await _restored(call, archive, newest, bucket, name, found)
    return await _deleted(call, archive, newest)


async def _kept(call: Call, archive: Bucket, name: str) -> list[tuple[str, Shown]]:
    """Return the newest two of what is kept of a name, the newest first."""
    window = Window(prefix=_stem(name).encode(), reverse=True)
    found = await call.gateway.walk_objects(archive, window, limit=2)
    return [(key, shown) for key, shown in found if shown is not None]


async def _keep(call: Call, bucket: Bucket, name: str, found: Version, archive: Bucket) -> None:
    source = CopySource(bucket=bucket, key=name, version=found)
    await _written(call, archive, name, found.modified_us, source=source)


async def _is_kept(call: Call, archive: Bucket, key: str, source: CopySource) -> bool:
    """Whether what has this name is that version: one that another write kept, which failed."""
    there, found = await _present(call, archive, key), source.version
    if there is None or found is None:
        return False
    return (
        there.manifest == found.manifest
        and (there.size, there.etag) == (found.size, found.etag)
        and (there.kind, there.target) == (found.kind, found.target)
        and (there.headers, there.meta) == (found.headers, found.meta)
    )


async def _written(
    call: Call,
    archive: Bucket,
    name: str,
    at_us: int,
    *,
    source: CopySource | None = None,
    headers: Mapping[str, str] | None = None,
) -> None:
    """Write into the archive under the name of this time, or of the first one after it."""
    conditions = Conditions(if_none_match=(ANY,))
    owner, actor = call.principal.user_id, call.actor
    for turn in range(_TRIES):
        key = _stem(name) + _when(at_us + turn * 10)
        try:
            if source is not None:
                await call.gateway.copy_object(
                    source, archive, key, conditions=conditions, owner=owner, actor=actor
                )
            else:
                await call.gateway.put_object(
                    archive,
                    key,
                    Given(),
                    headers=headers or {},
                    conditions=conditions,
                    owner=owner,
                    actor=actor,
                )
        except PreconditionFailed:
            if source is not None and await _is_kept(call, archive, key, source):
                return
            continue
        return
    raise Declined(409)


async def _restored(
    call: Call, archive: Bucket, key: str, bucket: Bucket, name: str, seen: Version | None
) -> None:
    """Bring back what was kept, over just the object that was seen.

    Raises:  _Overtaken.
    """

    async def check_seen(found: Version | None) -> None:
        if found != seen and not (seen is None and found is not None and _is_due(call, found)):
            raise _Overtaken

    try:
        await call.gateway.copy_object(
            CopySource(bucket=archive, key=key),
            bucket,
            name,
            keep=check_seen,
            owner=call.principal.user_id,
            actor=call.actor,
        )
    except NoSuchKey:
        raise _Overtaken from None


async def _deleted(call: Call, bucket: Bucket, key: str, *, seen: Version | None = None) -> Deleted:
    """Delete an object; with `seen`, just that one.

    Raises:  _Overtaken.
    """
    done = await call.gateway.delete_object(
        bucket, key, seen=seen, owner=call.principal.user_id, actor=call.actor
    )
    if seen is not None and done.position is None:
        raise _Overtaken
    return done


def _is_due(call: Call, found: Version) -> bool:
    return found.is_due(call.world.clock.now_us() // 1_000_000)


async def _archive(call: Call, bucket: Bucket, place: Place) -> Bucket:
    try:
        return await call.gateway.container(bucket.project_id, place.container)
    except NoSuchBucket:
        raise Declined(412) from None


def _stem(name: str) -> str:
    return f"{len(name.encode()):03x}{name}/"


def _when(at_us: int) -> str:
    return timestamp(at_us)


def _is_marker(shown: Shown) -> bool:
    return shown.headers.get("content-type") == MARKER_TYPE
