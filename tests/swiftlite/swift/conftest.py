"""One edge for all tests that do not need one of their own; each test gets a container."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.swiftlite.swift.edge import SwiftEdge, running


@pytest.fixture(scope="session")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SwiftEdge]:
    with running(tmp_path_factory.mktemp("swift")) as found:
        yield found


_count = iter(range(10**6))


@pytest.fixture
def box(edge: SwiftEdge) -> str:
    """The name of an empty container of project p."""
    name = f"box-{next(_count)}"
    assert edge.swift("PUT", name).status == 201
    return name
