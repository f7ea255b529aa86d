"""python-openstackclient's identity commands, told nothing but where `clouds.yaml` is."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.clients.openstack_shell import OpenStack, clean_env, cloud_config
from tests.cloud import Cloud

pytestmark = [pytest.mark.clients, pytest.mark.xdist_group("openstack-cli")]


def test_the_command_as_typed_in_the_data_folder_issues_a_token(cloud: Cloud) -> None:
    env = clean_env(cloud)
    del env["OS_CLIENT_CONFIG_FILE"], env["OS_CLOUD"]
    command = [str(Path(sys.executable).with_name("openstack")), "--os-cloud", "cumulog"]
    done = subprocess.run(
        [*command, "token", "issue", "-f", "json"],
        cwd=cloud.data,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    token = json.loads(done.stdout)
    assert set(token) == {"id", "expires", "project_id", "user_id"}
    assert len(token["id"]) < 255


def test_the_catalog_names_identity_and_the_object_store(openstack: OpenStack) -> None:
    services = {row["Type"]: row for row in openstack.show("catalog list")}
    assert {"identity", "object-store"} <= set(services)
    shown = openstack.show("catalog show object-store")
    urls = {row["interface"]: row["url"] for row in shown["endpoints"]}
    assert set(urls) == {"public", "internal", "admin"}
    project = openstack.show("project show admin")["id"]
    assert urls["public"].endswith(f"/v1/AUTH_{project}")
    assert {row["region_id"] for row in shown["endpoints"]} == {"RegionOne"}


def test_a_revoked_token_is_refused(openstack: OpenStack, cloud: Cloud) -> None:
    token = openstack.show("token issue")["id"]
    url = cloud_config(cloud)["auth"]["auth_url"]
    bearer = f"--os-cloud= --os-auth-type token --os-auth-url {url} --os-token {token}"
    bearer += " --os-project-name admin --os-project-domain-id default"
    assert openstack.show(f"{bearer} token issue")["id"]
    openstack(f"token revoke {token}")
    said = openstack.refused(f"{bearer} token issue")
    assert "401" in said or "404" in said


def test_services_regions_and_endpoints_come_and_go(openstack: OpenStack) -> None:
    made = openstack.show("service create --name cli-vault --description secrets key-manager")
    assert (made["name"], made["type"], made["enabled"]) == ("cli-vault", "key-manager", True)
    openstack("service set --description other --disable cli-vault")
    shown = openstack.show("service show key-manager")
    assert (shown["description"], shown["enabled"]) == ("other", False)
    openstack("service set --enable cli-vault")
    assert openstack.show("region create --description far cli-region")["region"] == "cli-region"
    openstack("region create --parent-region cli-region cli-below")
    assert openstack.names("region list --parent-region cli-region", column="Region") == [
        "cli-below"
    ]
    openstack("region set --description near cli-region")
    assert openstack.show("region show cli-region")["description"] == "near"
    endpoint = openstack.show(
        "endpoint create --region cli-region cli-vault public http://127.0.0.1:1/$(project_id)s"
    )
    assert endpoint["service_type"] == "key-manager"
    openstack(f"endpoint set --url http://127.0.0.1:2 {endpoint['id']}")
    assert openstack.show(f"endpoint show {endpoint['id']}")["url"] == "http://127.0.0.1:2"
    listed = openstack.show("endpoint list --service cli-vault --interface public")
    assert [row["ID"] for row in listed] == [endpoint["id"]]
    assert len(openstack.show("endpoint list")) >= 7
    assert "cli-vault" in openstack.names("catalog list")
    openstack(f"endpoint delete {endpoint['id']}")
    openstack("service delete cli-vault")
    openstack("region delete cli-below")
    openstack("region delete cli-region")
    assert "cli-vault" not in openstack.names("service list")
    assert "cli-region" not in openstack.names("region list", column="Region")


def test_a_project_s_catalog_shows_what_was_added_to_the_project(
    openstack: OpenStack, tmp_path: Path
) -> None:
    project = openstack.show("project create cli-shown")["id"]
    openstack("role add --user admin --project cli-shown admin")
    identity, storage = (
        openstack.show(f"endpoint list --service {kind} --interface public")[0]["ID"]
        for kind in ("identity", "object-store")
    )
    openstack(f"endpoint add project {identity} cli-shown")
    listed = openstack.show(f"endpoint list --project {project}")
    assert [row["ID"] for row in listed] == [identity]
    assert openstack.names(f"endpoint list --endpoint {identity}") == ["cli-shown"]
    inside = "--os-project-name cli-shown"
    assert openstack.names(f"{inside} catalog list", column="Type") == ["identity"]

    filters = tmp_path / "filters.json"
    filters.write_text(json.dumps({"region_id": "RegionOne", "interface": "internal"}))
    made = openstack.show(f"endpoint group create --description d cli-inside {filters}")
    assert made["filters"] == {"region_id": "RegionOne", "interface": "internal"}
    assert openstack.show("endpoint group show cli-inside") == made
    assert "cli-inside" in openstack.names("endpoint group list")
    openstack("endpoint group add project cli-inside cli-shown")
    assert openstack.names("endpoint group list --project cli-shown") == ["cli-inside"]
    assert openstack.names("endpoint group list --endpointgroup cli-inside") == ["cli-shown"]
    assert {row["Interface"] for row in openstack.show(f"endpoint list --project {project}")} == {
        "public",
        "internal",
    }
    whole = set(openstack.names("catalog list", column="Type"))
    assert set(openstack.names(f"{inside} catalog list", column="Type")) == whole
    filters.write_text(json.dumps({"interface": "admin"}))
    openstack(f"endpoint group set --name cli-admin --filters {filters} cli-inside")
    openstack("endpoint group set --description other cli-admin")
    shown = openstack.show("endpoint group show cli-admin")
    assert (shown["description"], shown["filters"]) == ("other", {"interface": "admin"})

    openstack(f"endpoint remove project {identity} cli-shown")
    openstack("endpoint group remove project cli-admin cli-shown")
    assert openstack.show(f"endpoint list --project {project}") == []
    urls = openstack.show(f"{inside} catalog show object-store")["endpoints"]
    assert storage in {row["id"] for row in urls}, "nothing added: everything is shown"
    openstack("endpoint group delete cli-admin")
    openstack("project delete cli-shown")
    assert "cli-admin" not in openstack.names("endpoint group list")


def test_a_domain_is_made_changed_and_only_deleted_when_disabled(openstack: OpenStack) -> None:
    made = openstack.show("domain create --description far cli-domain")
    assert (made["name"], made["enabled"]) == ("cli-domain", True)
    assert "Default" in openstack.names("domain list")
    assert "cli-domain" in openstack.names("domain list")
    assert "403" in openstack.refused("domain delete cli-domain")
    openstack("domain set --name cli-domain-2 --description near --disable cli-domain")
    shown = openstack.show("domain show cli-domain-2")
    assert (shown["id"], shown["enabled"], shown["description"]) == (made["id"], False, "near")
    openstack("domain delete cli-domain-2")
    assert "cli-domain-2" not in openstack.names("domain list")


def test_projects_have_parents_tags_and_properties(openstack: OpenStack) -> None:
    top = openstack.show("project create --description d --tag blue --tag red cli-top")
    assert sorted(top["tags"]) == ["blue", "red"]
    below = openstack.show("project create --parent cli-top --property owner=ann cli-below")
    assert below["parent_id"] == top["id"]
    assert openstack.show("project create --or-show cli-top")["id"] == top["id"]
    assert "409" in openstack.refused("project create cli-top")
    assert openstack.names("project list --tags blue") == ["cli-top"]
    assert openstack.names("project list --parent cli-top") == ["cli-below"]
    tree = openstack.show("project show --children cli-top")
    assert below["id"] in json.dumps(tree)
    assert top["id"] in json.dumps(openstack.show("project show --parents cli-below"))
    assert "403" in openstack.refused("project set --disable cli-top"), "one below is enabled"
    openstack("project set --disable cli-below")
    openstack("project set --name cli-top-2 --description e --tag green --disable cli-top")
    shown = openstack.show("project show cli-top-2")
    assert (shown["description"], shown["enabled"]) == ("e", False)
    assert sorted(shown["tags"]) == ["blue", "green", "red"]
    openstack("project set --clear-tags --enable cli-top-2")
    assert openstack.show("project show cli-top-2")["tags"] == []
    assert "403" in openstack.refused("project delete cli-top-2")
    openstack("project delete cli-below")
    openstack("project delete cli-top-2")
    assert not {"cli-top", "cli-top-2", "cli-below"} & set(openstack.names("project list"))


def test_a_user_is_made_logs_in_changes_the_password_and_goes(
    openstack: OpenStack, cloud: Cloud
) -> None:
    openstack("project create cli-home")
    made = openstack.show(
        "user create --project cli-home --email a@b.example --description d --password",
        "first of all",
        "cli-ann",
    )
    assert (made["name"], made["enabled"]) == ("cli-ann", True)
    assert "password" not in made
    assert openstack.show("user create --or-show cli-ann")["id"] == made["id"]
    openstack("role add --user cli-ann --project cli-home member")
    assert openstack.names("user list --project cli-home") == ["cli-ann"]
    url = cloud_config(cloud)["auth"]["auth_url"]
    ann = f"--os-cloud= --os-auth-url {url} --os-username cli-ann --os-user-domain-id default"
    ann += " --os-project-name cli-home --os-project-domain-id default --os-password"
    issued = openstack.show(ann, "first of all", "token", "issue")
    assert issued["user_id"] == made["id"]
    assert "403" in openstack.refused(ann, "first of all", "user", "list")
    change = ("--original-password", "first of all", "--password", "second of all")
    openstack(ann, "first of all", "user", "password", "set", *change)
    assert "401" in openstack.refused(ann, "first of all", "token", "issue")
    assert openstack.show(ann, "second of all", "token", "issue")["id"]
    openstack("user set --email c@d.example --name cli-anna --disable cli-ann")
    shown = openstack.show("user show cli-anna")
    assert (shown["email"], shown["enabled"]) == ("c@d.example", False)
    anna = ann.replace("cli-ann", "cli-anna")
    assert "401" in openstack.refused(anna, "second of all", "token", "issue")
    openstack("user set --enable --password", "third of all", "cli-anna")
    assert openstack.show(anna, "third of all", "token", "issue")["id"]
    openstack("user delete cli-anna")
    assert "cli-anna" not in openstack.names("user list")
    assert "401" in openstack.refused(anna, "third of all", "token", "issue")
    openstack("project delete cli-home")


def test_a_group_lends_its_members_its_roles(openstack: OpenStack) -> None:
    openstack("project create cli-club")
    openstack("user create cli-bob")
    openstack("group create --description d cli-friends")
    openstack("group add user cli-friends cli-bob")
    assert "cli-bob in group cli-friends" in openstack("group contains user cli-friends cli-bob")
    assert openstack.names("user list --group cli-friends") == ["cli-bob"]
    assert openstack.names("group list --user cli-bob") == ["cli-friends"]
    openstack("role add --group cli-friends --project cli-club reader")
    effective = openstack.show(
        "role assignment list --effective --names --user cli-bob --project cli-club"
    )
    assert [(row["Role"], row["Project"]) for row in effective] == [("reader", "cli-club@Default")]
    openstack("group set --name cli-mates --description e cli-friends")
    assert openstack.show("group show cli-mates")["description"] == "e"
    openstack("group remove user cli-mates cli-bob")
    assert openstack.names("user list --group cli-mates") == []
    openstack("group delete cli-mates")
    openstack("user delete cli-bob")
    openstack("project delete cli-club")


def test_roles_imply_each_other_and_are_assigned_everywhere(openstack: OpenStack) -> None:
    listed = set(openstack.names("role list"))
    assert {"admin", "manager", "member", "reader", "service", "ResellerAdmin"} <= listed
    openstack("role create --description d cli-boss")
    openstack("role create cli-hand")
    openstack("role set --name cli-chief --description e cli-boss")
    assert openstack.show("role show cli-chief")["description"] == "e"
    openstack("implied role create cli-chief --implied-role cli-hand")
    pairs = openstack.show("implied role list")
    assert ("cli-chief", "cli-hand") in {
        (row["Prior Role Name"], row["Implied Role Name"]) for row in pairs
    }
    assert ("admin", "manager") in {
        (row["Prior Role Name"], row["Implied Role Name"]) for row in pairs
    }
    openstack("user create cli-carl")
    openstack("project create cli-firm")
    openstack("project create --parent cli-firm cli-branch")
    openstack("role add --user cli-carl --project cli-firm cli-chief")
    openstack("role add --user cli-carl --project cli-firm --inherited reader")
    openstack("role add --user cli-carl --domain default cli-hand")
    openstack("role add --user cli-carl --system all reader")

    def assigned(line: str) -> set[tuple[Any, ...]]:
        rows = openstack.show(f"role assignment list --names --user cli-carl {line}")
        columns = ("Role", "Project", "Domain", "System", "Inherited")
        return {tuple(row[column] for column in columns) for row in rows}

    assert assigned("") == {
        ("cli-chief", "cli-firm@Default", "", "", False),
        ("reader", "cli-firm@Default", "", "", True),
        ("cli-hand", "", "Default", "", False),
        ("reader", "", "", "all", False),
    }
    assert {row[0] for row in assigned("--effective --project cli-firm")} == {
        "cli-chief",
        "cli-hand",
    }
    assert {row[0] for row in assigned("--effective --project cli-branch")} == {"reader"}
    assert {row[0] for row in assigned("--role cli-chief")} == {"cli-chief"}
    assert {row[0] for row in assigned("--system all")} == {"reader"}
    openstack("role remove --user cli-carl --system all reader")
    openstack("role remove --user cli-carl --project cli-firm --inherited reader")
    openstack("role remove --user cli-carl --domain default cli-hand")
    openstack("implied role delete cli-chief --implied-role cli-hand")
    assert {row[0] for row in assigned("--effective")} == {"cli-chief"}
    openstack("role delete cli-chief cli-hand")
    assert assigned("") == set()
    openstack("project delete cli-branch cli-firm")
    openstack("user delete cli-carl")


def test_an_application_credential_logs_in_and_is_shown_its_secret_once(
    openstack: OpenStack, cloud: Cloud
) -> None:
    made = openstack.show("application credential create --description robot cli-robot")
    assert made["Secret"]
    assert made["Unrestricted"] is False
    assert openstack.names("application credential list") == ["cli-robot"]
    shown = openstack.show("application credential show cli-robot")
    assert not shown.get("Secret")
    url = cloud_config(cloud)["auth"]["auth_url"]
    robot = f"--os-cloud= --os-auth-type v3applicationcredential --os-auth-url {url} "
    robot += f"--os-application-credential-id {made['ID']} "
    robot += f"--os-application-credential-secret {made['Secret']}"
    assert openstack.show(f"{robot} token issue")["project_id"] == made["Project ID"]
    assert "403" in openstack.refused(f"{robot} application credential create cli-robot-2")
    chosen = openstack.show(
        "application credential create --role reader --secret of-my-own "
        "--expiration 2099-01-01T00:00:00 cli-reader"
    )
    assert chosen["Secret"] == "of-my-own"
    assert "reader" in json.dumps(chosen["Roles"])
    openstack("application credential delete cli-robot cli-reader")
    assert "401" in openstack.refused(f"{robot} token issue")
    assert openstack.names("application credential list") == []


def test_ec2_credentials_are_keys_of_s3(openstack: OpenStack, cloud: Cloud) -> None:
    made = openstack.show("ec2 credentials create")
    listed = openstack.names("ec2 credentials list", column="Access")
    assert made["access"] in listed
    assert cloud.credentials["AWS_ACCESS_KEY_ID"] in listed
    shown = openstack.show(f"ec2 credentials show {made['access']}")
    assert shown["secret"] == made["secret"]
    keys = {"aws_access_key_id": made["access"], "aws_secret_access_key": made["secret"]}
    s3 = boto3.client("s3", endpoint_url=cloud.endpoint, region_name="us-east-1", **keys)
    s3.create_bucket(Bucket="cli-ec2")
    assert "cli-ec2" in openstack.names("container list")
    s3.delete_bucket(Bucket="cli-ec2")
    openstack(f"ec2 credentials delete {made['access']}")
    with pytest.raises(ClientError, match="InvalidAccessKeyId"):
        s3.list_buckets()


def test_what_less_common_commands_ask_is_answered(openstack: OpenStack) -> None:
    assert openstack.show("access rule list") == []
    made = openstack.show("credential create --type cert admin not-a-secret")
    assert made["blob"] == "not-a-secret"
    assert made["id"] in openstack.names("credential list", column="ID")
    assert openstack.show(f"credential show {made['id']}")["type"] == "cert"
    openstack(f"credential delete {made['id']}")
    default = openstack.show(
        "registered limit create --service swift --default-limit 10 --region RegionOne cli-boxes"
    )
    assert default["default_limit"] == 10
    openstack(f"registered limit set --default-limit 12 {default['id']}")
    limit = openstack.show(
        "limit create --project admin --service swift --resource-limit 5 --region RegionOne "
        "cli-boxes"
    )
    openstack(f"limit set --resource-limit 6 {limit['id']}")
    assert openstack.show(f"limit show {limit['id']}")["resource_limit"] == 6
    assert limit["id"] in openstack.names("limit list", column="ID")
    openstack(f"limit delete {limit['id']}")
    openstack(f"registered limit delete {default['id']}")
    policy = openstack.show("policy list")
    assert isinstance(policy, list)
    assert openstack("versions show --service identity").strip()
