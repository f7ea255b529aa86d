"""Links: where headers may point, and where not."""

from __future__ import annotations

import pytest

from swiftlite.swift.errors import Declined
from swiftlite.swift.links import check_dynamic_manifest, link_of


def link(**headers: str) -> object:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return link_of(named, account="AUTH_p", container="c", name="o")


def test_a_link_points_into_its_own_account_unless_another_is_named() -> None:
    found, is_named = link_of(
        {"x-symlink-target": "d/x%20/y"}, account="A", container="c", name="o"
    )
    assert (found.account, found.container, found.name) == ("A", "d", "x /y")
    assert found.shown == "d/x%20/y"
    assert found.target == "A/d/x /y"
    assert not is_named
    found, is_named = link_of(
        {
            "x-symlink-target": "c/o",
            "x-symlink-target-account": "B",
            "x-symlink-target-etag": '"e"',
        },
        account="A", container="c", name="o",
    )  # fmt: skip
    assert (found.account, found.etag, is_named) == ("B", "e", True)


@pytest.mark.parametrize("value", ["", "/c/o", "%2Fc/o", "c", "c/", "c/%ff", "c/a%00b"])
def test_what_names_no_object_is_no_target(value: str) -> None:
    with pytest.raises(Declined):
        link(x_symlink_target=value)


@pytest.mark.parametrize("account", ["", "a/b", "a%2Fb", "%ff"])
def test_what_is_no_account_is_no_target(account: str) -> None:
    with pytest.raises(Declined):
        link(x_symlink_target="c/p", x_symlink_target_account=account)


def test_a_link_cannot_point_at_itself() -> None:
    for headers in ({}, {"x_symlink_target_account": "AUTH_p"}):
        with pytest.raises(Declined):
            link(x_symlink_target="c/o", **headers)


@pytest.mark.parametrize("etag", ['a"b', "a;b", "a\\b"])
def test_an_etag_must_be_one(etag: str) -> None:
    with pytest.raises(Declined):
        link(x_symlink_target="c/p", x_symlink_target_etag=etag)


def test_a_dynamic_manifest_names_a_container_and_a_prefix() -> None:
    for value in ("c/p", "c/p/q", "c/p%20q", "c/p/"):
        check_dynamic_manifest(value)
    for value in ("", "c", "c/", "/c/p", "/p", "c//p", "c/p?x", "c/p&x", "c/%ff"):
        with pytest.raises(Declined):
            check_dynamic_manifest(value)
    assert issubclass(Declined, Declined)
