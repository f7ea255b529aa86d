"""Devices for ring tests: by hand, and drawn by Hypothesis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hypothesis import strategies as st

from swiftlite.ring.ring import Device


def device(id_: int, node: str = "n", zone: str = "z", weight: float = 1.0) -> Device:
    return Device(id=id_, uuid=f"uuid-{id_}", node=node, zone=zone, weight=weight)


def flat(count: int, weight: float = 1.0) -> list[Device]:
    """One node with so many devices."""
    return [device(id_, weight=weight) for id_ in range(count)]


def grid(zones: int, nodes: int, devices: int) -> list[Device]:
    """So many zones of so many nodes of so many devices."""
    places = [(z, n) for z in range(zones) for n in range(nodes) for _ in range(devices)]
    return [device(id_, f"n{z}.{n}", f"z{z}") for id_, (z, n) in enumerate(places)]


def blob_in(partition: int, part_power: int) -> bytes:
    """An id whose blob is in the partition."""
    return bytes(12) + (partition << (32 - part_power)).to_bytes(4, "big")


def groups(devices: Sequence[Device], level: str) -> Mapping[int, object]:
    """The device, node or zone of each device's id."""
    places = {
        "device": lambda d: d.id,
        "node": lambda d: (d.zone, d.node),
        "zone": lambda d: d.zone,
    }
    return {d.id: places[level](d) for d in devices}


WEIGHTS = st.sampled_from([0.3, 1.0, 1.0, 2.0, 4.0])


@st.composite
def clusters(draw: st.DrawFn, *, most: int = 12, weights: st.SearchStrategy[float] = WEIGHTS):  # type: ignore[no-untyped-def]
    """Up to `most` devices on a few nodes in a few zones."""
    ids = draw(st.lists(st.integers(0, 0xFFFE), min_size=1, max_size=most, unique=True))
    places = st.tuples(st.sampled_from("ab"), st.sampled_from("xyz"))
    return [device(id_, node, zone, draw(weights)) for id_ in ids for node, zone in [draw(places)]]


FRAGMENTS = st.sampled_from([1, 2, 3, 6, 12])
PART_POWERS = st.integers(0, 6)
