"""How the tables of domains, projects, users and groups change.

Pure: no clock, no IO.
"""

from __future__ import annotations

import msgspec

from computelite.identity.events import actors as events
from computelite.identity.folds.catalog import forget_limits, forget_project_associations
from computelite.identity.folds.credentials import forget_project_secrets, forget_user_secrets
from computelite.identity.folds.fold import Folds, changes_of, every, rename, replace
from computelite.identity.folds.roles import forget_actor, forget_target
from computelite.identity.keys import domain_name_key, id_key, name_key, pair_key, under
from computelite.identity.rows import Domain, Group, Member, Project, Ref, User
from eventlog.log import Recorded
from eventlog.view import Rows


def domain_created(rows: Rows, rec: Recorded, event: events.DomainCreated) -> None:
    domain = Domain(
        id=event.domain_id,
        name=event.name,
        description=event.description,
        enabled=event.enabled,
        options=event.options,
        extra=event.extra,
        created_us=rec.committed_us,
    )
    rows.put("domain", id_key(domain.id), domain)
    rows.put("domain_name", domain_name_key(domain.name), Ref(id=domain.id))


def domain_changed(rows: Rows, rec: Recorded, event: events.DomainChanged) -> None:
    key = id_key(event.domain_id)
    if (domain := rows.get("domain", key)) is None:
        return
    changed = msgspec.structs.replace(domain, **changes_of(event, but="domain_id"))
    old, new = (domain_name_key(each.name) for each in (domain, changed))
    rename(rows, "domain_name", old, new, Ref(id=event.domain_id))
    rows.put("domain", key, changed)


def domain_deleted(rows: Rows, rec: Recorded, event: events.DomainDeleted) -> None:
    if (domain := rows.get("domain", id_key(event.domain_id))) is not None:
        rows.delete("domain_name", domain_name_key(domain.name))
        rows.delete("domain", id_key(event.domain_id))
    forget_target(rows, f"d-{event.domain_id}")
    forget_limits(rows, domain_id=event.domain_id)


def project_created(rows: Rows, rec: Recorded, event: events.ProjectCreated) -> None:
    project = Project(
        id=event.project_id,
        name=event.name,
        domain_id=event.domain_id,
        parent_id=event.parent_id,
        description=event.description,
        enabled=event.enabled,
        tags=event.tags,
        options=event.options,
        extra=event.extra,
        created_us=rec.committed_us,
    )
    ref = Ref(id=project.id)
    rows.put("project", id_key(project.id), project)
    rows.put("project_name", name_key(project.domain_id, project.name), ref)
    rows.put("project_child", pair_key(project.parent_id, project.id), ref)


def project_changed(rows: Rows, rec: Recorded, event: events.ProjectChanged) -> None:
    key = id_key(event.project_id)
    if (project := rows.get("project", key)) is None:
        return
    changed = msgspec.structs.replace(project, **changes_of(event, but="project_id"))
    old, new = (name_key(project.domain_id, each.name) for each in (project, changed))
    rename(rows, "project_name", old, new, Ref(id=project.id))
    rows.put("project", key, changed)


def project_tagged(rows: Rows, rec: Recorded, event: events.ProjectTagged) -> None:
    if (project := rows.get("project", id_key(event.project_id))) is not None:
        tags = (*(tag for tag in project.tags if tag != event.tag), event.tag)
        replace(rows, "project", id_key(event.project_id), tags=tags)


def project_untagged(rows: Rows, rec: Recorded, event: events.ProjectUntagged) -> None:
    if (project := rows.get("project", id_key(event.project_id))) is not None:
        tags = tuple(tag for tag in project.tags if tag != event.tag)
        replace(rows, "project", id_key(event.project_id), tags=tags)


def project_deleted(rows: Rows, rec: Recorded, event: events.ProjectDeleted) -> None:
    if (project := rows.get("project", id_key(event.project_id))) is not None:
        rows.delete("project_name", name_key(project.domain_id, project.name))
        rows.delete("project_child", pair_key(project.parent_id, project.id))
        rows.delete("project", id_key(project.id))
    forget_target(rows, f"p-{event.project_id}")
    forget_project_secrets(rows, event.project_id)
    forget_limits(rows, project_id=event.project_id)
    forget_project_associations(rows, event.project_id)


def user_created(rows: Rows, rec: Recorded, event: events.UserCreated) -> None:
    user = User(
        id=event.user_id,
        name=event.name,
        domain_id=event.domain_id,
        enabled=event.enabled,
        default_project_id=event.default_project_id,
        description=event.description,
        options=event.options,
        extra=event.extra,
        password=b"",
        password_expires_us=None,
        locked_until_us=0,
        tokens_from=0,
        created_us=rec.committed_us,
    )
    rows.put("user", id_key(user.id), user)
    rows.put("user_name", name_key(user.domain_id, user.name), Ref(id=user.id))


