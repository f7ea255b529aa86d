"""`cumulog status`: is the cloud well?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from computelite.cli.command import BAD, GOOD, add_common, ask, parser, run, show
from computelite.cli.device import device_table

EXAMPLES = """
cumulog status
cumulog status --data /srv/cumulog --json
"""


def main(argv: Sequence[str]) -> int:
    """Run the command; 1 unless every device is in use and the log can be written."""
    top = parser("status", "How the cloud is. Exit status 1 if anything is wrong.", EXAMPLES)
    add_common(top)
    args = top.parse_args(argv)

    def work() -> int:
        result = ask(args, "status")
        show(args, result, status_text(result))
        return GOOD if result["status"] == "ok" else BAD

    return run(args, work)


def status_text(result: dict[str, Any]) -> str:
    """Return how a cloud is, for people."""
    lines = [] if result["running"] else ["not running: start it with `cumulog serve`", ""]
    lines += [
        f"{result['status']}: log at position {result['position']:,}"
        + (f", FAILED: {result['log_failure']}" if result["log_failure"] else ""),
        f"code {result['code']}; with every device up it survives the loss of {result['survives']}",
    ]
    if result["survives_no_loss"]:
        lines.append("NO DEVICE MAY BE LOST: whichever it is, objects are lost with it")
    out = [str(device["id"]) for device in result["devices"] if device["state"] == "out"]
    if out:
        which = f"device {out[0]}" if len(out) == 1 else f"devices {', '.join(out)}"
        now = result["survives_now"]
        lines.append(
            f"now, with {which} out, it survives the loss of {now}"
            if now is not None
            else f"now, with {which} out, there are objects that cannot be read"
        )
        lines.append("run `cumulog repair` when the disk is back or replaced")
    return "\n".join([*lines, "", device_table(result["devices"])])
