"""Glance over a real store."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.computelite.glance.house import Glance, glance_in


@pytest.fixture
async def glance(tmp_path: Path) -> AsyncIterator[Glance]:
    async with glance_in(tmp_path) as found:
        yield found
