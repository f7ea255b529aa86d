"""SLO manifests: what a client may write, and what becomes of it."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swiftlite.segments import Segment, decoded, encoded, etag_of, part_span, pieces, size_of
from swiftlite.swift.errors import Declined
from swiftlite.swift.slo_manifest import (
    ENTRIES_MAX,
    SEGMENTS_MAX,
    Found,
    Wanted,
    as_written,
    parse,
    resolved,
)

OWN = ("c", "big")


def written(*entries: Any) -> list[Wanted]:
    return parse(json.dumps(entries).encode(), own=OWN)


def complaint(*entries: Any) -> str:
    with pytest.raises(Declined) as caught:
        written(*entries)
    return str(caught.value.reason)


def found(size: int = 10, etag: str = "e", **facts: Any) -> Found:
    return Found(**({"size": size, "etag": etag, "content_type": "t/p"} | facts))


@pytest.mark.parametrize(
    "document",
    [b"", b"{", b"\xff", b'"\\ud800"', b"[" * 100_000, b"nope", b"[1,]", b"[NaN]"],
)
def test_what_is_no_json_is_no_manifest(document: bytes) -> None:
    with pytest.raises(Declined, match="valid JSON"):
        parse(document, own=OWN)


@pytest.mark.parametrize("document", [b"{}", b"1", b"null", b'"x"'])
def test_a_manifest_is_a_list(document: bytes) -> None:
    with pytest.raises(Declined, match="must be a list"):
        parse(document, own=OWN)


def test_each_bad_entry_is_named_with_its_place() -> None:
    told = complaint(
        1,
        {},
        {"path": "c/o", "colour": 1, "a": 2},
        {"path": 7},
        {"path": "c/o", "etag": 7},
        {"path": "just-a-container"},
        {"path": "/c/"},
        {"path": "c/o", "size_bytes": "ten"},
        {"path": "c/o", "size_bytes": True},
        {"path": "c/o", "size_bytes": 0},
        {"path": "/c/big"},
        {"path": "c/o", "range": "1-2,3-4"},
        {"path": "c/o", "range": "5-4"},
        {"path": "c/o", "range": "-"},
        {"path": "c/o", "range": "٣-"},
        {"path": "c/o", "range": 5},
        {"path": "c/o", "range": "9" * 5000 + "-"},
        {"path": "c/o", "range": "10-", "size_bytes": 10},
        {"data": "!"},
        {"data": ""},
        {"data": 5},
        {"data": "QQ==", "path": "c/o"},
        {"path": "c/fine"},
    ).splitlines()
    assert [int(line.split()[1].rstrip(":")) for line in told] == list(range(22))
    assert told[0] == "Index 0: not a JSON object"
    assert told[2] == 'Index 2: extraneous keys "a", "colour"'
    assert told[10] == "Index 10: manifest must not include itself as a segment"
    assert told[11] == "Index 11: multiple ranges (only one allowed)"
    assert told[17] == "Index 17: unsatisfiable range"
    assert told[19] == "Index 19: too small; each segment must be at least 1 byte."


def test_inline_data_alone_makes_no_large_object() -> None:
    assert "at least one object-backed segment" in complaint({"data": "QQ=="})


def test_one_thousand_segments_are_allowed_and_one_more_is_not() -> None:
    entry = {"path": "c/o"}
    assert len(written(*[entry] * SEGMENTS_MAX)) == SEGMENTS_MAX
    with pytest.raises(Declined, match="must be <= 1000"):
        written(*[entry] * (SEGMENTS_MAX + 1))
    # Inline data does not count.
    assert len(written(*[entry] * SEGMENTS_MAX, {"data": "QQ=="})) == SEGMENTS_MAX + 1


def test_sizes_may_be_text_and_the_last_segment_may_be_empty() -> None:
    wanted = written({"path": "/c/o", "size_bytes": "12", "etag": None}, {"path": "c/p"})
    assert wanted[0] == Wanted(path="/c/o", size=12)
    assert wanted[0].place == ("c", "o")
    assert written({"path": "c/o", "size_bytes": 0})[0].size == 0


def test_entries_that_fit_are_stored_with_what_was_found() -> None:
    wanted = written(
        {"path": "c/a", "size_bytes": 10, "etag": "e"},
        {"data": " QUI "},
        {"path": "c/a", "range": "2-4"},
        {"path": "c/a", "range": "-3"},
        {"path": "c/a", "range": "0-99"},
        {"path": "/c/sub"},
    )
    there = {"c/a": found(), "/c/sub": found(5, "s", is_manifest=True, modified_us=1_500_000)}
    segments, problems = resolved(wanted, there)
    assert problems == []
    assert [segment.range for segment in segments] == ["", "", "2-4", "7-9", "", ""]
    assert segments[1].data == "QUI="
    assert [segment.length for segment in segments] == [10, 2, 3, 3, 10, 5]
    assert segments[5].sub_slo
    assert segments[5].last_modified == "1970-01-01T00:00:01.500000"
    assert decoded(encoded(segments)) == segments


def test_what_does_not_fit_is_told_one_by_one() -> None:
    wanted = written(
        {"path": "c/a b", "size_bytes": 11, "etag": "f"},
        {"path": "c/gone"},
        {"path": "c/empty"},
        {"path": "c/a b", "range": "10-"},
        {"path": "c/empty"},
    )
    there = {
        "c/a b": found(),
        "c/gone": Found(problem="404 Not Found"),
        "c/empty": found(0),
    }
    assert resolved(wanted, there)[1] == [
        ("c/a%20b", "Size Mismatch"),
        ("c/a%20b", "Etag Mismatch"),
        ("c/gone", "404 Not Found"),
        ("c/empty", "Too small; each segment must be at least 1 byte."),
        ("c/a%20b", "Unsatisfiable Range"),
    ]


def test_the_etag_is_the_md5_of_the_segments_etags_ranges_and_data() -> None:
    segments = [
        Segment(name="/c/a", bytes=9, hash="aa"),
        Segment(name="/c/b", bytes=9, hash="bb", range="1-2"),
        Segment(data=base64.b64encode(b"xyz").decode()),
    ]
    inline = hashlib.md5(b"xyz").hexdigest()
    assert etag_of(segments) == hashlib.md5(f"aabb:1-2;{inline}".encode()).hexdigest()
    assert size_of(segments) == 9 + 2 + 3


def test_a_stored_manifest_can_be_read_as_it_was_put() -> None:
    segments = [
        Segment(name="/c/a", bytes=9, hash="aa", range="1-2", sub_slo=True, content_type="t"),
        Segment(data="QQ=="),
    ]
    raw = as_written(segments)
    assert json.loads(raw) == [
        {"etag": "aa", "path": "/c/a", "range": "1-2", "size_bytes": 9},
        {"data": "QQ=="},
    ]
    assert len(parse(raw, own=OWN)) == 2
    shown = json.loads(encoded(segments))
    assert shown[0]["sub_slo"] is True
    assert set(shown[0]) == {"name", "bytes", "hash", "content_type", "range", "sub_slo"}
    assert shown[1] == {"data": "QQ=="}


lengths = st.lists(st.tuples(st.integers(0, 20), st.integers(1, 20), st.booleans()), max_size=8)


@given(lengths, st.integers(0, 200), st.integers(0, 200))
def test_law_pieces_are_the_bytes_that_were_asked_for(
    shapes: list[tuple[int, int, bool]], a: int, b: int
) -> None:
    segments, contents = [], {}
    for number, (skip, length, is_inline) in enumerate(shapes):
        data = bytes((number * 37 + i) % 251 for i in range(skip + length))
        if is_inline:
            segment = Segment(data=base64.b64encode(data).decode())
        else:
            name = f"/c/{number}"
            segment = Segment(name=name, bytes=len(data), range=f"{skip}-{skip + length - 1}")
        contents[number] = (segment, data)
        segments.append(segment)
    whole = b"".join(data[slice(*segment.span)] for segment, data in contents.values())
    start, end = sorted((min(a, len(whole)), min(b, len(whole))))
    by_segment = {id(segment): data for segment, data in contents.values()}
    got = b"".join(by_segment[id(p.segment)][p.start : p.end] for p in pieces(segments, start, end))
    assert got == whole[start:end]


def test_parts_are_counted_from_one() -> None:
    segments = [Segment(name="/c/a", bytes=4), Segment(name="/c/b", bytes=6, range="1-3")]
    assert part_span(segments, 1) == (0, 4)
    assert part_span(segments, 2) == (4, 7)


def test_entries_are_bounded_before_each_is_looked_at() -> None:
    for entry in (b"1", b'{"data":"YQ=="}'):
        document = b"[" + b",".join([entry] * (ENTRIES_MAX + 1)) + b"]"
        with pytest.raises(Declined, match="Number of segments must be") as refused:
            parse(document, own=("c", "o"))
        assert refused.value.status == 413
        assert len(str(refused.value)) < 100
