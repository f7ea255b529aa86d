"""Swift's own functional tests, from a checkout of openstack/swift that stays outside this tree."""

from __future__ import annotations

import configparser
import os
import subprocess
import sys
from pathlib import Path

from tests.acceptance.outcomes import Outcomes, read_junit
from tests.acceptance.target import Target

PASSWORD = "a-functional-tester"
DOMAIN = "test-domain"
MINUTES_MAX = 60


def run(
    target: Target, checkout: Path, folder: Path, tests: list[str], *, keyword: str = ""
) -> Outcomes:
    """Run pytest on `tests` (paths below test/functional; none: all) of the checkout.

    `folder` keeps the configuration, the JUnit file and what pytest printed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "test.conf"
    configure(target, config)
    report = folder / "swift.xml"
    report.unlink(missing_ok=True)
    env = {name: value for name, value in os.environ.items() if not name.startswith("OS_")}
    env |= {"SWIFT_TEST_CONFIG_FILE": str(config), "PYTHONWARNINGS": "ignore"}
    command = [sys.executable, "-m", "pytest", "-q", "-rf", "-p", "no:cacheprovider"]
    command += ["-p", "no:xdist", "-p", "no:aiohttp", "--timeout", "120", "--tb", "short"]
    command += ["--junitxml", str(report), "-o", "junit_family=xunit2"]
    command += ["-k", keyword] if keyword else []
    command += [f"test/functional/{name}" for name in tests] or ["test/functional"]
    with (folder / "swift.log").open("wb") as log:
        subprocess.run(
            command,
            cwd=checkout,
            env=env,
            stdout=log,
            stderr=subprocess.STDOUT,
            timeout=MINUTES_MAX * 60,
            check=False,
        )
    if not report.exists():
        raise RuntimeError(f"swift ran nothing: {(folder / 'swift.log').read_text()[-2000:]}")
    return read_junit(report)


def configure(target: Target, path: Path) -> None:
    """Make the six users that the suite asks for, and write its configuration."""
    admin = target.admin()
    domain = admin.ensure("domains", DOMAIN, enabled=True)
    # (number, project, domain, role): the first owns an account, the second another; the third is
    # of the first's project without a role that means anything to storage; the fourth is of
    # another domain; the sixth may do anything to any account. The fifth would be for accounts of
    # a second reseller prefix, which there are not.
    users = [
        ("", "test", "default", "member"),
        ("2", "test2", "default", "member"),
        ("3", "test", "default", "test-bystander"),
        ("4", "test4", domain, "member"),
        ("6", "test6", "default", "ResellerAdmin"),
    ]
    config = configparser.ConfigParser(interpolation=None)
    section = {"auth_version": "3", "auth_uri": f"{target.auth_url}/", "collate": "C"}
    for number, project, place, role in users:
        name = f"tester{number}"  # tables of the suite know these names
        project_id = admin.ensure("projects", project, domain_id=place)
        user_id = admin.ensure("users", name, domain_id=place, password=PASSWORD)
        admin.assign(role, user=user_id, project=project_id)
        section |= {
            f"account{number}": project,
            f"username{number}": name,
            f"password{number}": PASSWORD,
        }
    section["domain4"] = DOMAIN
    config["func_test"] = section
    with path.open("w") as file:
        config.write(file)
