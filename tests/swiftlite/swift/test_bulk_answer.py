"""Bulk operations: names as they come, reports in every format, signs of life while they work."""

from __future__ import annotations

import asyncio
import json
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swiftlite.http.replies import UNKNOWN
from swiftlite.swift import bulk_names
from swiftlite.swift.bulk_answer import Report, answered, format_of, rendered, status_line
from swiftlite.swift.bulk_names import NAMES_MAX, Name, NameList
from swiftlite.swift.errors import Declined


def names(data: bytes, size: int = 1 << 20) -> list[Name]:
    found = NameList()
    for at in range(0, len(data), size):
        found.receive(data[at : at + size])
    return found.finish()


@given(st.integers(1, 30))
def test_names_are_lines_however_they_are_cut(size: int) -> None:
    found = names(b"/c/o%20ne\r\n\n c/two/3 \n%2Fc%2F%C3%A9\n/c\n/c/\nc/", size)
    places = [(name.container, name.key) for name in found]
    assert places == [("c", "o ne"), ("c", "two/3"), ("c", "é"), ("c", ""), ("c", ""), ("c", "")]
    assert [name.is_container for name in found] == [False] * 3 + [True] * 3
    assert found[2].quoted == "/c/%C3%A9"


def test_a_name_that_is_no_utf8_is_kept_to_be_told_of() -> None:
    found = names(b"/c/%ff\n/c/a%00b\n")
    assert [name.is_valid for name in found] == [False, False]
    assert found[0].quoted == "/c/%FF"


def test_ten_thousand_names_are_taken_and_one_more_is_not() -> None:
    assert len(names(b"/c/o\n" * NAMES_MAX)) == NAMES_MAX
    with pytest.raises(Declined, match="Maximum Bulk Deletes: 10000 per request"):
        names(b"/c/o\n" * NAMES_MAX + b"/c/o")
    with pytest.raises(Declined):
        names(b"/c/o\n" * 100 * NAMES_MAX)


def test_a_line_without_end_is_refused_before_it_is_held() -> None:
    found = NameList()

    def endless() -> None:
        for _ in range(10_000):
            found.receive(b"x" * 100)

    with pytest.raises(Declined):
        endless()
    assert len(found._line) < 2 * bulk_names.PATH_MAX + 200
    with pytest.raises(Declined):
        names(b"x" * 10_000 + b"\n")


REPORT = Report(
    status="400 Bad Request",
    body="a<b",
    facts={"Number Deleted": 1, "Number Not Found": 0},
    errors=[("/c/%3C&", "409 Conflict")],
)


def test_a_report_says_the_same_in_every_format() -> None:
    assert json.loads(rendered(REPORT, "application/json", "delete")) == {
        "Response Status": "400 Bad Request",
        "Response Body": "a<b",
        "Number Deleted": 1,
        "Number Not Found": 0,
        "Errors": [["/c/%3C&", "409 Conflict"]],
    }
    assert rendered(REPORT, "text/plain", "delete").decode() == (
        "Number Deleted: 1\nNumber Not Found: 0\nResponse Body: a<b\n"
        "Response Status: 400 Bad Request\nErrors:\n/c/%3C&, 409 Conflict\n"
    )
    for kind in ("application/xml", "text/xml"):
        root = ElementTree.fromstring(rendered(REPORT, kind, "delete"))
        assert root.tag == "delete"
        assert root.findtext("number_deleted") == "1"
        assert root.findtext("response_body") == "a<b"
        assert root.findtext("errors/object/name") == "/c/%3C&"


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", "text/plain"),
        ("*/*", "text/plain"),
        ("application/json", "application/json"),
        ("APPLICATION/JSON; charset=utf-8", "application/json"),
        ("text/xml;q=0.5, application/json;q=0.9", "application/json"),
        ("application/*", "application/json"),
        ("text/plain;q=0, application/xml", "application/xml"),
        ("image/png", None),
        ("application/json;q=x", None),
        (";;;,,,", None),
        ("a" * 100_000, None),
        ("," * 100_000, None),
    ],
)
def test_the_client_chooses_the_format(accept: str, expected: str | None) -> None:
    assert format_of(accept) == expected


async def test_work_that_is_soon_done_is_answered_with_its_length() -> None:
    async def work() -> Report:
        return REPORT

    reply = await answered(work, kind="application/json", root="delete")
    assert reply.stream is None
    assert reply.length == len(reply.body)


async def test_long_work_shows_signs_of_life_and_then_its_report() -> None:
    async def work() -> Report:
        await asyncio.sleep(0.05)
        return REPORT

    for kind, first in (("application/json", b" "), ("text/xml", b"<?xml")):
        reply = await answered(work, kind=kind, root="delete", beat_s=0.01)
        assert reply.length == UNKNOWN
        assert reply.stream is not None
        pieces = [bytes(piece) async for piece in reply.stream]
        assert pieces[0].startswith(first)
        assert pieces[1:-1] == [b" "] * (len(pieces) - 2)
        assert len(pieces) > 2
        assert pieces[-1] == b"\r\n\r\n" + rendered(REPORT, kind, "delete")


async def test_work_ends_when_its_client_goes() -> None:
    ended = asyncio.Event()

    async def work() -> Report:
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()
        return REPORT

    reply = await answered(work, kind="text/plain", root="delete", beat_s=0.001)
    assert reply.stream is not None
    await anext(reply.stream)
    await reply.stream.aclose()
    await asyncio.wait_for(ended.wait(), 5)

    ended.clear()
    waiting = asyncio.ensure_future(answered(work, kind="text/plain", root="delete"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait_for(ended.wait(), 5)


def test_status_lines_are_spelled_out() -> None:
    assert status_line(404) == "404 Not Found"
    assert status_line(409) == "409 Conflict"
