"""`cumulog key`: access keys."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from computelite.cli.command import GOOD, add_common, add_verb, ask, parser, run, show, table

EXAMPLES = """
cumulog key create --description laptop
cumulog key create --bucket photos --read-only --json
cumulog key list
cumulog key disable CLQ7XJ3DGN5TKWMB2ZPA
"""


def main(argv: Sequence[str]) -> int:
    """Run the command; return its exit status."""
    top = parser("key", "Access keys for S3.", EXAMPLES)
    add_common(top)
    verbs = top.add_subparsers(dest="verb", required=True, metavar="VERB")
    create = add_verb(
        verbs,
        "create",
        "make a key; its secret is shown this once",
        "cumulog key create --description laptop\n"
        "cumulog key create --bucket photos --read-only --json",
    )
    create.add_argument("--bucket", metavar="NAME", help="the key reaches this bucket only")
    create.add_argument("--read-only", action="store_true", help="the key changes nothing")
    create.add_argument("--description", default="", metavar="TEXT", help="what it is for")
    add_verb(verbs, "list", "show all keys", "cumulog key list\ncumulog key list --json")
    for verb, what in (("disable", "refuse a key from now on"), ("enable", "let it work again")):
        switch = add_verb(verbs, verb, what, f"cumulog key {verb} CLQ7XJ3DGN5TKWMB2ZPA")
        switch.add_argument("key", metavar="KEY", help="the access key's id")
    args = top.parse_args(argv)
    return run(args, lambda: _RUN[args.verb](args))


def _create(args: argparse.Namespace) -> int:
    result = ask(
        args,
        "key.create",
        bucket=args.bucket,
        read_only=args.read_only,
        description=args.description,
    )
    lines = [
        f"AWS_ACCESS_KEY_ID={result['access_key']}",
        f"AWS_SECRET_ACCESS_KEY={result['secret_key']}",
    ]
    show(args, result, "\n".join(lines))
    if not result["bucket_exists"]:
        print(f"cumulog: there is no bucket {args.bucket} yet", file=sys.stderr)
    return GOOD


def _list(args: argparse.Namespace) -> int:
    result = ask(args, "key.list")
    rows: list[tuple[object, ...]] = [
        (
            key["access_key"],
            key["user"],
            "enabled" if key["enabled"] else "disabled",
            "read" if key["read_only"] else "read, write",
            key["bucket"] or "all",
            key["created"],
            key["description"],
        )
        for key in result["keys"]
    ]
    head = ("KEY", "USER", "STATE", "MAY", "BUCKETS", "CREATED", "DESCRIPTION")
    show(args, result, table(head, rows))
    return GOOD


def _switch(args: argparse.Namespace) -> int:
    result = ask(args, f"key.{args.verb}", key_id=args.key)
    show(args, result, f"{result['access_key']} is {args.verb}d")
    return GOOD


_RUN = {"create": _create, "list": _list, "disable": _switch, "enable": _switch}
