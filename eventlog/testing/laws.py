"""The laws of a log, as checks that any adapter of the port must pass."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import aclosing
from typing import Any, ClassVar, Protocol, cast

import msgspec

from eventlog.clock import Clock
from eventlog.codec import commitment, encode_entry, leaf_hash
from eventlog.errors import Conflict, KeyReused, Refused
from eventlog.event import Event, event
from eventlog.log import Actor, Log, Recorded
from eventlog.view import Rows, TableView

ACTOR = Actor(id="tester", request_id="req-1", cause="cause-1", source="192.0.2.1", agent="test/1")


@event("testing.noted", v=1)
class Noted(Event):
    """Somebody noted `amount` under `name`; a poisonous one fails the view."""

    name: str
    amount: int = 1
    poison: bool = False


class Total(msgspec.Struct, frozen=True, array_like=True):
    """What was noted under a name so far, and where last."""

    amount: int
    position: int


class Counter(TableView):
    """The total of each name."""

    name = "counter"
    version = 1
    tables: ClassVar = {"total": Total}
    handles = frozenset({Noted})

    def keys(self, event: Event) -> Iterable[tuple[str, bytes]]:
        assert isinstance(event, Noted)
        return (("total", event.name.encode()),)

    def evolve(self, rows: Rows, rec: Recorded) -> None:
        event = rec.event
        assert isinstance(event, Noted)
        before = rows.get("total", event.name.encode())
        amount = event.amount + (before.amount if before else 0)
        if amount == 0:
            rows.delete("total", event.name.encode())
        else:
            rows.put("total", event.name.encode(), Total(amount, rec.position))
        if event.poison:
            raise ValueError("poison")


class TooMuch(Refused):
    """{name} would come to {amount}."""


class AtMost(msgspec.Struct, frozen=True):
    """A guard: nothing is placed while the total of `name` is over `limit`."""

    name: str
    limit: int

    def keys(self) -> Iterable[tuple[str, bytes]]:
        return (("total", self.name.encode()),)

    def check(self, rows: Rows) -> None:
        row = rows.get("total", self.name.encode())
        if row is not None and row.amount > self.limit:
            raise TooMuch(name=self.name, amount=row.amount)


class SteppedClock:
    """A clock that a test sets."""

    def __init__(self, us: int = 1_800_000_000_000_000) -> None:
        self.us = us

    def now_us(self) -> int:
        return self.us

    def monotonic_s(self) -> float:
        return self.us / 1e6


class OpenLog(Protocol):
    """Opens an empty log with the view `Counter` and the given clock."""

    def __call__(self, clock: Clock) -> Awaitable[Log]: ...


Law = Callable[[Log, SteppedClock], Awaitable[None]]


async def check_log(open_log: OpenLog) -> None:
    """Hold an adapter to every law, each on a log of its own."""
    for law in LAWS:
        clock = SteppedClock()
        log = await open_log(clock)
        try:
            await law(log, clock)
        finally:
            await log.close()


async def positions_have_no_gaps(log: Log, clock: SteppedClock) -> None:
    """An append takes consecutive positions; a refused one takes none."""
    first = await log.append("a", [Noted(name="x"), Noted(name="y")], actor=ACTOR)
    await _refused(Conflict, log.append("a", [Noted(name="x")], actor=ACTOR, expect=0))
    second = await log.append("b", [Noted(name="x")], actor=ACTOR)
    assert (first.first, first.last, first.version) == (1, 2, 2)
    assert (second.first, second.last, second.version) == (3, 3, 1)
    assert [rec.position for rec in await _all(log)] == [1, 2, 3]
    assert log.head() == 3


async def concurrent_appends_are_all_there_in_order(log: Log, clock: SteppedClock) -> None:
    """What many clients append at once is there once, each stream in its client's order."""

    async def client(name: str) -> None:
        for amount in range(1, 21):
            await log.append(f"client/{name}", [Noted(name=name, amount=amount)], actor=ACTOR)

    names = [f"n{number}" for number in range(20)]
    await asyncio.gather(*(client(name) for name in names))
    seen = await _all(log)
    assert [rec.position for rec in seen] == list(range(1, 401))
    for name in names:
        own = [rec for rec in seen if rec.stream == f"client/{name}"]
        assert [cast(Noted, rec.event).amount for rec in own] == list(range(1, 21))
        assert [rec.version for rec in own] == list(range(1, 21))


