"""The stored bytes of images' events."""

from __future__ import annotations

from computelite.image import events
from computelite.image.view import ImageView
from eventlog.event import Event

IMAGE, PROJECT, TRANSFER = "01a20000-0000-7000-8000-000000000001", "a" * 32, "b" * 32
WORDS = {
    "owner": PROJECT,
    "name": "größer",
    "visibility": "public",
    "disk_format": "qcow2",
    "container_format": "bare",
    "min_disk": 1,
    "min_ram": 64,
    "protected": True,
    "hidden": True,
    "tags": ("blue", "größer"),
    "properties": {"os_distro": "debian", "a.b": ""},
}

SAMPLES: list[Event] = [
    events.ImageCreated(image_id=IMAGE, **WORDS),
    events.ImageChanged(image_id=IMAGE, **WORDS),
    events.ImageDeleted(image_id=IMAGE),
    events.ImageDeactivated(image_id=IMAGE),
    events.ImageReactivated(image_id=IMAGE),
    events.TransferStarted(
        image_id=IMAGE,
        transfer_id=TRANSFER,
        kind="web-download",
        lease_s=60,
        source="https://example.org/disk",
    ),
    events.TransferRenewed(image_id=IMAGE, transfer_id=TRANSFER, lease_s=60),
    events.TransferFailed(image_id=IMAGE, transfer_id=TRANSFER, reason="it was cut short"),
    events.ImageFilled(
        image_id=IMAGE,
        transfer_id=TRANSFER,
        size=1024,
        checksum="c" * 32,
        hash_value="d" * 128,
        virtual_size=1 << 30,
    ),
    events.ImageImported(image_id=IMAGE),
    events.DataDropped(image_id=IMAGE, transfer_id=TRANSFER),
    events.MemberAdded(image_id=IMAGE, member=PROJECT),
    events.MemberAnswered(image_id=IMAGE, member=PROJECT, status="accepted"),
    events.MemberRemoved(image_id=IMAGE, member=PROJECT),
]


def test_every_event_of_the_view_has_a_sample_with_all_of_its_fields() -> None:
    assert {type(sample) for sample in SAMPLES} == ImageView.handles
    for sample in SAMPLES:
        for field in sample.__struct_fields__:
            assert getattr(sample, field) not in ("", None, 0, False), (sample, field)
