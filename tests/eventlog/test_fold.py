"""Folds: resuming from any cut equals a full replay; a failing fold stops and is not skipped."""

import asyncio
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eventlog.database import open_database, run
from eventlog.errors import Unreadable, ViewParked
from eventlog.fold import Live, MemoryView
from eventlog.log import Actor
from eventlog.refold import Refold
from eventlog.sqlite import SqliteLog
from eventlog.testing import Counter, Noted

ACTOR = Actor(id="tester")


class Totals(MemoryView):
    handles: ClassVar = frozenset({Noted})

    def __init__(self):
        self.totals = {}

    def apply(self, rec):
        if rec.event.poison:
            raise ValueError("poison")
        name = rec.event.name
        self.totals[name] = self.totals.get(name, 0) + rec.event.amount


async def filled(path, amounts=range(1, 41)):
    log = await SqliteLog.open(path, views=[Counter()])
    for amount in amounts:
        await log.append("s", [Noted(name=f"n{amount % 3}", amount=amount)], actor=ACTOR)
    return log


async def test_resuming_from_any_cut_equals_a_full_replay(tmp_path):
    log = await filled(tmp_path / "log.db")
    whole = await log.fold(Totals())
    for cut in range(log.head() + 1):
        view = await log.fold(Totals(), as_of=cut)
        assert view.position == cut
        assert (await log.fold(view)).totals == whole.totals
    await log.close()


@settings(
    max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(
    notes=st.lists(
        st.lists(st.tuples(st.sampled_from("abc"), st.integers(-2, 2)), min_size=1, max_size=5),
        min_size=1,
        max_size=12,
    ),
    cuts=st.lists(st.integers(0, 60), max_size=4),
)
def test_tables_do_not_depend_on_where_batches_were_cut(notes, cuts, tmp_path_factory):
    path = tmp_path_factory.mktemp("cuts") / "log.db"

    async def fill():
        log = await SqliteLog.open(path, views=[Counter()])
        for batch in notes:
            events = [[Noted(name=name, amount=amount)] for name, amount in batch]
            await asyncio.gather(*(log.append("s", one, actor=ACTOR) for one in events))
        await log.close()

    asyncio.run(fill())
    connection = open_database(path, read_only=True)
    live = run(connection, "SELECT key, value FROM v_counter_1_total ORDER BY key")
    refold = Refold.temporary(connection, [Counter()])
    head = sum(len(batch) for batch in notes)
    for cut in [*sorted(min(cut, head) for cut in cuts), head]:
        refold.fold(cut)
    again = run(connection, f"SELECT key, value FROM {refold.tables['total']} ORDER BY key")
    connection.close()
    assert again == live


async def test_a_live_view_has_caught_up_when_it_answers(tmp_path):
    log = await filled(tmp_path / "log.db", range(1, 4))
    live = Live(log, Totals())
    for amount in range(1, 6):
        await log.append("s", [Noted(name="late", amount=amount)], actor=ACTOR)
        assert (await live.current()).totals["late"] == sum(range(1, amount + 1))
    views = await asyncio.gather(*(live.current() for _ in range(20)))
    assert {view.totals["late"] for view in views} == {15}
    await log.close()


async def test_a_fold_that_fails_is_parked_where_it_failed_and_skips_nothing(tmp_path):
    log = await SqliteLog.open(tmp_path / "log.db")
    await log.append("s", [Noted(name="a"), Noted(name="b", poison=True)], actor=ACTOR)
    await log.append("s", [Noted(name="c")], actor=ACTOR)
    view = Totals()
    for _ in range(2):
        with pytest.raises(ViewParked) as parked:
            await log.fold(view)
        assert parked.value.position == 2
    assert view.totals == {"a": 1}
    await log.close()


async def test_an_unknown_event_stops_a_fold_and_is_named(tmp_path):
    log = await filled(tmp_path / "log.db", range(1, 4))
    await log.close()
    connection = open_database(tmp_path / "log.db")
    run(connection, "UPDATE type SET schema = 9")
    connection.close()
    log = await SqliteLog.open(tmp_path / "log.db", read_only=True)
    with pytest.raises(Unreadable, match="v9 is newer than v1"):
        [rec.event async for rec in log.read()]
    with pytest.raises((Unreadable, ViewParked), match="v9 is newer"):
        await log.fold(Totals())
    await log.close()


async def test_an_erased_event_is_not_shown(tmp_path):
    log = await filled(tmp_path / "log.db", range(1, 4))
    await log.close()
    connection = open_database(tmp_path / "log.db")
    run(connection, "UPDATE event SET data = NULL, salt = NULL WHERE pos = 2")
    connection.close()
    log = await SqliteLog.open(tmp_path / "log.db", read_only=True)
    assert (await log.fold(Totals())).totals == {"n1": 1, "n0": 3}
    [erased] = [rec async for rec in log.read(after=1, until=2)]
    assert (erased.event, erased.source, erased.actor) == (None, "", "tester")
    await log.close()


async def test_bookmarks_are_kept(tmp_path):
    log = await filled(tmp_path / "log.db", range(1, 4))
    assert log.bookmark("sweeper") == 0
    await log.set_bookmark("sweeper", 2)
    await log.set_bookmark("mailer", 1)
    await log.set_bookmark("sweeper", 3)
    assert (log.bookmark("sweeper"), log.bookmark("mailer")) == (3, 1)
    await log.close()
    log = await SqliteLog.open(tmp_path / "log.db", views=[Counter()])
    assert log.bookmark("sweeper") == 3
    assert (await log.append("s", [Noted(name="x")], actor=ACTOR)).first == 4
    await log.close()
