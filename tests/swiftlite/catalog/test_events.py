"""The stored bytes of storage's events: one golden file per version that ever shipped.

`python -m tests.swiftlite.catalog.test_events` writes those that are missing; what is there stays.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from eventlog.codec import encode_event
from eventlog.event import Event, type_of
from swiftlite.catalog.view import CatalogView
from tests.swiftlite.catalog.samples import SAMPLES

GOLDEN = Path(__file__).parents[2] / "golden" / "events"


def test_every_event_of_storage_has_a_sample_with_no_field_left_at_its_default() -> None:
    assert {type(sample) for sample in SAMPLES} == CatalogView.handles
    for sample in SAMPLES:
        stored = msgspec.json.decode(encode_event(sample))
        assert set(stored) == set(sample.__struct_fields__), type(sample).__name__


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: type(sample).__name__)
def test_stored_bytes_are_for_ever(sample: Event) -> None:
    known = type_of(type(sample))
    golden = (GOLDEN / f"{known.name}.v{known.version}.json").read_bytes()
    assert encode_event(sample) == golden
    assert msgspec.json.decode(golden, type=type(sample)) == sample


if __name__ == "__main__":
    GOLDEN.mkdir(parents=True, exist_ok=True)
    for one in SAMPLES:
        path = GOLDEN / f"{type_of(type(one)).name}.v{type_of(type(one)).version}.json"
        if not path.exists():
            path.write_bytes(encode_event(one))
