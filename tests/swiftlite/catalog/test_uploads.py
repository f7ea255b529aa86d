"""Multipart uploads: what becomes of parts, and who wins."""

from __future__ import annotations

from hashlib import md5
from typing import Any

import pytest

from swiftlite.catalog import queries
from swiftlite.catalog.buckets import delete_bucket, set_versioning
from swiftlite.catalog.conditions import Conditions
from swiftlite.catalog.limits import PART_BYTES_MAX, PART_BYTES_MIN
from swiftlite.catalog.listing import list_parts
from swiftlite.catalog.sweeping import due_parts, sweep
from swiftlite.catalog.uploads import (
    PartClaim,
    PartDraft,
    abort_upload,
    complete_upload,
    multipart_etag,
    start_upload,
    write_part,
)
from swiftlite.catalog.versions import Draft, Source, write_object
from swiftlite.errors import (
    BadDigest,
    EntityTooLarge,
    EntityTooSmall,
    InvalidArgument,
    InvalidPart,
    InvalidPartOrder,
    InvalidRequest,
    NoSuchBucket,
    NoSuchUpload,
    PreconditionFailed,
)
from swiftlite.manifest import Blob, Layout
from tests.swiftlite.catalog.memory import ACTOR, run


class Uploading:
    """One upload to "film", in tests' shorthand."""

    def __init__(self, log: Any, ids: Any, bucket: Any) -> None:
        self.log, self.ids, self.bucket = log, ids, bucket
        self.upload = run(
            start_upload(
                log,
                ids,
                bucket,
                "film",
                owner="u1",
                headers={"content-type": "video/mp4"},
                meta={"a": "b"},
                checksum_algorithm="CRC32",
                checksum_type="COMPOSITE",
                actor=ACTOR,
            )
        )

    def part(self, number: int, size: int = PART_BYTES_MIN, seed: str = "") -> PartClaim:
        etag = md5(f"{number}{seed}".encode()).hexdigest()
        blob = blob_named(self.ids.uuid7(), size)
        draft = PartDraft(
            number=number, size=size, etag=etag, checksums={"CRC32": f"c{number}"}, manifest=(blob,)
        )
        run(write_part(self.log, self.bucket, "film", self.upload.id, draft, actor=ACTOR))
        return PartClaim(number, etag)

    def complete(self, *claims: PartClaim, **more: Any) -> Any:
        more.setdefault("seal", lambda upload, parts: ({"CRC32": "x"}, upload.checksum_type))
        return run(
            complete_upload(
                self.log,
                self.ids,
                self.bucket,
                "film",
                self.upload.id,
                claims,
                actor=ACTOR,
                **more,
            )
        )

    def abort(self) -> None:
        run(abort_upload(self.log, self.bucket.id, "film", self.upload.id, actor=ACTOR))

    def sweep(self) -> list[int]:
        dues = run(due_parts(self.log, until=self.log.head(), limit=100))
        return [blob.size for blob in run(sweep(self.log, dues, actor=ACTOR))]


def blob_named(blob_id: bytes, size: int = 1) -> Blob:
    return Blob(
        id=blob_id, size=size, layout=Layout.CODED, k=4, m=2, stripe=1 << 20, epoch=1, hints=()
    )


@pytest.fixture
def going(log: Any, ids: Any, bucket: Any) -> Uploading:
    return Uploading(log, ids, bucket)


def test_the_named_parts_become_one_version_in_one_append(going: Uploading) -> None:
    claims = [going.part(1), going.part(2, size=7)]
    before = going.log.head()
    version = going.complete(*claims)
    assert going.log.head() == before + 2
    found = run(queries.current(going.log, going.bucket.id, "film"))
    assert found == version
    assert version.size == PART_BYTES_MIN + 7
    assert version.parts == (PART_BYTES_MIN, 7)
    digests = b"".join(bytes.fromhex(claim.etag) for claim in claims)
    assert version.etag == md5(digests).hexdigest() + "-2"
    assert (version.checksums, version.checksum_type) == ({"CRC32": "x"}, "COMPOSITE")
    assert version.headers == {"content-type": "video/mp4"}
    assert version.meta == {"a": "b"}
    assert version.owner == "u1"
    assert [blob.size for blob in version.manifest] == [PART_BYTES_MIN, 7]
    assert going.log.rows.tables["part"] == {}
    with pytest.raises(NoSuchUpload):
        run(list_parts(going.log, going.bucket.id, "film", going.upload.id))


