"""Lockout: wrong passwords are counted over all workers, and guessing shows nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from computelite.identity import passwords
from computelite.identity.keys import id_key
from computelite.identity.login.events import LoginFailed
from computelite.identity.login.view import LoginView
from computelite.secret import Secret
from eventlog.errors import LogFull
from tests.computelite.keystone.house import (
    ATTEMPTS,
    LOCK_S,
    PASSWORD,
    House,
    Worker,
    by_credential,
    by_password,
    by_token,
    house_in,
    project,
)


@pytest.fixture
async def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    monkeypatch.setattr(passwords, "_MEMORY_KIB", 64)
    async with house_in(tmp_path) as found:
        yield found


async def tries(worker: Worker, user_id: str, password: str, times: int = 1) -> list[int]:
    """Return the statuses of logins, one after the other."""
    return [
        (await worker.login(by_password(user_id, password), "unscoped")).status
        for _ in range(times)
    ]


async def failures_in_log(house: House) -> int:
    return len([rec async for rec in house.first.log.read(types={LoginFailed})])


async def test_after_so_many_wrong_passwords_the_right_one_is_refused_for_a_while(
    house: House,
) -> None:
    ann, _ = await house.person("ann")
    assert await tries(house.first, ann, "wrong", ATTEMPTS) == [401] * ATTEMPTS
    for worker in (house.first, house.second):
        assert await tries(worker, ann, PASSWORD) == [401]
    house.clock.ahead_s += LOCK_S + 1
    assert await tries(house.second, ann, PASSWORD) == [201]


async def test_workers_count_together(house: House) -> None:
    ann, _ = await house.person("ann")
    for n in range(ATTEMPTS):
        worker = (house.first, house.second)[n % 2]
        assert await tries(worker, ann, f"wrong {n}") == [401]
    assert await tries(house.first, ann, PASSWORD) == [401]


async def test_a_wrong_password_counts_at_every_worker_once_it_is_refused(house: House) -> None:
    ann, _ = await house.person("ann")
    for n in range(1, ATTEMPTS):
        assert await tries(house.first, ann, f"wrong {n}") == [401]
        assert await failures_in_log(house) == n
    assert await tries(house.first, ann, "the last") == [401]
    assert await tries(house.second, ann, PASSWORD) == [401]


async def test_one_less_does_not_lock_and_a_right_one_begins_anew(house: House) -> None:
    ann, _ = await house.person("ann")
    for _ in range(3):
        await tries(house.first, ann, "wrong", ATTEMPTS - 1)
        assert await tries(house.second, ann, PASSWORD) == [201]


async def test_wrong_passwords_of_long_ago_do_not_count(house: House) -> None:
    ann, _ = await house.person("ann")
    await tries(house.first, ann, "wrong", ATTEMPTS - 1)
    house.clock.ahead_s += LOCK_S + 1
    await tries(house.first, ann, "wrong")
    assert await tries(house.first, ann, PASSWORD) == [201]


async def test_a_hundred_guesses_at_once_get_few_looks(house: House) -> None:
    ann, _ = await house.person("ann")
    guesses = [f"guess {n}" for n in range(50)] + [PASSWORD] + [f"guess {n}" for n in range(50)]
    answers = await asyncio.gather(
        *(house.first.login(by_password(ann, guess), "unscoped") for guess in guesses)
    )
    assert {answer.status for answer in answers} == {401}
    assert await tries(house.second, ann, PASSWORD) == [401]


async def test_what_a_stranger_makes_the_log_hold_is_bounded(house: House) -> None:
    ann, _ = await house.person("ann")
    await tries(house.first, ann, "wrong", ATTEMPTS * 3)
    await tries(house.first, "0" * 32, "wrong", 3)
    assert await failures_in_log(house) == ATTEMPTS


async def test_locked_disabled_unknown_and_wrong_are_told_the_same(house: House) -> None:
    ann, _ = await house.person("ann")
    ben, _ = await house.person("ben")
    await tries(house.first, ann, "wrong", ATTEMPTS)
    await house.change("PATCH", f"/users/{ben}", {"user": {"enabled": False}})
    answers = [
        await house.login(shown)
        for shown in (
            by_password(ann),
            by_password(ben),
            by_password("nobody", name=True),
            by_password(house.admin_id, "wrong"),
        )
    ]
    assert {answer.status for answer in answers} == {401}
    assert len({answer.text for answer in answers}) == 1
    assert len({frozenset(answer.headers) for answer in answers}) == 1


async def test_every_refusal_costs_one_check_whatever_is_wrong(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What takes time is counted: one Argon2id with the same cost, never none and never two."""
    ann, _ = await house.person("ann")
    ben, _ = await house.person("ben")
    await tries(house.first, ann, "wrong", ATTEMPTS)
    await house.change("PATCH", f"/users/{ben}", {"user": {"enabled": False}})
    without = await house.make("/users", "user", name="robot", domain_id="default")
    checked: list[bytes] = []

    def counted(password: Secret, verifier: bytes) -> bool:
        checked.append(verifier)
        return is_password(password, verifier)

    is_password = passwords.is_password
    monkeypatch.setattr(passwords, "is_password", counted)
    elsewhere = {"name": "admin", "domain": {"name": "nowhere"}, "password": "x"}
    for shown in (
        by_password("nobody", name=True),
        by_password("0" * 32),
        by_password(without["id"]),
        by_password(ann, "wrong"),  # locked
        by_password(ann, PASSWORD),
        by_password(ben),  # disabled
        by_password(house.admin_id, "wrong"),
        {"methods": ["password"], "password": {"user": elsewhere}},
        by_credential("0" * 32, "secret"),
    ):
        del checked[:]
        assert (await house.login(shown)).status == 401
        assert len(checked) == 1, shown


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """With which verifiers passwords were really checked."""
    seen: list[bytes] = []
    is_password = passwords.is_password

    def counted(password: Secret, verifier: bytes) -> bool:
        seen.append(verifier)
        return is_password(password, verifier)

    monkeypatch.setattr(passwords, "is_password", counted)
    return seen


