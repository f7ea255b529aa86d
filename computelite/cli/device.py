"""`cumulog device`: the devices and their states."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from computelite.cli.command import BAD, GOOD, add_common, ask, parser, run, show, table

EXAMPLES = """
cumulog device list
cumulog device list --json
"""


def main(argv: Sequence[str]) -> int:
    """Run the command; 1 if a device is out."""
    top = parser("device", "The devices of the cloud. Exit status 1 if one is out.", EXAMPLES)
    verbs = top.add_subparsers(dest="verb", required=True, metavar="VERB")
    add_common(verbs.add_parser("list", help="show every device"))
    args = top.parse_args(argv)

    def work() -> int:
        result = ask(args, "device.list")
        show(args, result, device_table(result["devices"]))
        return GOOD if all(d["state"] != "out" for d in result["devices"]) else BAD

    return run(args, work)


def device_table(devices: list[dict[str, Any]]) -> str:
    """Return the devices as lines."""
    rows: list[tuple[object, ...]] = [
        (d["id"], d["state"], _size(d["free"]), _size(d["total"]), d["path"], d["reason"])
        for d in devices
    ]
    return table(("DEVICE", "STATE", "FREE", "SIZE", "PATH", "REASON"), rows)


def _size(size_bytes: int) -> str:
    return f"{size_bytes / (1 << 30):,.1f} GiB" if size_bytes else ""
