"""Ranges, one and several: which bytes they mean, what they look like, what they may cost."""

from __future__ import annotations

from email.parser import BytesParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swiftlite.swift.errors import Declined
from swiftlite.swift.ranges import RANGES_MAX, byte_ranges
from tests.swiftlite.clouds import pattern
from tests.swiftlite.swift.edge import SwiftEdge


@pytest.mark.parametrize(
    ("header", "spans"),
    [
        ("bytes=0-0", [(0, 1)]),
        ("bytes=2-", [(2, 10)]),
        ("bytes=-3", [(7, 10)]),
        ("bytes=-99", [(0, 10)]),
        ("bytes=0-99", [(0, 10)]),
        ("bytes=0-1,4-5", [(0, 2), (4, 6)]),
        ("bytes=0-1, 20-30, -1", [(0, 2), (9, 10)]),
        ("BYTES = 0-1", [(0, 2)]),
        ("bytes=5-3", None),
        ("bytes=-", None),
        ("bytes=5", None),
        ("bytes=a-b", None),
        ("bytes=--1", None),
        ("bytes=+1-2", None),
        ("bytes=1_0-", None),
        ("bytes=٣-", None),
        ("bytes=0-1,x", None),
        ("bytes=", None),
        ("items=0-1", None),
        ("bytes=" + "0-0," * 2000 + "0-0", None),
    ],
)
def test_which_bytes_a_header_means(header: str, spans: list[tuple[int, int]] | None) -> None:
    assert byte_ranges(header, 10, "e") == spans


@pytest.mark.parametrize(
    ("header", "size"),
    [
        ("bytes=10-", 10),
        ("bytes=-0", 10),
        ("bytes=" + ",".join(f"{n}-{n}" for n in range(RANGES_MAX + 1)), 100),
        ("bytes=0-9,0-9,0-9", 10),
        ("bytes=" + ",".join(f"{n}-{n}" for n in range(9, 0, -1)), 10),
    ],
)
def test_what_cannot_or_will_not_be_sent(header: str, size: int) -> None:
    with pytest.raises(Declined) as refused:
        byte_ranges(header, size, "e")
    assert (refused.value.status, refused.value.headers["Content-Range"]) == (
        416,
        f"bytes */{size}",
    )


def test_no_range_lies_in_nothing() -> None:
    with pytest.raises(Declined):
        byte_ranges("bytes=0-", 0, "e")


@given(st.text(alphabet="bytes=0123456789-, ", max_size=30), st.integers(0, 20))
def test_ranges_lie_within_the_object(tail: str, size: int) -> None:
    try:
        spans = byte_ranges("bytes=" + tail, size, "e")
    except Declined:
        return
    assert all(0 <= start < end <= size for start, end in spans or ())


@pytest.mark.parametrize("size", [100, 300_000])
def test_one_range(edge: SwiftEdge, box: str, size: int) -> None:
    data = pattern(size)
    edge.swift("PUT", f"{box}/o", data)
    answer = edge.swift("GET", f"{box}/o", headers={"Range": "bytes=10-19"})
    assert (answer.status, answer.body) == (206, data[10:20])
    assert answer.headers["content-range"] == f"bytes 10-19/{size}"
    answer = edge.swift("GET", f"{box}/o", headers={"Range": f"bytes={size}-"})
    assert (answer.status, answer.headers["content-range"]) == (416, f"bytes */{size}")
    assert edge.swift("HEAD", f"{box}/o", headers={"Range": "bytes=1-2"}).status == 200


@pytest.mark.parametrize("size", [100, 300_000])
def test_several_ranges(edge: SwiftEdge, box: str, size: int) -> None:
    data = pattern(size)
    edge.swift("PUT", f"{box}/o", data, {"Content-Type": "text/plain"})
    answer = edge.swift("GET", f"{box}/o", headers={"Range": f"bytes=0-4,50-,{size}-"})
    assert answer.status == 206
    head = f"Content-Type: {answer.headers['content-type']}\r\n\r\n".encode()
    message = BytesParser().parsebytes(head + answer.body)
    parts = message.get_payload()
    assert isinstance(parts, list)
    assert [part["Content-Range"] for part in parts] == [
        f"bytes 0-4/{size}",
        f"bytes 50-{size - 1}/{size}",
    ]
    assert parts[0].get_payload(decode=True) == data[:5]
    boundary = answer.headers["content-type"].partition("boundary=")[2].encode()
    assert answer.body.startswith(b"--" + boundary + b"\r\n")
    assert data[50:] + b"\r\n--" + boundary + b"--\r\n" in answer.body


def test_a_range_of_another_object_is_the_whole(edge: SwiftEdge, box: str) -> None:
    etag = edge.swift("PUT", f"{box}/o", b"0123456789").headers["etag"]
    for validator, status in ((etag, 206), (f'"{etag}"', 206), ("other", 200)):
        headers = {"Range": "bytes=0-1", "If-Range": validator}
        assert edge.swift("GET", f"{box}/o", headers=headers).status == status
