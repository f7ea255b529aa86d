"""The stored bytes of identity's events: one golden file per version that ever shipped.

`python -m tests.computelite.identity.test_events` writes those that are missing.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from computelite.identity.events import actors, catalog, credentials, limits, roles
from computelite.identity.view import IdentityView
from eventlog.codec import decode_data, encode_event
from eventlog.event import Event, type_of

GOLDEN = Path(__file__).parents[2] / "golden" / "events"
USER, PROJECT, SEALED = bytes(range(16)).hex(), bytes(range(16, 32)).hex(), b"\x01sealed\xff"
DOMAIN, GROUP, ROLE, OTHER = "d" * 32, "9" * 32, "e" * 32, "0" * 32
SERVICE, ENDPOINT, KEY = "5" * 32, "6" * 32, "CL234567ABCDEFGHIJKL"
EXTRA = {"colour": "grün", "sizes": [1, 2.5, None]}
OPTIONS = {"immutable": True}
WORDS = {"name": "bärbel", "description": "what it is"}
FILTERS = {"service_id": SERVICE, "interface": "public", "region_id": None}
GRANT = {
    "role_id": ROLE,
    "user_id": USER,
    "group_id": GROUP,
    "project_id": PROJECT,
    "domain_id": DOMAIN,
    "system": True,
    "inherited": True,
}

SAMPLES: list[Event] = [
    actors.DomainCreated(domain_id=DOMAIN, **WORDS, enabled=False, options=OPTIONS, extra=EXTRA),
    actors.DomainChanged(domain_id=DOMAIN, **WORDS, enabled=False, options=OPTIONS, extra=EXTRA),
    actors.DomainDeleted(domain_id=DOMAIN),
    actors.ProjectCreated(
        project_id=PROJECT,
        **WORDS,
        domain_id=DOMAIN,
        parent_id=OTHER,
        enabled=False,
        tags=("blue", "größer"),
        options=OPTIONS,
        extra=EXTRA,
    ),
    actors.ProjectChanged(
        project_id=PROJECT, **WORDS, enabled=False, tags=("blue",), options=OPTIONS, extra=EXTRA
    ),
    actors.ProjectTagged(project_id=PROJECT, tag="blue"),
    actors.ProjectUntagged(project_id=PROJECT, tag="blue"),
    actors.ProjectDeleted(project_id=PROJECT),
    actors.UserCreated(
        user_id=USER,
        **WORDS,
        domain_id=DOMAIN,
        enabled=False,
        default_project_id=PROJECT,
        options=OPTIONS,
        extra=EXTRA,
    ),
    actors.UserChanged(
        user_id=USER, **WORDS, default_project_id=PROJECT, options=OPTIONS, extra=EXTRA
    ),
    actors.UserPasswordSet(user_id=USER, sealed=SEALED, expires_us=1_800_000_000_000_000),
    actors.UserDisabled(user_id=USER),
    actors.UserEnabled(user_id=USER),
    actors.UserLocked(user_id=USER, until_us=1_800_000_000_000_000, failures=5),
    actors.UserUnlocked(user_id=USER),
    actors.UserDeleted(user_id=USER),
    actors.GroupCreated(group_id=GROUP, **WORDS, domain_id=DOMAIN, extra=EXTRA),
    actors.GroupChanged(group_id=GROUP, **WORDS, extra=EXTRA),
    actors.GroupDeleted(group_id=GROUP),
    actors.MemberAdded(group_id=GROUP, user_id=USER),
    actors.MemberRemoved(group_id=GROUP, user_id=USER),
    roles.RoleCreated(role_id=ROLE, **WORDS, domain_id=DOMAIN, options=OPTIONS, extra=EXTRA),
    roles.RoleChanged(role_id=ROLE, **WORDS, options=OPTIONS, extra=EXTRA),
    roles.RoleDeleted(role_id=ROLE),
    roles.RoleImplied(role_id=ROLE, implied_id=OTHER),
    roles.RoleUnimplied(role_id=ROLE, implied_id=OTHER),
    roles.RoleGranted(**GRANT),
    roles.RoleRevoked(**GRANT),
    credentials.AccessKeyCreated(
        key_id=KEY,
        user_id=USER,
        project_id=PROJECT,
        sealed=SEALED,
        bucket="photos",
        read_only=True,
        description="the camera's",
        credential_id="c" * 64,
        application_credential_id=OTHER,
    ),
    credentials.AccessKeyDisabled(key_id=KEY, user_id=USER),
    credentials.AccessKeyEnabled(key_id=KEY, user_id=USER),
    credentials.AccessKeyDeleted(key_id=KEY, user_id=USER),
    credentials.ApplicationCredentialCreated(
        credential_id=OTHER,
        user_id=USER,
        project_id=PROJECT,
        name="monitoring",
        role_ids=(ROLE,),
        sealed=SEALED,
        description="what it is",
        unrestricted=True,
        expires_us=1_800_000_000_000_000,
        access_rules=(
            credentials.AccessRule(id=OTHER, service="object-store", method="GET", path="/v1/*"),
        ),
        maker_id=OTHER,
    ),
    credentials.ApplicationCredentialDeleted(credential_id=OTHER, user_id=USER),
    credentials.AccessRuleDeleted(rule_id=OTHER, user_id=USER),
    credentials.CredentialCreated(
        credential_id="c" * 64, user_id=USER, type="totp", sealed=SEALED, project_id=PROJECT
    ),
    credentials.CredentialChanged(
        credential_id="c" * 64, user_id=USER, type="totp", sealed=SEALED, project_id=PROJECT
    ),
    credentials.CredentialDeleted(credential_id="c" * 64, user_id=USER),
    credentials.TokenRevoked(
        user_id=USER, audit_id="ZzpzWqGPQfeF", expires_us=1_800_000_000_000_000, is_chain=True
    ),
    catalog.RegionCreated(
        region_id="RegionTwo", description="a", parent_region_id="RegionOne", extra=EXTRA
    ),
    catalog.RegionChanged(
        region_id="RegionTwo", description="a", parent_region_id="RegionOne", extra=EXTRA
    ),
    catalog.RegionDeleted(region_id="RegionTwo"),
    catalog.ServiceCreated(service_id=SERVICE, type="image", **WORDS, enabled=False, extra=EXTRA),
    catalog.ServiceChanged(service_id=SERVICE, type="image", **WORDS, enabled=False, extra=EXTRA),
    catalog.ServiceDeleted(service_id=SERVICE),
    catalog.EndpointCreated(
        endpoint_id=ENDPOINT,
        service_id=SERVICE,
        interface="public",
        url="{api}/image",
        region_id="RegionOne",
        enabled=False,
        **WORDS,
        extra=EXTRA,
    ),
    catalog.EndpointChanged(
        endpoint_id=ENDPOINT,
        service_id=SERVICE,
        interface="public",
        url="{api}/image",
        region_id="RegionOne",
        enabled=False,
        **WORDS,
        extra=EXTRA,
    ),
    catalog.EndpointDeleted(endpoint_id=ENDPOINT),
    catalog.EndpointProjectAdded(endpoint_id=ENDPOINT, project_id=PROJECT),
    catalog.EndpointProjectRemoved(endpoint_id=ENDPOINT, project_id=PROJECT),
    catalog.EndpointGroupCreated(endpoint_group_id=OTHER, **WORDS, filters=FILTERS),
    catalog.EndpointGroupChanged(endpoint_group_id=OTHER, **WORDS, filters=FILTERS),
    catalog.EndpointGroupDeleted(endpoint_group_id=OTHER),
    catalog.EndpointGroupProjectAdded(endpoint_group_id=OTHER, project_id=PROJECT),
    catalog.EndpointGroupProjectRemoved(endpoint_group_id=OTHER, project_id=PROJECT),
    catalog.PolicyCreated(policy_id=OTHER, type="application/json", blob="{}", extra=EXTRA),
    catalog.PolicyChanged(policy_id=OTHER, type="application/json", blob="{}", extra=EXTRA),
    catalog.PolicyDeleted(policy_id=OTHER),
    limits.RegisteredLimitCreated(
        limit_id=OTHER,
        service_id=SERVICE,
        resource_name="cores",
        default_limit=20,
        region_id="RegionOne",
        description="of processors",
    ),
    limits.RegisteredLimitChanged(
        limit_id=OTHER,
        service_id=SERVICE,
        resource_name="cores",
        default_limit=20,
        region_id="RegionOne",
        description="of processors",
    ),
    limits.RegisteredLimitDeleted(limit_id=OTHER),
    limits.LimitCreated(
        limit_id=OTHER,
        service_id=SERVICE,
        resource_name="cores",
        resource_limit=5,
        project_id=PROJECT,
        domain_id=DOMAIN,
        region_id="RegionOne",
        description="of processors",
    ),
    limits.LimitChanged(limit_id=OTHER, resource_limit=5, description="of processors"),
    limits.LimitDeleted(limit_id=OTHER),
]


def golden(sample: Event) -> Path:
    known = type_of(type(sample))
    return GOLDEN / f"{known.name}.v{known.version}.json"


def test_every_event_of_identity_has_a_sample_with_no_field_left_at_its_default() -> None:
    assert {type(sample) for sample in SAMPLES} == IdentityView.handles
    for sample in SAMPLES:
        stored = msgspec.json.decode(encode_event(sample))
        assert set(stored) == set(sample.__struct_fields__), type(sample).__name__


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: type(sample).__name__)
def test_stored_bytes_are_for_ever(sample: Event) -> None:
    assert encode_event(sample) == golden(sample).read_bytes()
    assert msgspec.json.decode(golden(sample).read_bytes(), type=type(sample)) == sample


def first_version(name: str) -> Event:
    stored = (GOLDEN / f"{name}.v1.json").read_bytes()
    return decode_data(name, 1, b'{"event":' + stored + b"}").event


def test_ids_that_were_bytes_are_read_as_their_digits() -> None:
    assert first_version("user.created") == actors.UserCreated(user_id=USER, name="bärbel")
    project = actors.ProjectCreated(project_id=PROJECT, name="admin")
    assert first_version("project.created") == project
    assert project.domain_id == "default"
    key = first_version("access-key.created")
    assert isinstance(key, credentials.AccessKeyCreated)
    assert (key.user_id, key.project_id, key.bucket) == (USER, PROJECT, "photos")


def test_a_role_that_was_a_name_is_read_as_the_role_of_that_name() -> None:
    granted = first_version("role.granted")
    role_id = roles.built_in_role_id("member")
    assert granted == roles.RoleGranted(user_id=USER, project_id=PROJECT, role_id=role_id)


if __name__ == "__main__":
    for one in SAMPLES:
        if not golden(one).exists():
            golden(one).write_bytes(encode_event(one))
