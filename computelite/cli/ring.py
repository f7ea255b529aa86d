"""`cumulog ring`: where objects go, and which losses are survived."""

from __future__ import annotations

from collections.abc import Sequence

from computelite.cli.command import GOOD, add_common, add_verb, ask, parser, run, show, table

EXAMPLES = """
cumulog ring show
cumulog ring show --json
"""


def main(argv: Sequence[str]) -> int:
    """Run the command; return its exit status."""
    top = parser("ring", "The ring that places what is written now.", EXAMPLES)
    add_common(top)
    verbs = top.add_subparsers(dest="verb", required=True, metavar="VERB")
    add_verb(verbs, "show", "show its shares, and which losses it survives", EXAMPLES)
    args = top.parse_args(argv)

    def work() -> int:
        result = ask(args, "ring.show")
        rows: list[tuple[object, ...]] = [
            (d["id"], d["node"], d["zone"], d["weight"], d["fragments"]) for d in result["devices"]
        ]
        text = (
            f"epoch {result['epoch']}: {result['partitions']:,} partitions of "
            f"{result['fragments']} fragments, code {result['code']}\n"
            f"survives the loss of {result['survives']}\n"
            f"the fullest device has {result['fullest']:+.1%} of its share, "
            f"the emptiest {result['emptiest']:+.1%}\n\n"
            + table(("DEVICE", "NODE", "ZONE", "WEIGHT", "FRAGMENTS"), rows)
        )
        show(args, result, text)
        return GOOD

    return run(args, work)
