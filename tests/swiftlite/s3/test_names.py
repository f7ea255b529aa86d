"""What follows from header names alone."""

from __future__ import annotations

import pytest

from swiftlite.errors import InvalidRequest
from swiftlite.s3.names import names_sent


def test_names_are_sorted_by_what_they_say() -> None:
    names = names_sent(
        [
            b"Host",
            b"X-Amz-Date",
            b"X-Amz-Meta-Color",
            b"x-amz-checksum-crc32",
            b"x-amz-Checksum-Type",
        ]
    )
    assert names.all[:2] == ("host", "x-amz-date")
    assert names.amz == ("x-amz-date", "x-amz-checksum-crc32", "x-amz-checksum-type")
    assert names.meta == ("x-amz-meta-color",)
    assert names.checksums == ("x-amz-checksum-crc32",)


@pytest.mark.parametrize("count", [1, 200])
def test_a_name_that_may_come_once_is_refused_the_second_time_and_ever_after(count: int) -> None:
    more = [b"x-other-%d" % number for number in range(count)]
    for _ in range(2):
        with pytest.raises(InvalidRequest):
            names_sent([b"Range", *more, b"range"])


def test_a_long_set_of_names_is_read_like_a_short_one() -> None:
    many = [b"X-Amz-Meta-%d" % number for number in range(200)]
    assert names_sent(many).meta == tuple(f"x-amz-meta-{number}" for number in range(200))
    assert names_sent([]).all == ()
