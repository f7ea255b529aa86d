"""A log in memory with one bucket."""

from __future__ import annotations

import pytest

from swiftlite.catalog.buckets import create_bucket
from swiftlite.catalog.rows import Bucket
from tests.swiftlite.catalog.memory import ACTOR, CountingIds, MemoryLog, run


@pytest.fixture
def log() -> MemoryLog:
    return MemoryLog()


@pytest.fixture
def ids() -> CountingIds:
    return CountingIds()


@pytest.fixture
def bucket(log: MemoryLog, ids: CountingIds) -> Bucket:
    return run(
        create_bucket(
            log, ids, "photos", project_id="p1", owner="u1", region="us-east-1", actor=ACTOR
        )
    )
