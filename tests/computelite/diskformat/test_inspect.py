"""Images are looked into as they stream by: lies and traps do not pass."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from computelite.diskformat.errors import BadImage, UnsafeImage, WrongFormat
from computelite.diskformat.inspect import INSPECTED, Inspector
from computelite.diskformat.probe import HEAD, probe
from tests import disks

RANDOM = bytes((i * 7919 + i // 251) % 251 for i in range(200_000))
GOOD = {
    "raw": RANDOM,
    "aki": RANDOM[:10],
    "ami": b"",
    "qcow2": disks.qcow2(1 << 20),
    "vmdk": disks.vmdk(1 << 20),
    "vdi": disks.vdi(1 << 20),
    "vhd": RANDOM + disks.vhd_footer(1 << 20),
    "iso": disks.iso(),
    "vhdx": b"vhdxfile" + bytes(1000),
    "ploop": b"WithouFreSpacExt" + bytes(1000),
}


def inspected(declared: str | None, image: bytes, *, piece: int = 1 << 16) -> int | None:
    inspector = Inspector(declared)
    for at in range(0, len(image), piece):
        inspector.feed(image[at : at + piece])
    return inspector.finish()


@pytest.mark.parametrize("declared", sorted(GOOD))
def test_a_good_image_passes_and_tells_the_size_of_its_disk(declared: str) -> None:
    size = inspected(declared, GOOD[declared])
    known = {"qcow2": 1 << 20, "vmdk": 1 << 20, "vdi": 1 << 20, "vhd": 1 << 20}
    plain = len(GOOD[declared])
    unknown = declared in ("vhdx", "ploop")
    assert size == (None if unknown else known.get(declared, plain))


@pytest.mark.parametrize("declared", sorted(INSPECTED))
@pytest.mark.parametrize("shown", ["qcow2", "vmdk", "vdi", "vhdx", "ploop"])
def test_an_image_of_another_format_than_was_declared_is_refused(declared: str, shown: str) -> None:
    if declared != shown:
        with pytest.raises(WrongFormat, match=f"is {shown}, and not {declared}"):
            inspected(declared, GOOD[shown])


@pytest.mark.parametrize("declared", ["qcow2", "vmdk", "vdi", "vhd", "vhdx", "iso", "ploop"])
@pytest.mark.parametrize("image", [b"", b"x", RANDOM, bytes(HEAD), bytes(HEAD + 1)])
def test_any_bytes_are_no_image_of_a_format_that_shows(declared: str, image: bytes) -> None:
    with pytest.raises(WrongFormat):
        inspected(declared, image)


@pytest.mark.parametrize(
    ("beginning", "name"),
    [
        (b"QED\0", "qed"),
        (b"QFI\xfb\0\0\0\1", "qcow"),
        (b"LUKS\xba\xbe", "luks"),
        (b"Bochs Virtual HD Image", "bochs"),
        (b"#!/bin/sh\n#V2.0 Format", "cloop"),
        (b"conectix", "vhd"),
        (b"\n# Disk DescriptorFile\n", "vmdk"),
    ],
)
def test_a_raw_disk_on_which_a_guest_wrote_another_header_is_refused(
    beginning: bytes, name: str
) -> None:
    with pytest.raises(WrongFormat, match=f"is {name}, and not raw"):
        inspected("raw", beginning + RANDOM)


def test_a_disk_that_is_a_file_system_of_a_cd_too_is_raw_or_iso_as_declared() -> None:
    assert inspected("raw", disks.iso()) == len(disks.iso())
    assert inspected("iso", disks.iso()) == len(disks.iso())
    both = disks.qcow2()[:0x8000] + disks.iso()[0x8000:]
    for declared in ("raw", "iso"):
        with pytest.raises(WrongFormat):
            inspected(declared, both)


@pytest.mark.parametrize(
    ("declared", "image"),
    [
        ("vmdk", b'# Disk DescriptorFile\nversion=1\nRW 1 FLAT "/etc/passwd" 0\n'),
        ("vmdk", disks.vmdk(kind="monolithicFlat")),
        ("vmdk", disks.vmdk(kind="vmfsSparse")),
        ("vmdk", disks.vmdk(extent='RW 2048 FLAT "/etc/passwd" 0')),
        ("vmdk", disks.vmdk(extent="RW 1 SPARSE a\nRW 1 SPARSE b")),
        ("vmdk", disks.vmdk(extent="")),
        ("vmdk", disks.vmdk(more='parentFileNameHint="/etc/passwd"')),
        ("vdi", disks.vdi(kind=4)),
        ("vhd", disks.vhd_footer(kind=4) + RANDOM),
        ("vhd", RANDOM + disks.vhd_footer(kind=4)),
    ],
)
def test_an_image_that_needs_other_files_is_unsafe(declared: str, image: bytes) -> None:
    with pytest.raises(UnsafeImage):
        inspected(declared, image)


@pytest.mark.parametrize(
    ("declared", "image"),
    [
        ("vmdk", b"KDMV"),
        ("vmdk", disks.vmdk()[:1000]),
        ("vmdk", disks.vmdk(more='createType="monolithicFlat"')),
        ("vdi", disks.vdi()[:0x100]),
        ("vhd", b"conectix"),
    ],
)
def test_an_image_cut_short_or_at_odds_with_itself_is_bad(declared: str, image: bytes) -> None:
    with pytest.raises(BadImage):
        inspected(declared, image)


@pytest.mark.parametrize("declared", [None, "unheard-of"])
def test_what_is_no_disk_is_not_looked_into(declared: str | None) -> None:
    assert inspected(declared, disks.qcow2(backing=b"/etc/passwd")) is None


@given(st.sampled_from(sorted(GOOD)), st.sampled_from(sorted(GOOD)), st.integers(300, 70_000))
def test_it_does_not_matter_how_the_bytes_are_cut(declared: str, shown: str, piece: int) -> None:
    def told(size: int) -> object:
        try:
            return inspected(declared, GOOD[shown], piece=size)
        except BadImage as error:
            return str(error)

    assert told(piece) == told(1 << 20)


def test_a_lie_shows_before_more_than_the_head_has_come() -> None:
    inspector = Inspector("raw")
    inspector.feed(disks.qcow2()[: HEAD - 1])
    assert not inspector.is_settled
    with pytest.raises(WrongFormat):
        inspector.feed(b"xy")


@pytest.mark.skipif(shutil.which("qemu-img") is None, reason="qemu-img is not installed")
@pytest.mark.parametrize(
    ("theirs", "ours", "options"),
    [
        ("raw", "raw", ""),
        ("qcow2", "qcow2", ""),
        ("vmdk", "vmdk", "subformat=monolithicSparse"),
        ("vmdk", "vmdk", "subformat=streamOptimized"),
        ("vdi", "vdi", ""),
        ("vpc", "vhd", "subformat=dynamic"),
        ("vpc", "vhd", "subformat=fixed"),
        ("vhdx", "vhdx", ""),
    ],
)
def test_images_of_qemus_own_pass_as_what_they_are(
    tmp_path: Path, theirs: str, ours: str, options: str
) -> None:
    path = tmp_path / "disk"
    command = ["qemu-img", "create", "-q", "-f", theirs, *(["-o", options] if options else [])]
    subprocess.run([*command, str(path), "8M"], check=True, capture_output=True)
    image = path.read_bytes()
    assert probe(image[:HEAD], image[-512:]) == ours
    size = inspected(ours, image)
    assert size is None or 8 << 20 <= size < 9 << 20
