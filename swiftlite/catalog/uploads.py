"""Multipart uploads: start, write a part, complete, abort.

in progress ──part written──> in progress
     ├──complete──> completed   its version exists; exactly one of the two wins
     └──abort─────> aborted     its parts wait to be swept
completed ──complete again──> the same answer, until the sweep forgets it
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import md5

import msgspec

from eventlog.clock import Ids
from eventlog.log import Actor, Guard, Log
from swiftlite.catalog import keys
from swiftlite.catalog.conditions import Conditions
from swiftlite.catalog.events import (
    PartWritten,
    UploadAborted,
    UploadCompleted,
    UploadStarted,
    bucket_stream,
)
from swiftlite.catalog.guards import BucketExists, BytesRemain, UploadExists, UploadUnchanged
from swiftlite.catalog.limits import (
    OBJECT_BYTES_MAX,
    PART_BYTES_MAX,
    PART_BYTES_MIN,
    PART_NUMBER_MAX,
)
from swiftlite.catalog.queries import get_upload
from swiftlite.catalog.rows import Bucket, Completed, Part, Upload, Version
from swiftlite.catalog.settle import settle
from swiftlite.catalog.stack import version_of
from swiftlite.catalog.versions import Draft, Source, write_guards, written
from swiftlite.errors import (
    EntityTooLarge,
    EntityTooSmall,
    InvalidArgument,
    InvalidPart,
    InvalidPartOrder,
    InvalidRequest,
    NoSuchUpload,
)
from swiftlite.manifest import Blob

Seal = Callable[[Upload, Sequence[Part]], tuple[dict[str, str], str]]
"""Works out the whole object's checksums, and their type, from its parts; may refuse them."""


class PartDraft(msgspec.Struct, frozen=True, kw_only=True):
    """All that makes a part but its place in the log."""

    number: int
    size: int
    etag: str
    checksums: dict[str, str] = {}
    manifest: tuple[Blob, ...] = ()


class PartClaim(msgspec.Struct, frozen=True):
    """A part as the client names it in Complete: what it says must be true of the stored one."""

    number: int
    etag: str
    checksums: dict[str, str] = {}


async def start_upload(
    log: Log,
    ids: Ids,
    bucket: Bucket,
    key: str,
    *,
    owner: str,
    headers: dict[str, str] | None = None,
    meta: dict[str, str] | None = None,
    tags: dict[str, str] | None = None,
    checksum_algorithm: str = "",
    checksum_type: str = "",
    actor: Actor,
) -> Upload:
    """Open an upload; what is said here becomes the object's.

    Raises:  InvalidKey, KeyTooLong, NoSuchBucket.
    """
    keys.check_key(key)
    upload_id = ids.uuid7()
    event = UploadStarted(
        bucket_id=bucket.id,
        key=key,
        upload_id=upload_id,
        owner=owner,
        headers=headers or {},
        meta=meta or {},
        tags=tags or {},
        checksum_algorithm=checksum_algorithm,
        checksum_type=checksum_type,
    )
    guards = [BucketExists(bucket)]
    await log.append(bucket_stream(bucket.id), [event], actor=actor, guards=guards)
    return await get_upload(log, bucket.id, key, upload_id)


async def write_part(
    log: Log,
    bucket: Bucket,
    key: str,
    upload_id: bytes,
    draft: PartDraft,
    *,
    source: Source | None = None,
    actor: Actor,
) -> Part:
    """Make a part whose bytes are durable the one of its number, and return it as committed.

    With `source`, every blob of the draft is shared with that version.

    Raises:  InvalidArgument, EntityTooLarge, NoSuchBucket, NoSuchUpload, SourceGone.
    """
    check_part_number(draft.number)
    if draft.size > PART_BYTES_MAX:
        raise EntityTooLarge(size=draft.size, limit=PART_BYTES_MAX)
    await get_upload(log, bucket.id, key, upload_id)
    event = PartWritten(
        bucket_id=bucket.id,
        key=key,
        upload_id=upload_id,
        number=draft.number,
        size=draft.size,
        etag=draft.etag,
        checksums=draft.checksums,
        manifest=draft.manifest,
        shares=tuple(blob.id for blob in draft.manifest) if source else (),
    )
    guards: list[Guard] = [BucketExists(bucket), UploadExists(bucket.id, key, upload_id)]
    if source is not None:
        guards.append(BytesRemain(source.bucket_id, source.key, source.begin))
    done = await log.append(bucket_stream(bucket.id), [event], actor=actor, guards=guards)
    return Part(
        number=draft.number,
        begin=done.last,
        modified_us=done.committed_us,
        size=draft.size,
        etag=draft.etag,
        checksums=draft.checksums,
        manifest=draft.manifest,
    )