def user_changed(rows: Rows, rec: Recorded, event: events.UserChanged) -> None:
    key = id_key(event.user_id)
    if (user := rows.get("user", key)) is None:
        return
    changed = msgspec.structs.replace(user, **changes_of(event, but="user_id"))
    old, new = (name_key(user.domain_id, each.name) for each in (user, changed))
    rename(rows, "user_name", old, new, Ref(id=user.id))
    rows.put("user", key, changed)


def user_password_set(rows: Rows, rec: Recorded, event: events.UserPasswordSet) -> None:
    replace(
        rows,
        "user",
        id_key(event.user_id),
        password=event.sealed,
        password_expires_us=event.expires_us,
        locked_until_us=0,
        tokens_from=rec.position,
    )


def user_disabled(rows: Rows, rec: Recorded, event: events.UserDisabled) -> None:
    key = id_key(event.user_id)
    replace(rows, "user", key, enabled=False, tokens_from=rec.position)


def user_enabled(rows: Rows, rec: Recorded, event: events.UserEnabled) -> None:
    replace(rows, "user", id_key(event.user_id), enabled=True)


def user_locked(rows: Rows, rec: Recorded, event: events.UserLocked) -> None:
    replace(rows, "user", id_key(event.user_id), locked_until_us=event.until_us)


def user_unlocked(rows: Rows, rec: Recorded, event: events.UserUnlocked) -> None:
    replace(rows, "user", id_key(event.user_id), locked_until_us=0)


def user_deleted(rows: Rows, rec: Recorded, event: events.UserDeleted) -> None:
    if (user := rows.get("user", id_key(event.user_id))) is not None:
        rows.delete("user_name", name_key(user.domain_id, user.name))
        rows.delete("user", id_key(user.id))
    for key, member in every(rows, "member_of", under(event.user_id)):
        rows.delete("member", pair_key(member.group_id, member.user_id))
        rows.delete("member_of", key)
    forget_actor(rows, f"u-{event.user_id}")
    forget_user_secrets(rows, event.user_id)


def group_created(rows: Rows, rec: Recorded, event: events.GroupCreated) -> None:
    group = Group(
        id=event.group_id,
        name=event.name,
        domain_id=event.domain_id,
        description=event.description,
        extra=event.extra,
        created_us=rec.committed_us,
    )
    rows.put("group", id_key(group.id), group)
    rows.put("group_name", name_key(group.domain_id, group.name), Ref(id=group.id))


def group_changed(rows: Rows, rec: Recorded, event: events.GroupChanged) -> None:
    key = id_key(event.group_id)
    if (group := rows.get("group", key)) is None:
        return
    changed = msgspec.structs.replace(group, **changes_of(event, but="group_id"))
    old, new = (name_key(group.domain_id, each.name) for each in (group, changed))
    rename(rows, "group_name", old, new, Ref(id=group.id))
    rows.put("group", key, changed)


def group_deleted(rows: Rows, rec: Recorded, event: events.GroupDeleted) -> None:
    if (group := rows.get("group", id_key(event.group_id))) is not None:
        rows.delete("group_name", name_key(group.domain_id, group.name))
        rows.delete("group", id_key(group.id))
    for key, member in every(rows, "member", under(event.group_id)):
        rows.delete("member_of", pair_key(member.user_id, member.group_id))
        rows.delete("member", key)
    forget_actor(rows, f"g-{event.group_id}")


def member_added(rows: Rows, rec: Recorded, event: events.MemberAdded) -> None:
    member = Member(group_id=event.group_id, user_id=event.user_id)
    rows.put("member", pair_key(member.group_id, member.user_id), member)
    rows.put("member_of", pair_key(member.user_id, member.group_id), member)


def member_removed(rows: Rows, rec: Recorded, event: events.MemberRemoved) -> None:
    rows.delete("member", pair_key(event.group_id, event.user_id))
    rows.delete("member_of", pair_key(event.user_id, event.group_id))


FOLDS: Folds = {
    events.DomainCreated: domain_created,
    events.DomainChanged: domain_changed,
    events.DomainDeleted: domain_deleted,
    events.ProjectCreated: project_created,
    events.ProjectChanged: project_changed,
    events.ProjectTagged: project_tagged,
    events.ProjectUntagged: project_untagged,
    events.ProjectDeleted: project_deleted,
    events.UserCreated: user_created,
    events.UserChanged: user_changed,
    events.UserPasswordSet: user_password_set,
    events.UserDisabled: user_disabled,
    events.UserEnabled: user_enabled,
    events.UserLocked: user_locked,
    events.UserUnlocked: user_unlocked,
    events.UserDeleted: user_deleted,
    events.GroupCreated: group_created,
    events.GroupChanged: group_changed,
    events.GroupDeleted: group_deleted,
    events.MemberAdded: member_added,
    events.MemberRemoved: member_removed,
}
