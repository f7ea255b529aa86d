"""The header of a qcow2: what it says, and what of it is refused."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from computelite.diskformat.errors import BadImage, UnsafeImage
from computelite.diskformat.qcow2 import MAGIC, check_header, parse_header
from tests import disks

DATA_FILE, BACKING_FORMAT, FEATURES = 0x44415441, 0xE2792ACA, 0x6803F857


SECRET = ["--object", "secret,id=s,data=x", "-o", "encrypt.format=luks,encrypt.key-secret=s"]


def judged(image: bytes) -> int:
    header = parse_header(image[: 128 << 10])
    check_header(header)
    return header.virtual_size


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("size", [0, 512, 1 << 20, 10 << 30, 2 << 40])
def test_an_image_of_itself_alone_tells_its_size(version: int, size: int) -> None:
    assert judged(disks.qcow2(size, version=version)) == size


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"backing": b"/etc/passwd"}, "backing file"),
        ({"backing": b"/etc/passwd", "version": 2}, "backing file"),
        ({"extensions": ((BACKING_FORMAT, b"raw"),)}, "backing file"),
        ({"incompatible": 4}, "data file"),
        ({"extensions": ((DATA_FILE, b"/etc/passwd"),)}, "data file"),
        ({"extensions": ((FEATURES, bytes(48)), (DATA_FILE, b"x"))}, "data file"),
        ({"crypt": 1}, "encrypted"),
        ({"crypt": 2}, "encrypted"),
    ],
)
def test_what_reaches_outside_the_file_is_unsafe(facts: dict[str, Any], words: str) -> None:
    with pytest.raises(UnsafeImage, match=words):
        judged(disks.qcow2(**facts))


@pytest.mark.parametrize(
    "image",
    [
        MAGIC,
        disks.qcow2()[:71],
        disks.qcow2()[:100],
        MAGIC + b"\0\0\0\1" + disks.qcow2()[8:],
        MAGIC + b"\0\0\0\4" + disks.qcow2()[8:],
        disks.qcow2(incompatible=2),  # corrupt
        disks.qcow2(incompatible=1 << 5),  # a feature that nobody knows
        disks.qcow2(incompatible=1 << 63),
        disks.qcow2(cluster_bits=8),
        disks.qcow2(cluster_bits=22, l1_size=1),
        disks.qcow2(1 << 40, l1_size=1),  # tables too small for the disk
        disks.qcow2(l1_size=(32 << 20) // 8 + 1),
        disks.qcow2(extensions=((1, bytes(70_000)),)),
        disks.qcow2()[:104] + b"\1\1\1\1\0\0\0\0" * 9000,  # extensions without an end
    ],
)
def test_what_contradicts_itself_is_bad(image: bytes) -> None:
    with pytest.raises(BadImage):
        judged(image)


@given(st.binary(max_size=300), st.integers(0, 300))
def test_no_bytes_make_the_parser_stumble(noise: bytes, at: int) -> None:
    image = bytearray(disks.qcow2()[:4096])
    image[at : at + len(noise)] = noise
    try:
        judged(MAGIC + bytes(image[4:]))
    except BadImage:
        return


@pytest.mark.skipif(shutil.which("qemu-img") is None, reason="qemu-img is not installed")
@pytest.mark.parametrize(
    ("options", "good"),
    [
        ([], True),
        (["-o", "compat=0.10"], True),
        (["-o", "cluster_size=512"], True),
        (["-o", "cluster_size=2M"], True),
        (["-o", "extended_l2=on"], True),
        (["-o", "compression_type=zstd"], True),
        (["-o", "lazy_refcounts=on"], True),
        (["-o", "data_file=other.raw"], False),
        (["-F", "raw", "-b", "/etc/passwd"], False),
        (SECRET, False),
    ],
)
def test_images_of_qemus_own_are_judged_by_what_they_are(
    tmp_path: Path, options: list[str], good: bool
) -> None:
    path = tmp_path / "disk.qcow2"
    command = ["qemu-img", "create", "-q", "-f", "qcow2", *options, str(path), "300M"]
    made = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    if made.returncode:
        pytest.skip(f"this qemu-img cannot: {made.stderr}")
    if good:
        assert judged(path.read_bytes()) == 300 << 20
    else:
        with pytest.raises(UnsafeImage):
            judged(path.read_bytes())


@pytest.mark.skipif(shutil.which("qemu-img") is None, reason="qemu-img is not installed")
def test_qemu_reads_the_images_that_tests_make(tmp_path: Path) -> None:
    path = tmp_path / "disk.qcow2"
    for version in (2, 3):
        path.write_bytes(disks.qcow2(5 << 20, version=version))
        subprocess.run(["qemu-img", "check", "-q", str(path)], check=True, capture_output=True)
