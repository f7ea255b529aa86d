"""Passwords: what is kept of one, and checking many at once."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from computelite.errors import TooManyPasswords
from computelite.identity import passwords
from computelite.identity.passwords import NOBODY, Passwords, is_password, password_verifier
from computelite.secret import Secret
from eventlog.clock import SystemClock, SystemIds

IDS = SystemIds()


class Turned(SystemClock):
    ahead_s = 0.0

    def monotonic_s(self) -> float:
        return super().monotonic_s() + self.ahead_s


@pytest.fixture
def clock() -> Turned:
    return Turned()


@pytest.fixture
def checker(clock: Turned) -> Iterator[Passwords]:
    checker = Passwords(clock, IDS)
    yield checker
    checker.close()


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which passwords were really checked."""
    seen: list[str] = []

    def counted(password: Secret, verifier: bytes) -> bool:
        seen.append(password.reveal())
        return is_password(password, verifier)

    monkeypatch.setattr(passwords, "is_password", counted)
    return seen


def test_a_verifier_knows_its_password_and_no_other() -> None:
    verifier = password_verifier(Secret("correct horse"), IDS)
    assert verifier.startswith(b"$argon2id$v=19$")
    assert b"horse" not in verifier
    assert is_password(Secret("correct horse"), verifier)
    for other in ("", "correct hors", "correct horse ", "Correct horse", "\ud800"):
        assert not is_password(Secret(other), verifier)
    assert verifier != password_verifier(Secret("correct horse"), IDS)


@pytest.mark.parametrize("verifier", [b"", b"x", b"$argon2id$", NOBODY])
def test_what_is_no_verifier_matches_nothing(verifier: bytes) -> None:
    assert not is_password(Secret(""), verifier)


async def test_a_right_password_is_recognised_for_a_while(
    checker: Passwords, clock: Turned, checked: list[str]
) -> None:
    verifier = await checker.verifier(Secret("right"))
    for _ in range(5):
        assert await checker.matches(Secret("right"), verifier)
    assert checked == ["right"]
    clock.ahead_s += passwords._KNOWN_S + 1
    assert await checker.matches(Secret("right"), verifier)
    assert checked == ["right"] * 2


async def test_a_wrong_password_is_checked_each_time(
    checker: Passwords, checked: list[str]
) -> None:
    verifier = await checker.verifier(Secret("right"))
    for _ in range(3):
        assert not await checker.matches(Secret("wrong"), verifier)
    assert checked == ["wrong"] * 3


async def test_what_is_recognised_is_of_one_verifier(checker: Passwords) -> None:
    one, other = [await checker.verifier(Secret(each)) for each in ("right", "another")]
    assert await checker.matches(Secret("right"), one)
    assert not await checker.matches(Secret("right"), other)
    assert not await checker.matches(Secret("right"), b"")


async def test_processes_do_not_recognise_for_one_another(
    checker: Passwords, clock: Turned, checked: list[str]
) -> None:
    verifier = await checker.verifier(Secret("right"))
    assert await checker.matches(Secret("right"), verifier)
    other = Passwords(clock, IDS)
    assert await other.matches(Secret("right"), verifier)
    assert checked == ["right"] * 2
    other.close()


async def test_fifty_who_ask_the_same_at_once_share_one_check(
    checker: Passwords, checked: list[str]
) -> None:
    verifier = await checker.verifier(Secret("right"))
    answers = await asyncio.gather(*(checker.matches(Secret("right"), verifier) for _ in range(50)))
    assert all(answers)
    assert checked == ["right"]


async def test_who_goes_away_leaves_the_answer_to_the_others(checker: Passwords) -> None:
    verifier = await checker.verifier(Secret("right"))
    first = asyncio.create_task(checker.matches(Secret("right"), verifier))
    second = asyncio.create_task(checker.matches(Secret("right"), verifier))
    await asyncio.sleep(0)
    first.cancel()
    assert await second


async def test_one_check_runs_at_a_time_and_the_loop_goes_on(
    checker: Passwords, monkeypatch: pytest.MonkeyPatch
) -> None:
    running, most = [0], [0]
    lock = threading.Lock()

    def slow(password: Secret, verifier: bytes) -> bool:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        threading.Event().wait(0.01)
        with lock:
            running[0] -= 1
        return False

    monkeypatch.setattr(passwords, "is_password", slow)
    asking = [asyncio.create_task(checker.matches(Secret(str(n)), NOBODY)) for n in range(8)]
    ticks = 0
    while not all(task.done() for task in asking):
        await asyncio.sleep(0.001)
        ticks += 1
    assert most == [1]
    assert ticks > 8


async def test_too_many_who_wait_are_told_to_come_later(
    checker: Passwords, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passwords, "_WAITING_MAX", 3)
    asking = [checker.matches(Secret(str(n)), NOBODY) for n in range(6)]
    answers = await asyncio.gather(*asking, return_exceptions=True)
    assert [isinstance(each, TooManyPasswords) for each in answers] == [False] * 3 + [True] * 3


async def test_what_is_recognised_is_bounded(
    checker: Passwords, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passwords, "_KNOWN_MAX", 2)
    monkeypatch.setattr(passwords, "is_password", lambda *_: True)
    for n in range(9):
        assert await checker.matches(Secret(str(n)), NOBODY)
    assert len(checker._known) == 2


async def test_neither_keys_nor_passwords_can_be_read_from_it(checker: Passwords) -> None:
    verifier = await checker.verifier(Secret("correct horse"))
    await checker.matches(Secret("correct horse"), verifier)
    assert b"horse" not in b"".join(checker._known)
