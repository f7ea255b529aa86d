"""Who may do what to a project's things: one row for each operation. What has no row is denied.

Images, networks and servers belong to projects; each of their services has a table of rules of
this form. Identity has kinds of its own, see keystone/policy.py.

Pure: no clock, no IO.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from computelite.api.call import Call
from computelite.api.errors import Forbidden
from computelite.identity.caller import Caller


class Who(Enum):
    """A kind of caller, seen from the project that owns what the operation is about."""

    ADMIN = "admin of the cloud"
    SYSTEM_READER = "reader of the system"
    SERVICE = "a service of the cloud"
    MANAGER = "manager of the project"
    MEMBER = "member of the project"
    READER = "reader of the project"
    ANYONE = "whoever has a role in any project, or on the system"


Rules = Mapping[str, frozenset[Who]]

SEE = frozenset({Who.ADMIN, Who.SYSTEM_READER, Who.READER})
CHANGE = frozenset({Who.ADMIN, Who.MEMBER})
MANAGE = frozenset({Who.ADMIN, Who.MANAGER})
ADMIN = frozenset({Who.ADMIN})
SEE_ALL = frozenset({Who.ADMIN, Who.SYSTEM_READER})
ANYONE = frozenset({Who.ANYONE})


def kinds_of(caller: Caller, owner: str) -> frozenset[Who]:
    """Return what the caller is, seen from the project `owner`; "" is nobody's project.

    Laws:    a manager is a member, a member is a reader: roles imply one another, see identity.
    """
    if caller.project is None and not caller.is_system:
        return frozenset()
    roles = caller.role_names
    kinds = {Who.ANYONE}
    if "admin" in roles:
        kinds.add(Who.ADMIN)
    if "service" in roles:
        kinds.add(Who.SERVICE)
    if "reader" in roles and caller.is_system:
        kinds.add(Who.SYSTEM_READER)
    if owner and caller.project_id == owner:
        kinds.update(kind for kind, role in _IN_PROJECT if role in roles)
    return frozenset(kinds)


_IN_PROJECT = ((Who.MANAGER, "manager"), (Who.MEMBER, "member"), (Who.READER, "reader"))


class Policy:
    """One service's rules."""

    def __init__(self, service: str, rules: Rules) -> None:
        self.rules = rules
        self._service = service

    def allows(self, caller: Caller, operation: str, owner: str = "") -> bool:
        """Whether the caller may do the operation to a thing of the project `owner`."""
        return not kinds_of(caller, owner).isdisjoint(self.rules.get(operation, frozenset()))

    def permit(self, call: Call, owner: str = "") -> None:
        """Return if the caller may do what was asked to a thing of the project `owner`.

        Raises:  Forbidden.
        """
        if not self.allows(call.caller, call.operation, owner):
            raise self.denied(call)

    def denied(self, call: Call) -> Forbidden:
        """Return the refusal of what was asked."""
        action = f"{self._service}:{call.operation}"
        return Forbidden(
            reason=f"You are not authorized to perform the requested action: {action}."
        )
