"""Fragments: one blob's, read where they are, and made from the others where they are not."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Collection, Iterator
from enum import Enum, auto

from eventlog.errors import CloudError
from swiftlite.coding.stripe import Geometry
from swiftlite.errors import ObjectDamaged, ObjectUnreachable
from swiftlite.gateway.engine import Engine, Late
from swiftlite.manifest import Blob, Layout
from swiftlite.node.errors import FragmentDamaged, FragmentMissing
from swiftlite.node.format import Buffer, Fragment, Label

_INLINE_MAX = 64 << 10  # a stripe up to this size is decoded in the time that a thread costs


class _Search(Enum):
    """How hard to look for a fragment; each is tried when the one before was not enough."""

    LIKELY = auto()  # where it should be
    EVERYWHERE = auto()  # on every device that answers in time
    PATIENT = auto()  # on those too that do not: the whole machine may be slow


class Fragments:
    """Reads a blob; all bytes that it hands out were verified by the device that held them.

    A fragment is looked for where its hint says, then on the device that each ring names for it,
    the newest first; only when too few of the others are at hand is every device asked.
    """

    def __init__(self, engine: Engine, blob: Blob, label: Label) -> None:
        self.blob = blob
        self.geometry = Geometry(blob.size, blob.k, blob.stripe)
        self._engine = engine
        self._label = label
        self._hints = {hint.fragment: hint for hint in blob.hints}
        self._found: dict[int, int] = {}  # fragment -> device that had it
        self._absent: set[int] = set()  # fragments that did not come from where they should be
        self._gone: set[int] = set()  # those of which devices that are well say so

    async def whole(self) -> Buffer:
        """Return all bytes of a blob that is stored as copies, from any copy that is good.

        Raises:  ObjectDamaged if there is none, ObjectUnreachable if one may come back.
        """
        assert self.blob.layout is Layout.COPIES
        turn = self._engine.turn()
        for how in _Search:
            for i in range(self.blob.fragments):
                got = await self._read((turn + i) % self.blob.fragments, 0, how)
                if got is not None:
                    return got
        raise self._too_few(0)

    async def cells(self, stripe: int, wanted: Collection[int]) -> dict[int, Buffer]:
        """Return these cells of a stripe of a coded blob, rebuilding those that cannot be read.

        Raises:  ObjectDamaged if fewer than k fragments are left, ObjectUnreachable if more may be
                 on devices that are out.
        """
        got: dict[int, Buffer] = {}
        await self._gather(
            got, stripe, [f for f in wanted if f not in self._absent], _Search.LIKELY
        )
        if all(fragment in got for fragment in wanted):
            return got
        k = self.blob.k
        for how in _Search:
            others = deque(
                fragment
                for fragment in range(self.blob.fragments)
                if fragment not in got
                and (how is not _Search.LIKELY or fragment not in self._absent)
            )
            while len(got) < k and others:
                batch = [others.popleft() for _ in range(min(k - len(got), len(others)))]
                await self._gather(got, stripe, batch, how)
        if len(got) < k:
            raise self._too_few(len(got))
        missing = [fragment for fragment in wanted if fragment not in got]
        if missing:
            decode = self._engine.codec_of(self.blob).rebuild
            if self.geometry.data_length(stripe) <= _INLINE_MAX:
                made = decode(got, missing)
            else:
                made = await self._engine.in_thread(decode, got, missing)
            got.update(zip(missing, made, strict=True))
        return got

    async def stream(self, start: int, end: int) -> AsyncGenerator[Buffer, None]:
        """Yield the bytes start..end-1, touching only the stripes and cells that hold them.

        One stripe is read ahead, as long as the process has room for it.
        """
        if self.blob.layout is Layout.COPIES:
            yield memoryview(await self.whole())[start:end]
            return
        ahead: deque[tuple[int, asyncio.Task[dict[int, Buffer]]]] = deque()
        stripes = iter(self.geometry.range_to_stripes(start, end))
        try:
            self._read_on(ahead, stripes, start, end)
            while ahead:
                stripe, reading = ahead[0]
                cells = await reading
                ahead.popleft()
                self._read_on(ahead, stripes, start, end)
                for cell, first, last in self._pieces(stripe, start, end):
                    yield memoryview(cells[cell])[first:last]
        finally:
            for _, reading in ahead:
                reading.cancel()

    def _read_on(
        self,
        ahead: deque[tuple[int, asyncio.Task[dict[int, Buffer]]]],
        stripes: Iterator[int],
        start: int,
        end: int,
    ) -> None:
        """Begin to read until two stripes are under way: the one to be sent and one ahead."""
        room = 1 if self._engine.stripes.locked() else 2
        while len(ahead) < room and (stripe := next(stripes, None)) is not None:
            wanted = [cell for cell, _, _ in self._pieces(stripe, start, end)]
            task = asyncio.get_running_loop().create_task(self.cells(stripe, wanted))
            ahead.append((stripe, task))

    def _pieces(self, stripe: int, start: int, end: int) -> list[tuple[int, int, int]]:
        """Return (cell, first, last) of each data cell that holds some of the bytes."""
        low, high = self.geometry.within(stripe, start, end)
        length = self.geometry.cell_length(stripe)
        return [
            (cell, max(low - cell * length, 0), min(high - cell * length, length))
            for cell in range(low // length, -(-high // length))
        ]

    async def _gather(
        self, got: dict[int, Buffer], stripe: int, fragments: Collection[int], how: _Search
    ) -> None:
        reads = (self._read(fragment, stripe, how) for fragment in fragments)
        for fragment, cell in zip(fragments, await asyncio.gather(*reads), strict=True):
            if cell is not None:
                got[fragment] = cell

    async def _read(self, fragment: int, block: int, how: _Search) -> Buffer | None:
        """Return one verified block of a fragment, None if no device that was asked has it."""
        name = Fragment(self.blob.id, fragment)
        hint = self._hints.get(fragment)
        likely = self._likely(fragment)
        candidates = likely
        if how is not _Search.LIKELY:
            candidates = list(dict.fromkeys((*likely, *self._engine.devices.up())))
        settings = self._engine.settings
        patience_s = settings.read_deadline_s
        if how is _Search.PATIENT:
            patience_s = settings.write_deadline_s
        denied = 0
        for id_ in candidates:
            device = self._engine.devices.even_out(id_)
            if device is None:
                continue
            if how is not _Search.PATIENT and not self._engine.devices.is_up(id_):
                continue
            here = hint if hint is not None and hint.device == id_ else None
            if here is not None and (view := device.read_cached(name, here)) is not None:
                return view
            call = device.read(name, here, first=block, count=1)
            try:
                cells = await self._engine.within(patience_s, id_, call)
            except (FragmentMissing, FragmentDamaged):
                denied += id_ in likely
            except (CloudError, OSError, Late):
                continue
            else:
                self._found[fragment] = id_
                self._absent.discard(fragment)
                self._gone.discard(fragment)
                return cells[0]
        self._absent.add(fragment)
        if denied == len(likely):  # they are well and do not have it: no mere outage
            self._gone.add(fragment)
            self._engine.repairs.add(self.blob, self._label)
        return None

    def _likely(self, fragment: int) -> list[int]:
        """Return the devices that should have a fragment, the likeliest first."""
        found = []
        if fragment in self._found:
            found.append(self._found[fragment])
        if fragment in self._hints:
            found.append(self._hints[fragment].device)
        for ring in self._engine.rings.known():
            home = ring.devices_of(self.blob.id)
            if fragment < len(home):
                found.append(home[fragment])
        return list(dict.fromkeys(found))

    def _too_few(self, good: int) -> CloudError:
        needed = self.blob.needed
        if self.blob.fragments - len(self._gone) >= needed:
            return ObjectUnreachable(key=self._label.key, reached=good, needed=needed)
        reason = f"{good} good fragments of blob {self.blob.id.hex()}, {needed} needed"
        return ObjectDamaged(key=self._label.key, reason=reason)
