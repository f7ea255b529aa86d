"""The folder of access records: segments of lines, one writer each, by hour.

    2026112210-w1-0190f3c2a1b4.jsonl    what process w1 recorded in the hour from 10:00 UTC

A segment is written once, by one process, up to a bound, and never again after that process ended:
what a crash tore stays at a segment's end. Reading is possible while others write.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from heapq import merge
from itertools import groupby
from pathlib import Path

import msgspec

from eventlog.records.record import Record, record_from

SEGMENT_BYTES = 16 << 20
_HOUR_US = 3_600_000_000
_NAME = re.compile(r"(\d{10})-[^/]+\.jsonl", re.ASCII)


class Segment(msgspec.Struct, frozen=True):
    """A file of records, all of one hour."""

    path: Path
    hour: str  # 2026112210

    @property
    def size(self) -> int:
        """Bytes; 0 if it is gone."""
        try:
            return self.path.stat().st_size
        except FileNotFoundError:
            return 0


class Lines:
    """Records in the order of their times, and how many lines among them could not be read."""

    def __init__(self) -> None:
        self.damaged = 0

    def read(
        self, folder: Path, *, since_us: int = 0, until_us: int | None = None
    ) -> Iterator[Record]:
        """Yield the records with since_us <= at_us <= until_us."""
        first = hour_of(since_us)
        last = None if until_us is None else hour_of(until_us)
        found = [
            s for s in segments(folder) if s.hour >= first and (last is None or s.hour <= last)
        ]
        for _, some in groupby(found, key=lambda segment: segment.hour):
            for record in self._of_hour(list(some)):
                if record.at_us >= since_us and (until_us is None or record.at_us <= until_us):
                    yield record

    def read_back(self, folder: Path) -> Iterator[Record]:
        """Yield all records, the last first."""
        found = segments(folder)
        for _, some in groupby(reversed(found), key=lambda segment: segment.hour):
            yield from reversed(list(self._of_hour(list(some))))

    def _of_hour(self, found: list[Segment]) -> Iterator[Record]:
        return merge(*map(self._of_segment, found), key=lambda record: record.at_us)

    def _of_segment(self, segment: Segment) -> Iterator[Record]:
        try:
            file = segment.path.open("rb")
        except FileNotFoundError:  # its time was over
            return
        with file:
            for line in file:
                record = record_from(line)
                if record is not None:
                    yield record
                elif line.endswith(b"\n"):  # else it is being written, or its writer died
                    self.damaged += 1


class Follower:
    """Sees what is added to the folder from its making on."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read = {segment.path: segment.size for segment in segments(folder)}

    def newer(self) -> list[Record]:
        """Return what was added since the last call, in the order of its times."""
        found: list[Record] = []
        sizes: dict[Path, int] = {}
        for segment in segments(self._folder):
            start = self._read.get(segment.path, 0)
            with contextlib.suppress(FileNotFoundError), segment.path.open("rb") as file:
                file.seek(start)
                whole, newline, _ = file.read().rpartition(b"\n")
                sizes[segment.path] = start + len(whole) + len(newline)
                records = map(record_from, whole.split(b"\n"))
                found += [record for record in records if record is not None]
        self._read = sizes
        return sorted(found, key=lambda record: record.at_us)


def segments(folder: Path) -> list[Segment]:
    """Return the segments, the oldest hour first; other files are not looked at."""
    try:
        names = sorted(entry.name for entry in folder.iterdir())
    except FileNotFoundError:
        return []
    matches = filter(None, map(_NAME.fullmatch, names))
    return [Segment(folder / match.string, match[1]) for match in matches]


def prune(folder: Path, *, now_us: int, retention_s: float, bytes_max: int) -> int:
    """Delete segments whose time is over, and the oldest beyond `bytes_max`; return how many.

    What may still be written to stays: segments of this hour that are not full. So the folder may
    be larger than `bytes_max` by one segment of each process.
    """
    oldest = hour_of(int(now_us - retention_s * 1_000_000) - _HOUR_US)
    this = hour_of(now_us)
    gone = 0
    sizes = {segment: segment.size for segment in segments(folder)}
    total = sum(sizes.values())
    for segment, size in sizes.items():
        if segment.hour >= this and size < SEGMENT_BYTES:
            continue
        if segment.hour <= oldest or total > bytes_max:
            segment.path.unlink(missing_ok=True)
            total -= size
            gone += 1
    return gone


def hour_of(us: int) -> str:
    """Return the hour in the form that segments are named by."""
    moment = datetime.fromtimestamp(max(0, us) // 1_000_000, UTC)
    return moment.strftime("%Y%m%d%H")
