"""When a child process ends: it was told to, its log failed, or something that must go on ended."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Coroutine
from typing import Any

from eventlog.sqlite import SqliteLog

_LOOK_S = 0.25


async def wait_for_end(log: SqliteLog, *duties: asyncio.Task[None]) -> None:
    """Return on SIGTERM.

    Raises:  LogFailed as soon as the log is: nobody knows then what the disk holds, so the process
    must end, and the one that replaces it recovers. Whatever ended one of the `duties`, likewise.
    """
    told = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told.set)
    waiting = asyncio.ensure_future(told.wait())
    try:
        while not told.is_set():
            await asyncio.wait(
                {waiting, *duties}, timeout=_LOOK_S, return_when=asyncio.FIRST_COMPLETED
            )
            if log.failure is not None:
                raise log.failure
            for duty in duties:
                if duty.done():
                    duty.result()
                    raise RuntimeError(f"{duty.get_name()} ended")
    finally:
        waiting.cancel()


@contextlib.asynccontextmanager
async def duty(name: str, work: Coroutine[Any, Any, None]) -> AsyncIterator[asyncio.Task[None]]:
    """Do the work beside what follows; cancel it at the end."""
    task = asyncio.create_task(work, name=name)
    try:
        yield task
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
