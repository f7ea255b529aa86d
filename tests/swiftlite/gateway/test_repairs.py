"""Repairs: of which blobs the operator is told, and how often."""

from __future__ import annotations

from eventlog.clock import SystemClock
from swiftlite.gateway import repairs
from swiftlite.gateway.repairs import TOLD_AGAIN_S, Told


class StillClock(SystemClock):
    """Stands where it is put."""

    at_s = 0.0

    def monotonic_s(self) -> float:
        return self.at_s


def test_each_blob_is_told_of_once_in_a_minute() -> None:
    clock = StillClock()
    told = Told(clock)
    assert [told.is_time(b"a"), told.is_time(b"a"), told.is_time(b"b")] == [True, False, True]
    clock.at_s = TOLD_AGAIN_S - 1
    assert not told.is_time(b"a")
    clock.at_s = TOLD_AGAIN_S
    assert told.is_time(b"a")
    assert not told.is_time(b"a")


def test_what_it_remembers_has_a_bound() -> None:
    told = Told(StillClock())
    names = [number.to_bytes(4, "big") for number in range(repairs._TOLD_MAX + 1)]
    assert all(told.is_time(name) for name in names)
    assert told.is_time(names[0]), "the oldest was forgotten"
    assert not told.is_time(names[-1])
