"""Which requests an access rule names."""

from __future__ import annotations

import pytest

from computelite.api.bounds import check_access_rules
from computelite.api.errors import NotAuthenticated
from computelite.identity.caller import AccessRule, Caller, Named, UsedCredential


def caller(path: str, *, service: str = "identity", method: str = "GET") -> Caller:
    rule = AccessRule(id="r", service=service, path=path, method=method)
    nobody = Named(id="", name="")
    credential = UsedCredential(id="c", name="c", unrestricted=False, access_rules=(rule,))
    return Caller(user=nobody, user_domain=nobody, credential=credential)


@pytest.mark.parametrize(
    ("rule", "path"),
    [
        ("/v3/users", "v3/users"),
        ("/identity/v3/users", "v3/users"),
        ("/v3/users/*", "v3/users/a"),
        ("/v3/users/{user_id}", "v3/users/a"),
        ("/v3/**", "v3/users/a/projects"),
        ("/**", "v3"),
        ("/v3/**/projects", "v3/projects"),
        ("/v3/**/projects", "v3/users/a/projects"),
        ("/v3/users/*", "v3/users/*"),
    ],
)
def test_a_rule_names_its_paths(rule: str, path: str) -> None:
    check_access_rules(caller(rule), "identity", "GET", ["identity", *path.split("/")])


@pytest.mark.parametrize(
    ("rule", "path"),
    [
        ("/v3/users", "v3/users/a"),
        ("/v3/users/*", "v3/users"),
        ("/v3/users/*", "v3/users/a/projects"),
        ("/v3/use*", "v3/users"),
        ("/v3/users.", "v3/users"),
        ("/v3/**/projects", "v3/users"),
        ("/v3/a/../users", "v3/users"),
        ("", "v3/users"),
        ("/compute/v3/users", "v3/users"),
    ],
)
def test_a_rule_names_no_others(rule: str, path: str) -> None:
    with pytest.raises(NotAuthenticated):
        check_access_rules(caller(rule), "identity", "GET", ["identity", *path.split("/")])


def test_service_and_method_count() -> None:
    for other in (caller("/v3", service="compute"), caller("/v3", method="POST")):
        with pytest.raises(NotAuthenticated):
            check_access_rules(other, "identity", "GET", ["identity", "v3"])


def test_a_hostile_rule_takes_no_time() -> None:
    with pytest.raises(NotAuthenticated):
        check_access_rules(caller("/**/a" * 40 + "/b"), "identity", "GET", ["a"] * 2000)
