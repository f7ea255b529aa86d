"""The operator's end: asks the running cloud, or opens a stopped one and does the work itself."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import Any

import msgspec

from computelite.control.messages import MAX_ANSWER, Failure, Progress, Reply, Request
from computelite.control.place import operator_id, short_path
from computelite.errors import CloudUnreachable, ControlFailed, FolderInUse, WrongUsage
from computelite.folder import Folder, lock_folder, read_record
from eventlog.clock import SystemClock


async def ask(folder: Folder, request: Request, on_progress: Callable[[Progress], None]) -> Any:
    """Have the request done, wherever that is possible; return its result.

    Raises:  ControlFailed or WrongUsage with the cloud's text; CloudUnreachable while the cloud is
    between stopped and running; what opening a stopped cloud raises.
    """
    read_record(folder)
    try:
        return await _ask_running(folder, request, on_progress)
    except (FileNotFoundError, ConnectionRefusedError):
        pass
    try:
        lock = lock_folder(folder, SystemClock(), patience_s=0)
    except FolderInUse as error:
        raise CloudUnreachable(folder=folder.root, reason=str(error)) from None
    try:
        return await _do_here(folder, request, on_progress)
    finally:
        os.close(lock)


async def _ask_running(
    folder: Folder, request: Request, on_progress: Callable[[Progress], None]
) -> Any:
    with short_path(folder.control) as place:
        reader, writer = await asyncio.open_unix_connection(place, limit=MAX_ANSWER)
    try:
        writer.write(msgspec.json.encode(request) + b"\n")
        while line := await reader.readline():
            reply = msgspec.json.decode(line, type=Reply)
            if reply.progress is not None:
                on_progress(reply.progress)
            elif reply.error is not None:
                raise _raised(reply.error)
            else:
                return reply.result
        raise CloudUnreachable(folder=folder.root, reason="its keeper ended")
    finally:
        writer.close()


async def _do_here(
    folder: Folder, request: Request, on_progress: Callable[[Progress], None]
) -> Any:
    from computelite.cloud import Cloud
    from computelite.control.operations import perform
    from eventlog.log import Actor

    async with Cloud.open(folder) as cloud:
        actor = Actor(id=operator_id(os.getuid()))
        return await perform(cloud, request, on_progress, actor, running=False)


def _raised(failure: Failure) -> Exception:
    if failure.wrong_usage:
        return WrongUsage(reason=failure.text)
    return ControlFailed(text=failure.text)
