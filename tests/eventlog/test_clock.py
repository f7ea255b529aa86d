"""Ids grow, also when the clock goes back or the process forks."""

import os
from itertools import pairwise

from eventlog import clock
from eventlog.clock import SystemIds


def test_ids_are_version_7_and_grow_strictly():
    ids = SystemIds()
    drawn = [ids.uuid7() for _ in range(3000)]
    assert all(one < other for one, other in pairwise(drawn))
    assert {len(one) for one in drawn} == {16}
    assert {one[6] >> 4 for one in drawn} == {7}
    assert {one[8] >> 6 for one in drawn} == {2}


def test_ids_grow_while_the_clock_goes_back(monkeypatch):
    ids = SystemIds()
    now = iter([1_800_000_000_000_000_000, 1_700_000_000_000_000_000, 1_700_000_000_000_000_001])
    monkeypatch.setattr(clock.time, "time_ns", lambda: next(now))
    first, second, third = ids.uuid7(), ids.uuid7(), ids.uuid7()
    assert first < second < third
    assert int.from_bytes(first[:6], "big") == 1_800_000_000_000


def test_a_forked_child_draws_other_ids():
    ids = SystemIds()
    ids.uuid7()
    end, start = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(start, b"".join(ids.uuid7()[8:] for _ in range(100)))
        os._exit(0)
    own = {ids.uuid7()[8:] for _ in range(100)}
    os.waitpid(child, 0)
    theirs = os.read(end, 800)
    os.close(start)
    os.close(end)
    assert own.isdisjoint(theirs[at : at + 8] for at in range(0, 800, 8))
