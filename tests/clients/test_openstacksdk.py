"""openstacksdk's connection, as programs use it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openstack
import pytest
from openstack.config import OpenStackConfig

from tests.clients.openstack_shell import CLOUD_NAME
from tests.cloud import Cloud

pytestmark = [
    pytest.mark.clients,
    pytest.mark.xdist_group("openstack-cli"),
    # openstacksdk's own, of what it deprecates in itself.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*:UserWarning:openstack"),
    # It leaves the files that it uploads in segments open.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture
def sdk(cloud: Cloud) -> Iterator[Any]:
    """A connection that was told the name of the cloud, and where `clouds.yaml` is."""
    config = OpenStackConfig(config_files=[str(cloud.data / "clouds.yaml")], load_envvars=False)
    connection = openstack.connection.Connection(config=config.get_one(CLOUD_NAME))
    yield connection
    connection.close()


def test_projects_users_and_their_roles_are_managed(sdk: Any) -> None:
    identity = sdk.identity
    project = identity.create_project(name="sdk-project", description="d", is_enabled=True)
    user = identity.create_user(name="sdk-user", password="long enough", email="a@b.example")
    group = identity.create_group(name="sdk-group")
    identity.add_user_to_group(user, group)
    role = identity.find_role("member")
    identity.assign_project_role_to_user(project, user, role)
    assert identity.validate_user_has_project_role(project, user, role)
    assert identity.find_project("sdk-project").id == project.id
    assert [one.name for one in identity.projects(name="sdk-project")] == ["sdk-project"]
    assert [one.id for one in identity.user_projects(user)] == [project.id]
    found = identity.role_assignments(user_id=user.id, include_names=True)
    assert [(row.role["name"], row.scope["project"]["name"]) for row in found] == [
        ("member", "sdk-project")
    ]
    assert identity.update_user(user, email="c@d.example").email == "c@d.example"
    identity.unassign_project_role_from_user(project, user, role)
    assert not identity.validate_user_has_project_role(project, user, role)
    for delete, one in (
        (identity.delete_group, group),
        (identity.delete_user, user),
        (identity.delete_project, project),
    ):
        delete(one)
    assert identity.find_user("sdk-user") is None


def test_credentials_are_made_for_the_user_who_asks(sdk: Any) -> None:
    identity, me = sdk.identity, sdk.current_user_id
    made = identity.create_application_credential(me, name="sdk-robot", roles=[{"name": "reader"}])
    assert made.secret
    robot = openstack.connection.Connection(
        auth_type="v3applicationcredential",
        auth={
            "auth_url": sdk.config.auth["auth_url"],
            "application_credential_id": made.id,
            "application_credential_secret": made.secret,
        },
        region_name="RegionOne",
    )
    assert robot.current_project_id == sdk.current_project_id
    assert robot.object_store.get_account_metadata().account_container_count is not None
    with pytest.raises(openstack.exceptions.ForbiddenException):
        robot.object_store.create_container(name="sdk-read-only")
    robot.close()
    assert identity.find_application_credential(me, "sdk-robot").id == made.id
    identity.delete_application_credential(me, made)
    assert list(identity.application_credentials(me)) == []


def test_objects_are_stored_listed_and_read(sdk: Any, tmp_path: Path) -> None:
    store = sdk.object_store
    store.create_container(name="sdk-box")
    store.set_container_metadata("sdk-box", colour="blue")
    assert store.get_container_metadata("sdk-box").metadata == {"colour": "blue"}
    (tmp_path / "large").write_bytes(os.urandom(3 << 20))
    sdk.create_object("sdk-box", "segmented", str(tmp_path / "large"), segment_size=1 << 20)
    store.upload_object(container="sdk-box", name="ä b", data=b"few bytes")
    assert [one.name for one in store.objects("sdk-box", prefix="ä")] == ["ä b"]
    assert store.download_object("ä b", container="sdk-box") == b"few bytes"
    assert sdk.get_object("sdk-box", "segmented")[1] is not None
    store.set_object_metadata("ä b", container="sdk-box", shape="round")
    found = store.get_object_metadata("ä b", container="sdk-box")
    assert (found.metadata, found.content_length) == ({"shape": "round"}, 9)
    for one in list(store.objects("sdk-box")):
        store.delete_object(one.name, container="sdk-box")
    store.delete_container("sdk-box")
    assert "sdk-box" not in [box.name for box in store.containers()]
    assert store.get_info()["swift"]["max_file_size"] == 5368709122
