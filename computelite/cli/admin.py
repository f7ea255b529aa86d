"""`cumulog admin`: a way in for those who have none."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from computelite.cli.command import GOOD, add_common, add_verb, ask, parser, run, show
from computelite.errors import WrongUsage

EXAMPLES = """
cumulog admin reset-password
cumulog admin reset-password --user alice --domain sales
"""


def main(argv: Sequence[str]) -> int:
    """Run the command; return its exit status."""
    top = parser("admin", "A way in for those who have none.", EXAMPLES)
    add_common(top)
    verbs = top.add_subparsers(dest="verb", required=True, metavar="VERB")
    reset = add_verb(
        verbs,
        "reset-password",
        "give a user a new password, unlock and enable them; make admin anew if need be",
        "cumulog admin reset-password\n"
        "cumulog admin reset-password --user alice --domain sales\n"
        "pass show cloud/alice | cumulog admin reset-password --user alice --stdin",
    )
    reset.add_argument("--user", metavar="NAME", default="admin", help="whose (default: admin)")
    reset.add_argument(
        "--domain",
        metavar="NAME",
        default=None,
        help="the user's domain (default: the one of the first start)",
    )
    reset.add_argument(
        "--stdin", action="store_true", help="read the password's one line; otherwise one is drawn"
    )
    args = top.parse_args(argv)
    return run(args, lambda: _reset_password(args))


def _reset_password(args: argparse.Namespace) -> int:
    chosen = None
    if args.stdin:
        try:
            chosen = sys.stdin.buffer.readline().decode().rstrip("\r\n")
        except UnicodeDecodeError:
            raise WrongUsage(reason="--stdin: what came is not UTF-8") from None
        if not chosen:
            raise WrongUsage(reason="--stdin: no password came")
    result = ask(args, "admin.reset-password", user=args.user, domain=args.domain, password=chosen)
    lines = [f"the password of {result['user']} is a new one; every token of theirs is void"]
    if not result["was_enabled"]:
        lines.append(f"{result['user']} was disabled, and is enabled")
    if result["password"] is not None:
        lines.append(f"OS_PASSWORD={result['password']}")
    show(args, result, "\n".join(lines))
    return GOOD
