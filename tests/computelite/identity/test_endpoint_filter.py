"""Which endpoints a project's catalog shows: selected by groups, added, and never left behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from computelite.identity.commands.catalog import create_endpoint, create_service, delete_endpoint
from computelite.identity.commands.domains import create_domain
from computelite.identity.commands.endpoint_filter import (
    add_to_project,
    create_endpoint_group,
    delete_endpoint_group,
)
from computelite.identity.commands.projects import create_project, delete_project
from computelite.identity.endpoint_filter import added_endpoints, selects
from computelite.identity.errors import NoSuch, Taken
from computelite.identity.rows import Association, Endpoint, EndpointGroup
from computelite.identity.view import IdentityView
from eventlog.clock import SystemIds
from eventlog.log import Actor
from eventlog.sqlite import SqliteLog

IDS = SystemIds()
ME = Actor(id="test")
DOMAIN = "d" * 32


def endpoint(id_: str = "e", service: str = "s", kind: str = "public", region: str = "r"):
    return Endpoint(
        id=id_,
        service_id=service,
        interface=kind,
        url="http://x/",
        region_id=region,
        enabled=True,
        name="",
        description="",
        extra={},
    )


def group(**filters: str | None) -> EndpointGroup:
    return EndpointGroup(id="g", name="g", description="", filters=dict(filters))


@pytest.mark.parametrize(
    ("filters", "selected"),
    [
        ({}, True),
        ({"service_id": "s"}, True),
        ({"service_id": "t"}, False),
        ({"interface": "public", "region_id": "r"}, True),
        ({"interface": "public", "region_id": "q"}, False),
        ({"interface": "admin", "region_id": "r"}, False),
        ({"region_id": None}, False),
        ({"colour": "green"}, False),
    ],
)
def test_a_group_selects_what_is_as_all_its_filters_say(
    filters: dict[str, str | None], selected: bool
) -> None:
    assert selects(group(**filters), endpoint()) == selected


def test_a_group_can_be_of_the_endpoints_without_a_region() -> None:
    assert selects(group(region_id=None), endpoint(region=""))


def test_what_is_added_is_added_once_alone_or_by_a_group() -> None:
    endpoints = [endpoint("a"), endpoint("b", kind="admin"), endpoint("c", service="t")]
    alone = [Association(project_id="p", endpoint_id="a")]
    assert added_endpoints(endpoints, alone, []) == endpoints[:1]
    assert added_endpoints(endpoints, alone, [group(service_id="s")]) == endpoints[:2]
    # The id "" of an association with a group is no endpoint's.
    with_group = [Association(project_id="p", endpoint_group_id="g")]
    assert added_endpoints(endpoints, with_group, [group(service_id="gone")]) == []


@pytest.fixture
async def logs(tmp_path: Path) -> AsyncIterator[list[SqliteLog]]:
    """The same log as two processes have it."""
    found = [await SqliteLog.open(tmp_path / "log.db", views=[IdentityView()]) for _ in range(2)]
    await create_domain(found[0], IDS, name="acme", domain_id=DOMAIN, actor=ME)
    yield found
    for log in found:
        await log.close()


async def test_of_many_who_add_the_same_one_does(logs: list[SqliteLog]) -> None:
    project = await create_project(
        logs[0], IDS, name="web", domain_id=DOMAIN, parent_id=DOMAIN, actor=ME
    )
    made = await create_endpoint_group(logs[0], IDS, name="all", actor=ME)
    wanted = Association(project_id=project.id, endpoint_group_id=made.id)
    adding = (add_to_project(log, wanted, actor=ME) for log in logs * 5)
    found = await asyncio.gather(*adding, return_exceptions=True)
    assert sorted(type(each).__name__ for each in found) == ["NoneType"] + [Taken.__name__] * 9


@pytest.mark.parametrize("side", ["endpoint", "group", "project"])
async def test_nothing_is_added_to_what_goes_or_stays_when_it_is_gone(
    logs: list[SqliteLog], side: str
) -> None:
    service = await create_service(logs[0], IDS, kind="image", actor=ME)
    for number in range(6):
        project = await create_project(
            logs[0], IDS, name=f"p{number}", domain_id=DOMAIN, parent_id=DOMAIN, actor=ME
        )
        made = await create_endpoint_group(logs[0], IDS, name="all", actor=ME)
        one = await create_endpoint(
            logs[0], IDS, service_id=service.id, interface="public", url="http://x", actor=ME
        )
        wanted = Association(project_id=project.id, endpoint_id=one.id)
        going = delete_endpoint(logs[1], one.id, actor=ME)
        if side == "group":
            wanted = Association(project_id=project.id, endpoint_group_id=made.id)
        if side != "endpoint":
            going.close()
            going = (
                delete_endpoint_group(logs[1], made.id, actor=ME)
                if side == "group"
                else delete_project(logs[1], project.id, actor=ME)
            )
        adding = add_to_project(logs[0], wanted, actor=ME)
        added, gone = await asyncio.gather(adding, going, return_exceptions=True)
        assert gone is None
        assert added is None or isinstance(added, NoSuch)
        for table in ("association", "association_of"):
            assert await logs[0].scan(table, b"", None, limit=10) == []
