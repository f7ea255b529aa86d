"""Random histories of a bucket: what the catalog says is what a list of versions says."""

from __future__ import annotations

from typing import Any, NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from swiftlite.catalog import keys, queries
from swiftlite.catalog.buckets import create_bucket, set_versioning
from swiftlite.catalog.listing import list_objects, list_versions
from swiftlite.catalog.rows import Usage, Version
from swiftlite.catalog.sweeping import due_versions, sweep
from swiftlite.catalog.versions import (
    Draft,
    Source,
    delete_object,
    delete_version,
    describe_object,
    write_object,
)
from swiftlite.catalog.view import CatalogView
from swiftlite.manifest import Blob, Layout
from tests.swiftlite.catalog.memory import ACTOR, CountingIds, DictRows, MemoryLog, run

KEYS = ("a", "a/b", "a\x01", "b")


class Known(NamedTuple):
    version_id: str
    marker: bool
    begin: int
    blobs: tuple[bytes, ...]


class Model:
    """A bucket as S3 describes it: per key a list of versions, newest first."""

    def __init__(self) -> None:
        self.versioning = ""
        self.stacks: dict[str, list[Known]] = {key: [] for key in KEYS}
        self.ended: list[tuple[str, Known]] = []
        self.references: dict[bytes, int] = {}

    def push(self, key: str, version: Known) -> None:
        if not version.version_id:
            self.end(key, "")
        self.stacks[key].insert(0, version)
        for blob_id in version.blobs:
            self.references[blob_id] = self.references.get(blob_id, 0) + 1

    def end(self, key: str, version_id: str) -> None:
        for version in [v for v in self.stacks[key] if v.version_id == version_id]:
            self.stacks[key].remove(version)
            if not version.marker:
                self.ended.append((key, version))

    def sweep(self, count: int) -> list[bytes]:
        freed = []
        for _, version in self.ended[:count]:
            for blob_id in version.blobs:
                self.references[blob_id] -= 1
                if not self.references[blob_id]:
                    freed.append(blob_id)
        del self.ended[:count]
        return freed


steps = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.sampled_from(KEYS), st.integers(0, 12)),
        st.tuples(st.just("put"), st.sampled_from(KEYS), st.integers(0, 2)),
        st.tuples(st.just("copy"), st.sampled_from(KEYS), st.sampled_from(KEYS)),
        st.tuples(st.just("delete"), st.sampled_from(KEYS), st.just(0)),
        st.tuples(st.just("delete version"), st.sampled_from(KEYS), st.integers(0, 4)),
        st.tuples(st.just("delete null"), st.sampled_from(KEYS), st.just(0)),
        st.tuples(st.just("describe"), st.sampled_from(KEYS), st.integers(0, 2)),
        st.tuples(st.just("versioning"), st.sampled_from(("enabled", "suspended")), st.just(0)),
        st.tuples(st.just("sweep"), st.just(""), st.integers(1, 4)),
    ),
    min_size=5,
    max_size=50,
)


@settings(max_examples=150, deadline=None)
@given(steps)
def test_the_catalog_answers_as_a_list_of_versions_does(history: list[Any]) -> None:
    log, ids, model = MemoryLog(), CountingIds(), Model()
    bucket = run(
        create_bucket(log, ids, "photos", project_id="p1", owner="u", region="r", actor=ACTOR)
    )
    for what, arg, more in history:
        _step(log, ids, model, bucket, what, arg, more)
        bucket = run(queries.bucket_by_id(log, bucket.id))
        _compare(log, model, bucket.id)
    _compare_with_a_rebuild(log)


