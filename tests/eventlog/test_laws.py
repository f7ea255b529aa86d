"""The SQLite log keeps every law of the port."""

import pytest

from eventlog.sqlite import SqliteLog
from eventlog.testing import LAWS, Counter, SteppedClock, check_log


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
async def test_sqlite_keeps_the_law(law, tmp_path):
    clock = SteppedClock()
    log = await SqliteLog.open(tmp_path / "log.db", views=[Counter()], clock=clock)
    try:
        await law(log, clock)
    finally:
        await log.close()


async def test_the_suite_runs_every_law_on_a_log_of_its_own(tmp_path):
    opened = []

    async def open_log(clock):
        opened.append(clock)
        path = tmp_path / f"{len(opened)}.db"
        return await SqliteLog.open(path, views=[Counter()], clock=clock)

    await check_log(open_log)
    assert len(opened) == len(LAWS)


async def test_the_suite_notices_a_log_that_drops_an_event(tmp_path):
    class Forgetful(SqliteLog):
        async def read(self, **selection):
            async for rec in super().read(**selection):
                if rec.position != 2:
                    yield rec

    async def open_log(clock):
        return await Forgetful.open(tmp_path / "log.db", views=[Counter()], clock=clock)

    with pytest.raises(AssertionError):
        await check_log(open_log)
