"""`cumulog log`: the event log from the command line; see eventlog/cli."""

from __future__ import annotations

from collections.abc import Sequence

from computelite.cli.actor import find_actor, log_path
from computelite.cli.command import add_common, add_common_to_verb, parser, run
from eventlog.cli import register

EXAMPLES = """
cumulog log tail -f
cumulog log grep --type object.deleted --text report.pdf --json
cumulog log grep --actor default/ann --since 2026-11-22
cumulog log verify
cumulog log rebuild catalog --compare
"""


def main(argv: Sequence[str]) -> int:
    """Run the command; return its exit status."""
    from computelite.views import VIEWS

    top = parser("log", "The history of everything, from the event log.", EXAMPLES)
    add_common(top)
    verbs = top.add_subparsers(dest="verb", required=True, metavar="VERB")
    register(
        verbs, add_common=add_common_to_verb, path=log_path, views=lambda: VIEWS, actor=find_actor
    )
    args = top.parse_args(argv)

    def work() -> int:
        status: int = args.run(args)
        return status

    return run(args, work)
