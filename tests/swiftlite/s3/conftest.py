"""One edge for all tests that do not need one of their own; each test gets a bucket."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.swiftlite.s3.edge import Edge, running


@pytest.fixture(scope="session")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    with running(tmp_path_factory.mktemp("edge")) as found:
        yield found


@pytest.fixture(scope="session")
def s3(edge: Edge) -> Any:
    return edge.client()


_count = iter(range(10**6))


@pytest.fixture
def bucket(s3: Any) -> str:
    name = f"bucket-{next(_count)}"
    s3.create_bucket(Bucket=name)
    return name
