"""When a child process ends."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from computelite.serve.stop import duty, wait_for_end
from eventlog.errors import LogFailed


class FakeLog:
    """A log that may fail."""

    failure: LogFailed | None = None


async def test_it_ends_when_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    asyncio.get_running_loop().call_later(0.05, os.kill, os.getpid(), signal.SIGTERM)
    async with asyncio.timeout(5):
        await wait_for_end(FakeLog())  # type: ignore[arg-type]


async def test_it_ends_when_its_log_failed() -> None:
    log = FakeLog()
    waiting = asyncio.create_task(wait_for_end(log))  # type: ignore[arg-type]
    await asyncio.sleep(0.05)
    assert not waiting.done()
    log.failure = LogFailed(reason="EIO")
    with pytest.raises(LogFailed, match="EIO"):
        async with asyncio.timeout(5):
            await waiting


async def test_it_ends_when_a_duty_does() -> None:
    async def fail() -> None:
        raise ZeroDivisionError

    async def end() -> None:
        pass

    for work, expected in ((fail, ZeroDivisionError), (end, RuntimeError)):
        with pytest.raises(expected):
            async with duty("upkeep", work()) as task:
                await wait_for_end(FakeLog(), task)  # type: ignore[arg-type]


async def test_a_duty_ends_with_what_it_stands_beside() -> None:
    async with duty("upkeep", asyncio.sleep(60)) as task:
        pass
    assert task.cancelled()
