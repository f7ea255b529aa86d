"""Archive upload: a tar file in one request, an object for each file in it.

    container/prefix?extract-archive=tar|tar.gz|tar.bz2

Names are put behind the path; without a container in the path, a name's first part is one, made
where it is missing. A name with `..` in it is refused: restored, it would be written elsewhere.

Source: Swift's "Bulk Operations" (2026-08).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from urllib.parse import quote

from eventlog.errors import CloudError
from swiftlite.access import Action
from swiftlite.catalog.rows import Bucket
from swiftlite.errors import BucketAlreadyOwnedByYou, NoSuchBucket
from swiftlite.gateway.body import Copied
from swiftlite.http.errors import IncompleteBody
from swiftlite.http.replies import Buffer, Reply
from swiftlite.swift import tar
from swiftlite.swift.bulk_answer import Report, answered, format_of, status_line, worst
from swiftlite.swift.bulk_names import PATH_MAX
from swiftlite.swift.call import Call
from swiftlite.swift.errors import Declined, reason_of, status_of
from swiftlite.swift.limits import FILE_MAX
from swiftlite.swift.metadata import user_metadata
from swiftlite.swift.objects import META, check_name, delete_at_of, guessed_type
from swiftlite.swift.quotas import room_for
from swiftlite.swift.request import is_text
from swiftlite.swift.storing import Described, store
from swiftlite.swift.unpack import Unpacker, unpacker_of

log = logging.getLogger(__name__)

CONTAINERS_MAX = 10_000
FAILURES_MAX = 1000
INFO = {"max_containers_per_extraction": CONTAINERS_MAX, "max_failed_extractions": FAILURES_MAX}

_XATTRS = ("SCHILY.xattr.user.", "LIBARCHIVE.xattr.user.")


async def extract(call: Call) -> Reply:
    """Store each file of the archive; each succeeds or fails for itself."""
    unpacker = unpacker_of(call.request.query["extract-archive"])
    if unpacker is None:
        raise Declined(400, "Unsupported archive format")
    kind = format_of(call.request.headers.get("accept", ""))
    extraction = _Extraction(call)

    async def work() -> Report:
        try:
            if kind is None:
                raise Declined(406)
            if call.incoming.length is None and not call.incoming.is_chunked:
                raise Declined(411)
            await extraction.run(unpacker)
        except IncompleteBody:
            raise  # nobody is there to be told
        except CloudError as error:
            return extraction.report(error)
        return extraction.report(None)

    # A client sends the whole archive before it reads: signs of life are for what is left then.
    return await answered(work, kind=kind, root="extract", ready=extraction.is_read)


class _Extraction:
    """One archive on its way into objects."""

    def __init__(self, call: Call) -> None:
        self.is_read = asyncio.Event()
        self._call = call
        path = f"{call.container}/{call.name}" if call.container else ""
        self._base = path.rstrip("/")
        self._created = 0
        self._errors: list[tuple[str, str]] = []
        self._statuses: list[int] = []
        self._containers: dict[str, Bucket] = {}
        self._containers_made = 0
        self._broken: CloudError | None = None  # why the archive cannot be read on

    def report(self, error: CloudError | None) -> Report:
        """Return how it went; `error`: why it came to an end before its time."""
        report = Report(
            status=status_line(201),
            facts={"Number Files Created": self._created},
            errors=self._errors,
        )
        if error is not None:
            report.status, report.body = status_line(status_of(error)), reason_of(error)
            if status_of(error) >= 500:
                log.warning("request %s: an archive: %s", self._call.trans_id, error)
        elif self._errors:
            report.status = status_line(worst(self._statuses))
        elif not self._created:
            report.status = status_line(400)
            report.body = "Invalid Tar File: No Valid Files"
        return report

    async def run(self, unpacker: Unpacker) -> None:
        """Store what there is, until there are too many failures.

        Raises:  Declined: 400 for a broken archive, 401 and 403 where nothing may be stored.
        """
        try:
            async with aclosing(self._events(unpacker)) as events:
                async for event in events:
                    if isinstance(event, tar.Member):
                        await self._member(event, events)
                    if len(self._errors) >= FAILURES_MAX:
                        break
            async with asyncio.timeout(60):
                # The client sends to the end before it reads what became of it.
                while await self._call.incoming.read():
                    continue
        except TimeoutError:
            pass
        finally:
            self.is_read.set()

    async def _events(self, unpacker: Unpacker) -> AsyncGenerator[tar.Event, None]:
        reader = tar.TarReader()
        try:
            while data := await self._call.incoming.read():
                unpacker.feed(data)
                while piece := await _taken(unpacker):
                    for event in reader.receive(piece):
                        yield event
            self.is_read.set()
            unpacker.finish()
            reader.finish()
        except CloudError as error:
            self._broken = error
            raise

    async def _member(self, member: tar.Member, events: AsyncIterator[tar.Event]) -> None:
        name = member.name.removeprefix("./").lstrip("/")
        path = f"{self._base}/{name}" if self._base else name
        container, slash, key = path.partition("/")
        body = _content(events)
        try:
            if slash:  # what would lie beside the containers is passed over
                await self._store(member, container, key, body)
                self._created += 1
        except CloudError as error:
            status = status_of(error)
            shown = quote(path.encode("utf-8", "surrogateescape")[:PATH_MAX])
            self._errors.append((shown, status_line(status)))
            self._statuses.append(status)
            if status == 401 or error is self._broken:
                raise
            if status >= 500:
                log.warning("request %s: one of an archive: %s", self._call.trans_id, error)
        async for _ in body:
            pass  # what was not stored of it

    async def _store(
        self, member: tar.Member, container: str, key: str, body: AsyncIterator[Buffer]
    ) -> None:
        if not is_text(f"{container}/{key}") or "\0" in member.name:
            raise Declined(412)
        if not key or ".." in f"{container}/{key}".split("/") or member.is_sparse:
            raise Declined(400)
        if member.size > FILE_MAX:
            raise Declined(413)
        check_name(key)
        said = self._said(member, key)
        bucket = await self._container(container, key)
        await room_for(self._call, bucket, member.size)
        await store(self._call, bucket, key, Copied(body, member.size), said=said)

    def _said(self, member: tar.Member, key: str) -> Described:
        headers = self._call.request.headers
        given = {name: headers[name] for name in headers if name.startswith(META)}
        kind = "" if headers.get("x-detect-content-type") else headers.get("content-type", "")
        for attribute, value in _attributes(member.pax):
            if attribute == "mime_type":
                kind = value
            elif attribute.startswith("meta."):
                given[META + attribute.removeprefix("meta.").lower()] = value
        if not is_text(kind) or any(ord(character) < 32 for character in kind):
            raise Declined(400, "Invalid Content-Type")
        for name, value in given.items():
            if not _is_header(name, value):
                raise Declined(400, "Invalid metadata")
        meta = user_metadata(given, META)
        delete_at_s = delete_at_of(headers, self._call.now_s)
        return Described({"content-type": kind or guessed_type(key)}, meta, delete_at_s)

    async def _container(self, name: str, key: str) -> Bucket:
        """Return a container to store into, made if it is not there."""
        found = self._containers.get(name)
        if found is None:
            found = await self._reached(name, key)
            if len(self._containers) >= CONTAINERS_MAX:
                self._containers.clear()  # they are found again
            self._containers[name] = found
        return found

    async def _reached(self, name: str, key: str) -> Bucket:
        call = self._call
        try:
            return await call.reach(call.project_id, name, Action.WRITE, key)
        except NoSuchBucket:
            call.check_account(Action.CREATE_BUCKET, name)
        self._containers_made += 1
        if self._containers_made > CONTAINERS_MAX:
            raise Declined(400, f"More than {CONTAINERS_MAX} containers to create from tar.")
        try:
            return await call.gateway.create_container(
                name,
                project_id=call.project_id,
                owner=call.principal.user_id,
                region=call.settings.region,
                actor=call.actor,
            )
        except BucketAlreadyOwnedByYou:
            return await call.gateway.container(call.project_id, name)


async def _taken(unpacker: Unpacker) -> bytes:
    if unpacker.is_costly:  # it would hold up everyone else
        return await asyncio.to_thread(unpacker.take)
    return unpacker.take()


async def _content(events: AsyncIterator[tar.Event]) -> AsyncGenerator[Buffer, None]:
    """Yield a file's bytes, up to its end; asked again, nothing more."""
    async for event in events:
        if isinstance(event, tar.End):
            return
        if isinstance(event, tar.Data):
            yield event.data


def _attributes(pax: Mapping[str, str]) -> list[tuple[str, str]]:
    return [
        (name.removeprefix(prefix), value)
        for name, value in pax.items()
        for prefix in _XATTRS
        if name.startswith(prefix)
    ]


def _is_header(name: str, value: str) -> bool:
    """Return whether what came in an archive, where anything can be written, can be a header."""
    plain = name.isascii() and all(c.isalnum() or c in "-_.!#$%&'*+^`|~" for c in name)
    return plain and is_text(value) and not any(ord(c) < 32 or ord(c) == 127 for c in value)
