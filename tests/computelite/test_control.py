"""The control socket: one request, progress, one answer; and an operator who goes away."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from computelite.cli.progress import progress_line
from computelite.cloud import Cloud
from computelite.control import client, operations
from computelite.control.call import Call, Nothing
from computelite.control.messages import Progress, Request
from computelite.control.operations import Operation
from computelite.control.place import short_path
from computelite.control.server import ControlServer
from computelite.credentials import Chosen
from computelite.errors import CloudUnreachable, ControlFailed, NoSuchKey, WrongUsage
from computelite.first_start import prepare, settle_record
from computelite.folder import Folder, lock_folder, make_folder
from eventlog.clock import SystemClock, SystemIds

CLOCK, IDS = SystemClock(), SystemIds()


@pytest.fixture
async def folder(tmp_path: Path) -> Folder:
    # Longer than the 107 bytes that the name of a socket may have.
    folder = Folder(tmp_path / ("d" * 100) / "data")
    make_folder(folder)
    record = settle_record(folder, devices="2", code="1+1", log="", ids=IDS)
    await prepare(folder, record, chosen=Chosen(), s3="", api="", clock=CLOCK, ids=IDS)
    return folder


@pytest.fixture
async def served(folder: Folder) -> AsyncIterator[Folder]:
    async with Cloud.open(folder) as cloud:
        control = ControlServer(cloud)
        await control.open(folder.control)
        yield folder
        await control.close()


def operation(monkeypatch: pytest.MonkeyPatch, run: Any) -> None:
    monkeypatch.setitem(operations.OPERATIONS, "test", Operation(Nothing, run))


def nobody(_: Progress) -> None:
    pass


async def raw(folder: Folder, line: bytes) -> list[dict[str, Any]]:
    with short_path(folder.control) as place:
        reader, writer = await asyncio.open_unix_connection(place)
    writer.write(line)
    lines = (await reader.read()).splitlines()
    writer.close()
    await writer.wait_closed()
    return [json.loads(each) for each in lines]


async def test_only_the_owner_may_ask(served: Folder) -> None:
    assert stat.S_IMODE(served.control.stat().st_mode) == 0o600


async def test_progress_comes_before_the_answer(
    served: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(call: Call, _: Nothing) -> dict[str, Any]:
        for done in range(1, 4):
            call.report(Progress("tests", done, 3))
            await asyncio.sleep(0.25)
        return {"who": call.actor.id}

    operation(monkeypatch, work)
    seen: list[Progress] = []
    result = await client.ask(served, Request("test"), seen.append)
    assert result == {"who": f"operator/{os.getuid()}"}
    assert [each.done for each in seen] == sorted({each.done for each in seen})
    assert len(seen) >= 2


async def test_a_long_answer_arrives_whole(served: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = [{"access_key": f"CL{number:018}", "description": "d" * 200} for number in range(10_000)]

    async def work(call: Call, _: Nothing) -> dict[str, Any]:
        return {"keys": keys}

    operation(monkeypatch, work)
    assert await client.ask(served, Request("test"), nobody) == {"keys": keys}


async def test_a_refusal_arrives_as_its_text(served: Folder) -> None:
    with pytest.raises(ControlFailed, match="no access key CLNOBODY"):
        await client.ask(served, Request("key.disable", {"key_id": "CLNOBODY"}), nobody)


@pytest.mark.parametrize(
    "line",
    [
        b"\n",
        b"{}\n",
        b"\xff\n",
        b'{"do": "bogus"}\n',
        b'{"do": "scrub", "arguments": {"quick": 7}}\n',
        b'{"do": "status", "arguments": {"extra": 1}}\n',
        b'{"do": "status", "more": 1}\n',
    ],
)
async def test_a_line_that_is_no_request_is_wrong_usage(served: Folder, line: bytes) -> None:
    (reply,) = await raw(served, line)
    assert reply["error"]["wrong_usage"] is True


async def test_a_line_without_end_is_not_held(served: Folder) -> None:
    with contextlib.suppress(ConnectionError):
        assert await raw(served, b"x" * (3 << 20)) == []
    assert (await raw(served, b'{"do": "status"}\n'))[-1]["result"]["status"] == "ok"


async def test_a_bug_in_an_operation_leaves_the_keeper_running(
    served: Folder, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    async def fail(call: Call, _: Nothing) -> dict[str, Any]:
        raise ZeroDivisionError("the-inner-reason")

    operation(monkeypatch, fail)
    with pytest.raises(ControlFailed, match="internal error") as error:
        await client.ask(served, Request("test"), nobody)
    assert "the-inner-reason" not in str(error.value)
    assert "the-inner-reason" in capfd.readouterr().err
    assert (await client.ask(served, Request("status"), nobody))["status"] == "ok"


async def test_an_operator_who_goes_away_ends_the_work(
    served: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def work(call: Call, _: Nothing) -> dict[str, Any]:
        begun.set()
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()
        return {}

    operation(monkeypatch, work)
    asking = asyncio.create_task(client.ask(served, Request("test"), nobody))
    await begun.wait()
    asking.cancel()
    async with asyncio.timeout(5):
        await ended.wait()


async def test_a_stopped_cloud_is_opened_by_the_command(folder: Folder) -> None:
    folder.control.touch()  # what a killed keeper leaves
    assert (await client.ask(folder, Request("status"), nobody))["status"] == "ok"
    with pytest.raises(NoSuchKey):
        await client.ask(folder, Request("key.disable", {"key_id": "CLNOBODY"}), nobody)
    with pytest.raises(WrongUsage, match="bogus"):
        await client.ask(folder, Request("bogus"), nobody)
    os.close(lock_folder(folder, CLOCK, patience_s=0))


async def test_between_stopped_and_running_the_operator_is_asked_to_wait(folder: Folder) -> None:
    lock = lock_folder(folder, CLOCK)
    with pytest.raises(CloudUnreachable, match="try again"):
        await client.ask(folder, Request("status"), nobody)
    os.close(lock)


def test_progress_says_how_fast_and_how_long_still() -> None:
    line = progress_line(Progress("repair", 2_500, 10_000), 2_000, 10.0)
    assert line == "repair: 2,500 of 10,000 (25 %), 200/s, 0:00:37 left"
    assert progress_line(Progress("scrub", 7), 7, 0.0) == "scrub: 7, 0/s"
