"""`cumulog scrub`: read everything and say what is damaged or missing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from computelite.cli.command import BAD, GOOD, add_common, ask, parser, run, show
from computelite.cli.unreadable import unreadable_lines

EXAMPLES = """
cumulog scrub
cumulog scrub --quick --json
"""


def main(argv: Sequence[str]) -> int:
    """Run the command; 1 if anything is damaged, missing or cannot be looked at."""
    top = parser(
        "scrub",
        "Verify every byte of every version that has its bytes. Changes nothing; `cumulog repair`"
        " does. Exit status 1 if anything is damaged, missing, or on a device that is out.",
        EXAMPLES,
    )
    top.add_argument("--quick", action="store_true", help="look for presence only, read nothing")
    add_common(top)
    args = top.parse_args(argv)

    def work() -> int:
        result = ask(args, "scrub", quick=args.quick)
        show(args, result, scrub_text(result))
        return GOOD if result["clean"] else BAD

    return run(args, work)


def scrub_text(result: dict[str, Any]) -> str:
    """Return what a scrub found, for people."""
    lines = [
        f"{result['versions']:,} versions, {result['blobs']:,} blobs, {result['bytes']:,} bytes",
        f"fragments: {result['fragments']:,}, good {result['ok']:,}, missing {result['missing']:,},"
        f" damaged {result['damaged']:,}, on devices that are out {result['out']:,}",
    ]
    if result["misplaced"]:
        lines.append(f"good, but away from where the ring has them: {result['misplaced']:,}")
    if result["orphans"] or result["wrecks"]:
        lines.append(
            f"kept, though no version has them: {result['orphans']:,} fragments,"
            f" {result['wrecks']:,} damaged places"
        )
    if result["devices_out"]:
        lines.append(f"devices out: {', '.join(map(str, result['devices_out']))}")
    if result["unreadable_count"]:
        lines += unreadable_lines(
            result["unreadable_count"], result["unreadable"], result["devices_out"]
        )
    if result["clean"]:
        lines.append("all is good")
    elif result["devices_out"]:
        lines.append("run `cumulog repair`, best when the disk is back or replaced")
    elif result["repairable"]:
        lines.append("run `cumulog repair`")
    return "\n".join(lines)
