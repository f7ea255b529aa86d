"""`cumulog device`: the devices and their states."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from computelite.cli.command import BAD, GOOD, add_common, add_verb, ask, parser, run, show, table

EXAMPLES = """
cumulog device list
cumulog device list --json
"""


def main(argv: Sequence[str]) -> int:
    """Run the command; 1 if a device is out."""
    top = parser("device", "The devices of the cloud. Exit status 1 if one is out.", EXAMPLES)
    add_common(top)
    verbs = top.add_subparsers(dest="verb", required=True, metavar="VERB")
    add_verb(verbs, "list", "show every device", EXAMPLES)
    args = top.parse_args(argv)

    def work() -> int:
        result = ask(args, "device.list")
        show(args, result, device_table(result["devices"]))
        return GOOD if all(d["state"] != "out" for d in result["devices"]) else BAD

    return run(args, work)


def device_table(devices: list[dict[str, Any]]) -> str:
    """Return the devices as lines."""
    rows: list[tuple[object, ...]] = [
        (d["id"], d["state"], *_sizes(d["free"], d["total"]), d["path"], d["reason"])
        for d in devices
    ]
    return table(("DEVICE", "STATE", "FREE", "SIZE", "PATH", "REASON"), rows)


def _sizes(*sizes_bytes: int) -> list[str]:
    """Return sizes as people read them; nothing for those of a device that is not there."""
    return [f"{size / (1 << 30):,.1f} GiB" if any(sizes_bytes) else "" for size in sizes_bytes]
