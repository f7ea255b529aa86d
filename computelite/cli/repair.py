"""`cumulog repair`: bring damaged, missing and replaced fragments back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from computelite.cli.command import BAD, GOOD, add_common, ask, parser, run, show
from computelite.cli.unreadable import unreadable_lines

EXAMPLES = """
cumulog repair
mount /mnt/new-disk && cumulog repair --data /srv/cumulog
"""


def main(argv: Sequence[str]) -> int:
    """Run the command; 1 if something is left that could not be repaired."""
    top = parser(
        "repair",
        "Adopt the missing or empty folders of known devices, then write every fragment that is"
        " missing or damaged. Exit status 1 if something is left.",
        EXAMPLES,
    )
    add_common(top)
    args = top.parse_args(argv)

    def work() -> int:
        result = ask(args, "repair")
        show(args, result, repair_text(result))
        left = result["refused"] or result["devices_out"] or result["failed"]
        return BAD if left or result["unreadable"] else GOOD

    return run(args, work)


def repair_text(result: dict[str, Any]) -> str:
    """Return what a repair did, for people."""
    lines = [
        f"device {device}: adopted, "
        + ("with what it held" if device in result["held"] else "empty")
        for device in result["replaced"]
    ]
    lines += [f"device {device}: REFUSED: {why}" for device, why in result["refused"].items()]
    lines.append(
        f"{result['blobs']:,} blobs looked at, {result['repaired']:,} repaired,"
        f" {result['fragments']:,} fragments written"
    )
    if result["failed"]:
        lines.append(f"{result['failed']:,} blobs were not wholly repaired: try again")
    if result["unreadable"]:
        lines += unreadable_lines(result["unreadable"], result["named"], result["devices_out"])
    return "\n".join(lines)
