"""Every event version that ever shipped has a golden file, which is never deleted.

`pytest tests/eventlog/test_golden.py --regenerate` writes those of new versions from the samples.
"""

import importlib
import json
import pkgutil
from pathlib import Path

import msgspec
import pytest

from eventlog.codec import decode_data, encode_event
from eventlog.event import registered, type_of
from eventlog.shown import brief, json_text, plain

GOLDEN = Path(__file__).parents[1] / "golden" / "events"
SAMPLES = (
    "tests.swiftlite.catalog.samples",
    "tests.computelite.identity.test_events",
    "tests.computelite.identity.login.test_events",
    "tests.computelite.image.test_events",
)
NOT_SHIPPED = ("testing.", "bench.")


def shipped():
    """Import every module of events, and return the types that a log of ours may hold."""
    for package in ("eventlog", "swiftlite", "computelite"):
        path = importlib.import_module(package).__path__
        for module in pkgutil.walk_packages(path, f"{package}."):
            if module.name.rpartition(".")[2] == "events" and ".cli." not in module.name:
                importlib.import_module(module.name)
    return [known for known in registered().values() if not known.name.startswith(NOT_SHIPPED)]


def test_every_version_of_every_event_has_a_golden_file(regenerate):
    if regenerate:
        for module in SAMPLES:
            for sample in importlib.import_module(module).SAMPLES:
                known = type_of(type(sample))
                golden = GOLDEN / f"{known.name}.v{known.version}.json"
                golden.write_bytes(encode_event(sample))
    wanted = {
        f"{known.name}.v{version}.json"
        for known in shipped()
        for version in range(1, known.version + 1)
    }
    assert len(wanted) > 20
    assert wanted == {golden.name for golden in GOLDEN.iterdir()}


@pytest.mark.parametrize("golden", sorted(GOLDEN.iterdir()), ids=lambda golden: golden.stem)
def test_a_golden_file_is_read_and_written_to_the_same_bytes(golden):
    shipped()
    name, _, version = golden.stem.rpartition(".v")
    stored = golden.read_bytes()
    event = decode_data(name, int(version), b'{"event":' + stored + b"}").event
    if int(version) == registered()[name].version:
        assert encode_event(event) == stored


def test_every_event_can_be_shown_with_all_its_fields_and_with_none_but_those_it_needs():
    for known in shipped():
        stored = json.loads((GOLDEN / f"{known.name}.v{known.version}.json").read_bytes())
        needed = {f.encode_name for f in msgspec.structs.fields(known.cls) if f.required}
        for fields in (stored, {name: stored[name] for name in stored if name in needed}):
            data = json.dumps({"event": fields}).encode()
            event = decode_data(known.name, known.version, data).event
            for shown in (plain(event), brief(event)):
                assert json.loads(json_text(shown)), known.name
