"""Operators' commands, on a running and on a stopped cloud."""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from computelite.__main__ import main
from computelite.cli.command import show, table
from computelite.cli.device import device_table
from tests.cloud import Cloud, running

BODIES = {f"k{size}": bytes([size % 251]) * size for size in (1, 5_000, 200_000, 3_000_000)}


@pytest.fixture
def filled(tmp_path: Path) -> Iterator[Cloud]:
    """A small cloud of its own with some objects."""
    with running(tmp_path / "data", "--workers", "1") as cloud:
        client = cloud.client()
        client.create_bucket(Bucket="kept")
        for key, body in BODIES.items():
            client.put_object(Bucket="kept", Key=key, Body=body)
        yield cloud


def asked(cloud: Cloud, *words: str, status: int = 0) -> Any:
    return json.loads(cloud.cli(*words, "--json", check=status).stdout)


def check_bodies(cloud: Cloud) -> None:
    client = cloud.client()
    for key, body in BODIES.items():
        assert client.get_object(Bucket="kept", Key=key)["Body"].read() == body, key


def device(cloud: Cloud, number: int) -> Path:
    return cloud.data / asked_path(cloud, number)


def asked_path(cloud: Cloud, number: int) -> str:
    record = json.loads((cloud.data / "cumulog.json").read_text())
    path: str = record["devices"][number]
    return path


def test_a_whole_cloud_is_well_and_says_what_it_survives(filled: Cloud) -> None:
    status = asked(filled, "status")
    assert status["status"] == "ok"
    assert [d["state"] for d in status["devices"]] == ["ok"] * 6
    assert "any 2 devices" in asked(filled, "ring", "show")["survives"]
    assert "any 2 devices" in filled.cli("status").stdout
    assert status["running"] is True
    assert "not running" not in filled.cli("status").stdout
    scrub = asked(filled, "scrub")
    assert scrub["clean"]
    assert scrub["ok"] == scrub["fragments"] > 0


def test_on_a_stopped_cloud_the_same_commands_do_the_work_themselves(filled: Cloud) -> None:
    filled.stop()
    status = asked(filled, "status")
    assert (status["status"], status["running"]) == ("ok", False)
    told = filled.cli("status").stdout
    assert told.startswith("not running: start it with `cumulog serve`\n")
    assert asked(filled, "scrub", "--quick")["clean"]
    key = asked(filled, "key", "create", "--description", "made while stopped")
    assert key["access_key"] in filled.cli("key", "list").stdout
    assert not (filled.data / "control.sock").exists()
    filled.start()
    filled.client(
        aws_access_key_id=key["access_key"], aws_secret_access_key=key["secret_key"]
    ).head_bucket(Bucket="kept")


def test_the_log_is_searched_by_a_user_s_name_or_id(filled: Cloud) -> None:
    by_name = filled.cli("log", "grep", "--actor", "admin", "--json").stdout.splitlines()
    written = [json.loads(line) for line in by_name]
    assert len([each for each in written if each["type"] == "object.written"]) == len(BODIES)
    by_id = filled.cli("log", "grep", "--actor", written[0]["actor"], "--json").stdout
    assert by_id.splitlines() == by_name


def test_config_shows_what_is_recorded_and_where_the_cloud_listens(
    filled: Cloud, tmp_path: Path
) -> None:
    told = filled.cli("config").stdout
    assert "# recorded code: 4+2\n" in told
    assert "devices/d1,devices/d2" in told
    assert f"# s3 at the last start: {filled.endpoint}\n" in told
    (tmp_path / "again.toml").write_text(told)
    again = filled.cli("config", "--config", str(tmp_path / "again.toml")).stdout
    assert again == told
    assert asked(filled, "config")["cloud"]["recorded code"] == "4+2"
    assert filled.credentials["AWS_SECRET_ACCESS_KEY"] not in told


