"""Writes and deletes of objects: conditions at commit, races, and what S3 says of each mode."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from swiftlite.catalog import queries
from swiftlite.catalog.buckets import delete_bucket, set_versioning
from swiftlite.catalog.conditions import Conditions
from swiftlite.catalog.limits import OBJECT_BYTES_MAX
from swiftlite.catalog.listing import list_versions
from swiftlite.catalog.settle import ATTEMPTS
from swiftlite.catalog.sweeping import due_versions, sweep
from swiftlite.catalog.versions import (
    Draft,
    Source,
    delete_object,
    delete_version,
    write_object,
)
from swiftlite.errors import (
    ConditionalConflict,
    EntityTooLarge,
    InvalidKey,
    KeyTooLong,
    MethodNotAllowed,
    NoSuchBucket,
    NoSuchKey,
    NoSuchVersion,
    PreconditionFailed,
    SourceGone,
)
from tests.swiftlite.catalog.memory import ACTOR, run
from tests.swiftlite.catalog.test_uploads import blob_named


class Writing:
    """A bucket, in tests' shorthand."""

    def __init__(self, log: Any, ids: Any, bucket: Any) -> None:
        self.log, self.ids, self.bucket = log, ids, bucket

    def put(self, etag: str = "e", key: str = "k", **more: Any) -> Any:
        draft = more.pop("draft", Draft(size=0, etag=etag))
        return run(write_object(self.log, self.ids, self.bucket, key, draft, actor=ACTOR, **more))

    def delete(self, key: str = "k", **more: Any) -> Any:
        return run(delete_object(self.log, self.ids, self.bucket, key, actor=ACTOR, **more))

    def delete_version(self, version_id: str, key: str = "k", **more: Any) -> Any:
        return run(delete_version(self.log, self.bucket, key, version_id, actor=ACTOR, **more))

    def versioning(self, mode: str) -> None:
        self.bucket = run(set_versioning(self.log, self.bucket, mode, actor=ACTOR))

    def current(self, key: str = "k") -> Any:
        return run(queries.current(self.log, self.bucket.id, key))

    def readable(self, version_id: str | None = None, key: str = "k") -> Any:
        return run(queries.readable(self.log, self.bucket.id, key, version_id))


@pytest.fixture
def do(log: Any, ids: Any, bucket: Any) -> Writing:
    return Writing(log, ids, bucket)


ABSENT = Conditions(if_none_match=("*",))


def test_what_is_written_is_what_is_read(do: Writing) -> None:
    draft = Draft(
        size=3,
        etag="e",
        owner="u1",
        checksums={"CRC32": "x"},
        checksum_type="FULL_OBJECT",
        headers={"content-type": "a/b"},
        meta={"m": "n"},
        tags={"t": "u"},
        manifest=(blob_named(b"b" * 16),),
        encryption={"algorithm": "AES256"},
    )
    version = do.put(draft=draft)
    assert do.current() == do.readable() == version
    for field in draft.__struct_fields__:
        assert getattr(version, field) == getattr(draft, field), field
    assert (version.begin, version.modified_us) == (do.log.head(), do.log.head() * 1_000_000)
    assert version.is_null


def test_an_absent_key_can_be_created_once(do: Writing) -> None:
    do.put("one", conditions=ABSENT)
    with pytest.raises(PreconditionFailed):
        do.put("two", conditions=ABSENT)
    assert do.current().etag == "one"


def test_a_condition_is_decided_at_commit_not_when_the_request_began(do: Writing) -> None:
    do.log.before_append.append(lambda: do.put("faster"))
    with pytest.raises(PreconditionFailed):
        do.put("slower", conditions=ABSENT)
    do.log.before_append.append(lambda: do.put("third"))
    with pytest.raises(PreconditionFailed):
        do.put("fourth", conditions=Conditions(if_match=("faster",)))
    assert do.current().etag == "third"


def test_if_match_needs_something_to_match(do: Writing) -> None:
    for etags in (("e",), ("*",)):
        with pytest.raises(NoSuchKey):
            do.put(conditions=Conditions(if_match=etags))
    do.put("one")
    do.put("two", conditions=Conditions(if_match=("x", "one")))
    do.put("three", conditions=Conditions(if_match=("*",)))
    with pytest.raises(PreconditionFailed):
        do.put("four", conditions=Conditions(if_match=("two",)))
    with pytest.raises(PreconditionFailed):
        do.put("four", conditions=Conditions(if_none_match=("three",)))
    do.put("four", conditions=Conditions(if_none_match=("two",)))
    assert do.current().etag == "four"


