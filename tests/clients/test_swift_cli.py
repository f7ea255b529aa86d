"""python-swiftclient's `swift` command, with what `clouds.yaml` says in its own variables."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.clients.openstack_shell import clean_env, cloud_config
from tests.cloud import Cloud

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("swift-cli")]


def swift_env(cloud: Cloud) -> dict[str, str]:
    config = cloud_config(cloud)
    env = {name: value for name, value in clean_env(cloud).items() if not name.startswith("OS_")}
    env |= {f"OS_{name.upper()}": value for name, value in config["auth"].items()}
    return env | {
        "OS_REGION_NAME": config["region_name"],
        "OS_IDENTITY_API_VERSION": str(config["identity_api_version"]),
    }


def swift(cloud: Cloud, *arguments: str, cwd: Path | None = None, fails: bool = False) -> str:
    command = [str(Path(sys.executable).with_name("swift")), *arguments]
    done = subprocess.run(
        command, cwd=cwd, env=swift_env(cloud), capture_output=True, text=True, check=False
    )
    said = f"swift {arguments}: {done.stdout[-1000:]}{done.stderr[-2000:]}"
    assert (done.returncode != 0) == fails, said
    return done.stdout + (done.stderr if fails else "")


def _fact(shown: str, name: str) -> str:
    lines = (line.strip() for line in shown.splitlines())
    return next(line.removeprefix(f"{name}: ") for line in lines if line.startswith(f"{name}: "))


def test_a_tree_goes_up_is_listed_comes_back_and_is_deleted(
    cloud: Cloud, tree: Path, tmp_path: Path
) -> None:
    swift(cloud, "upload", "swift-tree", tree.name, cwd=tree.parent)
    listed = swift(cloud, "list", "swift-tree").splitlines()
    names = sorted(str(path.relative_to(tree.parent)) for path in tree.rglob("*") if path.is_file())
    assert sorted(listed) == names
    folders = swift(cloud, "list", "swift-tree", "--delimiter", "/", "--prefix", f"{tree.name}/f")
    assert len(folders.splitlines()) == 20
    assert "swift-tree" in swift(cloud, "list")
    one = ("stat", "swift-tree", names[0])
    before = swift(cloud, *one)
    swift(cloud, "upload", "--changed", "swift-tree", tree.name, cwd=tree.parent)
    assert _fact(swift(cloud, *one), "X-Timestamp") == _fact(before, "X-Timestamp")
    back = tmp_path / "back"
    swift(cloud, "download", "swift-tree", "--output-dir", str(back))
    for name in names:
        assert (back / name).read_bytes() == (tree.parent / name).read_bytes()
    shown = swift(cloud, "stat", "swift-tree")
    assert f"Objects: {len(names)}" in shown
    swift(cloud, "delete", "swift-tree")
    assert "swift-tree" not in swift(cloud, "list").splitlines()


@pytest.mark.parametrize("kind", ["--use-slo", "--use-dlo"])
def test_a_segmented_upload_is_one_object_and_goes_with_its_segments(
    cloud: Cloud, tmp_path: Path, kind: str
) -> None:
    source = tmp_path / "large"
    source.write_bytes(os.urandom(7 << 20))
    box = f"swift-seg{kind[1:]}"
    size = ("--segment-size", str(2 << 20))
    swift(cloud, "upload", kind, *size, "--object-name", "large", box, str(source))
    assert len(swift(cloud, "list", f"{box}_segments").splitlines()) == 4
    assert f"Content Length: {7 << 20}" in swift(cloud, "stat", box, "large")
    swift(cloud, "download", box, "large", "--output", str(tmp_path / "back"))
    assert (tmp_path / "back").read_bytes() == source.read_bytes()
    swift(cloud, "delete", box, "large")
    assert swift(cloud, "list", f"{box}_segments") == ""
    swift(cloud, "delete", box)
    swift(cloud, "delete", f"{box}_segments")


def test_metadata_and_acls_are_posted_and_shown(cloud: Cloud, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("public")
    swift(
        cloud, "post", "swift-meta", "-r", ".r:*,.rlistings", "-w", "other:*", "-m", "Colour:blue"
    )
    swift(cloud, "upload", "swift-meta", "a", cwd=tmp_path)
    swift(cloud, "post", "swift-meta", "a", "-m", "Shape:round", "-H", "Content-Type:text/x-a")
    shown = swift(cloud, "stat", "swift-meta")
    assert "Read ACL: .r:*,.rlistings" in shown
    assert "Write ACL: other:*" in shown
    assert "Meta Colour: blue" in shown
    shown = swift(cloud, "stat", "swift-meta", "a")
    assert "Meta Shape: round" in shown
    assert "Content Type: text/x-a" in shown
    url = _fact(swift(cloud, "stat", "-v", "swift-meta", "a"), "URL")
    with urllib.request.urlopen(url) as answer:
        assert answer.read() == b"public"
    swift(cloud, "delete", "swift-meta")


def test_objects_are_copied_with_their_metadata(cloud: Cloud, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("to be copied")
    swift(cloud, "upload", "swift-copy", "a", "-H", "X-Object-Meta-Shape:round", cwd=tmp_path)
    swift(cloud, "copy", "-d", "/swift-copy-2/b", "-m", "Colour:blue", "swift-copy", "a")
    shown = swift(cloud, "stat", "swift-copy-2", "b")
    assert "Meta Shape: round" in shown
    assert "Meta Colour: blue" in shown
    assert swift(cloud, "download", "swift-copy-2", "b", "-o", "-") == "to be copied"
    swift(cloud, "copy", "-M", "-d", "/swift-copy-2/c", "swift-copy", "a")
    assert "Meta Shape" not in swift(cloud, "stat", "swift-copy-2", "c")
    for box in ("swift-copy", "swift-copy-2"):
        swift(cloud, "delete", box)


def test_a_temporary_link_opens_one_object_for_a_while(cloud: Cloud, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("for an hour")
    swift(cloud, "upload", "swift-temp", "a", cwd=tmp_path)
    swift(cloud, "post", "swift-temp", "-m", "Temp-URL-Key:a key of mine")
    url = _fact(swift(cloud, "stat", "-v", "swift-temp", "a"), "URL")
    base, path = url[: url.index("/v1/")], url[url.index("/v1/") :]
    link = swift(cloud, "tempurl", "GET", "3600", path, "a key of mine").strip()
    with urllib.request.urlopen(base + link) as answer:
        assert answer.read() == b"for an hour"
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(base + link.replace("temp_url_sig=", "temp_url_sig=0"))
    swift(cloud, "delete", "swift-temp")


def test_capabilities_account_and_bulk_delete(cloud: Cloud, tmp_path: Path) -> None:
    told = json.loads(swift(cloud, "capabilities", "--json"))
    assert told["swift"]["max_file_size"] == 5368709122
    assert {"slo", "tempurl", "bulk_delete"} <= set(told)
    before = swift(cloud, "stat")
    assert "Account: AUTH_" in before
    for number in range(12):
        (tmp_path / f"n{number}").write_text(str(number))
    swift(cloud, "upload", "swift-bulk", ".", cwd=tmp_path)
    assert len(swift(cloud, "list", "swift-bulk").splitlines()) == 12
    swift(cloud, "post", "-m", "Colour:blue")
    assert "Meta Colour: blue" in swift(cloud, "stat")
    swift(cloud, "post", "-m", "Colour:")
    assert "Colour" not in swift(cloud, "stat")
    swift(cloud, "delete", "swift-bulk", "--prefix", "n1")
    assert len(swift(cloud, "list", "swift-bulk").splitlines()) == 9
    swift(cloud, "delete", "swift-bulk")
    assert "not found" in swift(cloud, "stat", "swift-bulk", fails=True)
    token = swift(cloud, "auth")
    assert "export OS_STORAGE_URL=" in token


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_five_gibibytes_go_up_in_segments_and_come_back(cloud: Cloud, tmp_path: Path) -> None:
    source = tmp_path / "huge"
    block = os.urandom(64 << 20)
    with source.open("wb") as file:
        for number in range(80):
            file.write(number.to_bytes(8) + block[8:])
    large = ("--segment-size", str(256 << 20), "--segment-threads", "4")
    swift(cloud, "upload", "--use-slo", *large, "--object-name", "huge", "swift-huge", str(source))
    assert f"Content Length: {5 << 30}" in swift(cloud, "stat", "swift-huge", "huge")
    with source.open("rb") as file:
        wanted = hashlib.file_digest(file, "sha256").hexdigest()
    source.unlink()
    swift(cloud, "download", "swift-huge", "huge", "--output", str(tmp_path / "back"))
    with (tmp_path / "back").open("rb") as file:
        assert hashlib.file_digest(file, "sha256").hexdigest() == wanted
    (tmp_path / "back").unlink()
    swift(cloud, "delete", "swift-huge", "huge")
    assert swift(cloud, "list", "swift-huge_segments") == ""
