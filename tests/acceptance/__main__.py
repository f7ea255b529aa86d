"""Runs a suite and says what is new: python -m tests.acceptance tempest, or swift CHECKOUT."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.acceptance import swift_functional, tempest
from tests.acceptance.outcomes import read_known, surprises
from tests.acceptance.target import named_cloud, own_cloud

HERE = Path(__file__).parent


def main() -> int:
    """Exit with 0 where everything is as the list of known outcomes has it, with 1 otherwise."""
    parser = argparse.ArgumentParser(prog="python -m tests.acceptance", description=__doc__)
    parser.add_argument("--keep", type=Path, help="a folder to leave logs and results in")
    parser.add_argument(
        "--named", action="store_true", help="run against the cloud that OS_* name, not one of ours"
    )
    suites = parser.add_subparsers(dest="suite", required=True)
    one = suites.add_parser("tempest", help="identity, object storage and images of tempest")
    one.add_argument("--regex", default=tempest.SELECTED)
    two = suites.add_parser("swift", help="openstack/swift's test/functional")
    two.add_argument("checkout", type=Path, help="a checkout of openstack/swift")
    two.add_argument("tests", nargs="*", help="files below test/functional; all when none")
    two.add_argument("-k", dest="keyword", default="", help="as pytest has it")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cumulog-acceptance-") as scratch:
        folder = (asked.keep or Path(scratch)).absolute()
        folder.mkdir(parents=True, exist_ok=True)
        with named_cloud() if asked.named else own_cloud(Path(scratch)) as target:
            if asked.suite == "tempest":
                complete = asked.regex == tempest.SELECTED
                outcomes = tempest.run(target, folder, asked.regex)
            else:
                complete = not asked.tests and not asked.keyword
                outcomes = swift_functional.run(
                    target, asked.checkout, folder, asked.tests, keyword=asked.keyword
                )
    print(outcomes.table())
    known = read_known(HERE / f"{asked.suite}.known")
    found = list(surprises(outcomes, known, complete=complete))
    print(*(f"NOT KNOWN {line}" for line in found), sep="\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
