"""Rounds: when devices begin to sync, and with whom."""

from __future__ import annotations

import asyncio

from swiftlite.node.rounds import TURNS_MAX, Rounds


class Disk:
    """Something that syncs until it is told that it has."""

    def __init__(self, rounds: Rounds) -> None:
        self._rounds = rounds
        self.begun = 0

    def begin(self) -> None:
        self.begun += 1

    def end(self) -> None:
        self._rounds.done(self)


async def turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


def keep_asking(rounds: Rounds, disk: Disk, turns: int) -> None:
    """Ask now, and in each of the next `turns` of the loop."""
    if turns:
        asyncio.get_running_loop().call_soon(keep_asking, rounds, disk, turns - 1)
    rounds.ask(disk)


async def test_a_round_begins_when_a_turn_brought_nothing_more() -> None:
    rounds = Rounds()
    disk = Disk(rounds)
    asyncio.get_running_loop().call_soon(keep_asking, rounds, disk, 5)
    await turns(6)
    assert disk.begun == 0
    await turns(3)
    assert disk.begun == 1


async def test_a_round_does_not_wait_for_quiet_for_ever() -> None:
    rounds = Rounds()
    disk = Disk(rounds)
    asyncio.get_running_loop().call_soon(keep_asking, rounds, disk, 10 * TURNS_MAX)
    await turns(TURNS_MAX - 1)
    assert disk.begun == 0
    await turns(3)
    assert disk.begun == 1


async def test_what_comes_during_a_round_begins_when_all_of_it_have_ended() -> None:
    rounds = Rounds()
    quick, slow, late = Disk(rounds), Disk(rounds), Disk(rounds)
    rounds.ask(quick)
    rounds.ask(slow)
    await turns(4)
    rounds.ask(late)
    rounds.ask(quick)
    quick.end()
    await turns(4)
    assert (quick.begun, slow.begun, late.begun) == (1, 1, 0)
    slow.end()
    await turns(4)
    assert (quick.begun, slow.begun, late.begun) == (2, 1, 1)


async def test_a_device_that_is_stuck_holds_up_only_itself() -> None:
    rounds = Rounds()
    stuck, well = Disk(rounds), Disk(rounds)
    rounds.ask(stuck)
    await turns(4)
    rounds.ask(stuck)
    rounds.ask(well)
    await asyncio.sleep(0.05)
    assert (stuck.begun, well.begun) == (1, 1)


async def test_a_feeder_is_called_first_and_its_devices_begin_in_the_same_round() -> None:
    rounds = Rounds()
    disk = Disk(rounds)
    fed: list[int] = []

    def feed() -> None:
        fed.append(disk.begun)
        rounds.ask(disk)

    rounds.feed(feed)
    rounds.feed(feed)
    await turns(4)
    assert fed == [0]
    assert disk.begun == 1
    disk.end()
    await turns(4)
    assert fed == [0], "whoever wants to be called again says so"
