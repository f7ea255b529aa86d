"""One cloud for the tests that do not break it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cloud import Cloud, running


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A running cloud of two workers, with metrics."""
    folder = tmp_path_factory.mktemp("computelite")
    config = folder / "cumulog.toml"
    config.write_text("[listen]\nmetrics = true\n")
    with running(folder / "data", "--workers", "2", "--config", str(config)) as cloud:
        yield cloud