def test_a_manifest_of_many_parts_has_a_row_of_its_own(going: Uploading) -> None:
    claims = [going.part(number) for number in range(1, 12)]
    version = going.complete(*claims)
    assert version.manifest is None
    blobs = run(queries.blobs_of(going.log, going.bucket.id, "film", version))
    assert len(blobs) == 11


def test_completing_again_gives_the_same_answer_and_no_event(going: Uploading) -> None:
    claim = going.part(1)
    version = going.complete(claim)
    run(
        write_object(
            going.log, going.ids, going.bucket, "film", Draft(size=0, etag="new"), actor=ACTOR
        )
    )
    before = going.log.head()
    again = going.complete(claim)
    assert (again.etag, again.begin, again.checksums) == (
        version.etag,
        version.begin,
        version.checksums,
    )
    assert going.log.head() == before
    with pytest.raises(NoSuchUpload):
        going.complete(PartClaim(1, "0" * 32))
    going.sweep()
    with pytest.raises(NoSuchUpload):
        going.complete(claim)


def test_an_upload_belongs_to_its_key(going: Uploading) -> None:
    claim = going.part(1)
    going.complete(claim)
    with pytest.raises(NoSuchUpload):
        run(
            complete_upload(
                going.log,
                going.ids,
                going.bucket,
                "other",
                going.upload.id,
                [claim],
                seal=lambda u, p: ({}, ""),
                actor=ACTOR,
            )
        )


def test_of_complete_and_abort_exactly_one_wins(going: Uploading) -> None:
    claim = going.part(1)
    going.log.before_append.append(going.abort)
    with pytest.raises(NoSuchUpload):
        going.complete(claim)
    assert run(queries.current(going.log, going.bucket.id, "film")) is None


def test_of_abort_and_complete_exactly_one_wins(going: Uploading) -> None:
    claim = going.part(1)
    going.log.before_append.append(lambda: going.complete(claim))
    with pytest.raises(NoSuchUpload):
        going.abort()
    assert run(queries.current(going.log, going.bucket.id, "film")) is not None


def test_of_two_completes_one_makes_the_version_and_both_answer_it(going: Uploading) -> None:
    claim = going.part(1)
    winner = []
    going.log.before_append.append(lambda: winner.append(going.complete(claim)))
    loser = going.complete(claim)
    assert loser.begin == winner[0].begin
    written = [rec for rec in going.log.events if rec.event.__class__.__name__ == "ObjectWritten"]
    assert len(written) == 1


def test_a_part_replaced_while_completing_is_seen(going: Uploading) -> None:
    claim = going.part(1)
    going.log.before_append.append(lambda: going.part(1, seed="other"))
    with pytest.raises(InvalidPart):
        going.complete(claim)
    version = going.complete(PartClaim(1, md5(b"1other").hexdigest()))
    assert version.parts == (PART_BYTES_MIN,)


def test_a_part_cannot_be_written_to_an_upload_that_ends_meanwhile(going: Uploading) -> None:
    going.log.before_append.append(going.abort)
    with pytest.raises(NoSuchUpload):
        going.part(1)
    assert going.log.rows.tables["part"] == {}


def test_versioning_set_while_completing_makes_a_version_with_an_id(going: Uploading) -> None:
    claim = going.part(1)
    going.log.before_append.append(
        lambda: run(set_versioning(going.log, going.bucket, "enabled", actor=ACTOR))
    )
    assert going.complete(claim).version_id


def test_the_sweep_frees_parts_that_were_replaced_not_named_or_aborted(
    going: Uploading, log: Any, ids: Any, bucket: Any
) -> None:
    going.part(1, size=11)
    claim = going.part(1, size=12, seed="again")
    going.part(2, size=13)
    assert going.sweep() == [11]
    going.complete(claim)
    assert going.sweep() == [13]
    other = Uploading(log, ids, bucket)
    other.part(1, size=14)
    other.part(2, size=15)
    other.abort()
    assert sorted(other.sweep()) == [14, 15]
    for table in ("part", "ended", "upload", "completed"):
        assert log.rows.tables[table] == {}, table


