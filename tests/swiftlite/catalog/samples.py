"""One instance of every event of storage, with every field away from its default."""

from __future__ import annotations

from eventlog.event import Event
from swiftlite.catalog import events as e
from swiftlite.manifest import Blob, Hint, Layout

BUCKET = bytes(range(16))
UPLOAD = bytes(range(16, 32))
BLOB = Blob(
    id=bytes(range(32, 48)),
    size=5000,
    layout=Layout.COPIES,
    k=4,
    m=2,
    stripe=1 << 20,
    epoch=3,
    hints=(Hint(0, 2, 17, 4096, 5100), Hint(1, 4, 0, 0, 0)),
)
BLOB_2 = Blob(
    id=bytes(range(48, 64)),
    size=70_000,
    layout=Layout.CODED,
    k=4,
    m=2,
    stripe=1 << 20,
    epoch=3,
    hints=(),
)

SAMPLES: tuple[Event, ...] = (
    e.BucketCreated(
        bucket_id=BUCKET,
        name="photos",
        project_id="p1",
        owner="u1",
        region="us-east-1",
        claimed=False,
    ),
    e.BucketDescribed(
        bucket_id=BUCKET, set={"meta:colour": "blue", "read-acl": ".r:*"}, removed=("write-acl",)
    ),
    e.AccountDescribed(project_id="p1", set={"meta:quota-bytes": "10"}, removed=("meta:colour",)),
    e.BucketDeleted(bucket_id=BUCKET),
    e.BucketVersioningSet(bucket_id=BUCKET, versioning="enabled"),
    e.BucketRetentionSet(bucket_id=BUCKET, retention_s=86_400),
    e.ObjectWritten(
        bucket_id=BUCKET,
        key="2026/été.jpg",
        version_id="0190b4a2",
        size=75_000,
        etag="9a0364b9e99bb480dd25e1f0284c8555-2",
        owner="u1",
        checksums={"CRC32": "DUoRhQ=="},
        checksum_type="FULL_OBJECT",
        headers={"content-type": "image/jpeg"},
        meta={"camera": "box"},
        tags={"year": "2026"},
        parts=(5000, 70_000),
        manifest=(BLOB, BLOB_2),
        shares=(BLOB.id,),
        encryption={"algorithm": "AES256"},
        upload_id=UPLOAD,
        kind="dlo",
        target="photos/2026/",
        delete_at_s=1_800_000_000,
    ),
    e.ObjectDescribed(
        bucket_id=BUCKET,
        key="2026/été.jpg",
        version_id="0190b4a2",
        headers={"content-type": "image/png"},
        meta={"camera": "phone"},
        delete_at_s=1_800_000_000,
        kind="dlo",
        target="photos/2027/",
    ),
    e.ObjectDeleted(
        bucket_id=BUCKET, key="2026/été.jpg", marker=True, version_id="0190b4a3", owner="u1"
    ),
    e.VersionDeleted(bucket_id=BUCKET, key="2026/été.jpg", version_id="0190b4a3", marker=True),
    e.VersionSwept(bucket_id=BUCKET, key="2026/été.jpg", begin=12, freed=(BLOB,)),
    e.UploadStarted(
        bucket_id=BUCKET,
        key="film.mkv",
        upload_id=UPLOAD,
        owner="u1",
        headers={"content-type": "video/x-matroska"},
        meta={"director": "nobody"},
        tags={"kind": "short"},
        checksum_algorithm="CRC64NVME",
        checksum_type="FULL_OBJECT",
    ),
    e.PartWritten(
        bucket_id=BUCKET,
        key="film.mkv",
        upload_id=UPLOAD,
        number=7,
        size=75_000,
        etag="5d41402abc4b2a76b9719d911017c592",
        checksums={"CRC64NVME": "AAAAAAAAAAA="},
        manifest=(BLOB, BLOB_2),
        shares=(BLOB_2.id,),
    ),
    e.UploadCompleted(bucket_id=BUCKET, key="film.mkv", upload_id=UPLOAD, numbers=(1, 7)),
    e.UploadAborted(bucket_id=BUCKET, key="film.mkv", upload_id=UPLOAD),
    e.PartsSwept(
        bucket_id=BUCKET,
        key="film.mkv",
        upload_id=UPLOAD,
        ended=40,
        begin=30,
        numbers=(2, 3),
        freed=(BLOB,),
    ),
    e.DeviceAdded(
        device_id=2,
        uuid="4f5c3b1e-0000-4000-8000-000000000002",
        node="node1",
        zone="zone1",
        weight=1.5,
        path="devices/2",
    ),
    e.DeviceReplaced(device_id=2, uuid="4f5c3b1e-0000-4000-8000-000000000009", path="devices/2b"),
    e.DeviceRemoved(device_id=2),
    e.RingBuilt(
        epoch=1,
        part_power=1,
        fragments=3,
        devices=((0, "u0", "node1", "zone1", 1.0), (1, "u1", "node2", "zone1", 2.0)),
        table=bytes((0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0)),
    ),
)
