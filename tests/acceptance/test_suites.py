"""Tempest, and Swift's functional tests where a checkout of them is named, as a whole."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

CHECKOUT = "SWIFT_CHECKOUT"


def run(*arguments: str) -> None:
    # A process of its own: what the suites bring warns of much.
    done = subprocess.run(
        [sys.executable, "-m", "tests.acceptance", *arguments],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    print(done.stdout, done.stderr)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-5000:]


def test_tempest_ends_as_it_is_known_to() -> None:
    run("tempest")


@pytest.mark.skipif(CHECKOUT not in os.environ, reason=f"{CHECKOUT} names no openstack/swift")
def test_swifts_functional_tests_end_as_they_are_known_to() -> None:
    run("swift", os.environ[CHECKOUT])