async def expectations_are_decided_in_order(log: Log, clock: SteppedClock) -> None:
    """Of two appends that expect the same version, one is placed and one refused."""
    answers = await asyncio.gather(
        *(log.append("s", [Noted(name="x")], actor=ACTOR, expect=0) for _ in range(10)),
        return_exceptions=True,
    )
    assert sum(isinstance(answer, Conflict) for answer in answers) == 9
    assert log.head() == 1
    refused = await _refused(Conflict, log.append("s", [Noted(name="x")], actor=ACTOR, expect=5))
    assert (refused.expected, refused.actual) == (5, 1)


async def a_key_gives_one_answer(log: Log, clock: SteppedClock) -> None:
    """The same request with the same key is placed once, even when its expectation has gone."""

    async def ask(amount: int = 1) -> Any:
        return await log.append(
            "s", [Noted(name="x", amount=amount)], actor=ACTOR, expect=0, key="k"
        )

    first = await ask()
    again, once_more = await asyncio.gather(ask(), ask())
    assert first == again == once_more
    assert log.head() == 1
    await _refused(KeyReused, ask(2))
    assert log.head() == 1


async def guards_see_earlier_requests(log: Log, clock: SteppedClock) -> None:
    """A guard is decided after the requests before it, and refuses its own request alone."""
    answers = await asyncio.gather(
        *(
            log.append("s", [Noted(name="x", amount=10)], actor=ACTOR, guards=[AtMost("x", 15)])
            for _ in range(4)
        ),
        log.append("s", [Noted(name="y")], actor=ACTOR),
        return_exceptions=True,
    )
    assert sum(isinstance(answer, TooMuch) for answer in answers) == 2
    assert (await log.get("total", b"x")).amount == 20  # type: ignore[union-attr]
    assert (await log.get("total", b"y")).amount == 1  # type: ignore[union-attr]
    assert log.head() == 3


async def a_failing_view_refuses_one_request(log: Log, clock: SteppedClock) -> None:
    """A bug in a view fails the append that met it, and leaves no trace of it."""
    answers = await asyncio.gather(
        log.append("s", [Noted(name="x")], actor=ACTOR),
        log.append("s", [Noted(name="x", amount=5), Noted(name="z", poison=True)], actor=ACTOR),
        log.append("s", [Noted(name="x")], actor=ACTOR),
        return_exceptions=True,
    )
    assert [type(answer) for answer in answers[1:2]] == [ValueError]
    assert (await log.get("total", b"x")).amount == 2  # type: ignore[union-attr]
    assert await log.get("total", b"z") is None
    assert [rec.version for rec in await _all(log)] == [1, 2]


async def rows_follow_the_events(log: Log, clock: SteppedClock) -> None:
    """Rows are read as the last append left them: one, many, a range, forwards and backwards."""
    await log.append("s", [Noted(name=name, amount=3) for name in "abcde"], actor=ACTOR)
    await log.append("s", [Noted(name="c", amount=-3), Noted(name="b")], actor=ACTOR)
    assert await log.get("total", b"c") is None
    assert await log.get_many("total", [b"b", b"c", b"a"]) == [Total(4, 7), None, Total(3, 1)]
    keys = [key for key, _ in await log.scan("total", b"b", b"e", limit=10)]
    assert keys == [b"b", b"d"]
    keys = [key for key, _ in await log.scan("total", b"", None, limit=2, reverse=True)]
    assert keys == [b"e", b"d"]


