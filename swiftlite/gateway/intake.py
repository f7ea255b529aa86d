"""Intake: a body onto devices, hashed on the way. What put and put-part have in common."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping

import msgspec

from swiftlite.catalog.limits import PART_BYTES_MAX
from swiftlite.gateway.attempt import discard
from swiftlite.gateway.body import Body
from swiftlite.gateway.digests import Digests
from swiftlite.gateway.engine import Engine
from swiftlite.gateway.stripes import Stripes
from swiftlite.gateway.write import write_whole
from swiftlite.gateway.write_large import write_large
from swiftlite.manifest import Blob
from swiftlite.node.format import Label

_INLINE_MAX = 64 << 10  # hashing up to this much takes less time than a thread costs


class Stored(msgspec.Struct, frozen=True):
    """A body that is durable on devices, though no event names it yet."""

    manifest: tuple[Blob, ...]  # empty for an empty body
    size: int
    etag: str  # MD5 in hex
    checksums: Mapping[str, str]


async def store_body(engine: Engine, label: Label, body: Body) -> Stored:
    """Return when every byte of the body is synced on devices, with its digests checked.

    Raises:  QuorumLost, EntityTooLarge, and what the body raises; nothing is left behind then.
    """
    digests = Digests(body.algorithms)
    stripe = engine.settings.stripe
    stripes = Stripes(body, stripe, limit=PART_BYTES_MAX)
    first = await stripes.next()
    second = await stripes.next() if len(first) == stripe else b""
    blob: Blob | None = None
    if second:
        blob = await write_large(engine, label, _hashed(engine, digests, first, second, stripes))
    else:
        if len(first) <= _INLINE_MAX:
            digests.update(first)
        else:
            await engine.in_thread(digests.update, first)
    result = digests.result()
    if blob is None:
        # Checked before anything is written: a bad body costs no disk.
        checksums = body.check(result)
        blob = await write_whole(engine, label, first) if first else None
    else:
        try:
            checksums = body.check(result)
        except BaseException:
            engine.later(discard(engine, blob.id, blob.hints))
            raise
    return Stored(
        manifest=(blob,) if blob else (),
        size=stripes.size,
        etag=result["md5"].hex(),
        checksums=checksums,
    )


async def forget(engine: Engine, stored: Stored) -> None:
    """Take back what was stored: its event was refused, so that nothing will ever name it."""
    for blob in stored.manifest:
        await discard(engine, blob.id, blob.hints)


async def _hashed(
    engine: Engine, digests: Digests, first: bytes, second: bytes, stripes: Stripes
) -> AsyncIterator[bytes]:
    """Yield the stripes; each is hashed in a thread while it is coded and the next comes in."""
    hashing: asyncio.Future[None] | None = None
    data = first
    following = second
    try:
        while data:
            if hashing is not None:
                await hashing
            hashing = asyncio.ensure_future(engine.in_thread(digests.update, data))
            yield data
            data, following = following, b"" if stripes.is_ended else await stripes.next()
    finally:
        if hashing is not None:
            await hashing
