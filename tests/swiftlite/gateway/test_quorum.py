"""The write quorum, against every single loss and every order of failures."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swiftlite.gateway.quorum import Quorum


def run(quorum: Quorum, dead: set[int]) -> None:
    """Write every fragment; devices in `dead` fail whatever they are asked."""
    waiting = quorum.start()
    while waiting:
        fragment, device = waiting.pop(0)
        if device in dead:
            if (another := quorum.failed(fragment)) is not None:
                waiting.append((fragment, another))
        else:
            quorum.wrote(fragment)


def outlives_any_one_loss(placed: dict[int, int], needed: int) -> bool:
    """The naive oracle: take each device away in turn and count what is left."""
    return all(
        len({f for f, d in placed.items() if d != lost}) >= needed for lost in set(placed.values())
    )


def test_with_every_device_up_each_fragment_is_written_at_home() -> None:
    quorum = Quorum([3, 1, 4, 0, 5, 2], needed=4)
    run(quorum, set())
    assert quorum.written == {0: 3, 1: 1, 2: 4, 3: 0, 4: 5, 5: 2}
    assert quorum.is_durable


@pytest.mark.parametrize("dead", list(itertools.combinations(range(6), 2)))
def test_any_two_of_six_may_fail_and_one_more_may_be_lost_later(dead: tuple[int, int]) -> None:
    quorum = Quorum(range(6), needed=4)
    run(quorum, set(dead))
    assert quorum.is_durable
    assert len(quorum.written) == 6
    assert outlives_any_one_loss(quorum.written, 4)


def test_a_failed_fragment_goes_to_a_spare_before_any_device_takes_two() -> None:
    quorum = Quorum([0, 1, 2], [3, 4], needed=1)
    run(quorum, {1})
    assert quorum.written == {0: 0, 1: 3, 2: 2}


def test_four_of_six_dead_is_not_durable_though_every_fragment_was_written() -> None:
    quorum = Quorum(range(6), needed=4)
    run(quorum, {0, 1, 2, 3})
    assert len(quorum.written) == 6
    assert not quorum.is_durable


def test_as_many_fragments_as_are_needed_and_no_more_are_not_durable() -> None:
    quorum = Quorum(range(6), needed=4)
    quorum.start()
    for fragment in range(4):
        quorum.wrote(fragment)
    assert not quorum.is_durable
    quorum.wrote(4)
    assert quorum.is_durable


@pytest.mark.parametrize(("devices", "durable"), [([0] * 6, True), ([0, 1] * 3, True)])
def test_a_ring_that_survives_no_loss_anyway_is_held_to_the_count_alone(
    devices: list[int], durable: bool
) -> None:
    quorum = Quorum(devices, needed=4)
    run(quorum, set())
    assert quorum.is_durable is durable


def test_one_device_left_of_six_is_not_a_one_device_store() -> None:
    quorum = Quorum(range(6), needed=4, out={1, 2, 3, 4, 5})
    run(quorum, set())
    assert quorum.written == dict.fromkeys(range(6), 0)
    assert not quorum.is_durable


def test_a_device_that_failed_is_not_asked_again() -> None:
    quorum = Quorum([0, 1, 2], needed=1)
    quorum.start()
    assert quorum.failed(0) in {1, 2}
    asked = [quorum.failed(1), quorum.failed(2)]
    assert 0 not in asked
    assert quorum.failed(0) is None


@given(
    count=st.integers(1, 9),
    needed=st.integers(1, 6),
    extra=st.integers(1, 4),
    data=st.data(),
)
def test_durable_means_any_one_loss_is_survived(
    count: int, needed: int, extra: int, data: st.DataObject
) -> None:
    home = [i % count for i in range(needed + extra)]
    spares = range(min(count, needed + extra), count)
    out = data.draw(st.sets(st.integers(0, count - 1)))
    dead = data.draw(st.sets(st.integers(0, count - 1)))
    quorum = Quorum(home, spares, needed=needed, out=out)
    run(quorum, dead)
    assert not set(quorum.written.values()) & (out | dead)
    if quorum.is_durable:
        assert len(quorum.written) > needed
        tolerant = outlives_any_one_loss(dict(enumerate(home)), needed)
        assert not tolerant or outlives_any_one_loss(quorum.written, needed)
    live = count - len(out | dead)
    if live and -(-(needed + extra) // live) <= extra:  # a balanced spread survives one loss
        assert quorum.is_durable, "a write that could be made safe was refused"
