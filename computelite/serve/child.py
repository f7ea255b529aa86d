"""The event loop of a child process."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Awaitable, Callable

import uvloop


def run_loop(name: str, main: Callable[[], Awaitable[None]]) -> None:
    """Run `main` to its end on a fresh uvloop; diagnostics go to stderr under the child's name."""
    logging.basicConfig(
        format=f"%(asctime)s cumulog: {name}: %(message)s", level=logging.INFO, force=True
    )
    # Requests make few cycles and much short-lived garbage: the defaults would look at it all the
    # time. What was there before the fork is frozen.
    gc.set_threshold(50_000, 50, 50)

    async def until_done() -> None:
        await main()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(until_done())
