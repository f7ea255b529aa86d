"""A token as Keystone shows it.

Pure: no clock, no IO.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from computelite.api.times import utc_micros
from computelite.identity.caller import Caller


def token_document(
    caller: Caller, catalog: Sequence[dict[str, Any]] | None = None
) -> dict[str, Any]:
    """Return what the token says, with the catalog where there is one."""
    expires_us = caller.password_expires_us
    token: dict[str, Any] = {
        "methods": list(caller.methods),
        "user": {
            "domain": {"id": caller.user_domain.id, "name": caller.user_domain.name},
            "id": caller.user.id,
            "name": caller.user.name,
            "password_expires_at": None if expires_us is None else utc_micros(expires_us),
        },
        "audit_ids": list(caller.audit_ids),
        "expires_at": f"{utc_micros(caller.expires_us)}Z",
        "issued_at": f"{utc_micros(caller.issued_us)}Z",
    }
    if caller.project is not None:
        domain = caller.project.domain
        token["project"] = {
            "domain": {"id": domain.id, "name": domain.name},
            "id": caller.project.id,
            "name": caller.project.name,
        }
        token["is_domain"] = caller.project.is_domain
    if caller.domain is not None:
        token["domain"] = {"id": caller.domain.id, "name": caller.domain.name}
    if caller.is_system:
        token["system"] = {"all": True}
    if caller.is_scoped:
        token["roles"] = [{"id": role.id, "name": role.name} for role in caller.roles]
        if catalog is not None:
            token["catalog"] = list(catalog)
    if caller.credential is not None:
        token["application_credential"] = _credential(caller)
    return {"token": token}


def _credential(caller: Caller) -> dict[str, Any]:
    used = caller.credential
    assert used is not None
    shown: dict[str, Any] = {
        "id": used.id,
        "name": used.name,
        "restricted": not used.unrestricted,
    }
    if used.access_rules:
        shown["access_rules"] = [
            {"id": rule.id, "service": rule.service, "method": rule.method, "path": rule.path}
            for rule in used.access_rules
        ]
    return shown
