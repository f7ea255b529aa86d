"""What repair decides to write, for every way a blob can be hurt."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swiftlite.heal.plan import plan

HOME = (0, 1, 2, 3, 4, 5)
WHOLE = {fragment: {device} for fragment, device in enumerate(HOME)}


def test_a_whole_blob_needs_nothing() -> None:
    assert plan(WHOLE, home=HOME, spares=(), needed=4, up=HOME) == ((), 2)


@pytest.mark.parametrize("lost", list(itertools.combinations(range(6), 2)))
def test_lost_fragments_are_rebuilt_at_home(lost: tuple[int, int]) -> None:
    held = {f: at for f, at in WHOLE.items() if f not in lost}
    done = plan(held, home=HOME, spares=(), needed=4, up=HOME)
    assert done.writes == tuple((f, HOME[f]) for f in lost)
    assert done.spare == 0


def test_an_unreadable_blob_gets_no_writes() -> None:
    held = {f: {f} for f in range(3)}
    assert plan(held, home=HOME, spares=(), needed=4, up=HOME) == ((), -1)


def test_while_home_is_out_a_spare_takes_the_fragment() -> None:
    held = {f: {f} for f in range(6) if f != 2}
    done = plan(held, home=HOME, spares=(7, 6), needed=4, up=(0, 1, 3, 4, 5, 6, 7))
    assert done.writes == ((2, 7),)


def test_a_copy_on_a_device_that_is_out_does_not_count() -> None:
    done = plan(WHOLE, home=HOME, spares=(6,), needed=4, up=(0, 1, 2, 3, 4, 6))
    assert done == (((5, 6),), 1)


def test_doubled_up_fragments_go_home_when_home_is_back() -> None:
    # Written while 4 and 5 were out: 0 and 1 hold two fragments each.
    held = {0: {0}, 1: {1}, 2: {2}, 3: {3}, 4: {0}, 5: {1}}
    done = plan(held, home=HOME, spares=(), needed=4, up=HOME)
    assert done.writes == ((4, 4), (5, 5))


def test_a_handoff_that_is_spread_well_stays_where_it_is() -> None:
    held = {**WHOLE, 5: {6}}
    assert plan(held, home=HOME, spares=(6,), needed=4, up=(*HOME, 6)).writes == ()


@given(data=st.data(), devices=st.integers(1, 9))
def test_after_the_writes_every_fragment_is_on_a_live_device(
    data: st.DataObject, devices: int
) -> None:
    home = [i % devices for i in range(6)]
    spares = tuple(range(6, devices))
    up = data.draw(st.sets(st.integers(0, devices - 1)))
    held = data.draw(
        st.dictionaries(st.integers(0, 5), st.sets(st.integers(0, devices - 1)), max_size=6)
    )
    writes, spare = plan(held, home=home, spares=spares, needed=4, up=up)
    good = {f for f, at in held.items() if at & up}
    assert spare == len(good) - 4
    assert all(device in up for _, device in writes)
    assert not any(device in held.get(f, ()) for f, device in writes), "wrote what was there"
    if spare < 0:
        assert not writes
    else:
        assert good | {f for f, _ in writes} == set(range(6))
