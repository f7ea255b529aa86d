"""Rebuild: make lost fragments of a blob from good ones, on the devices that should have them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Mapping

from eventlog.errors import CloudError
from swiftlite.gateway.engine import Engine, Late
from swiftlite.gateway.fragments import Fragments
from swiftlite.manifest import Blob, Hint, Layout
from swiftlite.node.device import FragmentWriter
from swiftlite.node.format import Buffer, Fragment, Label


async def rebuild(
    engine: Engine, blob: Blob, label: Label, targets: Mapping[int, int]
) -> list[Hint]:
    """Write each fragment of `targets` to its device; return those that are there, synced.

    Every input is verified. If too few are good, nothing is published anywhere.

    Shapes:  targets: fragment -> device.
    Raises:  ObjectDamaged, ObjectUnreachable.
    """
    fragments = Fragments(engine, blob, label)
    cells: Mapping[int, Buffer]
    if blob.layout is Layout.CODED and blob.size > blob.stripe:
        return await _rebuild_large(engine, fragments, label, targets)
    if blob.layout is Layout.COPIES:
        cells = dict.fromkeys(targets, await fragments.whole())
    else:
        cells = await fragments.cells(0, list(targets))

    async def append(fragment: int, device: int) -> Hint | None:
        name = Fragment(blob.id, fragment)
        try:
            return await _within(
                engine,
                device,
                engine.devices[device].append(name, label, size=blob.size, payload=cells[fragment]),
            )
        except (CloudError, OSError, Late):
            return None

    written = await asyncio.gather(*(append(f, device) for f, device in targets.items()))
    return [hint for hint in written if hint is not None]


async def _rebuild_large(
    engine: Engine, fragments: Fragments, label: Label, targets: Mapping[int, int]
) -> list[Hint]:
    blob = fragments.blob
    writers: dict[int, FragmentWriter] = {}
    failed: set[int] = set()

    async def attempt(fragment: int, call: Awaitable[Hint | None]) -> Hint | None:
        try:
            return await _within(engine, targets[fragment], call)
        except (CloudError, OSError, Late):
            failed.add(fragment)
            return None

    try:
        for fragment, device in targets.items():
            with contextlib.suppress(CloudError, OSError):
                name = Fragment(blob.id, fragment)
                writers[fragment] = await engine.devices[device].create(name, label)
        for stripe in range(fragments.geometry.stripes):
            going = [fragment for fragment in writers if fragment not in failed]
            if not going:
                return []
            async with engine.stripes:
                cells = await fragments.cells(stripe, going)
                await asyncio.gather(*(attempt(f, writers[f].write(cells[f])) for f in going))
        going = [fragment for fragment in writers if fragment not in failed]
        hints = await asyncio.gather(*(attempt(f, writers[f].commit()) for f in going))
    except BaseException:
        failed.update(writers)
        raise
    finally:
        for fragment in failed:
            engine.later(_abort(writers[fragment]))
    return [hint for hint in hints if hint is not None]


async def _within(engine: Engine, device: int, call: Awaitable[Hint | None]) -> Hint | None:
    return await engine.within(engine.settings.write_deadline_s, device, call)


async def _abort(writer: FragmentWriter) -> None:
    with contextlib.suppress(CloudError, OSError):
        await writer.abort()
