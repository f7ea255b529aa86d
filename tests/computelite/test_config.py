"""The configuration: one file, flags above it, no key that is not known."""

from __future__ import annotations

import tomllib
from pathlib import Path

import msgspec
import pytest

from computelite.config import Config, load_config, render_config
from computelite.errors import WrongUsage


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "cumulog.toml"
    path.write_text(text)
    return path


def test_without_a_file_and_flags_everything_is_the_default() -> None:
    assert load_config(None, {}) == Config()


def test_flags_stand_above_the_file_and_the_file_above_the_defaults(tmp_path: Path) -> None:
    path = write(tmp_path, '[listen]\ns3 = "0.0.0.0:1"\napi = "0.0.0.0:2"\n')
    config = load_config(path, {"listen.s3": "127.0.0.1:3", "listen.api": None})
    assert (config.listen.s3, config.listen.api) == ("127.0.0.1:3", "0.0.0.0:2")
    assert config.processes == Config().processes


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[http]\nconections = 5\n", "conections"),
        ("[htp]\n", "htp"),
        ('[http]\nconnections = "many"\n', "http.connections"),
        ("[http]\nconnections = 0\n", "http.connections"),
        ("[processes]\nworkers = 1000\n", "processes.workers"),
        ("http = 5\n", "http"),
        ("[http\n", "cumulog.toml"),
    ],
)
def test_a_wrong_file_is_refused_and_the_fault_named(tmp_path: Path, text: str, named: str) -> None:
    with pytest.raises(WrongUsage, match=named):
        load_config(write(tmp_path, text), {})


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WrongUsage, match=r"nowhere\.toml"):
        load_config(tmp_path / "nowhere.toml", {})


def test_a_certificate_without_its_key_is_refused() -> None:
    with pytest.raises(WrongUsage, match="key"):
        load_config(None, {"listen.tls_cert": "cert.pem"})


def test_the_printed_configuration_read_back_is_the_same(tmp_path: Path) -> None:
    config = load_config(None, {"listen.s3": "127.0.0.1:5", "listen.metrics": True})
    assert load_config(write(tmp_path, render_config(config)), {}) == config


def test_every_knob_is_explained() -> None:
    text = render_config(Config())
    tree = tomllib.loads(text)
    lines = text.splitlines()
    for section in msgspec.structs.fields(Config):
        for knob in tree[section.name]:
            at = next(i for i, line in enumerate(lines) if line.startswith(f"{knob} = "))
            explanation = lines[at - 1].removeprefix("# ").partition("; default")[0]
            assert len(explanation) > 15, knob
