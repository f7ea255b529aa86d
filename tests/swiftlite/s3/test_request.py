"""Heads: paths, queries and headers, decoded once and signed as they are."""

from __future__ import annotations

import contextlib
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventlog.errors import CloudError
from swiftlite.errors import InvalidArgument, InvalidRequest
from swiftlite.s3.errors import InvalidURI
from swiftlite.s3.request import (
    canonical_path,
    canonical_query,
    decoded,
    number,
    parse_headers,
    parse_query,
    sorted_query,
)

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=50)


@given(TEXT)
def test_decoding_undoes_quoting(text: str) -> None:
    assert decoded(quote(text, safe="")) == text


@given(TEXT)
def test_a_path_quoted_by_rfc_3986_is_canonical_already(text: str) -> None:
    path = "/" + quote(text, safe="/~")
    assert canonical_path(path) == path


@given(st.text(st.characters(codec="ascii", exclude_characters="?#"), max_size=40))
def test_canonicalisation_is_idempotent_and_keeps_the_meaning(raw: str) -> None:
    once = canonical_path(raw)
    assert canonical_path(once) == once
    if "%" not in raw:
        assert decoded(once) == raw


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [
        ("/a//b/../c/./d", "/a//b/../c/./d"),
        ("/a%2fb", "/a%2Fb"),
        ("/%61%7e", "/a~"),
        ("/a+b c", "/a%2Bb%20c"),
        ("/%zz", "/%25zz"),
    ],
)
def test_paths_in_canonical_form(raw: str, wanted: str) -> None:
    assert canonical_path(raw) == wanted


def test_queries_in_canonical_form_are_sorted_and_a_plus_is_a_plus() -> None:
    assert canonical_query("b=2&a=%2f&a-=1&acl") == "a=%2F&a-=1&acl=&b=2"
    assert canonical_query("p=a+b") == "p=a%2Bb"
    assert parse_query("p=a+b") == {"p": "a+b"}
    assert sorted_query("b=2&a=%2f&X-Amz-Signature=x", leave_out="X-Amz-Signature") == "a=%2f&b=2"


@pytest.mark.parametrize("raw", ["%ff", "%c0%af", "%ed%a0%80", "%", "%4", "%g0", "a%f0%28%8c%28"])
def test_what_is_not_utf8_is_refused(raw: str) -> None:
    with pytest.raises(InvalidURI):
        decoded(raw)


def test_a_parameter_that_comes_twice_is_refused() -> None:
    with pytest.raises(InvalidArgument):
        parse_query("prefix=a&prefix=b")
    with pytest.raises(InvalidArgument):
        parse_query("prefix=a&%70refix=b")


@pytest.mark.parametrize(
    "name", [b"Authorization", b"host", b"x-amz-date", b"Content-Length", b"range"]
)
def test_a_header_that_says_one_thing_may_not_come_twice(name: bytes) -> None:
    with pytest.raises(InvalidRequest):
        parse_headers([(name, b"1"), (name.upper(), b"1")])


def test_user_metadata_that_comes_twice_is_joined_as_signers_join_it() -> None:
    names, headers = parse_headers([(b"x-amz-meta-a", b"1"), (b"X-Amz-Meta-A", b"2")])
    assert headers == {"x-amz-meta-a": "1,2"}
    assert names.meta == ("x-amz-meta-a",)


def test_bytes_that_are_not_utf8_survive_to_be_hashed() -> None:
    _, headers = parse_headers([(b"x-amz-meta-a", b"\xff\xfe"), (b"x-amz-meta-b", b"\xc3")])
    values = [value.encode("utf-8", "surrogateescape") for value in headers.values()]
    assert values == [b"\xff\xfe", b"\xc3"]


def test_a_head_without_headers_is_read() -> None:
    assert parse_headers([])[1] == {}


@pytest.mark.parametrize(
    "text",
    ["", "-1", "+5", " 5", "5 ", "1_0", "٣", "０", "1.0", "0x1", "9" * 20, "9" * 5000, "1\n"],
)
def test_what_is_not_ascii_digits_is_no_number(text: str) -> None:
    assert number(text, low=0, high=10**19) is None


def test_numbers_have_bounds() -> None:
    assert number("5", low=1, high=10) == 5
    assert number("0", low=1, high=10) is None
    assert number("11", low=1, high=10) is None
    assert number("007", low=1, high=10) == 7


@given(st.text(max_size=200))
def test_any_query_is_read_or_refused(raw: str) -> None:
    with contextlib.suppress(CloudError):
        parse_query(raw)
