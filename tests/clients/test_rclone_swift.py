"""rclone's Swift backend, with Keystone v3."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.clients.openstack_shell import clean_env, cloud_config
from tests.cloud import Cloud

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("rclone-swift")]


def rclone(cloud: Cloud, *arguments: str) -> str:
    config = cloud_config(cloud)
    auth = config["auth"]
    env = clean_env(cloud) | {
        "RCLONE_CONFIG_CLOUD_TYPE": "swift",
        "RCLONE_CONFIG_CLOUD_AUTH": auth["auth_url"],
        "RCLONE_CONFIG_CLOUD_USER": auth["username"],
        "RCLONE_CONFIG_CLOUD_KEY": auth["password"],
        "RCLONE_CONFIG_CLOUD_DOMAIN": "Default",
        "RCLONE_CONFIG_CLOUD_TENANT": auth["project_name"],
        "RCLONE_CONFIG_CLOUD_TENANT_DOMAIN": "Default",
        "RCLONE_CONFIG_CLOUD_REGION": config["region_name"],
        "RCLONE_CONFIG_CLOUD_AUTH_VERSION": "3",
    }
    done = subprocess.run(
        ["rclone", *arguments], env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"rclone {arguments}: {done.stdout[-500:]}{done.stderr[-3000:]}"
    return done.stdout + done.stderr


def test_check_says_that_a_copied_tree_is_identical(cloud: Cloud, tree: Path) -> None:
    rclone(cloud, "copy", str(tree), "cloud:rclone-sw/x")
    for options in ((), ("--download",)):
        said = rclone(cloud, "check", str(tree), "cloud:rclone-sw/x", *options)
        assert "0 differences found" in said
    changed = next(path for path in tree.rglob("*.txt") if path.stat().st_size > 10)
    changed.write_bytes(changed.read_bytes()[:-1] + b"!")
    rclone(cloud, "sync", str(tree), "cloud:rclone-sw/x", "--checksum")
    assert "0 differences" in rclone(cloud, "check", str(tree), "cloud:rclone-sw/x")
    rclone(cloud, "moveto", "cloud:rclone-sw/x/a=b;c.txt", "cloud:rclone-sw/y/moved.txt")
    assert rclone(cloud, "cat", "cloud:rclone-sw/y/moved.txt").startswith("a=b;c.txt")
    rclone(cloud, "copy", "cloud:rclone-sw/x", "cloud:rclone-sw-2/z")
    said = rclone(cloud, "check", "cloud:rclone-sw/x", "cloud:rclone-sw-2/z")
    assert "0 differences found" in said
    rclone(cloud, "purge", "cloud:rclone-sw")
    rclone(cloud, "purge", "cloud:rclone-sw-2")
    assert "rclone-sw" not in rclone(cloud, "lsd", "cloud:")


def test_a_large_file_goes_up_in_chunks_and_comes_back(cloud: Cloud, tmp_path: Path) -> None:
    source = tmp_path / "large"
    source.write_bytes(bytes(range(251)) * 50_000)
    chunks = ("--swift-chunk-size", "5M")
    rclone(cloud, "copyto", str(source), "cloud:rclone-sw-large/a", *chunks)
    assert len(rclone(cloud, "lsf", "-R", "cloud:rclone-sw-large_segments").splitlines()) >= 3
    assert rclone(cloud, "size", "cloud:rclone-sw-large").count("12550000") == 1
    rclone(cloud, "copyto", "cloud:rclone-sw-large/a", str(tmp_path / "back"))
    assert (tmp_path / "back").read_bytes() == source.read_bytes()
    rclone(cloud, "purge", "cloud:rclone-sw-large")
    rclone(cloud, "purge", "cloud:rclone-sw-large_segments")
