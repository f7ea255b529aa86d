"""The shared connection count: over processes, and over their deaths."""

from __future__ import annotations

import os

from computelite.serve.slots import Counter, Slots


def in_child(work: object) -> None:
    assert callable(work)
    pid = os.fork()
    if pid == 0:
        work()
        os._exit(0)
    os.waitpid(pid, 0)


def test_the_limit_holds_over_all_workers() -> None:
    slots = Slots(2, limit=3)
    first, second = slots.row(0), slots.row(1)
    assert [first.acquire(), second.acquire(), first.acquire()] == [True] * 3
    assert not second.acquire()
    first.release()
    assert second.acquire()
    assert slots.total(Counter.REFUSED) == 1


def test_what_a_child_takes_its_parent_counts() -> None:
    slots = Slots(2, limit=1)
    in_child(slots.row(1).acquire)
    assert slots.total(Counter.OPEN) == 1
    assert not slots.row(0).acquire()


def test_the_places_of_a_dead_worker_are_free_again() -> None:
    slots = Slots(2, limit=2)
    slots.row(0).acquire()
    in_child(slots.row(1).acquire)
    slots.worker_died(1)
    assert slots.total(Counter.OPEN) == 1
    assert slots.total(Counter.ACCEPTED) == 2
