"""Every route of Keystone's API, joined from the tables that stand beside the handlers."""

from __future__ import annotations

from computelite.api.routing import Routes
from computelite.keystone import (
    application_credentials,
    auth,
    catalog,
    credentials,
    discovery,
    domains,
    ec2,
    ec2_credentials,
    endpoint_filter,
    endpoint_groups,
    endpoints,
    grants,
    groups,
    limits,
    passwords,
    policies,
    projects,
    role_assignments,
    roles,
    tags,
    users,
)

ROUTES = Routes(
    [
        *discovery.ROUTES,
        *auth.ROUTES,
        *ec2.ROUTES,
        *domains.ROUTES,
        *projects.ROUTES,
        *tags.ROUTES,
        *users.ROUTES,
        *passwords.ROUTES,
        *groups.ROUTES,
        *roles.ROUTES,
        *grants.ROUTES,
        *role_assignments.ROUTES,
        *catalog.ROUTES,
        *endpoints.ROUTES,
        *endpoint_groups.ROUTES,
        *endpoint_filter.ROUTES,
        *policies.ROUTES,
        *limits.ROUTES,
        *credentials.ROUTES,
        *ec2_credentials.ROUTES,
        *application_credentials.ROUTES,
    ]
)
