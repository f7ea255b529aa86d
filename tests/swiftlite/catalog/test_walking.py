"""Swift's listings against what a list of names says, page by page, forwards and backwards."""

from __future__ import annotations

from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from swiftlite.catalog.rows import Bucket
from swiftlite.catalog.versions import Draft, write_object
from swiftlite.catalog.walking import Window, walk_buckets, walk_objects
from tests.swiftlite.catalog.memory import ACTOR, CountingIds, MemoryLog, run
from tests.swiftlite.catalog.test_buckets import create

names = st.text(alphabet="a/b\x01é", min_size=1, max_size=5)
markers = st.one_of(st.just(""), names)


def expected(all_names: list[str], window: Window) -> list[str]:
    """What Swift's documents say, by looking at every name; a common prefix is shown once."""
    prefix, delimiter = window.prefix, window.delimiter
    if window.path is not None:
        prefix = window.path.rstrip(b"/") + b"/" if window.path else b""
        delimiter = b"/"
    low, high = window.marker, window.end_marker
    if window.reverse:
        low, high = high, low
    shown: list[bytes] = []
    for name in sorted({name.encode() for name in all_names}):
        if not name.startswith(prefix) or (low and name <= low) or (high and name >= high):
            continue
        at = name.find(delimiter, len(prefix)) if delimiter else -1
        whole = at + len(delimiter)
        if window.path is not None:
            if name != prefix and (at < 0 or whole == len(name)):
                shown.append(name)
        elif at < 0:
            shown.append(name)
        elif name[:whole] not in shown and name[:whole] != low:
            shown.append(name[:whole])
    return [name.decode() for name in (shown[::-1] if window.reverse else shown)]


def filled(all_names: list[str]) -> tuple[MemoryLog, Bucket]:
    log, ids = MemoryLog(), CountingIds()
    bucket = create(log, ids, "photos")
    for name in all_names:
        draft = Draft(size=1, etag="e", headers={"content-type": "x"})
        run(write_object(log, ids, bucket, name, draft, actor=ACTOR))
    return log, bucket


def listed(log: Any, bucket: Bucket, window: Window, limit: int) -> list[str]:
    return [name for name, _ in run(walk_objects(log, bucket.id, window, limit=limit, now_s=0))]


@given(
    st.lists(names, max_size=30),
    st.sampled_from(["", "a", "a/", "é"]),
    st.sampled_from(["", "/", "b", "//", "a/"]),
    markers,
    markers,
    st.sampled_from([None, "", "a", "a/", "b"]),
    st.booleans(),
    st.integers(1, 7),
)
@example(["a/b", "a/", "a/c/d", "a/c/"], "", "", "", "", "a", True, 1)
def test_pages_together_are_what_a_list_of_names_says(
    all_names: list[str],
    prefix: str,
    delimiter: str,
    marker: str,
    end_marker: str,
    path: str | None,
    reverse: bool,
    limit: int,
) -> None:
    log, bucket = filled(all_names)
    window = Window(
        prefix=prefix.encode(),
        delimiter=delimiter.encode(),
        marker=marker.encode(),
        end_marker=end_marker.encode(),
        path=None if path is None else path.encode(),
        reverse=reverse,
    )
    want = expected(all_names, window)
    assert listed(log, bucket, window, 1000) == want
    got: list[str] = []
    at = marker
    for _ in range(100):
        page = Window(
            prefix=window.prefix,
            delimiter=window.delimiter,
            marker=at.encode(),
            end_marker=window.end_marker,
            path=window.path,
            reverse=reverse,
        )
        found = listed(log, bucket, page, limit)
        got += found
        if not found:
            break
        at = found[-1]
    # Backwards, a prefix that holds the last marker itself is rolled up again.
    assert got == want


def test_a_large_folder_is_leapt_over() -> None:
    log, bucket = filled([f"big/{at:04}" for at in range(500)] + ["other", "zoo/1"])
    window = Window(delimiter=b"/")
    log.reads = 0
    assert listed(log, bucket, window, 1000) == ["big/", "other", "zoo/"]
    assert log.reads < 60
    log.reads = 0
    backwards = Window(delimiter=b"/", reverse=True)
    assert listed(log, bucket, backwards, 1000) == ["zoo/", "other", "big/"]
    assert log.reads < 60


def test_what_is_due_is_not_listed_and_takes_no_place() -> None:
    log, ids = MemoryLog(), CountingIds()
    bucket = create(log, ids, "photos")
    for at in range(30):
        draft = Draft(size=1, etag="e", delete_at_s=100 if at < 25 else 0)
        run(write_object(log, ids, bucket, f"k{at:02}", draft, actor=ACTOR))
    walk = walk_objects(log, bucket.id, Window(), limit=3, now_s=100)
    assert [name for name, _ in run(walk)] == ["k25", "k26", "k27"]
    walk = walk_objects(log, bucket.id, Window(), limit=3, now_s=99)
    assert [name for name, _ in run(walk)] == ["k00", "k01", "k02"]


def test_an_account_lists_its_own_buckets_with_what_they_hold() -> None:
    log, ids = MemoryLog(), CountingIds()
    first = create(log, ids, "alpha")
    create(log, ids, "beta")
    create(log, ids, "foreign", project_id="p11")
    run(write_object(log, ids, first, "k", Draft(size=7, etag="e"), actor=ACTOR))
    found = run(walk_buckets(log, "p1", Window(), limit=10))
    assert [(name, row[1].objects, row[1].bytes) for name, row in found] == [
        ("alpha", 1, 7),
        ("beta", 0, 0),
    ]
    assert run(walk_buckets(log, "p1", Window(marker=b"alpha"), limit=10))[0][0] == "beta"
    assert run(walk_buckets(log, "p1", Window(delimiter=b"p"), limit=10))[0] == ("alp", None)
