"""Events: permanent names, versions, canonical bytes, upcasting, refusal of what is unknown."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventlog import event as registry
from eventlog.codec import (
    Entry,
    Undecodable,
    decode_data,
    decode_entry,
    encode_data,
    encode_entry,
    leaf_hash,
    payload,
)
from eventlog.event import Event, check_registry, event, type_of, upcasts


class Nested(msgspec.Struct, frozen=True):
    number: int
    raw: bytes = b""


@event("testing.shaped", v=3)
class Shaped(Event):
    """Version 3: `name` was `title` in 1, `amount` was text in 2."""

    name: str
    amount: int = 0
    labels: dict[str, str] = msgspec.field(default_factory=dict)
    nested: tuple[Nested, ...] = ()
    raw: bytes | None = None


@upcasts("testing.shaped", 1)
def _title_becomes_name(old):
    return old | {"name": old.pop("title")}


@upcasts("testing.shaped", 2)
def _amount_becomes_a_number(old):
    return old | {"amount": int(old["amount"])}


texts = st.text(max_size=20)
numbers = st.integers(-(2**63), 2**63 - 1)
shaped = st.builds(
    Shaped,
    name=texts,
    amount=numbers,
    labels=st.dictionaries(texts, texts, max_size=4),
    nested=st.lists(st.builds(Nested, number=numbers, raw=st.binary()), max_size=3).map(tuple),
    raw=st.none() | st.binary(),
)


@given(shaped, texts, texts)
def test_decoding_gives_back_what_was_encoded(event, source, agent):
    data = encode_data(payload(event, source, agent))
    back = decode_data("testing.shaped", 3, data)
    assert (back.event, back.source, back.agent) == (event, source, agent)
    assert encode_data(back) == data


@given(st.dictionaries(texts, texts, min_size=2))
def test_the_bytes_do_not_depend_on_the_order_in_which_a_dict_was_filled(labels):
    turned = dict(reversed(labels.items()))
    one, other = (payload(Shaped(name="x", labels=labels)) for labels in (labels, turned))
    assert encode_data(one) == encode_data(other)


entries = st.builds(
    Entry,
    v=st.just(1),
    stream=texts,
    type=texts,
    schema=st.integers(1, 9),
    event_id=st.binary(min_size=16, max_size=16).map(bytes.hex),
    at=numbers,
    actor=texts,
    request_id=texts,
    cause=texts,
    commit=st.binary(min_size=32, max_size=32).map(bytes.hex),
    size=st.integers(0, 2**40),
)


@given(entries)
def test_an_entry_comes_back_as_it_was(entry):
    assert decode_entry(encode_entry(entry)) == entry


def test_the_stored_forms_are_what_they_were_when_they_shipped():
    """These bytes are in logs and under signatures: a change here breaks every proof."""
    data = encode_data(payload(Shaped(name="é", amount=3), "192.0.2.1", "aws"))
    assert data == '{"event":{"name":"é","amount":3},"source":"192.0.2.1","agent":"aws"}'.encode()
    assert encode_data(payload(Shaped(name="x"))) == b'{"event":{"name":"x"}}'
    entry = encode_entry(Entry(1, "s/1", "a.b", 2, "00", 5, "who", "req", "why", "ff", 9))
    assert entry == (
        b'{"v":1,"stream":"s/1","type":"a.b","schema":2,"event_id":"00","at":5,'
        b'"actor":"who","request_id":"req","cause":"why","commit":"ff","size":9}'
    )
    # RFC 6962's published test vector: the leaf hash of an empty entry.
    assert leaf_hash(b"").hex() == (
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    )


def test_old_versions_are_lifted_step_by_step():
    old = b'{"event":{"title":"x","amount":"7"},"source":"a"}'
    lifted = decode_data("testing.shaped", 1, old)
    assert lifted.event == Shaped(name="x", amount=7)
    assert lifted.source == "a"
    second = b'{"event":{"name":"x","amount":"8"}}'
    assert decode_data("testing.shaped", 2, second).event == Shaped(name="x", amount=8)


@pytest.mark.parametrize(
    ("name", "schema", "data", "said"),
    [
        ("testing.nowhere", 1, b"{}", "no event type testing.nowhere"),
        ("testing.shaped", 4, b"{}", "v4 is newer than v3"),
        ("testing.shaped", 3, b'{"event":{"name":"x","more":1}}', "unknown field `more`"),
        ("testing.shaped", 3, b'{"event":{"name":"x"},"more":1}', "unknown field `more`"),
        ("testing.shaped", 3, b'{"event":{}}', "missing required field `name`"),
        ("testing.shaped", 3, b'{"event":{"name":5}}', "Expected `str`"),
        ("testing.shaped", 3, b'{"event":', "truncated"),
        ("testing.shaped", 1, b'{"event":{}}', "title"),
        ("testing.shaped", 1, b"[]", "testing.shaped v1"),
        ("testing.shaped", 2, b'{"event":{"name":"x","amount":"seven"}}', "seven"),
    ],
)
def test_what_cannot_be_understood_is_refused_by_name(name, schema, data, said):
    with pytest.raises(Undecodable, match=said):
        decode_data(name, schema, data)


def test_events_are_frozen_and_take_keywords_only():
    with pytest.raises(AttributeError):
        Shaped(name="x").name = "y"
    with pytest.raises(TypeError):
        Shaped("x")
    with pytest.raises(TypeError):
        Shaped(name="x", more=1)


def test_a_name_is_given_once():
    with pytest.raises(AssertionError, match="is taken"):

        @event("testing.shaped", v=4)
        class Again(Event):
            pass


@pytest.mark.parametrize("name", ["", "plain", "Upper.case", "a.b c", "a..b", "x." + "y" * 70])
def test_a_name_is_dotted_and_lower_case(name):
    with pytest.raises(AssertionError):
        event(name, v=1)


def test_an_unregistered_class_is_no_event():
    class Unregistered(Event):
        pass

    with pytest.raises(AssertionError, match="not registered"):
        type_of(Unregistered)


@pytest.mark.parametrize(
    ("name", "version", "said"),
    [("testing.shaped", 3, "is what is written"), ("testing.nowhere", 1, "not registered")],
)
def test_an_idle_upcaster_is_found_when_the_log_is_opened(name, version, said, monkeypatch):
    monkeypatch.setitem(registry._upcasters, (name, version), lambda old: old)
    with pytest.raises(AssertionError, match=said):
        check_registry()


def test_a_missing_upcaster_is_found_when_the_log_is_opened(monkeypatch):
    check_registry()
    monkeypatch.delitem(registry._upcasters, ("testing.shaped", 2))
    with pytest.raises(AssertionError, match="nothing upcasts v2"):
        check_registry()
