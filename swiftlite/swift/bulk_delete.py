"""Bulk deletes: many names in one request, each for itself; large objects with their segments.

Source: Swift's "Bulk Operations", "Static Large Objects" (2026-08).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from urllib.parse import quote

import msgspec
from msgspec.structs import replace

from eventlog.errors import CloudError
from swiftlite.access import Action
from swiftlite.errors import NoSuchVersion
from swiftlite.gateway.whole import STATIC
from swiftlite.http.replies import Reply
from swiftlite.segments import Segment
from swiftlite.swift.bulk_answer import Report, answered, format_of, status_line, worst
from swiftlite.swift.bulk_names import NAMES_MAX, PATH_MAX, Name, NameList
from swiftlite.swift.call import Call
from swiftlite.swift.errors import Declined, reason_of, status_of
from swiftlite.swift.slo_manifest import SEGMENTS_MAX
from swiftlite.swift.storing import remove
from swiftlite.swift.versions import version_id_of

log = logging.getLogger(__name__)

FAILURES_MAX = 1000
INFO = {"max_deletes_per_request": NAMES_MAX, "max_failed_deletes": FAILURES_MAX}

_AT_ONCE = 8
_BODY_MAX = NAMES_MAX * 3 * PATH_MAX  # of names, with every byte escaped
_WAITING_MAX = 10 * SEGMENTS_MAX  # segments of nested manifests that wait to be deleted


class _Doomed(msgspec.Struct, frozen=True, kw_only=True):
    """An object, or a container, that is to go. `problem`: what is told of it instead."""

    container: str
    key: str = ""
    quoted: str = ""
    version_id: str | None = None
    is_manifest: bool = False
    is_last: bool = False  # what comes before it must be gone
    problem: tuple[int, str] | None = None


class _Count:
    """How a deletion went so far."""

    def __init__(self) -> None:
        self.deleted = self.missing = 0
        self.errors: list[tuple[str, str]] = []
        self.statuses: list[int] = []

    def add(self, doomed: _Doomed, status: int, told: str = "") -> None:
        if status < 300:
            self.deleted += 1
        elif status == 404:
            self.missing += 1
        else:
            self.errors.append((doomed.quoted, told or status_line(status)))
            self.statuses.append(status)
            if len(self.errors) >= FAILURES_MAX:
                raise Declined(400, "Max delete failures exceeded")

    def report(self) -> Report:
        report = Report(
            status=status_line(200),
            facts={"Number Deleted": self.deleted, "Number Not Found": self.missing},
            errors=self.errors,
        )
        if self.errors:
            report.status = status_line(worst(self.statuses))
        elif not (self.deleted or self.missing):
            report.status, report.body = status_line(400), "Invalid bulk delete."
        return report


async def bulk_delete(call: Call) -> Reply:
    """Delete what the body names: objects first, then containers, which must be empty by then."""
    kind = format_of(call.request.headers.get("accept", ""))
    try:
        if kind is None:
            raise Declined(406)
        names = await _names(call)
    except CloudError as error:
        report = _refused(error, _Count())
        return await answered(_given(report), kind=kind, root="delete")

    # What has no name is told of among the objects.
    objects = [name for name in names if not (name.is_valid and name.is_container)]
    containers = [name for name in names if name.is_valid and name.is_container]

    async def doomed() -> AsyncIterator[_Doomed]:
        for name in objects:
            yield _named(name)
        for at, name in enumerate(containers):
            yield _named(name, is_last=at == 0)

    return await _answered(call, doomed, kind)


async def delete_manifest(call: Call) -> Reply:
    """Delete a static large object with all of its segments, those of nested ones too."""
    kind = format_of(call.request.headers.get("accept", ""))
    first = _Doomed(
        container=call.container,
        key=call.name,
        quoted=quote(f"/{call.container}/{call.name}"),
        version_id=version_id_of(call),
        is_manifest=True,
    )

    async def doomed() -> AsyncIterator[_Doomed]:
        waiting = [first]
        while waiting:
            if len(waiting) > _WAITING_MAX:
                raise Declined(400, "Too many buffered slo segments to delete.")
            one = waiting.pop(0)
            if not one.is_manifest:
                yield one
                continue
            # The manifest goes behind its segments: until then it tells what is left of them.
            problem: tuple[int, str] | None = None
            try:
                entries = await _entries(call, one)
                waiting += [_segment(entry) for entry in entries if not entry.is_inline]
            except CloudError as error:
                problem = status_of(error), reason_of(error)
                if problem[0] >= 500:
                    raise
            waiting.append(replace(one, is_manifest=False, is_last=True, problem=problem))

    return await _answered(call, doomed, kind)


async def _answered(
    call: Call, doomed: Callable[[], AsyncIterator[_Doomed]], kind: str | None
) -> Reply:
    async def work() -> Report:
        count = _Count()
        try:
            if kind is None:
                raise Declined(406)
            some: list[_Doomed] = []
            async for one in doomed():
                if some and (len(some) == _AT_ONCE or one.is_last):
                    await _all_gone(call, some, count)
                    some = []
                some.append(one)
            await _all_gone(call, some, count)
        except CloudError as error:
            return _refused(error, count)
        return count.report()

    return await answered(work, kind=kind, root="delete")


async def _all_gone(call: Call, some: list[_Doomed], count: _Count) -> None:
    outcomes = await asyncio.gather(*(_gone(call, one) for one in some))
    for one, (status, told) in zip(some, outcomes, strict=True):
        count.add(one, status, told)


async def _gone(call: Call, doomed: _Doomed) -> tuple[int, str]:
    """Delete one; return the status that tells how it went, and words for it if there are any."""
    if doomed.problem is not None:
        return doomed.problem
    try:
        await _delete(call, doomed)
    except CloudError as error:
        status = status_of(error)
        if status >= 500:
            log.warning("request %s: one of many could not be deleted: %s", call.trans_id, error)
        return status, ""
    return 204, ""


async def _delete(call: Call, doomed: _Doomed) -> None:
    if not doomed.key:
        bucket = await call.reach(call.project_id, doomed.container, Action.DELETE_BUCKET)
        await call.gateway.delete_bucket(bucket, actor=call.actor)
        return
    action = Action.WRITE if doomed.version_id is None else Action.DELETE_VERSION
    bucket = await call.reach(call.project_id, doomed.container, action, doomed.key)
    if doomed.version_id is None:
        await remove(call, bucket, doomed.key)
        return
    done = await call.gateway.delete_object(
        bucket, doomed.key, version_id=doomed.version_id, actor=call.actor
    )
    if done.position is None:
        raise NoSuchVersion(key=doomed.key, version_id=doomed.version_id)


async def _names(call: Call) -> list[Name]:
    """Return what the body names.

    Raises:  Declined 411, 413, 400, 406; IncompleteBody.
    """
    sent = call.request.headers.get("content-type", "")
    if sent and not sent.startswith("text/plain"):
        raise Declined(406)
    if call.incoming.length is None and not call.incoming.is_chunked:
        raise Declined(411)
    names = NameList()
    size = 0
    while data := await call.incoming.read():
        size += len(data)
        if size > _BODY_MAX:
            raise Declined(413)
        names.receive(data)
    return names.finish()


def _refused(error: CloudError, count: _Count) -> Report:
    """Return the report of a deletion that came to an end before its time."""
    report = count.report()
    report.status, report.body = status_line(status_of(error)), reason_of(error)
    return report


def _given(report: Report) -> Callable[[], Awaitable[Report]]:
    async def work() -> Report:
        return report

    return work


def _segment(entry: Segment) -> _Doomed:
    container, key = entry.place
    return _Doomed(
        container=container, key=key, quoted=quote(entry.name), is_manifest=entry.sub_slo
    )


def _named(name: Name, *, is_last: bool = False) -> _Doomed:
    return _Doomed(
        container=name.container,
        key=name.key,
        quoted=name.quoted,
        problem=None if name.is_valid else (412, ""),
        is_last=is_last,
    )


async def _entries(call: Call, doomed: _Doomed) -> list[Segment]:
    """Return a manifest's entries.

    Raises:  Declined: 400 for what is no manifest, 404 where there is none.
    """
    bucket = await call.reach(call.project_id, doomed.container, Action.READ, doomed.key)
    version, entries = await call.gateway.open_manifest(
        bucket, doomed.key, version_id=doomed.version_id
    )
    if version.kind != STATIC:
        raise Declined(400, "Not an SLO manifest")
    return entries
