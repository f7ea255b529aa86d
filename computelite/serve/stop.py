"""When a child process ends: it was told to, or its log failed."""

from __future__ import annotations

import asyncio
import signal

from eventlog.sqlite import SqliteLog

_LOOK_S = 0.25


async def wait_for_end(log: SqliteLog) -> None:
    """Return on SIGTERM.

    Raises:  LogFailed as soon as the log is: nobody knows then what the disk holds, so the process
    must end, and the one that replaces it recovers.
    """
    told = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told.set)
    while not told.is_set():
        if log.failure is not None:
            raise log.failure
        try:
            async with asyncio.timeout(_LOOK_S):
                await told.wait()
        except TimeoutError:
            continue
