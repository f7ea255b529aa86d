"""Whom a name means: now, in which domain, and of those who are gone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from computelite.errors import WrongUsage
from computelite.identity.commands.domains import create_domain
from computelite.identity.commands.users import change_user, create_user, delete_user
from computelite.identity.naming import users_called
from computelite.identity.queries import get_user
from computelite.identity.view import IdentityView
from computelite.keystore import create_keystore, open_keystore
from eventlog.clock import SystemIds
from eventlog.log import Actor
from eventlog.sqlite import SqliteLog

IDS = SystemIds()
ME = Actor(id="test")


class Place:
    """Identity, and short words for what is done to it."""

    def __init__(self, log: SqliteLog, folder: Path) -> None:
        self.log = log
        create_keystore(folder, IDS)
        self.keystore = open_keystore(folder, IDS)
        self.domains = {"default": "default"}

    async def domain(self, name: str) -> None:
        facts = {"description": "", "enabled": True, "options": {}, "extra": {}}
        if name == "Default":
            made = await create_domain(
                self.log, IDS, name=name, actor=ME, domain_id="default", **facts
            )
        else:
            made = await create_domain(self.log, IDS, name=name, actor=ME, **facts)
        self.domains[name] = made.id

    async def user(self, name: str, domain: str = "default") -> str:
        made = await create_user(
            self.log, IDS, self.keystore, domain_id=self.domains[domain], name=name, actor=ME
        )
        return made.id

    async def called(self, text: str) -> set[str]:
        return set(await users_called(self.log, text))


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    log = await SqliteLog.open(tmp_path / "log.db", views=[IdentityView()])
    found = Place(log, tmp_path / "keystore")
    await found.domain("Default")
    await found.domain("sales")
    yield found
    await log.close()


async def test_an_id_is_itself_and_so_is_what_nobody_knows(place: Place) -> None:
    ann = await place.user("ann")
    assert await place.called(ann) == {ann}
    assert await place.called("keeper") == {"keeper"}
    assert await place.called("sales/nobody") == {"sales/nobody"}
    assert await place.called("") == {""}
    assert await place.called("a\udc80\0b/c") == {"a\udc80\0b/c"}


async def test_an_id_means_its_user_whatever_others_are_called(place: Place) -> None:
    ann = await place.user("ann")
    await place.user(ann)
    assert await place.called(ann) == {ann}


async def test_a_name_is_of_the_default_domain_before_others(place: Place) -> None:
    there = await place.user("ann", "sales")
    assert await place.called("ann") == {there}
    here = await place.user("ann")
    assert await place.called("ann") == await place.called("default/ann") == {here}
    assert await place.called("Default/ann") == {here}
    assert await place.called("sales/ann") == {there}
    assert await place.called(f"{place.domains['sales']}/ann") == {there}


async def test_a_name_of_several_other_domains_must_say_which(place: Place) -> None:
    await place.domain("hr")
    await place.user("ann", "sales")
    await place.user("ann", "hr")
    with pytest.raises(WrongUsage, match="hr/ann, sales/ann"):
        await place.called("ann")


async def test_a_name_may_have_a_slash(place: Place) -> None:
    odd = await place.user("sales/ann")
    assert await place.called("sales/ann") == {odd}
    assert await place.called("default/sales/ann") == {odd}


async def test_who_is_gone_is_still_found_by_name(place: Place) -> None:
    first = await place.user("ann")
    await delete_user(place.log, first, actor=ME)
    assert await place.called("ann") == await place.called("default/ann") == {first}
    assert await place.called("sales/ann") == {"sales/ann"}
    second = await place.user("ann")
    assert await place.called("ann") == {second}
    await delete_user(place.log, second, actor=ME)
    assert await place.called("ann") == {first, second}


async def test_who_was_renamed_is_found_by_both_names_until_another_has_the_old_one(
    place: Place,
) -> None:
    ann = await place.user("ann")
    user = await get_user(place.log, ann)
    await change_user(place.log, place.keystore, user, {"name": "eve"}, actor=ME)
    assert await place.called("eve") == await place.called("ann") == {ann}
    other = await place.user("ann")
    assert await place.called("ann") == {other}
    assert await place.called("eve") == {ann}