def test_a_delete_marker_is_nothing_to_a_write_and_in_the_way_of_a_conditional_delete(
    do: Writing,
) -> None:
    do.versioning("enabled")
    do.put("one")
    do.delete()
    with pytest.raises(NoSuchKey):
        do.put(conditions=Conditions(if_match=("one",)))
    with pytest.raises(PreconditionFailed):
        do.delete(conditions=Conditions(if_match=("*",)))
    do.put("two", conditions=ABSENT)
    assert do.current().etag == "two"


def test_a_delete_can_be_conditional(do: Writing) -> None:
    with pytest.raises(NoSuchKey):
        do.delete(conditions=Conditions(if_match=("one",)))
    do.put("one")
    with pytest.raises(PreconditionFailed):
        do.delete(conditions=Conditions(if_match=("two",)))
    do.log.before_append.append(lambda: do.put("two"))
    with pytest.raises(PreconditionFailed):
        do.delete(conditions=Conditions(if_match=("one",)))
    assert do.delete(conditions=Conditions(if_match=("two",))).position


def test_deleting_nothing_from_an_unversioned_bucket_is_no_event(do: Writing) -> None:
    before = do.log.head()
    assert do.delete().position is None
    assert do.log.head() == before


def test_of_two_deletes_of_one_object_one_is_an_event(do: Writing) -> None:
    do.put()
    before = do.log.head()
    do.log.before_append.append(lambda: do.delete())
    assert do.delete().position is None
    assert do.log.head() == before + 1


def test_deleting_in_a_versioned_bucket_makes_a_marker_even_of_an_absent_key(do: Writing) -> None:
    do.versioning("enabled")
    gone = do.delete()
    assert gone.marker
    assert len(gone.version_id) == 32
    with pytest.raises(NoSuchKey) as error:
        do.readable()
    assert error.value.delete_marker
    assert error.value.version_id == gone.version_id
    with pytest.raises(MethodNotAllowed) as refused:
        do.readable(gone.version_id)
    assert refused.value.modified_us == do.log.head() * 1_000_000


def test_a_suspended_bucket_keeps_one_null_version_among_the_others(do: Writing) -> None:
    do.put("null 1")
    do.versioning("enabled")
    kept = do.put("kept")
    do.versioning("suspended")
    do.put("null 2")
    entries = run(list_versions(do.log, do.bucket.id)).entries
    assert [(e.version.etag, e.is_latest) for e in entries] == [("null 2", True), ("kept", False)]
    gone = do.delete()
    assert (gone.version_id, gone.marker) == ("", True)
    with pytest.raises(MethodNotAllowed):
        do.readable("")
    assert do.readable(kept.version_id) == kept
    do.delete_version("")
    assert do.current() == kept


def test_deleting_a_delete_marker_undeletes(do: Writing) -> None:
    do.versioning("enabled")
    first = do.put("one")
    marker = do.delete()
    gone = do.delete_version(marker.version_id)
    assert (gone.version_id, gone.marker) == (marker.version_id, True)
    assert do.current() == first


def test_deleting_the_latest_version_uncovers_the_one_below(do: Writing) -> None:
    do.versioning("enabled")
    first, second = do.put("one"), do.put("two")
    assert not do.delete_version(second.version_id).marker
    assert do.current() == first
    with pytest.raises(NoSuchVersion):
        do.readable(second.version_id)
    before = do.log.head()
    assert do.delete_version(second.version_id).position is None
    assert do.log.head() == before


def test_of_two_deletes_of_one_version_one_is_an_event(do: Writing) -> None:
    do.versioning("enabled")
    version = do.put()
    before = do.log.head()
    do.log.before_append.append(lambda: do.delete_version(version.version_id))
    assert do.delete_version(version.version_id).position is None
    assert do.log.head() == before + 1


def test_deleting_the_null_version_spares_one_that_replaced_it_meanwhile_only_if_asked(
    do: Writing,
) -> None:
    do.put("one")
    do.log.before_append.append(lambda: do.put("two"))
    with pytest.raises(PreconditionFailed):
        do.delete_version("", conditions=Conditions(if_match=("one",)))
    assert do.current().etag == "two"
    assert do.delete_version("").position