async def complete_upload(
    log: Log,
    ids: Ids,
    bucket: Bucket,
    key: str,
    upload_id: bytes,
    claims: Sequence[PartClaim],
    *,
    seal: Seal,
    conditions: Conditions | None = None,
    actor: Actor,
) -> Version:
    """Make the named parts, in their order, the latest version of the key, and return it.

    Asked again with the same parts after it succeeded, it returns the same version again.

    Raises:  NoSuchBucket, NoSuchUpload, InvalidPart, InvalidPartOrder, EntityTooSmall,
             EntityTooLarge, NoSuchKey, PreconditionFailed, ConditionalConflict; what `seal` raises.
    """
    _check_order(claims)

    async def attempt(now: Bucket) -> Version:
        try:
            upload = await get_upload(log, now.id, key, upload_id)
        except NoSuchUpload:
            return await _completed_before(log, now.id, key, upload_id, claims)
        parts = await _claimed(log, upload_id, claims)
        draft = _assembled(upload, parts, seal)
        numbers = tuple(part.number for part in parts)
        completed = UploadCompleted(bucket_id=now.id, key=key, upload_id=upload_id, numbers=numbers)
        event = written(now, ids, key, draft, upload_id=upload_id)
        guards = write_guards(now, key, conditions)
        guards.append(UploadUnchanged(now.id, key, upload))
        stream = bucket_stream(now.id)
        done = await log.append(stream, [completed, event], actor=actor, guards=guards)
        return version_of(event, done.last, done.committed_us)

    return await settle(log, bucket, attempt, key=key)


async def abort_upload(
    log: Log,
    bucket_id: bytes,
    key: str,
    upload_id: bytes,
    *,
    seen: Upload | None = None,
    actor: Actor,
) -> None:
    """Give up an upload, in a bucket that may be gone; with `seen`, only if it is as it was then.

    Raises:  NoSuchUpload; Stale if a part was written since.
    """
    await get_upload(log, bucket_id, key, upload_id)
    event = UploadAborted(bucket_id=bucket_id, key=key, upload_id=upload_id)
    guards: list[Guard] = [UploadExists(bucket_id, key, upload_id)]
    if seen is not None:
        guards.append(UploadUnchanged(bucket_id, key, seen))
    await log.append(bucket_stream(bucket_id), [event], actor=actor, guards=guards)


def check_part_number(number: int) -> None:
    """Pass if a part may have this number: 1 to 10,000.

    Raises:  InvalidArgument.
    """
    if not 1 <= number <= PART_NUMBER_MAX:
        raise InvalidArgument(
            reason=f"part numbers go from 1 to {PART_NUMBER_MAX}",
            argument="partNumber",
            value=str(number),
        )


def multipart_etag(etags: Sequence[str]) -> str:
    """Return the ETag of an object of several parts: MD5 of their MD5s, and how many there are.

    Raises:  InvalidPart if one of them is no MD5.
    """
    digest = md5(usedforsecurity=False)
    for number, etag in enumerate(etags, 1):
        try:
            digest.update(bytes.fromhex(etag))
        except ValueError:
            raise InvalidPart(number=number) from None
    return f"{digest.hexdigest()}-{len(etags)}"


def _check_order(claims: Sequence[PartClaim]) -> None:
    if not claims:
        raise InvalidRequest(reason="You must specify at least one part")
    last = 0
    for claim in claims:
        check_part_number(claim.number)
        if claim.number <= last:
            raise InvalidPartOrder(number=claim.number)
        last = claim.number


async def _claimed(log: Log, upload_id: bytes, claims: Sequence[PartClaim]) -> list[Part]:
    at = [keys.part_key(upload_id, claim.number) for claim in claims]
    parts: list[Part] = []
    for claim, part in zip(claims, await log.get_many("part", at), strict=True):
        if part is None or part.etag != claim.etag:
            raise InvalidPart(number=claim.number)
        if any(part.checksums.get(name) != value for name, value in claim.checksums.items()):
            raise InvalidPart(number=claim.number)
        parts.append(part)
    for part in parts[:-1]:
        if part.size < PART_BYTES_MIN:
            raise EntityTooSmall(number=part.number, size=part.size, limit=PART_BYTES_MIN)
    return parts


def _assembled(upload: Upload, parts: Sequence[Part], seal: Seal) -> Draft:
    size = sum(part.size for part in parts)
    if size > OBJECT_BYTES_MAX:
        raise EntityTooLarge(size=size, limit=OBJECT_BYTES_MAX)
    checksums, checksum_type = seal(upload, parts)
    return Draft(
        size=size,
        etag=multipart_etag([part.etag for part in parts]),
        owner=upload.owner,
        checksums=checksums,
        checksum_type=checksum_type,
        headers=upload.headers,
        meta=upload.meta,
        tags=upload.tags,
        parts=tuple(part.size for part in parts),
        manifest=tuple(blob for part in parts for blob in part.manifest),
    )


async def _completed_before(
    log: Log, bucket_id: bytes, key: str, upload_id: bytes, claims: Sequence[PartClaim]
) -> Version:
    known: Completed | None = await log.get("completed", upload_id)
    if known is None or (known.bucket_id, known.key) != (bucket_id, key):
        raise NoSuchUpload(upload_id=upload_id.hex())
    if multipart_etag([claim.etag for claim in claims]) != known.version.etag:
        raise NoSuchUpload(upload_id=upload_id.hex())
    return known.version
