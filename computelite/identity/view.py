"""The identity tables: everything about who may what, as it is now.

    domain, domain_name                  Domain; name -> Ref
    project, project_name, project_child Project; the others -> Ref
    user, user_name                      User; name -> Ref
    group, group_name                    Group; name -> Ref
    member, member_of                    Member, by group and by user
    role, role_name, implied             Role; name -> Ref; Implication
    assignment, assignment_on            Assignment, by actor and by target
    access_key, access_key_by_credential AccessKey; the id among credentials -> Ref
    key_of_user, key_on_project          -> Ref
    application_credential, and ..._name, ..._of_user, ..._on_project -> Ref; access_rule -> Rule
    credential, credential_of_user       Credential; -> Ref
    revoked, revoked_until               RevokedToken by audit id; when it can be forgotten
    region, service, endpoint, endpoint_group, policy, registered_limit, limit
    association, association_of          Association, by project and by endpoint or group
    identity                             one row, key empty: Changed

Keys are in keys.py, rows in rows.py, folds in folds/.

Pure: no clock, no IO.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar

import msgspec

from computelite.identity import rows as shapes
from computelite.identity.events import IDENTITY_EVENTS
from computelite.identity.events.credentials import (
    AccessKeyCreated,
    AccessKeyDisabled,
    AccessKeyEnabled,
)
from computelite.identity.folds import actors, catalog, credentials, roles
from computelite.identity.folds.fold import Folds
from computelite.identity.keys import id_key
from eventlog.event import Event
from eventlog.log import Recorded
from eventlog.view import Rows, TableView

FOLDS: Folds = {**actors.FOLDS, **roles.FOLDS, **credentials.FOLDS, **catalog.FOLDS}


class IdentityView(TableView):
    """Folds the identity events into the tables."""

    name = "identity"
    version = 3
    tables: ClassVar[Mapping[str, type[msgspec.Struct]]] = {
        "domain": shapes.Domain,
        "domain_name": shapes.Ref,
        "project": shapes.Project,
        "project_name": shapes.Ref,
        "project_child": shapes.Ref,
        "user": shapes.User,
        "user_name": shapes.Ref,
        "group": shapes.Group,
        "group_name": shapes.Ref,
        "member": shapes.Member,
        "member_of": shapes.Member,
        "role": shapes.Role,
        "role_name": shapes.Ref,
        "implied": shapes.Implication,
        "assignment": shapes.Assignment,
        "assignment_on": shapes.Assignment,
        "access_key": shapes.AccessKey,
        "access_key_by_credential": shapes.Ref,
        "key_of_user": shapes.Ref,
        "key_on_project": shapes.Ref,
        "application_credential": shapes.ApplicationCredential,
        "application_credential_name": shapes.Ref,
        "application_credential_of_user": shapes.Ref,
        "application_credential_on_project": shapes.Ref,
        "access_rule": shapes.Rule,
        "credential": shapes.Credential,
        "credential_of_user": shapes.Ref,
        "revoked": shapes.RevokedToken,
        "revoked_until": shapes.Ref,
        "region": shapes.Region,
        "service": shapes.Service,
        "endpoint": shapes.Endpoint,
        "endpoint_group": shapes.EndpointGroup,
        "association": shapes.Association,
        "association_of": shapes.Association,
        "policy": shapes.Policy,
        "registered_limit": shapes.RegisteredLimit,
        "limit": shapes.Limit,
        "identity": shapes.Changed,
    }
    handles: ClassVar[frozenset[type[Event]]] = IDENTITY_EVENTS

    def keys(self, event: Event) -> Iterable[tuple[str, bytes]]:
        if isinstance(event, AccessKeyCreated | AccessKeyDisabled | AccessKeyEnabled):
            return [("access_key", id_key(event.key_id))]
        return []

    def evolve(self, rows: Rows, rec: Recorded) -> None:
        rows.put("identity", b"", shapes.Changed(position=rec.position))
        event = rec.event
        assert event is not None, "an erased event is not shown"
        FOLDS[type(event)](rows, rec, event)
