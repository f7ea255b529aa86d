from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swiftlite.coding.stripe import STRIPE, Geometry, join, split
from tests.swiftlite.coding.codes import noise

SIZES = st.integers(0, 500)
KS = st.integers(1, 16)
STRIPES = st.integers(1, 100)


@given(SIZES, KS, STRIPES)
def test_stripes_tile_exactly_the_object(size: int, k: int, stripe: int) -> None:
    shape = Geometry(size, k, stripe)
    lengths = [shape.data_length(i) for i in range(shape.stripes)]
    assert sum(lengths) == size
    assert all(length == stripe for length in lengths[:-1])
    assert all(0 < length <= stripe for length in lengths)


@given(SIZES, KS, STRIPES)
def test_a_fragment_is_no_longer_than_its_cells_need(size: int, k: int, stripe: int) -> None:
    shape = Geometry(size, k, stripe)
    cells = [shape.cell_length(i) for i in range(shape.stripes)]
    assert shape.fragment_data_size == sum(cells)
    for i, cell in enumerate(cells):
        assert 0 <= k * cell - shape.data_length(i) < k


@given(SIZES, KS, STRIPES, st.data())
def test_a_range_is_read_from_exactly_the_stripes_that_hold_it(
    size: int, k: int, stripe: int, data: st.DataObject
) -> None:
    shape = Geometry(size, k, stripe)
    end = data.draw(st.integers(0, size))
    start = data.draw(st.integers(0, end))
    wanted = range(start, end)
    stripes = shape.range_to_stripes(start, end)
    found: list[int] = []
    for i in stripes:
        first, last = shape.within(i, start, end)
        assert first < last
        found += range(i * stripe + first, i * stripe + last)
    assert found == list(wanted)


@given(st.integers(1, 300), KS)
def test_cells_are_of_one_length_and_hold_the_data_and_then_zeros(size: int, k: int) -> None:
    data = noise(size)
    cells = split(data, k)
    assert len(cells) == k
    assert {len(cell) for cell in cells} == {Geometry(size, k, size).cell_length(0)}
    joined = b"".join(cells)
    assert joined[:size] == data
    assert not any(joined[size:])


@given(st.integers(1, 300), KS, st.data())
def test_join_gives_any_range_of_a_stripe(size: int, k: int, data: st.DataObject) -> None:
    content = noise(size)
    end = data.draw(st.integers(0, size))
    start = data.draw(st.integers(0, end))
    pieces = join(split(content, k), start, end)
    assert b"".join(pieces) == content[start:end]
    assert all(len(piece) > 0 for piece in pieces)


def test_full_cells_are_views_and_only_the_rest_is_copied() -> None:
    data = bytearray(b"aaaabbbbc")
    cells = split(data, 3)
    data[:] = b"xxxxyyyyz"
    assert list(map(bytes, cells)) == [b"xxx", b"xyy", b"yyz"]
    data = bytearray(b"aaaabbbbc")
    cells = split(data, 4)
    data[:] = b"xxxxyyyyz"
    assert list(map(bytes, cells)) == [b"xxx", b"xyy", b"yyz", b"\0\0\0"]
    data = bytearray(b"aaabbbcc")
    cells = split(data, 3)
    data[:] = b"xxxyyyzz"
    assert list(map(bytes, cells)) == [b"xxx", b"yyy", b"cc\0"]


@pytest.mark.parametrize(
    ("size", "stripes", "fragment"),
    [
        (0, 0, 0),
        (1, 1, 1),
        (4, 1, 1),
        (5, 1, 2),
        (STRIPE - 1, 1, STRIPE // 4),
        (STRIPE, 1, STRIPE // 4),
        (STRIPE + 1, 2, STRIPE // 4 + 1),
        (5 << 40, 5 << 20, 5 << 38),
    ],
)
def test_the_geometry_of_4_data_cells(size: int, stripes: int, fragment: int) -> None:
    shape = Geometry(size, 4)
    assert (shape.stripes, shape.fragment_data_size) == (stripes, fragment)


def test_a_stripe_or_a_range_outside_the_object_is_a_bug_of_the_caller() -> None:
    shape = Geometry(100, 4, 64)
    for wrong in (lambda: shape.data_length(2), lambda: shape.cell_length(-1)):
        with pytest.raises(AssertionError):
            wrong()
    with pytest.raises(AssertionError):
        shape.range_to_stripes(0, 101)