async def test_a_password_that_lets_nobody_in_is_not_recognised(
    house: House, checked: list[bytes]
) -> None:
    """What was right a moment ago would be told faster than a guess that is wrong."""
    domain = await house.make("/domains", "domain", name="closed")
    ann, of_ann = await house.person("ann")
    ben, _ = await house.person("ben")
    eve = await house.make("/users", "user", name="eve", domain_id=domain["id"], password=PASSWORD)
    token = await house.first.token(by_password(ann), project(of_ann))
    path = f"/users/{ann}/application_credentials"
    sent = await house.send("POST", path, {"application_credential": {"name": "a"}}, token=token)
    made = sent.json["application_credential"]
    users = (ann, ben, eve["id"])
    for user in users:
        await house.first.token(by_password(user), "unscoped")
    await house.first.token(by_credential(made["id"], made["secret"]))
    del checked[:]
    for user in users:
        await house.first.token(by_password(user), "unscoped")
    assert checked == []  # while it lets them in, it is
    await tries(house.first, ann, "wrong", ATTEMPTS)
    await house.change("PATCH", f"/users/{ben}", {"user": {"enabled": False}})
    await house.change("PATCH", f"/domains/{domain['id']}", {"domain": {"enabled": False}})
    before = await failures_in_log(house)
    for user in users:
        for password in (PASSWORD, "wrong"):
            del checked[:]
            assert await tries(house.first, user, password) == [401]
            assert len(checked) == 1
    await house.change("PATCH", f"/users/{ann}", {"user": {"enabled": False}})
    for secret in (made["secret"], "wrong"):
        del checked[:]
        assert (await house.login(by_credential(made["id"], secret))).status == 401
        assert len(checked) == 1
    assert await failures_in_log(house) == before


async def test_names_asked_at_once_cost_a_check_each_whether_or_not_there_are_such_users(
    house: House, checked: list[bytes]
) -> None:
    await house.person("ann")
    for pair in (("ann", "nobody"), ("nobody", "no-one"), ("ann", "admin")):
        del checked[:]
        both = (house.login(by_password(name, "the same", name=True)) for name in pair)
        assert {answer.status for answer in await asyncio.gather(*both)} == {401}
        assert len(checked) == 2, pair
    for secret_of in (("0" * 32, "1" * 32),):
        del checked[:]
        both = (house.login(by_credential(id_, "the same")) for id_ in secret_of)
        await asyncio.gather(*both)
        assert len(checked) == 2


def test_nobodys_verifier_costs_what_a_real_one_does() -> None:
    from eventlog.clock import SystemIds

    real = passwords.password_verifier(Secret("x"), SystemIds()).split(b"$")
    nobodys = passwords.NOBODY.split(b"$")
    assert real[:4] == nobodys[:4]
    assert [len(part) for part in real] == [len(part) for part in nobodys]
    assert not passwords.is_password(Secret(""), passwords.NOBODY)


async def test_a_lock_does_not_void_tokens(house: House) -> None:
    ann, of_ann = await house.person("ann")
    token = await house.first.token(by_password(ann), project(of_ann))
    await tries(house.first, ann, "wrong", ATTEMPTS)
    assert await house.second.works(token)
    assert (await house.login(by_token(token), "unscoped")).status == 201


async def test_a_new_password_opens_the_lock(house: House) -> None:
    ann, _ = await house.person("ann")
    await tries(house.first, ann, "wrong", ATTEMPTS)
    await house.change("PATCH", f"/users/{ann}", {"user": {"password": "another one"}})
    assert await tries(house.second, ann, "another one") == [201]
    await tries(house.first, ann, "wrong", ATTEMPTS - 1)
    assert await tries(house.second, ann, "another one") == [201]


async def test_a_user_can_be_exempt(house: House) -> None:
    ann, _ = await house.person("ann")
    options = {"ignore_lockout_failure_attempts": True}
    await house.change("PATCH", f"/users/{ann}", {"user": {"options": options}})
    await tries(house.first, ann, "wrong", ATTEMPTS * 2)
    assert await tries(house.first, ann, PASSWORD) == [201]


async def test_when_the_log_takes_nothing_a_wrong_password_is_still_wrong(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ann, _ = await house.person("ann")

    async def full(*_: object, **__: object) -> None:
        raise LogFull()

    monkeypatch.setattr(house.first.log, "append", full)
    assert (await house.login(by_password(ann, "wrong"))).status == 401
    await asyncio.sleep(0.05)
    assert "was not counted" in caplog.text
    assert "wrong" not in caplog.text.replace("a wrong password", "")


async def test_counts_are_no_part_of_what_is_remembered_of_identity(house: House) -> None:
    ann, _ = await house.person("ann")
    before = await house.first.log.get("identity", b"")
    await tries(house.first, ann, "wrong")
    assert await house.first.log.get("identity", b"") == before
    assert await house.first.log.get("login_failures", id_key(ann)) is not None
    await house.change("DELETE", f"/users/{ann}")
    assert await house.first.log.get("login_failures", id_key(ann)) is None
    assert LoginView().tables.keys() == {"login_failures"}