def test_an_aborted_upload_of_many_parts_is_swept_in_several_events(going: Uploading) -> None:
    for number in range(1, 2101):
        going.part(number, size=number)
    going.abort()
    before = going.log.head()
    assert sorted(going.sweep()) == list(range(1, 2101))
    swept = [rec.event for rec in going.log.events[before:]]
    assert [len(event.numbers) for event in swept] == [1000, 1000, 100]


def test_a_copied_part_shares_the_blobs_of_its_source(
    going: Uploading, log: Any, ids: Any, bucket: Any
) -> None:
    blob = blob_named(b"s" * 16)
    source = run(
        write_object(
            log, ids, bucket, "src", Draft(size=1, etag="e", manifest=(blob,)), actor=ACTOR
        )
    )
    draft = PartDraft(number=1, size=1, etag="0" * 32, manifest=(blob,))
    run(
        write_part(
            log,
            bucket,
            "film",
            going.upload.id,
            draft,
            source=Source(bucket.id, "src", source.begin),
            actor=ACTOR,
        )
    )
    going.abort()
    assert going.sweep() == []


def test_conditions_are_decided_when_the_version_is_placed(going: Uploading) -> None:
    claim = going.part(1)
    draft = Draft(size=0, etag="first")
    going.log.before_append.append(
        lambda: run(write_object(going.log, going.ids, going.bucket, "film", draft, actor=ACTOR))
    )
    with pytest.raises(PreconditionFailed):
        going.complete(claim, conditions=Conditions(if_none_match=("*",)))
    assert going.complete(claim, conditions=Conditions(if_match=("first",))).parts


def test_the_seal_may_refuse(going: Uploading) -> None:
    def refuse(upload: Any, parts: Any) -> Any:
        assert [part.checksums for part in parts] == [{"CRC32": "c1"}]
        raise BadDigest(algorithm="CRC32")

    claim = going.part(1)
    with pytest.raises(BadDigest):
        going.complete(claim, seal=refuse)
    assert run(list_parts(going.log, going.bucket.id, "film", going.upload.id)).entries


def test_what_a_client_claims_of_parts_is_checked(going: Uploading) -> None:
    one, two = going.part(1), going.part(2, size=1)
    last = going.part(3, size=0)
    with pytest.raises(InvalidPartOrder):
        going.complete(two, one)
    with pytest.raises(InvalidPartOrder):
        going.complete(one, one)
    with pytest.raises(InvalidPart):
        going.complete(one, PartClaim(4, two.etag))
    with pytest.raises(InvalidPart):
        going.complete(PartClaim(1, two.etag))
    with pytest.raises(InvalidPart):
        going.complete(PartClaim(1, one.etag, {"CRC32": "c2"}))
    with pytest.raises(EntityTooSmall) as error:
        going.complete(one, two, last)
    assert (error.value.number, error.value.size) == (2, 1)
    with pytest.raises(InvalidRequest):
        going.complete()
    with pytest.raises(InvalidArgument):
        going.complete(PartClaim(0, one.etag))
    assert going.complete(PartClaim(1, one.etag, {"CRC32": "c1"}), last).size == PART_BYTES_MIN


def test_parts_have_bounds(going: Uploading) -> None:
    for number in (0, -1, 10_001):
        with pytest.raises(InvalidArgument):
            going.part(number)
    going.part(10_000)
    with pytest.raises(EntityTooLarge):
        going.part(1, size=PART_BYTES_MAX + 1)
    for unknown in (b"", b"x" * 15, b"x" * 16):
        with pytest.raises(NoSuchUpload):
            run(queries.get_upload(going.log, going.bucket.id, "film", unknown))


def test_an_upload_does_not_keep_its_bucket_and_can_be_aborted_after_it(going: Uploading) -> None:
    claim = going.part(1, size=9)
    run(delete_bucket(going.log, going.bucket, actor=ACTOR))
    with pytest.raises(NoSuchBucket):
        going.complete(claim)
    with pytest.raises(NoSuchBucket):
        going.part(2)
    going.abort()
    assert going.sweep() == [9]


def test_an_etag_that_is_no_md5_is_no_part() -> None:
    with pytest.raises(InvalidPart):
        multipart_etag(["zz"])
