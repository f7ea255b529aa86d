"""The cloud that a suite is run against: one of our own, or any that is named."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import urlopen

from tests import disks
from tests.cloud import Cloud, running
from tests.keystone import Keystone

# Tempest waits until a user who was locked out is let in again.
LOCKOUT_ATTEMPTS = 3
LOCKOUT_S = 5


@dataclass(frozen=True, kw_only=True)
class Target:
    """Where identity is, and its administrator's name, password and project."""

    auth_url: str
    user: str = "admin"
    password: str
    project: str = "admin"
    region: str = "RegionOne"
    web_image: str = ""  # a URL of a qcow2 that the cloud can fetch

    def admin(self) -> Keystone:
        """Return a client with the administrator's project scope."""
        return Keystone.login(
            self.auth_url, user=self.user, password=self.password, project=self.project
        )

    def services(self) -> frozenset[str]:
        """Return the types of the services in the catalog."""
        return frozenset(entry["type"] for entry in self.admin().body["catalog"])

    def capabilities(self) -> dict[str, object]:
        """Return what the object store's /info says."""
        url = urlsplit(self.admin().endpoint("object-store"))
        with urlopen(f"{url.scheme}://{url.netloc}/info") as answer:
            found = json.load(answer)
        assert isinstance(found, dict)
        return found


def of_cloud(cloud: Cloud, *, web_image: str = "") -> Target:
    """Return a running cloud of ours as a target, as its credentials.env tells it."""
    facts = cloud.credentials
    return Target(
        auth_url=facts["OS_AUTH_URL"].rstrip("/"),
        user=facts["OS_USERNAME"],
        password=facts["OS_PASSWORD"],
        project=facts["OS_PROJECT_NAME"],
        region=facts["OS_REGION_NAME"],
        web_image=web_image,
    )


@contextmanager
def own_cloud(folder: Path) -> Iterator[Target]:
    """Run a cloud of ours in `folder` for the length of the block."""
    config = folder / "cumulog.toml"
    image = disks.qcow2()
    with disks.served(lambda path: (200, {}, image)) as web:
        config.write_text(
            f"[identity]\nlockout_attempts = {LOCKOUT_ATTEMPTS}\nlockout_s = {LOCKOUT_S}\n"
            f'[images]\nimport_from = ["{web}"]\n'
        )
        with running(folder / "data", "--config", str(config)) as cloud:
            yield of_cloud(cloud, web_image=f"http://{web}/disk.qcow2")


@contextmanager
def named_cloud() -> Iterator[Target]:
    """The cloud that OS_AUTH_URL, OS_USERNAME, OS_PASSWORD and OS_PROJECT_NAME name."""
    yield Target(
        auth_url=os.environ["OS_AUTH_URL"].rstrip("/"),
        user=os.environ["OS_USERNAME"],
        password=os.environ["OS_PASSWORD"],
        project=os.environ["OS_PROJECT_NAME"],
    )
