"""`cumulog log`: the event log from the command line; see eventlog/cli."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from computelite.cli.command import add_common, add_common_to_verb, parser, run
from computelite.folder import Folder, check_record, read_record
from eventlog.cli import register
from eventlog.sqlite import SqliteLog

EXAMPLES = """
cumulog log tail -f
cumulog log grep --type object.deleted --text report.pdf --json
cumulog log verify
cumulog log rebuild catalog --compare
"""


def main(argv: Sequence[str]) -> int:
    """Run the command; return its exit status."""
    from computelite.views import VIEWS

    top = parser("log", "The history of everything, from the event log.", EXAMPLES)
    add_common(top)
    verbs = top.add_subparsers(dest="verb", required=True, metavar="VERB")
    register(verbs, add_common=add_common_to_verb, path=_path, views=lambda: VIEWS, actor=_actor)
    args = top.parse_args(argv)

    def work() -> int:
        status: int = args.run(args)
        return status

    return run(args, work)


async def _actor(log: SqliteLog, name: str) -> str:
    """Return the id of the user of this name, as events have it; else the name, which is an id."""
    from computelite.identity.view import Ref

    user = await log.get("user_name", name.encode("utf-8", "replace"))
    return user.id.hex() if isinstance(user, Ref) else name


def _path(args: argparse.Namespace) -> Path:
    folder = Folder(args.data)
    check_record(folder, read_record(folder), devices="", code="", log=args.log or "")
    return folder.log