def test_a_key_for_a_bucket_that_is_not_there_is_made_and_that_is_said(filled: Cloud) -> None:
    made = filled.cli("key", "create", "--bucket", "later")
    assert made.stdout.startswith("AWS_ACCESS_KEY_ID=")
    assert "there is no bucket later yet" in made.stderr
    assert filled.cli("key", "create", "--bucket", "kept").stderr == ""


@pytest.mark.parametrize("stopped", [False, True])
def test_two_emptied_devices_come_back_by_repair_and_by_nothing_else(
    filled: Cloud, stopped: bool
) -> None:
    lost = [device(filled, 0), device(filled, 3)]
    if stopped:
        filled.stop()
    for path in lost:
        shutil.rmtree(path)
    lost[1].mkdir()
    if stopped:
        filled.start()
        states = [d["state"] for d in asked(filled, "device", "list", status=1)["devices"]]
        assert states.count("out") == 2
        told = filled.cli("status", check=1).stdout
        assert "now, with devices 0, 3 out, it survives the loss of no device" in told
        assert "run `cumulog repair` when the disk is back or replaced" in told
    check_bodies(filled)
    assert list(lost[1].iterdir()) == []
    repaired = asked(filled, "repair")
    assert len(repaired["replaced"]) == 2
    assert repaired["fragments"] > 0
    assert asked(filled, "scrub")["clean"]
    assert asked(filled, "status")["status"] == "ok"
    for path in (device(filled, 1), device(filled, 5)):
        shutil.rmtree(path)
    check_bodies(filled)


def test_a_device_of_another_cloud_is_refused_until_it_is_emptied(
    filled: Cloud, tmp_path: Path
) -> None:
    with running(tmp_path / "other", "--workers", "1") as other:
        theirs = device(other, 2)
    filled.stop()
    mine = device(filled, 2)
    shutil.rmtree(mine)
    shutil.copytree(theirs, mine)
    before = sorted(path.name for path in mine.rglob("*"))
    filled.start()
    refused = asked(filled, "repair", status=1)
    assert refused["replaced"] == []
    assert "cloud_id" in refused["refused"]["2"]
    assert sorted(path.name for path in mine.rglob("*")) == before
    shutil.rmtree(mine)
    assert asked(filled, "repair")["replaced"] == [2]
    assert asked(filled, "scrub")["clean"]


def test_an_earlier_disk_that_came_back_is_not_called_empty(filled: Cloud) -> None:
    filled.stop()
    earlier = device(filled, 1).rename(filled.data.parent / "earlier")
    assert "device 1: adopted, empty" in filled.cli("repair").stdout
    shutil.rmtree(device(filled, 1))
    earlier.rename(device(filled, 1))
    assert "device 1: adopted, with what it held" in filled.cli("repair").stdout
    assert asked(filled, "scrub")["clean"]


def test_what_cannot_be_read_is_named_with_its_bucket_and_the_ways_out(filled: Cloud) -> None:
    filled.stop()
    away = [device(filled, number) for number in (0, 1, 2)]
    for path in away:
        path.rename(path.with_name(f"{path.name}-away"))
    told = filled.cli("scrub", check=1).stdout
    assert "kept/k3000000: 3 of the 4 fragments" in told
    assert "put the missing disks back (out: 0, 1, 2)" in told
    for path in away:
        path.mkdir()
    told = filled.cli("repair", check=1).stdout
    assert "kept/k3000000: 3 of the 4 fragments" in told
    assert told.endswith("put lost disks back, or restore each object from a copy, or delete it\n")
    told = filled.cli("scrub", check=1).stdout
    assert "kept/k3000000" in told
    assert "cumulog repair" not in told


