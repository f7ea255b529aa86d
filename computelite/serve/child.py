"""The event loop of a child process."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable

import uvloop


def run_loop(main: Callable[[], Awaitable[None]]) -> None:
    """Run `main` to its end on a fresh uvloop."""
    # Requests make few cycles and much short-lived garbage: the defaults would look at it all the
    # time. What was there before the fork is frozen.
    gc.set_threshold(50_000, 50, 50)

    async def until_done() -> None:
        await main()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(until_done())
