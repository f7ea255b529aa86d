"""Users by their names, for commands that look into a log, which knows ids only."""

from __future__ import annotations

import argparse
from collections.abc import Collection
from pathlib import Path

from computelite.folder import Folder, check_record, read_record
from eventlog.sqlite import SqliteLog


async def find_actor(log: SqliteLog, text: str) -> Collection[str]:
    """Return the ids of the users that `text` means: an id, `name` or `domain/name`.

    Raises:  WrongUsage where users of several domains are called so.
    """
    from computelite.identity.naming import users_called

    return await users_called(log, text)


async def find_actor_at(path: Path, text: str) -> Collection[str]:
    """Do it with the log at `path`, which may be in use."""
    from computelite.views import VIEWS

    log = await SqliteLog.open(path, views=VIEWS, read_only=True)
    try:
        return await find_actor(log, text)
    finally:
        await log.close()


def log_path(args: argparse.Namespace) -> Path:
    """Return where the log of the data folder is.

    Raises:  what reading the folder's record raises; Contradiction.
    """
    folder = Folder(args.data)
    check_record(folder, read_record(folder), devices="", code="", log=args.log or "")
    return folder.log