def test_a_damaged_fragment_is_found_by_scrub_and_mended_by_repair(filled: Cloud) -> None:
    filled.stop()
    volume = max(device(filled, 4).glob("large/*/*"), key=lambda path: path.stat().st_size)
    content = bytearray(volume.read_bytes())
    content[len(content) // 2] ^= 0x40
    volume.write_bytes(content)
    found = asked(filled, "scrub", status=1)
    assert (found["clean"], found["damaged"]) == (False, 1)
    assert asked(filled, "repair")["fragments"] == 1
    assert asked(filled, "scrub")["clean"]


def test_commands_without_a_cloud_say_how_to_make_one(tmp_path: Path) -> None:
    nothing = Cloud(tmp_path / "nowhere")
    done = nothing.cli("status", check=1)
    assert "cumulog serve --data" in done.stderr
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("words", [("status",), ("log", "tail"), ("serve", "--s3", "127.0.0.1:0")])
@pytest.mark.parametrize("place", ["file", "file/below"])
def test_a_data_folder_that_is_a_file_is_a_refusal_and_no_traceback(
    tmp_path: Path, words: tuple[str, ...], place: str
) -> None:
    (tmp_path / "file").write_text("mine")
    done = Cloud(tmp_path / place).cli(*words, check=1)
    assert "Traceback" not in done.stderr
    assert place in done.stderr
    assert (tmp_path / "file").read_text() == "mine"
    answer = json.loads(Cloud(tmp_path / place).cli(*words, "--json", check=1).stdout)
    assert place in answer["text"]


COMMANDS = [
    "serve", "status", "ring", "ring show", "device", "device list", "scrub", "repair", "config",
    "key", "key create", "key list", "key disable", "key enable", "log", "log tail", "log show",
    "log grep", "log verify", "log replay", "log views", "log rebuild", "access", "access tail",
    "access grep",
]  # fmt: skip


def test_every_command_explains_itself_with_examples(capsys: pytest.CaptureFixture[str]) -> None:
    for command in COMMANDS:
        with pytest.raises(SystemExit) as exit:
            main([*command.split(), "--help"])
        text = capsys.readouterr().out
        assert exit.value.code == 0
        assert f"cumulog {command}" in text.partition("examples:")[2], command


@pytest.mark.parametrize("words", ["log tail", "key list", "ring show", "device list"])
def test_common_flags_stand_before_or_behind_the_verb(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: str
) -> None:
    command, verb = words.split()
    for given in (
        [command, "--data", str(tmp_path / "x"), "--json", verb],
        [command, "--data", "elsewhere", verb, "--data", str(tmp_path / "x"), "--json"],
    ):
        assert main(given) == 1
        assert str(tmp_path / "x") in json.loads(capsys.readouterr().out)["text"]


def test_what_people_typed_cannot_act_on_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    evil = "a\x1b[2J\r\n\u202eb"
    text = table(("KEY", "DESCRIPTION"), [("k", evil)])
    assert text.count("\n") == 1
    assert all(one.isprintable() or one == "\n" for one in text)
    show(argparse.Namespace(json=True), {"description": evil}, "")
    shown = capsys.readouterr().out
    assert shown.isascii()
    assert json.loads(shown) == {"description": evil}


def test_a_full_device_has_a_size_and_a_missing_one_has_none() -> None:
    device = {"id": 1, "state": "ok", "free": 0, "total": 1 << 30, "path": "/d", "reason": ""}
    gone = device | {"id": 2, "state": "out", "total": 0, "reason": "missing"}
    _, full, missing = device_table([device, gone]).splitlines()
    assert full.split()[2:6] == ["0.0", "GiB", "1.0", "GiB"]
    assert missing.split()[2:4] == ["-", "-"]


def test_an_unknown_command_or_argument_is_wrong_usage(tmp_path: Path) -> None:
    cloud = Cloud(tmp_path / "data")
    assert "bogus" in cloud.cli("bogus", check=2).stderr
    assert "bogus" in cloud.cli("key", "bogus", check=2).stderr
    assert "not yet" in cloud.cli("config", "--log", "postgresql://x", check=2).stderr
