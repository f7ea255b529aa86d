"""Access records as lines: what goes in comes out, within bounds."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventlog.records.record import LINE_MAX, Kind, Record, Unrecorded, line_of, record_from

_TEXTS = [f.name for f in msgspec.structs.fields(Record) if f.type is str]


def test_a_record_comes_back_from_its_line() -> None:
    record = Record(
        at_us=1_800_000_000_000_000,
        kind=Kind.REFUSED,
        protocol="s3",
        action="GetObject",
        status=403,
        rule="other-project",
        source="192.0.2.1",
        bucket="photos",
        key="a\nb\u2028c\x00",
    )
    line = line_of(record)
    assert record_from(line) == record
    assert line.count(b"\n") == 1
    assert b"agent" not in line


@given(st.dictionaries(st.sampled_from(_TEXTS), st.text(st.characters(), max_size=4000)))
def test_a_line_is_one_line_within_its_bound_whatever_clients_send(texts: dict[str, str]) -> None:
    line = line_of(Record(at_us=1, kind=Kind.READ, **texts))  # type: ignore[arg-type]
    assert len(line) <= LINE_MAX
    assert line.index(b"\n") == len(line) - 1
    assert record_from(line) is not None


@pytest.mark.parametrize("character", ["x", "\x00", "\U0001f600", "\udc80"])
def test_a_line_keeps_its_bound_when_everything_is_as_long_as_can_be(character: str) -> None:
    texts = dict.fromkeys(_TEXTS, character * 10_000)
    line = line_of(Record(at_us=1, kind=Kind.READ, **texts))  # type: ignore[arg-type]
    assert len(line) <= LINE_MAX
    found = record_from(line)
    assert found is not None
    assert found.key


@given(st.integers(0, 100))
def test_a_torn_line_is_no_record(length: int) -> None:
    line = line_of(Record(at_us=1, kind=Kind.READ, bucket="b" * 80))
    assert record_from(line[:length]) is None


def test_a_field_of_a_later_version_does_not_hide_the_rest() -> None:
    assert record_from(b'{"at_us":1,"kind":"read","later":"x"}\n') == Record(
        at_us=1, kind=Kind.READ
    )


def test_who_keeps_none_wants_none() -> None:
    assert not any(Unrecorded().wants(kind) for kind in Kind)
