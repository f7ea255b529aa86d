"""Multipart: an object in parts, which exist for themselves until they are completed."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from functools import partial

from eventlog.log import Actor
from swiftlite.catalog import queries, uploads
from swiftlite.catalog.conditions import Conditions
from swiftlite.catalog.keys import check_key
from swiftlite.catalog.rows import Bucket, Part, Upload, Version
from swiftlite.gateway.body import Body, Copied
from swiftlite.gateway.copy import CopySource, open_source
from swiftlite.gateway.engine import Engine
from swiftlite.gateway.intake import forget, store_body
from swiftlite.gateway.put import NOT_PLACED
from swiftlite.gateway.seal import checksum_type, sealed
from swiftlite.gateway.whole import Check
from swiftlite.node.format import Label


async def create_upload(
    engine: Engine,
    bucket: Bucket,
    key: str,
    *,
    headers: Mapping[str, str],
    meta: Mapping[str, str],
    tags: Mapping[str, str],
    owner: str,
    algorithm: str,
    kind: str,
    actor: Actor,
) -> Upload:
    """Return a new upload; `algorithm` and `kind` say which checksum its parts get, "" for none.

    Raises:  InvalidRequest, KeyTooLong, NoSuchBucket.
    """
    check_key(key)
    return await uploads.start_upload(
        engine.log,
        engine.ids,
        bucket,
        key,
        owner=owner,
        headers=dict(headers),
        meta=dict(meta),
        tags=dict(tags),
        checksum_algorithm=algorithm,
        checksum_type=checksum_type(algorithm, kind),
        actor=actor,
    )


async def put_part(
    engine: Engine,
    bucket: Bucket,
    key: str,
    upload_id: bytes,
    number: int,
    body: Body,
    *,
    actor: Actor,
) -> Part:
    """Return the part when its bytes and its event are durable; one of that number is replaced.

    Raises:  NoSuchUpload, also if the upload ended while the bytes came; InvalidArgument;
             QuorumLost, and what the body raises.
    """
    uploads.check_part_number(number)
    upload = await queries.get_upload(engine.log, bucket.id, key, upload_id)
    label = Label(bucket.id, key)
    stored = await store_body(engine, label, _WithDigest(body, upload.checksum_algorithm))
    draft = uploads.PartDraft(
        number=number,
        size=stored.size,
        etag=stored.etag,
        checksums=dict(stored.checksums),
        manifest=stored.manifest,
    )
    try:
        return await uploads.write_part(engine.log, bucket, key, upload_id, draft, actor=actor)
    except NOT_PLACED:
        engine.later(forget(engine, stored))
        raise


async def copy_part(
    engine: Engine,
    bucket: Bucket,
    key: str,
    upload_id: bytes,
    number: int,
    source: CopySource,
    *,
    start: int | None,
    end: int | None,
    check: Check,
    actor: Actor,
) -> Part:
    """Return a part made of the bytes start..end-1 of another object, which are read and written.

    What the other object stands for counts, as far as `check` lets it be read.

    Raises:  as `put_part`; NoSuchKey and its like for the source; SegmentsChanged; ObjectDamaged.
    """
    reader = await open_source(engine, source, check)
    pieces = reader.stream(start or 0, end)
    try:
        return await put_part(engine, bucket, key, upload_id, number, Copied(pieces), actor=actor)
    finally:
        await pieces.aclose()


async def complete_upload(
    engine: Engine,
    bucket: Bucket,
    key: str,
    upload_id: bytes,
    claims: Sequence[uploads.PartClaim],
    *,
    conditions: Conditions | None,
    checksums: Mapping[str, str],
    size: int | None,
    actor: Actor,
) -> Version:
    """Return the version that the named parts became; asked again, the same answer.

    One append: the upload ends and the version begins, or neither does.

    Raises:  NoSuchUpload, InvalidPart, InvalidPartOrder, EntityTooSmall, BadDigest, InvalidRequest,
             PreconditionFailed.
    """
    return await uploads.complete_upload(
        engine.log,
        engine.ids,
        bucket,
        key,
        upload_id,
        claims,
        seal=partial(sealed, claimed=checksums, size=size),
        conditions=conditions,
        actor=actor,
    )


class _WithDigest:
    """A body of which the upload wants a checksum, whatever the client sends."""

    def __init__(self, body: Body, algorithm: str) -> None:
        self.size = body.size
        self.algorithms = body.algorithms | ({algorithm.lower()} if algorithm else frozenset())
        self.read = body.read
        self._body = body
        self._algorithm = algorithm

    def check(self, digests: Mapping[str, bytes]) -> Mapping[str, str]:
        stored = self._body.check(digests)
        if not self._algorithm or self._algorithm in stored:
            return stored
        value = base64.b64encode(digests[self._algorithm.lower()]).decode()
        return {**stored, self._algorithm: value}
