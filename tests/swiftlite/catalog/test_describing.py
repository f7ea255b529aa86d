"""What owners say of buckets, accounts and objects; containers that claim no name; expiry."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from swiftlite.catalog import queries
from swiftlite.catalog.accounts import account_usage, describe_account, get_account, usages
from swiftlite.catalog.buckets import delete_bucket, describe_bucket
from swiftlite.catalog.expiry import due_objects
from swiftlite.catalog.limits import NOTES_BYTES_MAX, NOTES_MAX
from swiftlite.catalog.rows import Usage, Version
from swiftlite.catalog.versions import Draft, delete_object, describe_object, write_object
from swiftlite.errors import (
    BucketAlreadyExists,
    BucketAlreadyOwnedByYou,
    InvalidBucketName,
    MetadataTooLarge,
    NoSuchBucket,
    NoSuchKey,
    TooManyNotes,
)
from tests.swiftlite.catalog.memory import ACTOR, run
from tests.swiftlite.catalog.test_buckets import create


def put(log: Any, ids: Any, bucket: Any, key: str = "k", **more: Any) -> Any:
    draft = Draft(**({"size": 5, "etag": "e"} | more))
    return run(write_object(log, ids, bucket, key, draft, actor=ACTOR))


def describe(log: Any, bucket: Any, said: dict[str, str], *removed: str) -> Any:
    return run(describe_bucket(log, bucket, said, removed, actor=ACTOR))


def test_a_container_claims_no_name(log: Any, ids: Any) -> None:
    first = create(log, ids, "My Container", "p1", claimed=False)
    second = create(log, ids, "My Container", "p2", claimed=False)
    assert run(queries.get_container(log, "p1", "My Container")) == first
    assert run(queries.get_container(log, "p2", "My Container")) == second
    with pytest.raises(NoSuchBucket):
        run(queries.get_container(log, "p3", "My Container"))
    with pytest.raises(NoSuchBucket):
        run(queries.get_bucket(log, "My Container", "p3"))


def test_a_container_and_a_claimed_bucket_may_have_one_name(log: Any, ids: Any) -> None:
    container = create(log, ids, "photos", "p2", claimed=False)
    claimed = create(log, ids, "photos", "p1")
    assert run(queries.get_bucket(log, "photos", "p2")) == container
    assert run(queries.get_bucket(log, "photos", "p3")) == claimed
    run(delete_bucket(log, container, actor=ACTOR))
    assert run(queries.get_bucket(log, "photos", "p2")) == claimed
    with pytest.raises(BucketAlreadyExists):
        create(log, ids, "photos", "p2")


def test_a_project_has_one_bucket_of_a_name(log: Any, ids: Any) -> None:
    create(log, ids, "photos", "p1", claimed=False)
    for claimed in (True, False):
        with pytest.raises(BucketAlreadyOwnedByYou):
            create(log, ids, "photos", "p1", claimed=claimed)


@pytest.mark.parametrize(
    "name", ["", "a/b", "x" * 257, "ä" * 129, "a\0b", "\ud800", "a--at--b", "a--x-s3"]
)
def test_some_names_are_no_containers(log: Any, ids: Any, name: str) -> None:
    with pytest.raises(InvalidBucketName):
        create(log, ids, name, claimed=False)
    assert log.events == []


def test_what_is_said_of_a_bucket_stays_until_it_is_removed(log: Any, bucket: Any) -> None:
    describe(log, bucket, {"meta:colour": "blue", "read-acl": ".r:*"})
    found = describe(log, bucket, {"meta:shape": "round"}, "meta:colour", "meta:absent")
    assert (found.meta, found.settings) == ({"shape": "round"}, {"read-acl": ".r:*"})
    assert describe(log, bucket, {}, "read-acl").settings == {}


def test_what_was_said_before_makes_no_event(log: Any, bucket: Any) -> None:
    describe(log, bucket, {"meta:colour": "blue"})
    head = log.head()
    describe(log, bucket, {"meta:colour": "blue"}, "meta:shape")
    assert log.head() == head


def test_notes_have_limits(log: Any, ids: Any, bucket: Any) -> None:
    many = {f"meta:{at}": "x" for at in range(NOTES_MAX)}
    describe(log, bucket, many)
    with pytest.raises(TooManyNotes):
        describe(log, bucket, {"meta:more": "x"})
    describe(log, bucket, {"meta:more": "x"}, "meta:0")
    with pytest.raises(MetadataTooLarge):
        create(log, ids, "films", said={"meta:long": "x" * NOTES_BYTES_MAX})


def test_two_that_say_something_at_once_do_not_pass_the_limit(log: Any, bucket: Any) -> None:
    half = {f"meta:a{at}": "x" for at in range(NOTES_MAX // 2 + 1)}
    other = {f"meta:b{at}": "x" for at in range(NOTES_MAX // 2 + 1)}
    log.before_append.append(lambda: describe(log, bucket, other))
    with pytest.raises(TooManyNotes):
        describe(log, bucket, half)
    assert set(run(queries.bucket_by_id(log, bucket.id)).meta) == {key[5:] for key in other}


def test_a_bucket_is_described_as_it_is_made(log: Any, ids: Any) -> None:
    found = create(log, ids, "films", claimed=False, said={"meta:a": "1", "write-acl": "p:*"})
    assert (found.meta, found.settings) == ({"a": "1"}, {"write-acl": "p:*"})


def test_an_account_is_there_before_anything_is_said_of_it(log: Any) -> None:
    assert run(get_account(log, "p9")).meta == {}
    found = run(describe_account(log, "p9", {"meta:a": "1"}, (), actor=ACTOR))
    assert found.meta == {"a": "1"}
    assert run(describe_account(log, "p9", {}, ["meta:a"], actor=ACTOR)).meta == {}
    many = {f"meta:{at}": "x" for at in range(NOTES_MAX + 1)}
    with pytest.raises(TooManyNotes):
        run(describe_account(log, "p9", many, (), actor=ACTOR))


def test_usage_is_what_the_latest_versions_hold(log: Any, ids: Any, bucket: Any) -> None:
    other = create(log, ids, "films", claimed=False)
    put(log, ids, bucket, "a", size=5)
    put(log, ids, bucket, "a", size=7)
    put(log, ids, bucket, "b", size=1)
    put(log, ids, other, "c", size=100)
    assert run(usages(log, [bucket, other])) == [Usage(2, 8), Usage(1, 100)]
    assert run(account_usage(log, "p1")) == (2, Usage(3, 108))
    run(delete_object(log, ids, bucket, "a", actor=ACTOR))
    assert run(usages(log, [bucket])) == [Usage(1, 1)]


def test_describing_an_object_replaces_what_was_said_and_nothing_else(
    log: Any, ids: Any, bucket: Any
) -> None:
    before = put(log, ids, bucket, meta={"a": "1"}, headers={"content-type": "x"})
    after = run(
        describe_object(
            log,
            bucket,
            "k",
            lambda found: replace(found, headers={"content-type": "y"}, meta={"b": "2"}),
            actor=ACTOR,
        )
    )
    assert after == run(queries.current(log, bucket.id, "k"))
    assert (after.meta, after.headers) == ({"b": "2"}, {"content-type": "y"})
    assert (after.begin, after.etag, after.size) == (before.begin, "e", 5)
    assert after.modified_us > before.modified_us


def test_what_is_not_there_cannot_be_described(log: Any, bucket: Any) -> None:
    with pytest.raises(NoSuchKey):
        run(describe_object(log, bucket, "k", lambda found: found, actor=ACTOR))


def test_an_object_replaced_meanwhile_is_described_as_it_is_now(
    log: Any, ids: Any, bucket: Any
) -> None:
    put(log, ids, bucket)
    log.before_append.append(lambda: put(log, ids, bucket, size=9, kind="slo", target="t"))

    def described(found: Version) -> Version:
        after = replace(found, meta={"a": found.kind})
        return after if found.kind else replace(after, kind="dlo", target="c/p")

    found = run(describe_object(log, bucket, "k", described, actor=ACTOR))
    assert (found.size, found.meta, found.kind, found.target) == (9, {"a": "slo"}, "slo", "t")
    assert run(queries.current(log, bucket.id, "k")) == found


def test_expiry_finds_what_is_due_and_no_other(log: Any, ids: Any, bucket: Any) -> None:
    put(log, ids, bucket, "later", delete_at_s=200)
    put(log, ids, bucket, "now", delete_at_s=100)
    put(log, ids, bucket, "kept", delete_at_s=50)
    put(log, ids, bucket, "kept")
    due = run(due_objects(log, until_s=100, limit=10))
    assert [(at.id, key) for at, key, _ in due] == [(bucket.id, "now")]


def test_an_object_replaced_since_it_was_due_is_not_deleted(
    log: Any, ids: Any, bucket: Any
) -> None:
    put(log, ids, bucket, delete_at_s=100)
    [(_, _, seen)] = run(due_objects(log, until_s=100, limit=10))
    log.before_append.append(lambda: put(log, ids, bucket, size=9))
    done = run(delete_object(log, ids, bucket, "k", seen=seen, actor=ACTOR))
    assert done.position is None
    assert run(queries.current(log, bucket.id, "k")).size == 9
