"""Who may do what: one row for each operation of Keystone's API. What has no row is denied.

The role admin with a project's or the system's scope may do everything; reader with the system's
scope sees everything. With a domain's scope manager, and so admin, may change what is in that
domain, reader sees it. Everybody may do for themselves what the row says.

Pure: no clock, no IO.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

import msgspec

from computelite.identity.caller import Caller


class Who(Enum):
    """A kind of caller, seen from what the operation is about."""

    ADMIN = "admin of the cloud"
    SYSTEM_READER = "reader of the system"
    DOMAIN_MANAGER = "manager of the domain that it is in"
    DOMAIN_READER = "reader of the domain that it is in"
    DOMAIN_USER = "with the scope of the domain, whatever the role"
    PROJECT_USER = "with the scope of the project, whatever the role"
    SELF = "the user that it is about"
    SERVICE = "a service of the cloud"
    ANYONE = "whoever has a token"


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """What an operation is about. `domains` are all those that it touches, and none is unknown."""

    domains: tuple[str, ...] = ()
    project_id: str = ""
    user_id: str = ""


NOTHING = Target()

_ADMIN = frozenset({Who.ADMIN})
_SEE = frozenset({Who.ADMIN, Who.SYSTEM_READER})
_SEE_IN_DOMAIN = _SEE | {Who.DOMAIN_READER}
_MANAGE = frozenset({Who.ADMIN, Who.DOMAIN_MANAGER})
_ANYONE = frozenset({Who.ANYONE})
_OWN = frozenset({Who.ADMIN, Who.SELF})
_SEE_OWN = _SEE | {Who.SELF}

RULES: Mapping[str, frozenset[Who]] = {
    # domains
    "list_domains": _SEE_IN_DOMAIN,
    "get_domain": _SEE | {Who.DOMAIN_USER, Who.PROJECT_USER},
    "create_domain": _ADMIN,
    "update_domain": _ADMIN,
    "delete_domain": _ADMIN,
    # projects and their tags
    "list_projects": _SEE_IN_DOMAIN,
    "get_project": _SEE_IN_DOMAIN | {Who.PROJECT_USER},
    "create_project": _MANAGE,
    "update_project": _MANAGE,
    "delete_project": _MANAGE,
    "list_user_projects": _SEE_IN_DOMAIN | {Who.SELF},
    "list_project_tags": _SEE_IN_DOMAIN | {Who.PROJECT_USER},
    "get_project_tag": _SEE_IN_DOMAIN | {Who.PROJECT_USER},
    "update_project_tags": _MANAGE,
    "create_project_tag": _MANAGE,
    "delete_project_tags": _MANAGE,
    "delete_project_tag": _MANAGE,
    # users
    "list_users": _SEE_IN_DOMAIN,
    "get_user": _SEE_IN_DOMAIN | {Who.SELF},
    "create_user": _MANAGE,
    "update_user": _MANAGE,
    "delete_user": _MANAGE,
    # groups
    "list_groups": _SEE_IN_DOMAIN,
    "get_group": _SEE_IN_DOMAIN,
    "create_group": _MANAGE,
    "update_group": _MANAGE,
    "delete_group": _MANAGE,
    "list_groups_for_user": _SEE_IN_DOMAIN | {Who.SELF},
    "list_users_in_group": _SEE_IN_DOMAIN,
    "add_user_to_group": _MANAGE,
    "check_user_in_group": _SEE_IN_DOMAIN,
    "remove_user_from_group": _MANAGE,
    # roles
    "list_roles": _SEE | {Who.DOMAIN_MANAGER},
    "get_role": _SEE | {Who.DOMAIN_MANAGER},
    "create_role": _ADMIN,
    "update_role": _ADMIN,
    "delete_role": _ADMIN,
    "list_implied_roles": _SEE,
    "get_implied_role": _SEE,
    "create_implied_role": _ADMIN,
    "delete_implied_role": _ADMIN,
    "list_role_inference_rules": _SEE,
    # grants; which roles a domain's manager may give is decided in grants.py
    "list_grants": _SEE_IN_DOMAIN,
    "check_grant": _SEE_IN_DOMAIN,
    "create_grant": _MANAGE,
    "revoke_grant": _MANAGE,
    "list_system_grants": _SEE,
    "check_system_grant": _SEE,
    "create_system_grant": _ADMIN,
    "revoke_system_grant": _ADMIN,
    "list_role_assignments": _SEE_IN_DOMAIN,
    # the catalog
    "list_regions": _ANYONE,
    "get_region": _ANYONE,
    "create_region": _ADMIN,
    "update_region": _ADMIN,
    "delete_region": _ADMIN,
    "list_services": _SEE,
    "get_service": _SEE,
    "create_service": _ADMIN,
    "update_service": _ADMIN,
    "delete_service": _ADMIN,
    "list_endpoints": _SEE,
    "get_endpoint": _SEE,
    "create_endpoint": _ADMIN,
    "update_endpoint": _ADMIN,
    "delete_endpoint": _ADMIN,
    "list_endpoint_groups": _SEE,
    "get_endpoint_group": _SEE,
    "create_endpoint_group": _ADMIN,
    "update_endpoint_group": _ADMIN,
    "delete_endpoint_group": _ADMIN,
    "list_endpoints_associated_with_endpoint_group": _SEE,
    "list_projects_associated_with_endpoint_group": _SEE,
    "get_endpoint_group_in_project": _SEE,
    "add_endpoint_group_to_project": _ADMIN,
    "remove_endpoint_group_from_project": _ADMIN,
    "list_endpoints_for_project": _SEE,
    "list_endpoint_groups_for_project": _SEE,
    "list_projects_for_endpoint": _SEE,
    "check_endpoint_in_project": _SEE,
    "add_endpoint_to_project": _ADMIN,
    "remove_endpoint_from_project": _ADMIN,
    "list_policies": _SEE,
    "get_policy": _SEE,
    "create_policy": _ADMIN,
    "update_policy": _ADMIN,
    "delete_policy": _ADMIN,
    # limits
    "get_limit_model": _ANYONE,
    "list_registered_limits": _ANYONE,
    "get_registered_limit": _ANYONE,
    "create_registered_limits": _ADMIN,
    "update_registered_limit": _ADMIN,
    "delete_registered_limit": _ADMIN,
    "list_limits": _ANYONE,  # each sees their own, see limits.py
    "get_limit": _SEE | {Who.DOMAIN_USER, Who.PROJECT_USER},
    "create_limits": _ADMIN,
    "update_limit": _ADMIN,
    "delete_limit": _ADMIN,
    # credentials of all kinds
    "list_credentials": _ANYONE,  # each sees their own, see credentials.py
    "get_credential": _OWN,  # no reader of the system: secrets are in the answers
    "create_credential": _OWN,
    "update_credential": _OWN,
    "delete_credential": _OWN,
    "ec2_list_credentials": _OWN,
    "ec2_get_credential": _OWN,
    "ec2_create_credential": _OWN,
    "ec2_delete_credential": _OWN,
    "list_application_credentials": _SEE_OWN,
    "get_application_credential": _SEE_OWN,
    "create_application_credential": frozenset({Who.SELF}),
    "delete_application_credential": _OWN,
    "list_access_rules": _SEE_OWN,
    "get_access_rule": _SEE_OWN,
    "delete_access_rule": _OWN,
    # tokens
    "validate_token": frozenset({Who.ADMIN, Who.SYSTEM_READER, Who.SERVICE, Who.SELF}),
    "revoke_token": _OWN,
    "get_auth_catalog": _ANYONE,
    "get_auth_projects": _ANYONE,
    "get_auth_domains": _ANYONE,
    "get_auth_system": _ANYONE,
    "ec2_authenticate": frozenset({Who.ADMIN, Who.SERVICE}),
    "s3_authenticate": frozenset({Who.ADMIN, Who.SERVICE}),
}


def allows(caller: Caller, operation: str, target: Target = NOTHING) -> bool:
    """Whether the caller may do the operation to the target.

    With no target: whether they may do it to anything at all.
    """
    return not kinds_of(caller, target).isdisjoint(RULES.get(operation, frozenset()))


def kinds_of(caller: Caller, target: Target) -> frozenset[Who]:
    """Return what the caller is, seen from the target."""
    roles = caller.role_names
    kinds = {Who.ANYONE}
    if "admin" in roles and (caller.is_system or caller.project is not None):
        kinds.add(Who.ADMIN)
    if "service" in roles and (caller.is_system or caller.project is not None):
        kinds.add(Who.SERVICE)
    if "reader" in roles and caller.is_system:
        kinds.add(Who.SYSTEM_READER)
    if caller.domain_id and target.domains and set(target.domains) == {caller.domain_id}:
        kinds.add(Who.DOMAIN_USER)
        if "reader" in roles:
            kinds.add(Who.DOMAIN_READER)
        if "manager" in roles or "admin" in roles:
            kinds.add(Who.DOMAIN_MANAGER)
    if caller.project_id and caller.project_id == target.project_id:
        kinds.add(Who.PROJECT_USER)
    if target.user_id and caller.user_id == target.user_id:
        kinds.add(Who.SELF)
    return frozenset(kinds)
