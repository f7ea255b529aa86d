"""One cloud for all client tests of a worker."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.openstack_shell import OpenStack
from tests.cloud import Cloud, running


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A running cloud, as the first start makes it."""
    with running(tmp_path_factory.mktemp("cloud") / "data") as cloud:
        yield cloud


@pytest.fixture(
    params=[400, pytest.param(10_000, marks=[pytest.mark.slow, pytest.mark.timeout(1800)])]
)
def tree(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A folder of so many small files in 20 folders, some with names that are hard to carry."""
    root = tmp_path / "tree"
    for number in range(request.param):
        folder = root / f"folder {number % 20}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"file-{number}.txt").write_bytes(f"{number}\n".encode() * (number % 97))
    for name in ("ä ö ü.txt", "plus+and&ampersand.txt", "日本語", "percent%20.txt", "a=b;c.txt"):
        (root / name).write_text(name)
    return root


@pytest.fixture(scope="session")
def openstack(cloud: Cloud) -> Iterator[OpenStack]:
    """The `openstack` command, told nothing but where `clouds.yaml` is."""
    command = OpenStack(cloud)
    yield command
    command.close()
