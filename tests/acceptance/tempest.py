"""Tempest, OpenStack's integration suite from PyPI: writes its configuration and runs it."""

from __future__ import annotations

import configparser
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.acceptance.outcomes import Outcomes, from_results
from tests.acceptance.target import LOCKOUT_ATTEMPTS, LOCKOUT_S, Target

# All of identity's v3, of the object store's and of images'.
SELECTED = r"^tempest\.api\.(identity|object_storage|image)\."
MINUTES_MAX = 60


def run(target: Target, folder: Path, regex: str = SELECTED) -> Outcomes:
    """Run the tests whose ids match, one after the other; `folder` keeps what they logged."""
    home = folder / "home"
    home.mkdir(parents=True, exist_ok=True)
    workspace = folder / "tempest"
    env = {name: value for name, value in os.environ.items() if not name.startswith("OS_")}
    env |= {"HOME": str(home), "PYTHONWARNINGS": "ignore", "OS_TEST_TIMEOUT": "120"}
    command = str(Path(sys.executable).with_name("tempest"))
    if not workspace.exists():
        subprocess.run(
            [command, "init", str(workspace)], env=env, check=True, capture_output=True, timeout=120
        )
    _configure(target, workspace)
    prepare(target)
    stream = folder / "tempest.subunit"
    with stream.open("wb") as out, (folder / "tempest.stderr").open("wb") as err:
        # It exits with 1 where a test failed: the stream tells which.
        subprocess.run(
            [command, "run", "--serial", "--subunit", "--regex", regex],
            cwd=workspace,
            env=env,
            stdout=out,
            stderr=err,
            timeout=MINUTES_MAX * 60,
            check=False,
        )
    listed = subprocess.run(
        [command, "run", "--list-tests", "--regex", regex],
        cwd=workspace,
        env=env,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    ).stdout.splitlines()
    outcomes = from_results(
        _results(stream), [line for line in listed if line.startswith("tempest.")]
    )
    if not (outcomes.passed or outcomes.failed or outcomes.skipped):
        said = (folder / "tempest.stderr").read_text()[-2000:]
        raise RuntimeError(f"tempest ran nothing for {regex}: {said}")
    return outcomes


def prepare(target: Target) -> None:
    """Make the roles that tempest expects to find."""
    admin = target.admin()
    for role in ("member", "ResellerAdmin"):
        admin.ensure("roles", role)


def _configure(target: Target, workspace: Path) -> None:
    path = workspace / "etc" / "tempest.conf"
    services = target.services()
    config = configparser.ConfigParser(interpolation=None)
    config.read(path)
    settings = {
        "identity": {
            "auth_version": "v3",
            "uri_v3": target.auth_url,
            "region": target.region,
            "user_lockout_failure_attempts": str(LOCKOUT_ATTEMPTS),
            "user_lockout_duration": str(LOCKOUT_S),
            "user_unique_last_password_count": "0",  # old passwords are not remembered
        },
        "auth": {
            "use_dynamic_credentials": "True",
            "admin_username": target.user,
            "admin_password": target.password,
            "admin_project_name": target.project,
            "admin_domain_name": "Default",
            "tempest_roles": "",
        },
        "identity-feature-enabled": {
            "trust": "False",
            "access_rules": "True",
            "api_v2": "False",
            "security_compliance": "True",
        },
        # Tests of what the cloud does not advertise are skipped; the list of known skips is held.
        "object-storage-feature-enabled": {
            "container_sync": "False",
            "discoverable_apis": ",".join(sorted(target.capabilities())),
        },
        "service_available": {
            "cinder": "False",
            "glance": str("image" in services),
            "horizon": "False",
            "neutron": "False",
            "nova": "False",
            "swift": "True",
        },
        # Every disk is looked into, so that the first six are such as any bytes are good for.
        "image": {
            "container_formats": "bare,ami,ari,aki,ovf,ova",
            "disk_formats": "raw,ami,ari,aki,raw,ami,qcow2,vhd,vmdk,vdi,iso,vhdx",
            "http_qcow2_image": target.web_image,
        },
        "image-feature-enabled": {
            "import_image": "True",
            "os_glance_reserved": "True",
            "image_format_enforcement": "False",  # else tests of lists are skipped
        },
        "oslo_concurrency": {"lock_path": str(workspace / "tempest_lock")},
    }
    for section, values in settings.items():
        if not config.has_section(section):
            config.add_section(section)
        for name, value in values.items():
            config.set(section, name, value)
    with path.open("w") as file:
        config.write(file)


def _results(stream: Path) -> Iterator[tuple[str, str, str]]:
    """Read subunit v2: (test id, status, the texts attached)."""
    import subunit  # tempest brings it; nothing else of the tests needs it
    import testtools

    found: list[tuple[str, str, str]] = []

    def take(test: dict[str, object]) -> None:
        details = test["details"]
        assert isinstance(details, dict)
        wanted = [name for name in details if name in ("reason", "traceback")]
        wanted += [name for name in details if name.startswith("traceback-")]
        text = "\n".join(details[name].as_text() for name in wanted)
        found.append((str(test["id"]), str(test["status"]), text))

    gather = testtools.StreamToDict(take)
    with stream.open("rb") as file:
        gather.startTestRun()
        subunit.ByteStreamToStreamResult(file, non_subunit_name="stdout").run(gather)
        gather.stopTestRun()
    yield from found
