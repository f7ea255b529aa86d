"""How the tables of roles, of what they imply and of who has them change.

Pure: no clock, no IO.
"""

from __future__ import annotations

import msgspec

from computelite.identity.events import roles as events
from computelite.identity.folds.fold import Folds, changes_of, every, rename
from computelite.identity.keys import (
    assignment_key,
    assignment_on_key,
    id_key,
    name_key,
    pair_key,
    under,
)
from computelite.identity.rows import Assignment, Implication, Ref, Role
from eventlog.log import Recorded
from eventlog.view import Rows


def forget_actor(rows: Rows, actor: str) -> None:
    """Take from a user or a group every role that they have."""
    for _, assignment in every(rows, "assignment", under(actor)):
        _drop(rows, assignment)


def forget_target(rows: Rows, target: str) -> None:
    """Take from everybody every role that they have on a project or a domain."""
    for _, assignment in every(rows, "assignment_on", under(target)):
        _drop(rows, assignment)


def _drop(rows: Rows, assignment: Assignment) -> None:
    rows.delete("assignment", assignment_key(assignment))
    rows.delete("assignment_on", assignment_on_key(assignment))


def assignment_from(event: events.RoleGranted | events.RoleRevoked) -> Assignment:
    """Return the row that the event makes or takes away."""
    return Assignment(
        role_id=event.role_id,
        user_id=event.user_id,
        group_id=event.group_id,
        project_id=event.project_id,
        domain_id=event.domain_id,
        system=event.system,
        inherited=event.inherited,
    )


def role_created(rows: Rows, rec: Recorded, event: events.RoleCreated) -> None:
    role = Role(
        id=event.role_id,
        name=event.name,
        domain_id=event.domain_id,
        description=event.description,
        options=event.options,
        extra=event.extra,
        created_us=rec.committed_us,
    )
    rows.put("role", id_key(role.id), role)
    rows.put("role_name", name_key(role.domain_id, role.name), Ref(id=role.id))


def role_changed(rows: Rows, rec: Recorded, event: events.RoleChanged) -> None:
    key = id_key(event.role_id)
    if (role := rows.get("role", key)) is None:
        return
    changed = msgspec.structs.replace(role, **changes_of(event, but="role_id"))
    old, new = (name_key(role.domain_id, each.name) for each in (role, changed))
    rename(rows, "role_name", old, new, Ref(id=role.id))
    rows.put("role", key, changed)


def role_deleted(rows: Rows, rec: Recorded, event: events.RoleDeleted) -> None:
    if (role := rows.get("role", id_key(event.role_id))) is not None:
        rows.delete("role_name", name_key(role.domain_id, role.name))
        rows.delete("role", id_key(role.id))
    for _, assignment in every(rows, "assignment", (b"", None)):
        if assignment.role_id == event.role_id:
            _drop(rows, assignment)
    for key, implication in every(rows, "implied", (b"", None)):
        if event.role_id in (implication.role_id, implication.implied_id):
            rows.delete("implied", key)


def role_implied(rows: Rows, rec: Recorded, event: events.RoleImplied) -> None:
    row = Implication(role_id=event.role_id, implied_id=event.implied_id)
    rows.put("implied", pair_key(event.role_id, event.implied_id), row)


def role_unimplied(rows: Rows, rec: Recorded, event: events.RoleUnimplied) -> None:
    rows.delete("implied", pair_key(event.role_id, event.implied_id))


def role_granted(rows: Rows, rec: Recorded, event: events.RoleGranted) -> None:
    row = assignment_from(event)
    rows.put("assignment", assignment_key(row), row)
    rows.put("assignment_on", assignment_on_key(row), row)


def role_revoked(rows: Rows, rec: Recorded, event: events.RoleRevoked) -> None:
    _drop(rows, assignment_from(event))


FOLDS: Folds = {
    events.RoleCreated: role_created,
    events.RoleChanged: role_changed,
    events.RoleDeleted: role_deleted,
    events.RoleImplied: role_implied,
    events.RoleUnimplied: role_unimplied,
    events.RoleGranted: role_granted,
    events.RoleRevoked: role_revoked,
}