def test_versioning_that_changes_meanwhile_is_obeyed(do: Writing) -> None:
    stale = Writing(do.log, do.ids, do.bucket)
    do.put("null")
    do.log.before_append.append(lambda: do.versioning("enabled"))
    assert stale.put("one").version_id
    do.log.before_append.append(lambda: do.versioning("suspended"))
    assert stale.put("two").version_id == ""
    do.log.before_append.append(lambda: do.versioning("enabled"))
    assert stale.delete().version_id


def test_a_bucket_that_goes_meanwhile_refuses_the_write(do: Writing) -> None:
    do.log.before_append.append(lambda: run(delete_bucket(do.log, do.bucket, actor=ACTOR)))
    with pytest.raises(NoSuchBucket):
        do.put()
    assert do.current() is None


def test_a_write_that_is_overtaken_at_once_still_gets_its_own_version(do: Writing) -> None:
    get = do.log.get

    async def overtaken(table: str, key: bytes) -> Any:
        do.log.get = get
        await write_object(do.log, do.ids, do.bucket, "k", Draft(size=0, etag="later"), actor=ACTOR)
        return await get(table, key)

    append = do.log.append

    async def append_then_overtake(*args: Any, **more: Any) -> Any:
        done = await append(*args, **more)
        do.log.append, do.log.get = append, overtaken
        return done

    do.log.append = append_then_overtake
    assert do.put("mine").etag == "mine"
    assert do.current().etag == "later"


def test_what_keeps_changing_is_given_up(do: Writing) -> None:
    def flip() -> None:
        bucket = do.log.rows.get("bucket", do.bucket.id)
        mode = "suspended" if bucket.versioning == "enabled" else "enabled"
        do.log.rows.put("bucket", bucket.id, replace(bucket, versioning=mode))

    do.log.before_append += [flip] * ATTEMPTS
    with pytest.raises(ConditionalConflict):
        do.put()
    assert do.current() is None


def test_a_copy_may_outlive_its_source_but_not_its_bytes(do: Writing) -> None:
    blob = blob_named(b"s" * 16)
    first = do.put(draft=Draft(size=1, etag="e", manifest=(blob,)))
    source = Source(do.bucket.id, "k", first.begin)
    shared = Draft(size=1, etag="e", manifest=(blob,))
    do.log.before_append.append(lambda: do.delete())
    do.put(key="copy 1", draft=shared, source=source)  # deleted meanwhile, bytes retained

    def sweep_all() -> list[Any]:
        dues = run(due_versions(do.log, until=do.log.head(), limit=10))
        return run(sweep(do.log, dues, actor=ACTOR))

    assert sweep_all() == []
    with pytest.raises(SourceGone):
        do.put(key="copy 2", draft=shared, source=source)
    do.delete("copy 1")
    assert sweep_all() == [blob]


def test_a_copy_that_is_placed_while_the_sweep_decides_keeps_the_bytes(do: Writing) -> None:
    blob = blob_named(b"s" * 16)
    first = do.put(draft=Draft(size=1, etag="e", manifest=(blob,)))
    do.delete()
    dues = run(due_versions(do.log, until=do.log.head(), limit=10))
    shared = Draft(size=1, etag="e", manifest=(blob,))
    source = Source(do.bucket.id, "k", first.begin)
    do.log.before_append.append(lambda: do.put(key="copy", draft=shared, source=source))
    assert run(sweep(do.log, dues, actor=ACTOR)) == []
    assert do.log.events[-1].event.freed == ()


@pytest.mark.parametrize(
    ("key", "error"),
    [
        ("", InvalidKey),
        ("a\0b", InvalidKey),
        ("\ud800", InvalidKey),
        ("é" * 512 + "a", KeyTooLong),
        ("a" * 1025, KeyTooLong),
    ],
)
def test_keys_that_cannot_be_stored_are_refused(do: Writing, key: str, error: Any) -> None:
    for use in (do.put, do.delete):
        with pytest.raises(error):
            use(key=key)


@pytest.mark.parametrize("key", ["é" * 512, "a" * 1024, "..", "//", "\x01", "\U0010ffff", "<&>\n"])
def test_keys_of_every_other_kind_are_stored(do: Writing, key: str) -> None:
    do.versioning("enabled")
    first, second = do.put("one", key), do.put("two", key)
    assert do.readable(first.version_id, key) == first
    entries = run(list_versions(do.log, do.bucket.id)).entries
    assert [(e.key, e.version.begin) for e in entries] == [(key, second.begin), (key, first.begin)]


def test_an_object_has_a_greatest_size(do: Writing) -> None:
    with pytest.raises(EntityTooLarge):
        do.put(draft=Draft(size=OBJECT_BYTES_MAX + 1, etag="e"))
