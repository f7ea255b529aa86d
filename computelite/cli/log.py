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
    """Return the id of the default domain's user of this name; else the name, which is an id."""
    from computelite.identity.events.actors import DEFAULT_DOMAIN
    from computelite.identity.queries import user_named

    user = await user_named(log, DEFAULT_DOMAIN, name)
    return name if user is None else user.id


def _path(args: argparse.Namespace) -> Path:
    folder = Folder(args.data)
    check_record(folder, read_record(folder), devices="", code="", log=args.log or "")
    return folder.log
