"""Listings against the naive list: every page size, every delimiter, nasty keys."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from swiftlite.catalog import keys
from swiftlite.catalog.buckets import set_versioning
from swiftlite.catalog.listing import (
    all_uploads,
    list_objects,
    list_parts,
    list_uploads,
    list_versions,
)
from swiftlite.catalog.rows import Begin, Part, Upload, Version
from swiftlite.catalog.uploads import PartDraft, abort_upload, start_upload, write_part
from swiftlite.catalog.versions import Draft, delete_object, delete_version, write_object
from swiftlite.errors import InvalidArgument, NoSuchUpload
from tests.swiftlite.catalog.memory import ACTOR, MemoryLog, collect, run

BUCKET = b"\xff" * 16  # its successor is longer than any key: the hardest id
OTHER = b"\xff" * 15 + b"\xfe"

texts = st.text(alphabet="ab/\x01é\U0010ffff", max_size=4)
names = st.lists(texts.filter(bool), unique=True, max_size=20)


def naive(found: list[str], prefix: str, delimiter: str) -> list[tuple[str, bool]]:
    """Every (name, is a common prefix), in byte order."""
    listed: list[tuple[str, bool]] = []
    for key in sorted(found, key=str.encode):
        if not key.startswith(prefix):
            continue
        at = key.find(delimiter, len(prefix)) if delimiter else -1
        name = (key, False) if at < 0 else (key[: at + len(delimiter)], True)
        if not listed or listed[-1] != name:
            listed.append(name)
    return listed


def filled(found: list[str]) -> MemoryLog:
    log = MemoryLog()
    for key in found:
        version = Version(version_id="", begin=1, modified_us=1)
        log.rows.put("current", keys.object_key(BUCKET, key), version)
    log.rows.put("current", keys.object_key(OTHER, "z"), Version("", 1, 1))
    return log


@settings(max_examples=300, deadline=None)
@given(names, texts, st.sampled_from(("", "/", "a", "//", "\U0010ffff")), st.integers(1, 7))
@example(["a/", "a/b", "a0", "b"], "", "/", 1)
@example(["a/", "a/b", "a0", "b"], "a/", "/", 1)
@example(["\U0010ffff", "\U0010ffff\U0010ffff"], "\U0010ffff", "\U0010ffff", 1)
def test_pages_of_objects_concatenate_to_the_naive_list(
    found: list[str], prefix: str, delimiter: str, limit: int
) -> None:
    log = filled(found)
    listed: list[tuple[str, bool]] = []
    after = ""
    while True:
        page = run(
            list_objects(log, BUCKET, prefix=prefix, delimiter=delimiter, after=after, limit=limit)
        )
        named = [(key, False) for key, _ in page.entries] + [(p, True) for p in page.prefixes]
        listed += sorted(named, key=lambda name: name[0].encode())
        assert len(named) == limit or not page.truncated
        if not page.truncated:
            break
        assert page.next == listed[-1][0]
        after = page.next
    assert listed == naive(found, prefix, delimiter)


@settings(max_examples=200, deadline=None)
@given(names, texts, st.sampled_from(("", "/")))
def test_any_text_is_a_marker_and_start_after_only_drops_keys(
    found: list[str], marker: str, delimiter: str
) -> None:
    log = filled(found)
    page = run(list_objects(log, BUCKET, delimiter=delimiter, after=marker))
    got = [key for key, _ in page.entries] + page.prefixes
    expected = [
        name
        for name, is_prefix in naive(found, "", delimiter)
        if name.encode() > marker.encode() and not (is_prefix and marker.startswith(name))
    ]
    assert sorted(got) == sorted(expected)
    page = run(list_objects(log, BUCKET, delimiter=delimiter, start_after=marker))
    got = [key for key, _ in page.entries] + page.prefixes
    later = [key for key in found if key.encode() > marker.encode()]
    assert sorted(got) == sorted(name for name, _ in naive(later, "", delimiter))


stacks = st.dictionaries(
    texts.filter(bool), st.tuples(st.booleans(), st.integers(0, 3)).filter(any), max_size=12
)


@settings(max_examples=300, deadline=None)
@given(stacks, texts, st.sampled_from(("", "/", "a")), st.integers(1, 5))
def test_pages_of_versions_concatenate_to_the_naive_list(
    found: dict[str, tuple[bool, int]], prefix: str, delimiter: str, limit: int
) -> None:
    log = MemoryLog()
    expected: list[Any] = []
    begin = 1000
    order = {name: at for at, name in enumerate(naive(list(found), prefix, delimiter))}
    for key, (on_top, below) in found.items():
        shown = (key, False) in order
        if on_top:
            begin -= 1
            version = Version(f"v{begin}", begin, 1)
            log.rows.put("current", keys.object_key(BUCKET, key), version)
            expected += [(order[key, False], key, begin, True)] if shown else []
        for at in range(below):
            begin -= 1
            is_latest = at == 0 and not on_top
            version = Version(f"v{begin}", begin, 1, marker=is_latest)
            log.rows.put("noncurrent", keys.version_key(BUCKET, key, begin), version)
            log.rows.put("buried", keys.buried_key(BUCKET, key, f"v{begin}"), Begin(begin))
            expected += [(order[key, False], key, begin, is_latest)] if shown else []
    expected += [(at, name, 0, True) for (name, rolled), at in order.items() if rolled]
    listed: list[Any] = []
    key_marker, version_marker = "", None
    while True:
        page = run(
            list_versions(
                log,
                BUCKET,
                prefix=prefix,
                delimiter=delimiter,
                key_marker=key_marker,
                version_marker=version_marker,
                limit=limit,
            )
        )
        got = [
            (order[entry.key, False], entry.key, entry.version.begin, entry.is_latest)
            for entry in page.entries
        ]
        got += [(order[name, True], name, 0, True) for name in page.prefixes]
        listed += sorted(got, key=lambda one: (one[0], -one[2]))
        if not page.truncated:
            break
        assert len(got) == limit
        key_marker, version_marker = page.next_key, page.next_version
    assert listed == sorted(expected, key=lambda one: (one[0], -one[2]))


@settings(max_examples=150, deadline=None)
@given(
    st.dictionaries(texts.filter(bool), st.integers(1, 3), max_size=10),
    texts,
    st.sampled_from(("", "/", "a")),
    st.integers(1, 4),
)
def test_pages_of_uploads_concatenate_to_the_naive_list(
    found: dict[str, int], prefix: str, delimiter: str, limit: int
) -> None:
    log = MemoryLog()
    order = {name: at for at, name in enumerate(naive(list(found), prefix, delimiter))}
    expected: list[Any] = [(at, b"") for (_, rolled), at in order.items() if rolled]
    for key, count in found.items():
        for number in range(count):
            upload_id = number.to_bytes(16, "big")
            upload = Upload(upload_id, 1, 1, 1, "u", {}, {}, {}, "", "")
            log.rows.put("upload", keys.upload_key(BUCKET, key, upload_id), upload)
            expected += [(order[key, False], upload_id)] if (key, False) in order else []
    listed: list[Any] = []
    key_marker, upload_marker = "", None
    while True:
        page = run(
            list_uploads(
                log,
                BUCKET,
                prefix=prefix,
                delimiter=delimiter,
                key_marker=key_marker,
                upload_marker=upload_marker,
                limit=limit,
            )
        )
        got = [(order[key, False], upload.id) for key, upload in page.entries]
        listed += sorted(got + [(order[name, True], b"") for name in page.prefixes])
        if not page.truncated:
            break
        key_marker, upload_marker = page.next_key, page.next_upload
    assert listed == sorted(expected)


def test_a_delimiter_listing_reads_a_few_rows_per_prefix_and_not_what_lies_beneath() -> None:
    log = filled([f"{top}/{n:03}" for top in "abcdefgh" for n in range(300)])
    page = run(list_objects(log, BUCKET, delimiter="/"))
    assert page.prefixes == [f"{top}/" for top in "abcdefgh"]
    assert log.reads <= 8 * 9


def test_a_page_of_a_flat_bucket_is_one_range_of_one_row_more() -> None:
    log = filled([f"{n:04}" for n in range(2500)])
    page = run(list_objects(log, BUCKET, after="0499", limit=1000))
    assert (page.entries[0][0], page.next, log.reads) == ("0500", "1499", 1001)


def test_many_small_prefixes_are_read_in_growing_chunks() -> None:
    log = filled([f"{n:04}/{m}" for n in range(500) for m in range(3)])
    page = run(list_objects(log, BUCKET, delimiter="/", limit=400))
    assert len(page.prefixes) == 400
    assert log.reads <= 3 * 400 + 1200


def test_zero_keys_asked_for_is_an_empty_page_that_ends() -> None:
    log = filled(["a", "b"])
    for listing in (list_objects, list_versions, list_uploads):
        page = run(listing(log, BUCKET, limit=0))
        assert (page.entries, page.truncated) == ([], False)


@pytest.mark.parametrize("text", ["a\0", "\ud800"])
def test_text_that_no_key_can_hold_is_refused(text: str) -> None:
    log = filled(["a"])
    for argument in ("prefix", "delimiter", "after", "start_after"):
        with pytest.raises(InvalidArgument):
            run(list_objects(log, BUCKET, **{argument: text}))
    with pytest.raises(InvalidArgument):
        run(list_versions(log, BUCKET, key_marker=text))
    with pytest.raises(InvalidArgument):
        run(list_uploads(log, BUCKET, key_marker=text))


def test_a_listing_goes_on_where_its_marker_version_was_deleted(
    log: Any, ids: Any, bucket: Any
) -> None:
    bucket = run(set_versioning(log, bucket, "enabled", actor=ACTOR))
    for _ in range(5):
        run(write_object(log, ids, bucket, "k", Draft(size=0, etag="e"), actor=ACTOR))
    seen = []
    page = run(list_versions(log, bucket.id, limit=2))
    while True:
        for entry in page.entries:
            seen.append(entry.version.begin)
            run(delete_version(log, bucket, "k", entry.version.version_id, actor=ACTOR))
        if not page.truncated:
            break
        page = run(
            list_versions(
                log,
                bucket.id,
                key_marker=page.next_key,
                version_marker=page.next_version,
                limit=2,
            )
        )
    assert len(seen) == len(set(seen)) == 5
    assert run(list_versions(log, bucket.id)).entries == []


def test_a_version_that_comes_to_the_top_while_versions_are_listed_is_listed(
    log: Any, ids: Any, bucket: Any
) -> None:
    bucket = run(set_versioning(log, bucket, "enabled", actor=ACTOR))
    kept = run(write_object(log, ids, bucket, "k", Draft(size=0, etag="e"), actor=ACTOR))
    marker = run(delete_object(log, ids, bucket, "k", actor=ACTOR))
    scan = log.scan

    async def scan_and_undelete(table: str, *args: Any, **more: Any) -> Any:
        found = await scan(table, *args, **more)
        if table == "current" and log.scan is not scan:
            log.scan = scan
            await delete_version(log, bucket, "k", marker.version_id, actor=ACTOR)
        return found

    log.scan = scan_and_undelete
    page = run(list_versions(log, bucket.id))
    assert [entry.version.begin for entry in page.entries] == [kept.begin]


def test_a_version_that_is_overwritten_while_versions_are_listed_is_listed_once(
    log: Any, ids: Any, bucket: Any
) -> None:
    bucket = run(set_versioning(log, bucket, "enabled", actor=ACTOR))
    kept = run(write_object(log, ids, bucket, "k", Draft(size=0, etag="e"), actor=ACTOR))
    scan = log.scan

    async def scan_and_overwrite(table: str, *args: Any, **more: Any) -> Any:
        found = await scan(table, *args, **more)
        if table == "current" and log.scan is not scan:
            log.scan = scan
            await write_object(log, ids, bucket, "k", Draft(size=0, etag="f"), actor=ACTOR)
        return found

    log.scan = scan_and_overwrite
    page = run(list_versions(log, bucket.id))
    assert [(e.version.begin, e.is_latest) for e in page.entries] == [(kept.begin, True)]


def test_parts_are_listed_by_number_in_pages(log: Any, ids: Any, bucket: Any) -> None:
    upload = run(start_upload(log, ids, bucket, "k", owner="u", actor=ACTOR))
    for number in (10_000, 2, 300, 1):
        draft = PartDraft(number=number, size=1, etag="e")
        run(write_part(log, bucket, "k", upload.id, draft, actor=ACTOR))
    listed: list[Part] = []
    after = 0
    while True:
        page = run(list_parts(log, bucket.id, "k", upload.id, after=after, limit=3))
        listed += page.entries
        if not page.truncated:
            break
        after = int(page.next)
    assert [part.number for part in listed] == [1, 2, 300, 10_000]
    run(abort_upload(log, bucket.id, "k", upload.id, actor=ACTOR))
    with pytest.raises(NoSuchUpload):
        run(list_parts(log, bucket.id, "k", upload.id))


def test_all_uploads_are_found_for_their_expiry(log: Any, ids: Any, bucket: Any) -> None:
    for key in ("b", "a", "a"):
        run(start_upload(log, ids, bucket, key, owner="u", actor=ACTOR))
    found = asyncio.run(collect(all_uploads(log)))
    assert [(bucket_id, key) for bucket_id, key, _ in found] == [
        (bucket.id, "a"),
        (bucket.id, "a"),
        (bucket.id, "b"),
    ]