def _step(log: Any, ids: Any, model: Model, bucket: Any, what: str, arg: Any, more: Any) -> None:
    if what in ("put", "copy"):
        source = None
        if what == "put":
            blobs = tuple(_blob(ids.uuid7()) for _ in range(more))
        else:
            found = run(queries.current(log, bucket.id, more))
            if found is None:
                return
            blobs = run(queries.blobs_of(log, bucket.id, more, found))
            source = Source(bucket.id, more, found.begin)
        size = log.head() % 5
        # Some expire; of those that list segments, only the list itself is counted.
        kind, due_s = ("slo", 9) if size == 1 and len(blobs) < 3 else ("", 7 if size == 2 else 0)
        draft = Draft(size=size, etag="e", manifest=blobs, kind=kind, delete_at_s=due_s)
        done = run(write_object(log, ids, bucket, arg, draft, source=source, actor=ACTOR))
        assert bool(done.version_id) == (model.versioning == "enabled")
        ids_of = tuple(blob.id for blob in blobs)
        model.push(arg, Known(done.version_id, False, log.head(), ids_of))
    elif what == "delete":
        before = log.head()
        gone = run(delete_object(log, ids, bucket, arg, actor=ACTOR))
        assert gone.marker == bool(model.versioning)
        if model.versioning:
            model.push(arg, Known(gone.version_id, True, log.head(), ()))
        else:
            assert (log.head() > before) == bool(model.stacks[arg])
            model.end(arg, "")
    elif what in ("delete version", "delete null"):
        stack = model.stacks[arg]
        version_id = "" if what == "delete null" else "absent"
        if what == "delete version" and more < len(stack):
            version_id = stack[more].version_id
        known = [v for v in stack if v.version_id == version_id]
        gone = run(delete_version(log, bucket, arg, version_id, actor=ACTOR))
        assert (gone.position is not None) == bool(known)
        assert gone.marker == any(v.marker for v in known)
        model.end(arg, version_id)
    elif what == "describe":
        if run(queries.current(log, bucket.id, arg)) is None:
            return

        def said(found: Version) -> Version:
            return replace(found, headers={}, meta={"n": str(more)}, delete_at_s=more)

        run(describe_object(log, bucket, arg, said, actor=ACTOR))
    elif what == "versioning":
        run(set_versioning(log, bucket, arg, actor=ACTOR))
        model.versioning = arg
    else:
        dues = run(due_versions(log, until=log.head(), limit=more))
        freed = run(sweep(log, dues, actor=ACTOR))
        assert [blob.id for blob in freed] == model.sweep(more)


def _compare(log: Any, model: Model, bucket_id: bytes) -> None:
    for key, stack in model.stacks.items():
        top = stack[0] if stack else None
        found = run(queries.latest(log, bucket_id, key))
        assert (found and found.begin) == (top and top.begin)
        found = run(queries.current(log, bucket_id, key))
        assert (found and found.begin) == ((top and not top.marker and top.begin) or None)
        for version in stack:
            found = run(queries.version(log, bucket_id, key, version.version_id))
            assert (found.begin, found.marker) == (version.begin, version.marker)
            blobs = run(queries.blobs_of(log, bucket_id, key, found))
            assert tuple(blob.id for blob in blobs) == version.blobs
    expected = [
        (key, version.begin, version.marker, at == 0)
        for key in sorted(KEYS, key=str.encode)
        for at, version in enumerate(model.stacks[key])
    ]
    page = run(list_versions(log, bucket_id))
    assert [(e.key, e.version.begin, e.version.marker, e.is_latest) for e in page.entries] == (
        expected
    )
    objects = run(list_objects(log, bucket_id))
    assert [(key, version.begin) for key, version in objects.entries] == [
        (key, begin) for key, begin, marker, latest in expected if latest and not marker
    ]
    tops = [(key, run(queries.current(log, bucket_id, key))) for key in KEYS]
    held = [(key, top) for key, top in tops if top is not None]
    live = [top for _, top in held]
    live += [version for _, version in log.rows.scan("noncurrent", b"", None, 1000)]
    counted = [len(v.manifest) if v.kind == "slo" else v.size for v in live]
    usage = run(log.get("usage", bucket_id)) or Usage()
    assert usage == Usage(len(held), sum(counted))
    assert sorted(log.rows.tables["expiry"]) == sorted(
        keys.expiry_key(top.delete_at_s, bucket_id, key) for key, top in held if top.delete_at_s
    )
    dues = run(due_versions(log, until=log.head(), limit=1000))
    assert [(due.entry.key, due.begin) for due in dues] == [
        (key, version.begin) for key, version in model.ended
    ]
    waiting = [past for _, past in log.rows.scan("past", b"", None, 1000) if not past.swept]
    assert sorted(past.version.begin for past in waiting) == sorted(due.begin for due in dues)
    assert len(log.rows.tables["buried"]) == len(log.rows.tables["noncurrent"])


def _compare_with_a_rebuild(log: MemoryLog) -> None:
    rows = DictRows(CatalogView())
    for rec in log.events:
        CatalogView().evolve(rows, rec)
    assert rows.tables == log.rows.tables


def _blob(blob_id: bytes) -> Blob:
    return Blob(id=blob_id, size=1, layout=Layout.COPIES, k=1, m=1, stripe=1024, epoch=1, hints=())
