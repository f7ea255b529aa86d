"""python-openstackclient's image commands, and openstacksdk's image calls."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openstack as sdk_package
import pytest
from openstack.config import OpenStackConfig
from openstack.exceptions import HttpException

from tests import disks
from tests.clients.openstack_shell import CLOUD_NAME, OpenStack
from tests.cloud import Cloud
from tests.swiftlite.clouds import pattern

pytestmark = [
    pytest.mark.clients,
    pytest.mark.xdist_group("openstack-cli"),
    # openstacksdk's own, of what it deprecates in itself.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*:UserWarning:openstack"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

RAW = pattern(12_345_678)


@pytest.fixture
def sdk(cloud: Cloud) -> Iterator[Any]:
    """A connection that was told the name of the cloud, and where `clouds.yaml` is."""
    config = OpenStackConfig(config_files=[str(cloud.data / "clouds.yaml")], load_envvars=False)
    connection = sdk_package.connection.Connection(config=config.get_one(CLOUD_NAME))
    yield connection
    connection.close()


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    path = tmp_path / "disk.raw"
    path.write_bytes(RAW)
    return path


def test_an_image_goes_up_and_comes_back(openstack: OpenStack, raw: Path, tmp_path: Path) -> None:
    created = openstack.show(
        f"image create --disk-format raw --container-format bare --file {raw}"
        " --property os_distro=debian --tag small --min-ram 64 it"
    )
    assert (created["status"], created["size"]) == ("active", len(RAW))
    assert created["checksum"] == hashlib.md5(RAW).hexdigest()
    assert created["properties"]["os_distro"] == "debian"
    back = tmp_path / "back.raw"
    openstack(f"image save --file {back} it")
    assert back.read_bytes() == RAW
    assert "it" in openstack.names("image list --tag small --property os_distro=debian")
    openstack("image delete it")
    assert "it" not in openstack.names("image list")


def test_a_trap_goes_nowhere(openstack: OpenStack, tmp_path: Path) -> None:
    trap = tmp_path / "trap.qcow2"
    trap.write_bytes(disks.qcow2(backing=b"/etc/passwd"))
    said = openstack.refused(f"image create --disk-format qcow2 --file {trap} trap")
    assert "it has a backing file" in said
    assert "trap" not in openstack.names("image list")


def test_an_image_is_changed_hidden_deactivated_and_protected(openstack: OpenStack) -> None:
    openstack("image create --disk-format qcow2 changing")
    openstack("image set --name changed --property a.b=c --tag t --min-disk 2 --public changing")
    shown = openstack.show("image show changed")
    assert (shown["min_disk"], shown["visibility"], shown["tags"]) == (2, "public", ["t"])
    assert shown["properties"]["a.b"] == "c"
    openstack("image unset --property a.b --tag t changed")
    shown = openstack.show("image show changed")
    assert "a.b" not in shown["properties"]
    openstack("image set --hidden --protected changed")
    assert "changed" not in openstack.names("image list")
    assert "changed" in openstack.names("image list --hidden")
    assert "protected" in openstack.refused("image delete changed")
    openstack("image set --unprotected --unhidden changed")
    openstack("image delete changed")


def test_an_image_is_shared_with_another_project(openstack: OpenStack) -> None:
    openstack("image create --disk-format raw --shared given")
    openstack("project create takers")
    project = openstack.show("project show takers")["id"]
    openstack("image add project given takers")
    (member,) = openstack.show("image member list given")
    assert (member["Member ID"], member["Status"]) == (project, "pending")
    openstack("image set --project takers --accept given")
    (member,) = openstack.show("image member list given")
    assert member["Status"] == "accepted"
    openstack("image remove project given takers")
    assert openstack.show("image member list given") == []
    openstack("image delete given")
    openstack("project delete takers")


def test_a_stage_is_imported(openstack: OpenStack, raw: Path) -> None:
    assert "glance-direct" in openstack("image import info")
    created = openstack.show(f"image create --import --disk-format raw --file {raw} staged")
    assert openstack.show(f"image show {created['id']}")["status"] == "active"
    openstack(f"image delete {created['id']}")


def test_a_program_uploads_lists_and_downloads(sdk: Any, raw: Path, tmp_path: Path) -> None:
    image = sdk.create_image(
        "by-sdk",
        filename=str(raw),
        disk_format="raw",
        container_format="bare",
        wait=True,
        validate_checksum=True,
        colour="blue",
    )
    assert image.status == "active"
    assert sdk.image.find_image("by-sdk").properties["colour"] == "blue"
    pages = list(sdk.image.images(limit=1, sort="name:asc"))
    assert "by-sdk" in [one.name for one in pages]
    assert len({one.id for one in pages}) == len(pages)
    target = tmp_path / "by-sdk.raw"
    sdk.image.download_image(image, output=str(target))
    assert target.read_bytes() == RAW
    sdk.image.update_image(image, name="renamed", os_distro="arch")
    sdk.image.add_tag(image, "tagged")
    found = sdk.image.get_image(image.id)
    assert (found.name, found.tags, found.os_distro) == ("renamed", ["tagged"], "arch")
    sdk.image.deactivate_image(image)
    assert sdk.image.get_image(image.id).status == "deactivated"
    sdk.image.reactivate_image(image)
    with pytest.raises(HttpException, match="not a public one"):
        sdk.image.import_image(
            sdk.image.create_image("x", disk_format="raw", container_format="bare"),
            method="web-download",
            uri="http://169.254.169.254/latest/meta-data",
        )
    assert [store.id for store in sdk.image.stores()] == ["cumulog"]
    for one in sdk.image.images():
        sdk.image.delete_image(one)
    assert list(sdk.image.images()) == []
