"""Who may do what to a project's things."""

from __future__ import annotations

import pytest

from computelite.api.policy import ANYONE, CHANGE, Policy, Who, kinds_of
from computelite.identity.caller import Caller, HeldRole, Named, ScopeProject

ACME = Named(id="acme", name="acme")
MEMBER = ("member", "reader")
ALL = ("admin", "manager", *MEMBER)


def caller(*roles: str, project: str = "", domain: str = "", system: bool = False) -> Caller:
    return Caller(
        user=ACME,
        user_domain=ACME,
        project=ScopeProject(id=project, name="p", domain=ACME) if project else None,
        domain=Named(id=domain, name=domain) if domain else None,
        is_system=system,
        roles=tuple(HeldRole(id=role, name=role) for role in roles),
    )


@pytest.mark.parametrize(
    ("who", "owner", "kinds"),
    [
        (caller(*MEMBER, project="p"), "p", {Who.ANYONE, Who.MEMBER, Who.READER}),
        (caller(*MEMBER, project="p"), "q", {Who.ANYONE}),
        (caller(*MEMBER, project="p"), "", {Who.ANYONE}),
        (caller(*ALL, project="p"), "q", {Who.ANYONE, Who.ADMIN}),
        (caller(*ALL, system=True), "q", {Who.ANYONE, Who.ADMIN, Who.SYSTEM_READER}),
        (caller(*MEMBER, system=True), "", {Who.ANYONE, Who.SYSTEM_READER}),
        (caller("service", project="s"), "q", {Who.ANYONE, Who.SERVICE}),
        (caller(*ALL, domain="p"), "p", set()),
        (caller(), "", set()),
    ],
)
def test_kinds_of_callers(who: Caller, owner: str, kinds: set[Who]) -> None:
    assert kinds_of(who, owner) == kinds


def test_a_role_that_a_domain_owns_counts_for_nothing() -> None:
    own = HeldRole(id="x", name="admin", domain_id="acme")
    project = ScopeProject(id="p", name="p", domain=ACME)
    who = Caller(user=ACME, user_domain=ACME, project=project, roles=(own,))
    assert kinds_of(who, "p") == {Who.ANYONE}


def test_what_has_no_row_is_denied_to_the_admin_too() -> None:
    policy = Policy("thing", {"see_thing": ANYONE, "change_thing": CHANGE})
    admin = caller(*ALL, project="p")
    assert policy.allows(admin, "change_thing", "q")
    assert not policy.allows(admin, "launch_rocket", "p")
    assert not policy.allows(caller("reader", project="p"), "change_thing", "p")
    assert policy.allows(caller("reader", project="p"), "see_thing")
