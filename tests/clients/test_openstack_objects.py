"""python-openstackclient's object store commands, told nothing but where `clouds.yaml` is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.clients.openstack_shell import OpenStack

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("openstack-cli")]


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A folder with files of two sizes."""
    (tmp_path / "small").write_text("a few bytes")
    (tmp_path / "large").write_bytes(bytes(range(256)) * 16_384)
    return tmp_path


def test_containers_come_go_and_carry_properties(openstack: OpenStack) -> None:
    made = openstack.show("container create osc-box")
    assert [row["container"] for row in made] == ["osc-box"]
    assert made[0]["x-trans-id"].startswith("tx")
    openstack("container create osc-box osc-box-2")
    assert {"osc-box", "osc-box-2"} <= set(openstack.names("container list"))
    assert openstack.names("container list --prefix osc-box-") == ["osc-box-2"]
    assert openstack.names("container list --all --prefix osc-box") == ["osc-box", "osc-box-2"]
    openstack("container set --property Colour=blue --property size=9 osc-box")
    shown = openstack.show("container show osc-box")
    assert (shown["container"], shown["object_count"]) == ("osc-box", "0")
    assert shown["properties"] == {"Colour": "blue", "Size": "9"}
    openstack("container unset --property colour osc-box")
    assert openstack.show("container show osc-box")["properties"] == {"Size": "9"}
    openstack("container create --public osc-open")
    assert openstack.show("container show osc-open")["read_acl"] == ".r:*,.rlistings"
    openstack("container delete osc-box osc-box-2 osc-open")
    assert "404" in openstack.refused("container show osc-box")


def test_objects_come_go_and_carry_properties(openstack: OpenStack, here: Path) -> None:
    openstack("container create osc-things")
    made = openstack.show("object create osc-things --name", "deep/er ä", f"{here}/small")
    assert made[0]["object"] == "deep/er ä"
    openstack(f"object create osc-things {here}/small {here}/large")
    listed = openstack.names("object list osc-things")
    assert len(listed) == 3
    assert openstack.names("object list osc-things --prefix deep/") == ["deep/er ä"]
    assert openstack.names("object list osc-things --prefix none") == []
    rows = openstack.show("object list osc-things --long --prefix deep --limit 1")
    assert rows[0]["Name"] == "deep/er ä"
    assert rows[0]["Bytes"] == 11
    openstack("object set --property Colour=blue osc-things", "deep/er ä")
    shown = openstack.show("object show osc-things", "deep/er ä")
    assert shown["properties"] == {"Colour": "blue"}
    assert shown["content-length"] == "11"
    openstack("object unset --property Colour osc-things", "deep/er ä")
    assert "properties" not in openstack.show("object show osc-things", "deep/er ä")
    openstack(f"object save osc-things --file {here}/back", "deep/er ä")
    assert (here / "back").read_text() == "a few bytes"
    assert "409" in openstack.refused("container delete osc-things")
    openstack("object delete osc-things", "deep/er ä")
    assert "404" in openstack.refused("object show osc-things", "deep/er ä")
    openstack("container delete --recursive osc-things")
    assert "osc-things" not in openstack.names("container list")


def test_an_account_counts_and_carries_properties(openstack: OpenStack, here: Path) -> None:
    before = openstack.show("object store account show")
    openstack("container create osc-count")
    openstack("object create osc-count --name a", f"{here}/large")
    after = openstack.show("object store account show")
    assert int(after["Containers"]) == int(before["Containers"]) + 1
    assert int(after["Objects"]) == int(before["Objects"]) + 1
    assert int(after["Bytes"]) == int(before["Bytes"]) + (here / "large").stat().st_size
    openstack("object store account set --property Colour=blue")
    assert "Colour" in str(openstack.show("object store account show"))
    openstack("object store account unset --property Colour")
    assert "Colour" not in str(openstack.show("object store account show"))
    openstack("container delete -r osc-count")
