"""Access: every action by every kind of principal; what is not allowed here is refused."""

from __future__ import annotations

import pytest

from swiftlite.access import Action, is_listed, refusal
from swiftlite.auth import ANONYMOUS, Principal
from swiftlite.catalog.rows import Bucket

MINE = Bucket(b"1" * 16, "p", "mine", "me", 0, "r")
OTHER = Bucket(b"2" * 16, "p", "other", "me", 0, "r")
FOREIGN = Bucket(b"3" * 16, "q", "foreign", "them", 0, "r")


def user(**facts: object) -> Principal:
    known = {"kind": "user", "user_id": "me", "project_id": "p", "roles": ("member",)}
    return Principal(**(known | facts))  # type: ignore[arg-type]


READING = {Action.LIST_BUCKETS, Action.READ_BUCKET, Action.LIST, Action.READ}
ALL = set(Action)

PRINCIPALS = {
    "anonymous": (ANONYMOUS, set()),
    "anonymous with roles": (Principal(kind="anonymous", roles=("admin",), project_id="p"), set()),
    "no role": (user(roles=()), set()),
    "unknown role": (user(roles=("root", "")), set()),
    "reader": (user(roles=("reader",)), READING),
    "member": (user(), ALL),
    "admin": (user(roles=("admin",)), ALL),
    "read-only key": (user(read_only=True), READING),
    "read-only key of an admin": (user(roles=("admin",), read_only=True), READING),
    "key for the bucket": (user(bucket="mine"), ALL),
    "read-only key for the bucket": (user(bucket="mine", read_only=True), READING),
    "key for another bucket": (user(bucket="other"), {Action.LIST_BUCKETS}),
}


@pytest.mark.parametrize("name", PRINCIPALS)
@pytest.mark.parametrize("action", Action)
def test_who_may_do_what_to_a_bucket_of_the_project(name: str, action: Action) -> None:
    principal, allowed = PRINCIPALS[name]
    assert (refusal(principal, action, bucket_name="mine") is None) == (action in allowed)
    row = refusal(principal, action, bucket_name="mine", bucket=MINE)
    assert (row is None) == (action in allowed)


@pytest.mark.parametrize("name", PRINCIPALS)
@pytest.mark.parametrize("action", Action)
def test_nobody_reaches_another_projects_bucket(name: str, action: Action) -> None:
    principal, _ = PRINCIPALS[name]
    assert refusal(principal, action, bucket_name="foreign", bucket=FOREIGN) is not None


def test_a_key_for_a_bucket_is_held_to_the_row_and_not_to_what_the_request_says() -> None:
    principal = user(bucket="mine")
    assert refusal(principal, Action.READ, bucket_name="mine", bucket=OTHER) is not None


def test_a_listing_shows_what_the_key_is_for() -> None:
    assert is_listed(user(), MINE)
    assert not is_listed(user(), FOREIGN)
    assert is_listed(user(bucket="mine"), MINE)
    assert not is_listed(user(bucket="mine"), OTHER)
