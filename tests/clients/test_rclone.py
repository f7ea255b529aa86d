"""rclone's S3 backend."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.cloud import Cloud

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("rclone")]


def rclone(cloud: Cloud, *arguments: str) -> str:
    facts = cloud.credentials
    env = cloud.env | {
        "RCLONE_CONFIG_CLOUD_TYPE": "s3",
        "RCLONE_CONFIG_CLOUD_PROVIDER": "Other",
        "RCLONE_CONFIG_CLOUD_ENDPOINT": facts["AWS_ENDPOINT_URL_S3"],
        "RCLONE_CONFIG_CLOUD_ACCESS_KEY_ID": facts["AWS_ACCESS_KEY_ID"],
        "RCLONE_CONFIG_CLOUD_SECRET_ACCESS_KEY": facts["AWS_SECRET_ACCESS_KEY"],
    }
    done = subprocess.run(
        ["rclone", *arguments], env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"rclone {arguments}: {done.stdout[-500:]}{done.stderr[-3000:]}"
    return done.stdout + done.stderr


def test_check_says_that_a_copied_tree_is_identical(cloud: Cloud, tree: Path) -> None:
    rclone(cloud, "copy", str(tree), "cloud:rclone-tree/x", "--checksum")
    said = rclone(cloud, "check", str(tree), "cloud:rclone-tree/x", "--download")
    assert "0 differences found" in said
    said = rclone(cloud, "check", str(tree), "cloud:rclone-tree/x")
    assert "0 differences found" in said
    changed = next(path for path in tree.rglob("*.txt") if path.stat().st_size > 10)
    changed.write_bytes(changed.read_bytes()[:-1] + b"!")
    rclone(cloud, "sync", str(tree), "cloud:rclone-tree/x", "--checksum")
    assert "0 differences" in rclone(cloud, "check", str(tree), "cloud:rclone-tree/x")
    rclone(cloud, "purge", "cloud:rclone-tree")


def test_a_large_file_goes_up_in_parts_and_comes_back(cloud: Cloud, tmp_path: Path) -> None:
    source = tmp_path / "large"
    source.write_bytes(bytes(range(251)) * 130_000)
    rclone(cloud, "copyto", str(source), "cloud:rclone-large/a", "--s3-upload-cutoff=6M")
    rclone(cloud, "copyto", "cloud:rclone-large/a", str(tmp_path / "back"))
    assert (tmp_path / "back").read_bytes() == source.read_bytes()
    rclone(cloud, "purge", "cloud:rclone-large")