async def reading_selects(log: Log, clock: SteppedClock) -> None:
    """Positions, streams by name and by glob, types and limits select what is read."""
    for number in range(6):
        stream = ("bucket/a", "bucket/b", "user")[number % 3]
        await log.append(stream, [Noted(name=str(number))], actor=ACTOR)
    assert [rec.position for rec in await _all(log, after=2, until=4)] == [3, 4]
    assert [rec.position for rec in await _all(log, streams="bucket/b")] == [2, 5]
    assert [rec.position for rec in await _all(log, streams="bucket/b", after=2)] == [5]
    assert [rec.position for rec in await _all(log, streams="bucket/*")] == [1, 2, 4, 5]
    assert [rec.position for rec in await _all(log, types={Noted}, limit=2, after=1)] == [2, 3]
    assert await _all(log, types={"testing.other"}) == []
    assert await _all(log, streams="nobody") == []


async def followers_miss_nothing(log: Log, clock: SteppedClock) -> None:
    """A follower sees every event in order, those before it came and those after."""
    await log.append("s", [Noted(name="x")] * 3, actor=ACTOR)
    seen: list[int] = []

    async def follow() -> None:
        async with aclosing(cast(Any, log.follow(after=1))) as events:
            async for rec in events:
                seen.append(rec.position)
                if len(seen) == 22:
                    return

    follower = asyncio.create_task(follow())
    await asyncio.gather(*(log.append("s", [Noted(name="x")], actor=ACTOR) for _ in range(20)))
    async with asyncio.timeout(10):
        await follower
    assert seen == list(range(2, 24))


async def what_was_said_is_kept(log: Log, clock: SteppedClock) -> None:
    """Who, what, when, from where and why come back; the entry holds no payload."""
    clock.us += 5
    await log.append("s", [Noted(name="grüße")], actor=ACTOR, at_us=123, subject="person-1")
    [rec] = await _all(log)
    assert rec.event == Noted(name="grüße")
    assert (rec.actor, rec.request_id, rec.cause) == (ACTOR.id, ACTOR.request_id, ACTOR.cause)
    assert (rec.source, rec.agent, rec.subject) == (ACTOR.source, ACTOR.agent, "person-1")
    assert (rec.at_us, rec.committed_us) == (123, clock.us)
    assert (rec.type, rec.schema) == ("testing.noted", 1)
    assert ACTOR.source.encode() not in rec.entry
    assert rec.data is not None
    assert rec.salt is not None
    assert rec.envelope.commit == commitment(rec.salt, rec.data).hex()
    assert rec.envelope.size == len(rec.data)
    assert encode_entry(rec.envelope) == rec.entry
    assert leaf_hash(rec.entry) != leaf_hash(rec.entry[:-1])


async def commit_times_never_decrease(log: Log, clock: SteppedClock) -> None:
    """When the clock goes back an hour, commit times stand still; WHEN stays well-defined."""
    start = clock.us
    await log.append("s", [Noted(name="a")], actor=ACTOR)
    clock.us = start - 3_600_000_000
    await log.append("s", [Noted(name="b")], actor=ACTOR)
    clock.us = start + 10
    await log.append("s", [Noted(name="c")], actor=ACTOR)
    assert [rec.committed_us for rec in await _all(log)] == [start, start, start + 10]
    found = [await log.position_at(us) for us in (start - 1, start, start + 9, start + 10)]
    assert found == [0, 2, 2, 3]


LAWS: tuple[Law, ...] = (
    positions_have_no_gaps,
    concurrent_appends_are_all_there_in_order,
    expectations_are_decided_in_order,
    a_key_gives_one_answer,
    guards_see_earlier_requests,
    a_failing_view_refuses_one_request,
    rows_follow_the_events,
    reading_selects,
    followers_miss_nothing,
    what_was_said_is_kept,
    commit_times_never_decrease,
)


async def _all(log: Log, **selection: Any) -> Sequence[Recorded]:
    return [rec async for rec in log.read(**selection)]


async def _refused(kind: type[Refused], appending: Awaitable[Any]) -> Any:
    try:
        answer = await appending
    except kind as refusal:
        return refusal
    raise AssertionError(f"it was placed: {answer}")
