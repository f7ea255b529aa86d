"""What may become a device: looked at before anything is made."""

from __future__ import annotations

from pathlib import Path

import pytest

from computelite.errors import WrongUsage
from computelite.folder import Folder, new_record
from computelite.new_devices import check_new_devices
from swiftlite.node.disk import PosixDisk
from swiftlite.node.identity import format_device


def check(tmp_path: Path, *names: str) -> None:
    folder = Folder(tmp_path / "data")
    folder.root.mkdir()
    devices = ",".join(str(tmp_path / name) for name in names)
    check_new_devices(folder, new_record(folder, cloud_id="c", devices=devices, code="", log=""))


def formatted(path: Path, cloud_id: str) -> None:
    format_device(PosixDisk(), str(path), cloud_id=cloud_id, device_id=0, uuid="u")


def test_absent_and_empty_folders_may_and_none_is_made(tmp_path: Path) -> None:
    (tmp_path / "empty" / "lost+found").mkdir(parents=True)
    check(tmp_path, "empty", "absent/below", "data/x")
    assert {path.name for path in tmp_path.iterdir()} == {"empty", "data"}
    assert not any((tmp_path / "data").iterdir())


def test_what_this_cloud_had_formatted_before_an_interruption_may(tmp_path: Path) -> None:
    formatted(tmp_path / "a", "c")
    check(tmp_path, "a", "b")


def test_another_cloud_s_is_named(tmp_path: Path) -> None:
    formatted(tmp_path / "b", "theirs")
    with pytest.raises(WrongUsage, match=r"/b belongs to cloud theirs; give an empty folder"):
        check(tmp_path, "a", "b")


def test_a_folder_of_other_things_is_named_with_one_of_them(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "thesis.tex").touch()
    with pytest.raises(WrongUsage, match=r"/b holds thesis\.tex; give an empty folder"):
        check(tmp_path, "a", "b")


def test_a_device_whose_identity_is_damaged_is_not_taken_for_empty(tmp_path: Path) -> None:
    formatted(tmp_path / "a", "c")
    (tmp_path / "a" / "device.json").write_text("{}")
    with pytest.raises(WrongUsage, match="cannot be read"):
        check(tmp_path, "a")


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("a", "a/b"), "/a/b is inside .*/a;"),
        (("a/b", "a"), "/a/b is inside .*/a;"),
        (("a", "link"), "are the same folder"),
        (("a", "link/b"), "is inside"),
        (("data",), "holds the data folder"),
        ((".",), "holds the data folder"),
        (("file", "a"), "file is no folder"),
        (("file/below",), "file is no folder"),
    ],
)
def test_folders_in_each_other_and_files_are_refused(
    tmp_path: Path, names: tuple[str, ...], said: str
) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "a")
    (tmp_path / "file").touch()
    with pytest.raises(WrongUsage, match=said):
        check(tmp_path, *names)
