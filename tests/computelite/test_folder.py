"""The data folder: what it was made with, and who has it."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from time import sleep

import pytest

from computelite.errors import (
    CloudMissing,
    Contradiction,
    FolderForeign,
    FolderInUse,
    RecordDamaged,
    WrongUsage,
)
from computelite.folder import (
    Folder,
    check_record,
    lock_folder,
    make_folder,
    new_record,
    parse_code,
    parse_devices,
    parse_log,
    read_record,
    write_record,
)
from eventlog.clock import SystemClock


def recorded(folder: Folder, **asked: str) -> None:
    given = {"devices": "", "code": "", "log": ""} | asked
    write_record(folder, new_record(folder, cloud_id="c", **given))


def test_the_record_read_back_is_what_was_written(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    recorded(folder, devices="3", code="2+1")
    record = read_record(folder)
    assert record.devices == ("devices/d1", "devices/d2", "devices/d3")
    assert (record.k_m, record.log) == ((2, 1), "sqlite")


def test_flags_left_out_contradict_nothing(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    recorded(folder, devices="3", code="2+1")
    check_record(folder, read_record(folder), devices="", code="", log="")
    check_record(folder, read_record(folder), devices="3", code="02+1", log="sqlite")


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        ({"devices": "4"}, r"--devices says .*d4, .* made with .*d3 .*cumulog\.json"),
        ({"devices": "/mnt/a"}, r"--devices says /mnt/a"),
        ({"code": "3+1"}, r"--code says 3\+1, .* made with 2\+1"),
    ],
)
def test_a_flag_that_contradicts_the_record_is_refused(
    tmp_path: Path, flags: dict[str, str], named: str
) -> None:
    folder = Folder(tmp_path)
    recorded(folder, devices="3", code="2+1")
    given = {"devices": "", "code": "", "log": ""} | flags
    with pytest.raises(Contradiction, match=named):
        check_record(folder, read_record(folder), **given)


def test_devices_inside_the_data_folder_move_with_it(tmp_path: Path) -> None:
    inside, outside = tmp_path / "data" / "x", tmp_path / "disk"
    paths = parse_devices(f"{inside},{outside}", tmp_path / "data")
    assert paths == ("x", str(outside))


@pytest.mark.parametrize("text", ["0", "-1", "1001", ",", "/a,/a", "/a,/b/../a"])
def test_wrong_devices_are_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(WrongUsage, match="--devices"):
        parse_devices(text, tmp_path)


@pytest.mark.parametrize("text", ["4", "4+", "+2", "0+2", "4+0", "200+57", "4-2", "a+b", "٤+٢"])
def test_a_wrong_code_is_refused(text: str) -> None:
    with pytest.raises(WrongUsage, match="--code"):
        parse_code(text)


def test_postgresql_is_refused_as_not_there_yet() -> None:
    with pytest.raises(WrongUsage, match="not yet"):
        parse_log("postgresql://localhost/cumulog")


def test_a_second_holder_is_refused_and_the_first_is_named(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    held = lock_folder(folder, SystemClock())
    with pytest.raises(FolderInUse, match=f"process {os.getpid()}"):
        lock_folder(folder, SystemClock(), patience_s=0)
    os.close(held)
    os.close(lock_folder(folder, SystemClock(), patience_s=0))


def test_processes_of_a_dead_holder_are_waited_for(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    holder = os.fork()
    if holder == 0:
        lock_folder(folder, SystemClock())
        if os.fork() == 0:
            sleep(0.5)  # a child of the holder that outlives it for a moment
        os._exit(0)
    os.waitpid(holder, 0)
    with pytest.raises(FolderInUse):
        lock_folder(folder, SystemClock(), patience_s=0.1)
    os.close(lock_folder(folder, SystemClock()))


def test_a_folder_of_other_things_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(FolderForeign):
        make_folder(Folder(tmp_path))
    assert [entry.name for entry in tmp_path.iterdir()] == ["thesis.tex"]


def test_what_an_interrupted_first_start_left_is_taken_up_again(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "data")
    make_folder(folder)
    os.close(lock_folder(folder, SystemClock()))
    make_folder(folder)
    assert stat.S_IMODE(folder.root.stat().st_mode) == 0o700


def test_a_folder_without_a_cloud_is_named(tmp_path: Path) -> None:
    with pytest.raises(CloudMissing, match="cumulog serve --data"):
        read_record(Folder(tmp_path))


@pytest.mark.parametrize("content", ["", "{}", '{"format": 2}', "\x00"])
def test_a_damaged_record_is_refused(tmp_path: Path, content: str) -> None:
    folder = Folder(tmp_path)
    folder.record.write_text(content)
    with pytest.raises(RecordDamaged, match=r"cumulog\.json"):
        read_record(folder)
