"""`cumulog status`: is the cloud well?"""

from __future__ import annotations

from collections.abc import Sequence

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
        lines = [
            f"{result['status']}: log at position {result['position']:,}"
            + (f", FAILED: {result['log_failure']}" if result["log_failure"] else ""),
            f"code {result['code']}; with every device up it survives the loss of "
            f"{result['survives']}",
            "",
            device_table(result["devices"]),
        ]
        show(args, result, "\n".join(lines))
        return GOOD if result["status"] == "ok" else BAD

    return run(args, work)
