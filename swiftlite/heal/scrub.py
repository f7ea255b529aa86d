"""Scrub: find what is missing, damaged, misplaced or left over. It changes nothing."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from contextlib import aclosing

import msgspec

from eventlog.errors import CloudError
from swiftlite.catalog import blobs
from swiftlite.catalog.blobs import Place
from swiftlite.gateway.engine import Engine
from swiftlite.heal.examine import Finding, examined
from swiftlite.heal.pace import Pace, Report
from swiftlite.heal.unreadable import LISTED_MAX, Unreadable, unreadable
from swiftlite.node.device import ScannedDamage, ScannedFragment

AT_ONCE = 8  # blobs looked at together
YOUNG_MS = 15 * 60 * 1000  # a blob drawn this recently may belong to a write under way


class Scrubbed(msgspec.Struct, kw_only=True):
    """What a scrub found. Fragments are counted once for each version that has them."""

    versions: int = 0
    blobs: int = 0
    bytes: int = 0
    fragments: int = 0  # that there should be
    ok: int = 0
    missing: int = 0  # not on any device that can be asked, though its own can
    damaged: int = 0
    out: int = 0  # not found, while a device that may have it is out
    misplaced: int = 0  # good, but only away from where the ring has it
    orphans: int = 0  # fragments on devices that no event names
    orphan_bytes: int = 0
    wrecks: int = 0  # places on devices that belong to no known fragment
    repairable: int = 0  # blobs that are not whole, but can be read
    unreadable: list[Unreadable] = []
    unreadable_count: int = 0
    devices_out: list[int] = []

    @property
    def is_clean(self) -> bool:
        """Whether every fragment is there and good, on a device of its own ring or another."""
        return self.ok == self.fragments and not self.damaged and not self.devices_out


async def scrub(
    engine: Engine,
    *,
    deep: bool = True,
    orphans: bool = True,
    report: Report | None = None,
    bytes_per_s: float | None = None,
    cursor: bytes = b"",
) -> Scrubbed:
    """Look at every fragment of every version, ended ones that keep their bytes among them.

    With `deep` every byte is read and verified, otherwise only presence is checked. With `orphans`
    the devices are then read for fragments that nothing names: those are counted, never deleted.
    `cursor` (from a Progress) goes on where a scrub was interrupted; it counts only from there, and
    looks for no orphans.
    """
    found = Scrubbed()
    known = array("Q")
    pace = Pace(engine.clock, "scrub", report=report, bytes_per_s=bytes_per_s)
    version: tuple[str, bytes, str, int] | None = None
    places = blobs.walk(engine.log, cursor)
    async with aclosing(examined(engine, places, deep=deep, at_once=AT_ONCE)) as findings:
        async for place, finding in findings:
            if not finding.is_whole and not await blobs.has_bytes(engine.log, place):
                continue  # it was swept since the walk met it
            this = (place.kind, place.bucket_id, place.key, place.begin)
            found.versions += this != version
            version = this
            _count(engine, found, place, finding)
            known.append(_tail(place.blob.id))
            pace.hurt = found.damaged + found.missing
            await pace.step(place.blob.size, place.cursor)
    found.devices_out = sorted(engine.devices.out())
    if orphans and not cursor:
        await _count_orphans(engine, found, array("Q", sorted(known)))
    return found


def _count(engine: Engine, found: Scrubbed, place: Place, finding: Finding) -> None:
    blob = place.blob
    found.blobs += 1
    found.bytes += blob.size
    found.fragments += blob.fragments
    hurt = {fragment for fragment, _ in finding.damaged}
    home = engine.rings.current.devices_of(blob.id)
    for fragment in range(blob.fragments):
        if held := finding.held.get(fragment):
            found.ok += 1
            found.misplaced += home[fragment] not in held
        elif fragment in hurt:
            found.damaged += 1
        elif fragment in finding.unknown:
            found.out += 1
        else:
            found.missing += 1
    if not finding.is_readable:
        found.unreadable_count += 1
        if len(found.unreadable) < LISTED_MAX:
            found.unreadable.append(unreadable(place, blob.fragments - len(finding.missing)))
    elif not finding.is_whole:
        found.repairable += 1


async def _count_orphans(engine: Engine, found: Scrubbed, known: array[int]) -> None:
    now_ms = engine.clock.now_us() // 1000
    for id_ in engine.devices.up():
        try:
            async for item in engine.devices[id_].scan():
                if isinstance(item, ScannedDamage):
                    found.wrecks += not item.torn
                elif not _is_known(known, item) and await _is_orphan(engine, item, now_ms):
                    found.orphans += 1
                    found.orphan_bytes += item.length
        except (CloudError, OSError):
            continue  # it went out under the scan, and is counted among those that are out


async def _is_orphan(engine: Engine, item: ScannedFragment, now_ms: int) -> bool:
    blob_id = item.fragment.blob
    if now_ms - int.from_bytes(blob_id[:6], "big") < YOUNG_MS:
        return False
    # Its event may have been committed after the walk had passed its key.
    return not await blobs.referenced(engine.log, item.label.bucket_id, item.label.key, blob_id)


def _is_known(known: array[int], item: ScannedFragment) -> bool:
    tail = _tail(item.fragment.blob)
    at = bisect_left(known, tail)
    return at < len(known) and known[at] == tail


def _tail(blob_id: bytes) -> int:
    """Return the 64 bits of an id that are random but for two."""
    return int.from_bytes(blob_id[8:], "big")
