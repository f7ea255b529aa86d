"""Buckets: whose a name is, when one may go, how they are listed."""

from __future__ import annotations

from typing import Any

import pytest

from swiftlite.catalog import buckets, queries
from swiftlite.catalog.buckets import (
    create_bucket,
    delete_bucket,
    list_buckets,
    set_retention,
    set_versioning,
)
from swiftlite.catalog.sweeping import due_versions
from swiftlite.catalog.versions import Draft, delete_object, delete_version, write_object
from swiftlite.errors import (
    BucketAlreadyExists,
    BucketAlreadyOwnedByYou,
    BucketNotEmpty,
    InvalidArgument,
    InvalidBucketName,
    NoSuchBucket,
    TooManyBuckets,
)
from tests.swiftlite.catalog.memory import ACTOR, run


def create(log: Any, ids: Any, name: str, project_id: str = "p1", **more: Any) -> Any:
    said = {"project_id": project_id, "owner": "u1", "region": "r1", "actor": ACTOR} | more
    return run(create_bucket(log, ids, name, **said))


def test_a_bucket_is_found_by_its_name_from_every_project(log: Any, bucket: Any) -> None:
    assert run(queries.get_bucket(log, "photos", "p1")) == bucket
    assert run(queries.get_bucket(log, "photos", "p2")) == bucket
    assert (bucket.owner, bucket.region, bucket.created_us) == ("u1", "us-east-1", 1_000_000)
    with pytest.raises(NoSuchBucket):
        run(queries.get_bucket(log, "photo", "p1"))


def test_a_project_s_own_bucket_comes_before_another_s_claim(
    log: Any, ids: Any, bucket: Any
) -> None:
    # Swift's containers share no names: a project may have its own of a name claimed elsewhere.
    own = create(log, ids, "photos", "p2", claimed=False)
    assert run(queries.get_bucket(log, "photos", "p2")).id == own.id
    assert run(queries.get_bucket(log, "photos", "p1")).id == bucket.id


def test_a_name_is_taken_once(log: Any, ids: Any, bucket: Any) -> None:
    with pytest.raises(BucketAlreadyOwnedByYou):
        create(log, ids, "photos", "p1")
    with pytest.raises(BucketAlreadyExists):
        create(log, ids, "photos", "p2")


def test_of_two_who_claim_a_name_one_gets_it(log: Any, ids: Any) -> None:
    log.before_append.append(lambda: create(log, ids, "photos", "p2"))
    with pytest.raises(BucketAlreadyExists):
        create(log, ids, "photos", "p1")
    assert run(queries.get_bucket(log, "photos", "p1")).project_id == "p2"


def test_a_deleted_bucket_gives_up_its_name_and_another_is_not_it(
    log: Any, ids: Any, bucket: Any
) -> None:
    run(delete_bucket(log, bucket, actor=ACTOR))
    with pytest.raises(NoSuchBucket):
        run(queries.get_bucket(log, "photos", "p1"))
    with pytest.raises(NoSuchBucket):
        run(delete_bucket(log, bucket, actor=ACTOR))
    assert create(log, ids, "photos", "p2").id != bucket.id


def test_a_bucket_goes_only_when_nothing_lives_in_it(log: Any, ids: Any, bucket: Any) -> None:
    bucket = run(set_versioning(log, bucket, "enabled", actor=ACTOR))
    version = run(write_object(log, ids, bucket, "k", Draft(size=0, etag="e"), actor=ACTOR))
    with pytest.raises(BucketNotEmpty):
        run(delete_bucket(log, bucket, actor=ACTOR))
    marker = run(delete_object(log, ids, bucket, "k", actor=ACTOR))
    run(delete_version(log, bucket, "k", version.version_id, actor=ACTOR))
    with pytest.raises(BucketNotEmpty):
        run(delete_bucket(log, bucket, actor=ACTOR))
    run(delete_version(log, bucket, "k", marker.version_id, actor=ACTOR))
    run(delete_bucket(log, bucket, actor=ACTOR))
    # What ended in it is swept later all the same.
    assert len(run(due_versions(log, until=log.head(), limit=10))) == 1


def test_an_object_that_comes_meanwhile_keeps_the_bucket(log: Any, ids: Any, bucket: Any) -> None:
    log.before_append.append(
        lambda: run(write_object(log, ids, bucket, "k", Draft(size=0, etag="e"), actor=ACTOR))
    )
    with pytest.raises(BucketNotEmpty):
        run(delete_bucket(log, bucket, actor=ACTOR))


def test_versioning_is_set_once_per_change(log: Any, bucket: Any) -> None:
    assert run(set_versioning(log, bucket, "enabled", actor=ACTOR)).versioning == "enabled"
    before = log.head()
    run(set_versioning(log, bucket, "enabled", actor=ACTOR))
    assert log.head() == before
    run(set_versioning(log, bucket, "suspended", actor=ACTOR))
    assert run(queries.bucket_by_id(log, bucket.id)).versioning == "suspended"
    for mode in ("", "Enabled"):
        with pytest.raises(InvalidArgument):
            run(set_versioning(log, bucket, mode, actor=ACTOR))


def test_retention_is_a_bucket_s_own(log: Any, bucket: Any) -> None:
    run(set_retention(log, bucket, 60, actor=ACTOR))
    assert run(queries.bucket_by_id(log, bucket.id)).retention_s == 60
    run(set_retention(log, bucket, None, actor=ACTOR))
    assert run(queries.bucket_by_id(log, bucket.id)).retention_s is None
    with pytest.raises(InvalidArgument):
        run(set_retention(log, bucket, -1, actor=ACTOR))


def test_a_project_lists_its_own_buckets_in_pages(log: Any, ids: Any) -> None:
    for name in ("bbb", "aaa", "b.b", "bbb-2"):
        create(log, ids, name)
    create(log, ids, "other", "p2")
    create(log, ids, "aaa-0", "p10")
    names: list[str] = []
    after = ""
    while True:
        page = run(list_buckets(log, "p1", after=after, limit=2))
        names += [bucket.name for bucket in page.entries]
        if not page.truncated:
            break
        after = page.next
    assert names == ["aaa", "b.b", "bbb", "bbb-2"]
    page = run(list_buckets(log, "p1", prefix="bbb"))
    assert [bucket.name for bucket in page.entries] == ["bbb", "bbb-2"]


def test_a_project_has_so_many_buckets_at_most(
    log: Any, ids: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(buckets, "BUCKETS_PER_PROJECT_MAX", 2)
    create(log, ids, "one")
    create(log, ids, "two")
    with pytest.raises(TooManyBuckets):
        create(log, ids, "three")
    create(log, ids, "three", "p2")


@pytest.mark.parametrize("name", ["abc", "a.b-c", "0-9", "a" * 63, "192.168.5.4a", "a--b"])
def test_names_that_s3_allows(log: Any, ids: Any, name: str) -> None:
    assert create(log, ids, name).name == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        "ab",
        "a" * 64,
        "Abc",
        "a_b",
        "-abc",
        "abc-",
        ".abc",
        "abc.",
        "a..b",
        "192.168.5.4",
        "xn--abc",
        "sthree-abc",
        "abc-s3alias",
        "abc--ol-s3",
        "abc.mrap",
        "abc--x-s3",
        "abc--table-s3",
        "abc--at--12",
        "abc\n",
        "ab c",
        "äbc",
        "a/b",
    ],
)
def test_names_that_s3_does_not_allow(log: Any, ids: Any, name: str) -> None:
    with pytest.raises(InvalidBucketName):
        create(log, ids, name)
    assert log.head() == 0
