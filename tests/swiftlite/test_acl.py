"""Swift's ACLs: what text is kept, and whom it admits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swiftlite.acl import SIZE_MAX, cleaned, parsed
from swiftlite.auth import Principal
from swiftlite.errors import InvalidAcl

ID = "0123456789abcdef0123456789abcdef"


def user(**facts: object) -> Principal:
    known = {
        "kind": "user",
        "user_id": "u1",
        "user_name": "ann",
        "user_domain_id": "default",
        "project_id": "p1",
        "project_name": "sales",
        "project_domain_id": "default",
    }
    return Principal(**(known | facts))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("", ""),
        (" , ,", ""),
        (" p1:u1 ,  member", "p1:u1,member"),
        (".r:*", ".r:*"),
        (".r:*,.rlistings", ".r:*,.rlistings"),
        (".ref: example.com , .referer : -bad.com, .referrer:*.example.com",
         ".r:example.com,.r:-bad.com,.r:.example.com"),
        (".r:- *.bad.com", ".r:-.bad.com"),
        (".r: -*", ".r:-*"),
        ("*:*", "*:*"),
        ("caf%C3%A9:ann", "caf%C3%A9:ann"),
    ],
)  # fmt: skip
def test_an_acl_is_kept_in_one_spelling(text: str, kept: str) -> None:
    assert cleaned(text, writes=False) == kept


@pytest.mark.parametrize(
    "text", [".r:", ".r:-", ".r:.", ".r:*.", ".r:-.", ".unknown:x", ".rlistings:yes", ".:x"]
)
def test_what_nobody_understands_is_refused(text: str) -> None:
    with pytest.raises(InvalidAcl):
        cleaned(f"p1:u1,{text}", writes=False)


def test_referrers_never_write() -> None:
    with pytest.raises(InvalidAcl):
        cleaned(".r:*", writes=True)
    assert cleaned("p1:*, member", writes=True) == "p1:*,member"


def test_an_acl_has_a_bound() -> None:
    assert cleaned("x" * SIZE_MAX, writes=False)
    with pytest.raises(InvalidAcl):
        cleaned("é" * (SIZE_MAX // 2) + "x", writes=False)


@given(st.text(max_size=80), st.booleans())
def test_cleaning_twice_is_cleaning_once(text: str, writes: bool) -> None:
    try:
        once = cleaned(text, writes=writes)
    except InvalidAcl:
        return
    assert cleaned(once, writes=writes) == once
    parsed(once)


@pytest.mark.parametrize(
    ("element", "facts", "admits"),
    [
        ("p1:u1", {}, True),
        ("p1:*", {}, True),
        ("*:u1", {}, True),
        ("*:*", {}, True),
        ("p2:u1", {}, False),
        ("p1:u2", {}, False),
        ("u1:p1", {}, False),
        ("sales:ann", {}, True),
        ("sales:u1", {}, True),
        ("sales:*", {}, True),
        ("*:ann", {}, True),
        # names are for the default domain, on both sides
        ("sales:ann", {"user_domain_id": "d2"}, False),
        ("sales:ann", {"project_domain_id": "d2"}, False),
        ("*:ann", {"user_domain_id": "d2", "project_domain_id": "d2"}, False),
        ("p1:u1", {"user_domain_id": "d2", "project_domain_id": "d2"}, True),
        ("sales:ann", {"user_domain_id": "", "project_domain_id": ""}, False),
        # nothing but a star is a star
        ("%2A:%2A", {}, False),
        ("%2A:u1", {"project_name": "*"}, True),
        (":", {"user_id": "", "project_id": "", "user_name": "", "project_name": ""}, False),
        (":u1", {"project_name": ""}, False),
        ("*:", {"user_name": ""}, False),
        # names with odd letters
        ("caf%C3%A9:ann", {"project_name": "café"}, True),
        ("café:ann", {"project_name": "café"}, True),
        ("café:ann", {"project_name": "cafe\u0301"}, False),
        ("sales:аnn", {}, False),  # a Cyrillic а
        ("Sales:ann", {}, False),
        ("a%3Ab:c", {"project_name": "a:b", "user_name": "c"}, True),
        ("a:b:c", {"project_name": "a:b", "user_name": "c"}, False),
        ("a:b:c", {"project_name": "a", "user_name": "b:c"}, True),
        ("a%2Cb:ann", {"project_name": "a,b"}, True),
        # an id is nobody's name
        (f"{ID}:*", {"project_name": ID}, False),
        (f"*:{ID}", {"user_name": ID}, False),
        (f"{ID}:*", {"project_id": ID}, True),
    ],
)
def test_whom_a_pair_admits(element: str, facts: dict[str, str], admits: bool) -> None:
    found = parsed(cleaned(f"other:other,{element}", writes=False)).pair_for(user(**facts))
    assert found == (element if admits else None)


@pytest.mark.parametrize(
    ("text", "referrer", "admits"),
    [
        (".r:*", "", True),
        (".r:*", "http://anywhere.com/page", True),
        (".r:example.com", "http://example.com/page", True),
        (".r:example.com", "http://EXAMPLE.com:8080/page", True),
        (".r:Example.Com", "http://example.com", True),
        (".r:example.com", "http://www.example.com/", False),
        (".r:example.com", "http://notexample.com/", False),
        (".r:example.com", "", False),
        (".r:example.com", "example.com", False),
        (".r:*.example.com", "http://www.example.com/", True),
        (".r:.example.com", "http://example.com/", False),
        (".r:.example.com", "http://notexample.com/", False),
        (".r:*,.r:-bad.com", "http://bad.com/", False),
        (".r:*,.r:-bad.com", "http://good.com/", True),
        (".r:*,.r:-.bad.com", "http://www.bad.com/", False),
        (".r:-bad.com,.r:*", "http://bad.com/", True),  # the last that fits decides
        (".r:-bad.com", "http://good.com/", False),
        (".r:*,.r:-*", "http://good.com/", False),
        (".r:good.com", "http://good.com@bad.com/", False),
        (".r:good.com", "http://bad.com/http://good.com/", False),
        (".r:good.com", "http://[good.com", False),
        (".r:unknown", "http://[", True),
        ("p1:u1", "http://p1", False),
        ("", "http://p1", False),
    ],
)  # fmt: skip
def test_which_pages_a_referrer_admits(text: str, referrer: str, admits: bool) -> None:
    found = parsed(cleaned(text, writes=False)).referrer_for(referrer)
    assert (found is not None) == admits


def test_a_role_is_named_in_any_case_and_is_no_listing() -> None:
    acl = parsed("Auditor,.rlistings")
    assert acl.role_for(user(roles=("reader", "auditor"))) == "auditor"
    assert acl.role_for(user(roles=(".rlistings",))) is None
    assert acl.role_for(user(roles=())) is None
    assert acl.has_listings
    assert not parsed("%2Erlistings").has_listings
