"""credentials.env and clouds.yaml: what people's tools read from them is what was written."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from computelite.credentials import Root, read_credentials, replace_password, write_credentials
from computelite.errors import WrongUsage
from computelite.folder import Folder
from computelite.identity.commands.access_keys import IssuedKey
from computelite.secret import Secret

ROOT = Root(IssuedKey("CLROOT", Secret("a-secret-key")), Secret("first"))

PASSWORDS = (
    "plain",
    "two words",
    'it\'s "quoted" \\ $HOME `id` #not a comment',
    "= equals",
    "Zoé, 日本語, \N{PILE OF POO}",
    "line\u2028and paragraph\u2029separators",
    "byte order \ufeff mark",
)


def written(folder: Folder, password: str) -> None:
    write_credentials(folder, ROOT, s3="http://127.0.0.1:9000", api="http://127.0.0.1:9001")
    replace_password(folder, Secret(password))


@pytest.mark.parametrize("password", PASSWORDS)
def test_any_password_is_read_as_it_was_written(tmp_path: Path, password: str) -> None:
    folder = Folder(tmp_path)
    written(folder, password)
    found = read_credentials(folder)
    assert found == Root(ROOT.key, Secret(password))
    clouds = yaml.safe_load(folder.clouds.read_text())
    assert clouds["clouds"]["cumulog"]["auth"]["password"] == password
    script = f'set -a; . "{folder.credentials}"; printf %s "$OS_PASSWORD"'
    shell = subprocess.run(["sh", "-c", script], capture_output=True, check=True)
    assert shell.stdout.decode() == password


@pytest.mark.parametrize("content", [b"OS_PASSWORD='half\n", b"OS_PASSWORD=\xff\n"])
def test_a_broken_file_is_said_to_be_broken(tmp_path: Path, content: bytes) -> None:
    folder = Folder(tmp_path)
    folder.credentials.write_bytes(content)
    with pytest.raises(WrongUsage) as said:
        read_credentials(folder)
    assert "credentials.env" in str(said.value)
    assert "half" not in str(said.value)
