"""Where blobs go must never change silently: `python -m tests.swiftlite.ring.test_golden` rewrites
the files, and the diff is to be read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from swiftlite.ring.build import build
from swiftlite.ring.ring import Device, Ring
from tests.swiftlite.ring.clusters import blob_in, device, flat, grid

FOLDER = Path(__file__).parents[2] / "golden" / "ring"
POWER = 4

HISTORIES: dict[str, tuple[int, list[list[Device]]]] = {
    "six devices, one added, two lost": (6, [flat(6), flat(7), flat(7)[2:]]),
    "three zones, a fourth added": (6, [grid(3, 2, 2), grid(4, 2, 2)]),
    "fewer devices than fragments": (6, [flat(4), flat(5)]),
    "mixed weights": (3, [[device(id_, weight=1 + id_ % 3) for id_ in range(8)]]),
}


def rings(fragments: int, history: list[list[Device]]) -> list[Ring]:
    made: list[Ring] = []
    for epoch, devices in enumerate(history, 1):
        previous = made[-1] if made else None
        made.append(
            build(devices, fragments=fragments, part_power=POWER, epoch=epoch, previous=previous)
        )
    return made


def shown(ring: Ring) -> dict[str, object]:
    return {
        "epoch": ring.epoch,
        "table": ring.table.hex(),
        "rows": [" ".join(map(str, row)) for row in ring.rows()],
        "handoffs": [
            " ".join(map(str, ring.handoffs(blob_in(p, POWER)))) for p in range(ring.partitions)
        ],
    }


def path_of(name: str) -> Path:
    return FOLDER / f"{name.replace(',', '').replace(' ', '-')}.json"


@pytest.mark.parametrize("name", HISTORIES)
def test_placement_is_what_it_was_when_it_shipped(name: str) -> None:
    golden = json.loads(path_of(name).read_text())
    assert [shown(ring) for ring in rings(*HISTORIES[name])] == golden


def test_every_golden_ring_is_tested() -> None:
    assert {path_of(name) for name in HISTORIES} == set(FOLDER.glob("*.json"))


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, (fragments, history) in HISTORIES.items():
        text = json.dumps([shown(ring) for ring in rings(fragments, history)], indent=1)
        path_of(name).write_text(text + "\n")
