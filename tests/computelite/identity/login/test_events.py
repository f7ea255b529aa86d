"""Samples of the events at the door, and what their view makes of them."""

from __future__ import annotations

import msgspec

from computelite.identity.login.events import LOGIN_EVENTS, LoginFailed, LoginForgiven
from eventlog.codec import encode_event
from eventlog.event import Event

USER = "00112233445566778899aabbccddeeff"

SAMPLES: list[Event] = [
    LoginFailed(user_id=USER, window_s=300),
    LoginForgiven(user_id=USER),
]


def test_every_event_at_the_door_has_a_sample_with_no_field_left_at_its_default() -> None:
    assert {type(sample) for sample in SAMPLES} == LOGIN_EVENTS
    for sample in SAMPLES:
        stored = msgspec.json.decode(encode_event(sample))
        assert set(stored) == set(sample.__struct_fields__), type(sample).__name__
