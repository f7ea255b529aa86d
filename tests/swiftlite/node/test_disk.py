"""The disks keep the port's contract, and the misbehaving one misbehaves as it says."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

import pytest

from swiftlite.node.conformance import check_disk
from swiftlite.node.disk import Disk, PosixDisk, write_all
from swiftlite.testing import Fault, SimDisk


@pytest.mark.parametrize("kind", [PosixDisk, SimDisk])
def test_a_disk_keeps_the_ports_contract(kind: type, tmp_path: Path) -> None:
    numbers = itertools.count()

    def make() -> tuple[Disk, str]:
        folder = tmp_path / str(next(numbers))
        folder.mkdir()
        return (SimDisk(str(folder)) if kind is SimDisk else PosixDisk()), str(folder)

    check_disk(make)


class Bare:
    """A file and a folder on a disk whose power goes off."""

    def __init__(self, root: Path, *, lies: frozenset[str] = frozenset(), seed: int = 0) -> None:
        root.mkdir(exist_ok=True)
        self.disk = SimDisk(str(root), lies=lies, seed=seed)
        self.path = str(root / "f")

    def content(self) -> bytes | None:
        if not os.path.exists(self.path):
            return None
        return Path(self.path).read_bytes()


def test_a_power_cut_takes_what_was_not_synced(tmp_path: Path) -> None:
    bare = Bare(tmp_path / "r")
    fd = bare.disk.create(bare.path)
    bare.disk.pwritev(fd, [b"a" * 600], 0)
    bare.disk.fdatasync(fd)
    bare.disk.fsync_dir(os.path.dirname(bare.path))
    bare.disk.pwritev(fd, [b"b" * 600], 600)
    bare.disk.power_cut()
    assert bare.content() == b"a" * 600
    bare.disk.close(fd)


def test_a_power_cut_takes_names_that_were_not_synced(tmp_path: Path) -> None:
    bare = Bare(tmp_path / "r")
    fd = bare.disk.create(bare.path)
    bare.disk.pwritev(fd, [b"a"], 0)
    bare.disk.fdatasync(fd)
    bare.disk.power_cut()
    assert bare.content() is None
    bare.disk.close(fd)


def test_a_rename_that_was_not_synced_is_taken_back(tmp_path: Path) -> None:
    bare = Bare(tmp_path / "r")
    folder = os.path.dirname(bare.path)
    fd = bare.disk.create(os.path.join(folder, "new"))
    bare.disk.fsync_dir(folder)
    bare.disk.rename(os.path.join(folder, "new"), bare.path)
    bare.disk.power_cut()
    assert os.listdir(folder) == ["new"]
    bare.disk.close(fd)


def test_a_lying_sync_keeps_nothing(tmp_path: Path) -> None:
    bare = Bare(tmp_path / "r", lies=frozenset(["fdatasync", "fsync_dir"]))
    fd = bare.disk.create(bare.path)
    bare.disk.fdatasync(fd)
    bare.disk.fsync_dir(os.path.dirname(bare.path))
    bare.disk.power_cut()
    assert bare.content() is None
    bare.disk.close(fd)


def test_what_was_not_synced_may_survive_in_part(tmp_path: Path) -> None:
    seen = set()
    for seed in range(20):
        bare = Bare(tmp_path / str(seed), seed=seed)
        fd = bare.disk.create(bare.path)
        bare.disk.fdatasync(fd)
        bare.disk.fsync_dir(os.path.dirname(bare.path))
        bare.disk.pwritev(fd, [b"x" * 4096], 0)
        bare.disk.power_cut("some")
        content = bare.content()
        assert content is not None
        seen.add(content)
        bare.disk.close(fd)
    assert len(seen) > 3
    assert any(0 < content.count(b"x") < 4096 for content in seen)


def test_a_fault_strikes_at_its_turn_and_only_then(tmp_path: Path) -> None:
    bare = Bare(tmp_path / "r")
    bare.disk.faults = [Fault("pwritev", 2)]
    fd = bare.disk.create(bare.path)
    bare.disk.pwritev(fd, [b"a"], 0)
    with pytest.raises(OSError, match="Input/output"):
        bare.disk.pwritev(fd, [b"b"], 1)
    bare.disk.pwritev(fd, [b"c"], 1)
    bare.disk.close(fd)
    assert bare.content() == b"ac"


def test_short_writes_are_gone_on_with(tmp_path: Path) -> None:
    bare = Bare(tmp_path / "r")
    bare.disk.faults = [Fault("pwritev", how="short", sticky=True)]
    fd = bare.disk.create(bare.path)
    parts = [bytes([n]) * n for n in range(60)]
    assert write_all(bare.disk, fd, parts, 5) == sum(range(60))
    bare.disk.close(fd)
    assert bare.content() == bytes(5) + b"".join(parts)


def test_more_buffers_than_one_call_takes_are_all_written(tmp_path: Path) -> None:
    bare = Bare(tmp_path / "r")
    fd = bare.disk.create(bare.path)
    parts = [n.to_bytes(2, "big") for n in range(3000)]
    assert write_all(bare.disk, fd, parts, 0) == 6000
    bare.disk.close(fd)
    assert bare.content() == b"".join(parts)
