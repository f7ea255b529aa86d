"""Ranges: what RFC 9110 and S3 say, and what nobody should send."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swiftlite.s3.errors import InvalidPartNumberHere, InvalidRange
from swiftlite.s3.ranges import byte_range, part_range, source_range


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        ("bytes=0-", (0, 10)),
        ("bytes=0-0", (0, 1)),
        ("bytes=2-5", (2, 6)),
        ("bytes=5-100", (5, 10)),
        ("bytes=-3", (7, 10)),
        ("bytes=-100", (0, 10)),
        ("bytes=9-" + "9" * 30, (9, 10)),
        ("bytes=0-18446744073709551615", (0, 10)),
        ("bytes=5-2", None),
        ("bytes=0-0,5-6", None),
        ("bytes=" + ",".join(["0-0"] * 1000), None),
        ("bytes=-", None),
        ("bytes=", None),
        ("bytes=a-b", None),
        ("bytes=٣-", None),
        ("bytes=1_0-", None),
        ("bytes=+1-2", None),
        ("items=0-5", None),
        ("", None),
    ],
)
def test_ranges_of_ten_bytes(header: str, wanted: tuple[int, int] | None) -> None:
    assert byte_range(header, 10) == wanted


@pytest.mark.parametrize(
    "header", ["bytes=10-", "bytes=10-20", "bytes=-0", "bytes=" + "9" * 30 + "-"]
)
def test_a_range_without_bytes_cannot_be_satisfied(header: str) -> None:
    with pytest.raises(InvalidRange):
        byte_range(header, 10)


@pytest.mark.parametrize("header", ["bytes=0-", "bytes=0-0", "bytes=-1"])
def test_an_empty_object_has_no_ranges(header: str) -> None:
    with pytest.raises(InvalidRange):
        byte_range(header, 0)


@given(st.integers(0, 2**70), st.integers(0, 2**70), st.integers(1, 2**40))
def test_a_range_lies_within_the_object(first: int, last: int, size: int) -> None:
    try:
        found = byte_range(f"bytes={first}-{last}", size)
    except InvalidRange:
        assert first >= size
        return
    if found is None:
        assert last < first
    else:
        assert found == (first, min(last + 1, size))


def test_a_copied_range_must_lie_within_its_source() -> None:
    assert source_range("bytes=0-9", 10) == (0, 10)
    for text in ("bytes=0-", "bytes=-5", "0-5", "bytes=5-2", "bytes=0-5,7-8"):
        assert source_range(text, 10) is None
    with pytest.raises(InvalidRange):
        source_range("bytes=0-10", 10)


def test_parts_are_ranges() -> None:
    assert part_range(1, (5, 3, 2), 10) == (0, 5)
    assert part_range(3, (5, 3, 2), 10) == (8, 10)
    assert part_range(1, (), 10) == (0, 10)
    with pytest.raises(InvalidPartNumberHere):
        part_range(2, (), 10)
    with pytest.raises(InvalidPartNumberHere):
        part_range(4, (5, 3, 2), 10)
