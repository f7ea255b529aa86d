"""aws-cli, as a person types it."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.cloud import Cloud, pss_bytes

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("aws-cli")]

MEMORY_MAX = 400 << 20


def aws(cloud: Cloud, *arguments: str) -> str:
    command = [str(Path(sys.executable).with_name("aws")), *arguments]
    done = subprocess.run(command, env=cloud.env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"aws {arguments}: {done.stdout[-500:]}{done.stderr[-2000:]}"
    return done.stdout


def digests(root: Path) -> dict[str, str]:
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in root.rglob("*")
        if path.is_file()
    }


def test_sync_there_and_back_again_gives_the_same_tree(
    cloud: Cloud, tree: Path, tmp_path: Path
) -> None:
    aws(cloud, "s3", "mb", "s3://aws-sync")
    aws(cloud, "s3", "sync", str(tree), "s3://aws-sync/deep/er", "--only-show-errors")
    aws(cloud, "s3", "sync", "s3://aws-sync/deep/er", str(tmp_path / "back"), "--only-show-errors")
    assert digests(tmp_path / "back") == digests(tree)
    assert aws(cloud, "s3", "sync", str(tree), "s3://aws-sync/deep/er") == "", "nothing is left"
    listed = aws(cloud, "s3", "ls", "--recursive", "s3://aws-sync/")
    assert len(listed.splitlines()) == len(digests(tree))
    aws(cloud, "s3", "rm", "--recursive", "s3://aws-sync/", "--only-show-errors")
    count = ("--query", "KeyCount", "--output", "text")
    left = aws(cloud, "s3api", "list-objects-v2", "--bucket", "aws-sync", *count)
    assert left.strip() in ("0", "None")
    aws(cloud, "s3", "rb", "s3://aws-sync")


def test_a_presigned_link_is_fetched_with_curl(cloud: Cloud, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("shared with a link")
    aws(cloud, "s3", "mb", "s3://aws-presign")
    aws(cloud, "s3", "cp", str(tmp_path / "a"), "s3://aws-presign/a b/c+d.txt")
    link = aws(cloud, "s3", "presign", "s3://aws-presign/a b/c+d.txt").strip()
    fetched = subprocess.run(["curl", "-sf", link], capture_output=True, text=True, check=True)
    assert fetched.stdout == "shared with a link"
    spoiled = link.replace("c%2Bd", "c%2Be")
    status = ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", spoiled]
    assert subprocess.run(status, capture_output=True, text=True, check=True).stdout == "403"


def copy_there_and_back(cloud: Cloud, folder: Path, size: int, bucket: str) -> int:
    """Copy a file of `size` bytes both ways; return the peak of the server's memory."""
    source, back = folder / "source", folder / "back"
    block = bytes(range(256)) * 4096
    with source.open("wb") as file:
        for number in range(size >> 20):
            file.write(number.to_bytes(8, "big") + block[8:])
    peak, done = 0, threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(1):
            peak = max(peak, pss_bytes(cloud.pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        aws(cloud, "s3", "mb", f"s3://{bucket}")
        aws(cloud, "s3", "cp", str(source), f"s3://{bucket}/big", "--only-show-errors")
        aws(cloud, "s3", "cp", f"s3://{bucket}/big", str(back), "--only-show-errors")
    finally:
        done.set()
        watcher.join()
    with source.open("rb") as one, back.open("rb") as other:
        sums = [hashlib.file_digest(file, "sha256").hexdigest() for file in (one, other)]
    assert sums[0] == sums[1]
    source.unlink()
    back.unlink()
    aws(cloud, "s3", "rm", f"s3://{bucket}/big")
    return peak


def test_a_file_in_many_parts_comes_back_whole(cloud: Cloud, tmp_path: Path) -> None:
    peak = copy_there_and_back(cloud, tmp_path, 128 << 20, "aws-parts")
    assert peak < MEMORY_MAX, f"{peak >> 20} MiB"


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_two_gibibytes_there_and_back_in_bounded_memory(cloud: Cloud, tmp_path: Path) -> None:
    if shutil.disk_usage(tmp_path).free < 12 << 30:
        pytest.fail("this test needs 12 GiB of disk")
    began = time.monotonic()
    peak = copy_there_and_back(cloud, tmp_path, 2 << 30, "aws-big")
    print(f"peak PSS {peak >> 20} MiB in {time.monotonic() - began:.0f} s")
    assert peak < MEMORY_MAX, f"{peak >> 20} MiB"
