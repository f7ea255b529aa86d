"""s3cmd, which has its own signer and speaks an older S3."""

from __future__ import annotations

import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.cloud import Cloud

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("s3cmd")]


def s3cmd(cloud: Cloud, *arguments: str) -> str:
    facts = cloud.credentials
    host = urlsplit(cloud.endpoint).netloc
    options = [f"--host={host}", f"--host-bucket={host}", "--no-ssl", "--no-check-md5"]
    options += [f"--access_key={facts['AWS_ACCESS_KEY_ID']}"]
    options += [f"--secret_key={facts['AWS_SECRET_ACCESS_KEY']}", "--no-progress"]
    done = subprocess.run(
        ["s3cmd", "--config=/dev/null", *options, *arguments],
        env=cloud.env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"s3cmd {arguments}: {done.stdout[-800:]}{done.stderr[-2000:]}"
    return done.stdout


def test_a_tree_goes_up_and_comes_back(cloud: Cloud, tree: Path, tmp_path: Path) -> None:
    s3cmd(cloud, "mb", "s3://s3cmd-tree")
    s3cmd(cloud, "sync", f"{tree}/", "s3://s3cmd-tree/t/")
    (tmp_path / "back").mkdir()
    s3cmd(cloud, "sync", "s3://s3cmd-tree/t/", f"{tmp_path / 'back'}/")
    there = {p.relative_to(tree): p.read_bytes() for p in tree.rglob("*") if p.is_file()}
    back = tmp_path / "back"
    assert {p.relative_to(back): p.read_bytes() for p in back.rglob("*") if p.is_file()} == there
    assert "folder 3/file-3.txt" in s3cmd(cloud, "ls", "--recursive", "s3://s3cmd-tree/t/folder 3/")
    s3cmd(cloud, "del", "--recursive", "--force", "s3://s3cmd-tree/")
    s3cmd(cloud, "rb", "s3://s3cmd-tree")


def test_info_copy_move_and_parts_work(cloud: Cloud, tmp_path: Path) -> None:
    source = tmp_path / "file.bin"
    source.write_bytes(b"\x00\x01\x02\x03" * 3_000_000)
    s3cmd(cloud, "mb", "s3://s3cmd-verbs")
    s3cmd(cloud, "put", "--multipart-chunk-size-mb=5", str(source), "s3://s3cmd-verbs/a")
    s3cmd(cloud, "cp", "s3://s3cmd-verbs/a", "s3://s3cmd-verbs/b")
    s3cmd(cloud, "mv", "s3://s3cmd-verbs/b", "s3://s3cmd-verbs/c")
    assert "12000000" in s3cmd(cloud, "info", "s3://s3cmd-verbs/c")
    s3cmd(cloud, "get", "s3://s3cmd-verbs/c", str(tmp_path / "back"))
    assert (tmp_path / "back").read_bytes() == source.read_bytes()
    s3cmd(cloud, "rb", "--recursive", "--force", "s3://s3cmd-verbs")
