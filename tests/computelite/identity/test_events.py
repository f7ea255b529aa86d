"""The stored bytes of identity's events: one golden file per version that ever shipped.

`python -m tests.computelite.identity.test_events` writes those that are missing.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from computelite.identity import events
from computelite.identity.view import IdentityView
from eventlog.codec import encode_event
from eventlog.event import Event, type_of

GOLDEN = Path(__file__).parents[2] / "golden" / "events"
USER, PROJECT, SEALED = bytes(range(16)), bytes(range(16, 32)), b"\x01sealed\xff"

SAMPLES: list[Event] = [
    events.ProjectCreated(project_id=PROJECT, name="admin"),
    events.UserCreated(user_id=USER, name="bärbel"),
    events.UserPasswordSet(user_id=USER, sealed=SEALED),
    events.UserDisabled(user_id=USER),
    events.UserEnabled(user_id=USER),
    events.RoleGranted(user_id=USER, project_id=PROJECT, role="member"),
    events.AccessKeyCreated(
        key_id="CL234567ABCDEFGHIJKL",
        user_id=USER,
        project_id=PROJECT,
        sealed=SEALED,
        bucket="photos",
        read_only=True,
        description="the camera's",
    ),
    events.AccessKeyDisabled(key_id="CL234567ABCDEFGHIJKL", user_id=USER),
    events.AccessKeyEnabled(key_id="CL234567ABCDEFGHIJKL", user_id=USER),
]


def golden(sample: Event) -> Path:
    known = type_of(type(sample))
    return GOLDEN / f"{known.name}.v{known.version}.json"


def test_every_event_of_identity_has_a_sample_with_no_field_left_at_its_default() -> None:
    assert {type(sample) for sample in SAMPLES} == IdentityView.handles
    for sample in SAMPLES:
        stored = msgspec.json.decode(encode_event(sample))
        assert set(stored) == set(sample.__struct_fields__), type(sample).__name__


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: type(sample).__name__)
def test_stored_bytes_are_for_ever(sample: Event) -> None:
    assert encode_event(sample) == golden(sample).read_bytes()
    assert msgspec.json.decode(golden(sample).read_bytes(), type=type(sample)) == sample


if __name__ == "__main__":
    for one in SAMPLES:
        if not golden(one).exists():
            golden(one).write_bytes(encode_event(one))
