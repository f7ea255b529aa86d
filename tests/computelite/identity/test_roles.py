"""Effective roles: what somebody has somewhere, whatever way they came by it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from computelite.identity.roles import (
    Target,
    applies,
    effective_role_ids,
    effective_roles,
    implication_map,
    implied_by,
)
from computelite.identity.rows import Assignment, Implication, Role

DOMAIN = Target(domain_id="d")
SYSTEM = Target(system=True)
TOP = Target(project_id="top", lineage=("d",))
LOW = Target(project_id="low", lineage=("top", "d"))
OTHER = Target(project_id="other", lineage=("e",))
EVERYWHERE = {"domain": DOMAIN, "system": SYSTEM, "top": TOP, "low": LOW, "other": OTHER}


def assignment(**where: Any) -> Assignment:
    blank = {"user_id": "u", "group_id": "", "project_id": "", "domain_id": ""}
    return Assignment(**blank | {"role_id": "r", "system": False, "inherited": False} | where)


def role(name: str, domain_id: str = "") -> Role:
    return Role(
        id=name, name=name, domain_id=domain_id, description="", options={}, extra={}, created_us=0
    )


@pytest.mark.parametrize(
    ("where", "counts"),
    [
        ({"project_id": "top"}, {"top"}),
        ({"project_id": "low"}, {"low"}),
        ({"domain_id": "d"}, {"domain"}),
        ({"system": True}, {"system"}),
        ({"project_id": "top", "inherited": True}, {"low"}),
        ({"project_id": "low", "inherited": True}, set()),
        ({"domain_id": "d", "inherited": True}, {"top", "low"}),
        ({"domain_id": "e", "inherited": True}, {"other"}),
        ({"project_id": "gone"}, set()),
    ],
)
def test_where_an_assignment_counts(where: dict[str, Any], counts: set[str]) -> None:
    found = {name for name, target in EVERYWHERE.items() if applies(assignment(**where), target)}
    assert found == counts


def test_nothing_counts_for_an_unscoped_token() -> None:
    for where in ({"project_id": "p"}, {"domain_id": "d"}, {"system": True}, {}):
        assert not applies(assignment(**where), Target())


def test_what_is_implied_is_implied_further() -> None:
    chain = {"admin": ("manager",), "manager": ("member",), "member": ("reader",)}
    assert implied_by(["manager"], chain) == {"manager", "member", "reader"}


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from("abcdef"))))
def test_implication_is_the_closure_whatever_circles_there_are(
    pairs: list[tuple[str, str]],
) -> None:
    implied = implication_map(Implication(role_id=a, implied_id=b) for a, b in pairs)
    found = implied_by(["a"], implied)
    assert "a" in found
    assert all(b in found for a, b in pairs if a in found)
    for each in found - {"a"}:
        assert any(b == each and a in found for a, b in pairs)


def test_a_domain_s_own_role_counts_only_through_what_it_implies() -> None:
    roles = {each.id: each for each in (role("boss", "d"), role("reader"), role("member"))}
    found = effective_roles(
        [assignment(role_id="boss", project_id="top")], {"boss": ("reader",)}, roles, TOP
    )
    assert [each.name for each in found] == ["reader"]


def test_a_deleted_role_is_nobody_s() -> None:
    held = [assignment(role_id="gone", project_id="top")]
    assert effective_role_ids(held, {}, TOP) == {"gone"}
    assert effective_roles(held, {}, {}, TOP) == ()
