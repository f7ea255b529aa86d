"""A project as the API shows it; a domain is shown as a project, too.

Pure: no clock, no IO.
"""

from __future__ import annotations

from typing import Any

from computelite.identity.rows import Domain, Project
from computelite.keystone.domains import domain_fields


def project_fields(project: Project) -> dict[str, Any]:
    """Return a project as the API shows it."""
    return {
        **project.extra,
        "id": project.id,
        "name": project.name,
        "domain_id": project.domain_id,
        "parent_id": project.parent_id,
        "description": project.description,
        "enabled": project.enabled,
        "is_domain": False,
        "tags": list(project.tags),
        "options": project.options,
    }


def domain_as_project(domain: Domain) -> dict[str, Any]:
    """Return a domain as the API shows the project that it is."""
    own = {"domain_id": None, "parent_id": None, "is_domain": True}
    return {**domain_fields(domain), **own}
