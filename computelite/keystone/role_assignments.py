"""Role assignments: /v3/role_assignments, with every filter.

user.id, group.id, role.id, scope.project.id, scope.domain.id, scope.system,
scope.OS-INHERIT:inherited_to      which
effective                          what users have in the end: through groups, from above,
                                   by implication; then no group is shown
include_names                      names beside ids
include_subtree                    those on the projects under scope.project.id too
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import Any

import msgspec

from computelite.api.call import json_reply
from computelite.api.errors import BadRequest
from computelite.api.routing import Route
from computelite.identity.keys import id_key, under
from computelite.identity.queries import (
    all_roles,
    every,
    groups_of,
    implications,
    lineage_of,
)
from computelite.identity.roles import implied_by
from computelite.identity.rows import Assignment, Member, Project
from computelite.keystone.call import Call
from computelite.keystone.hierarchy import subtree_of
from computelite.keystone.permit import permitted_domain
from swiftlite.http.replies import Reply

_INHERITED = "scope.OS-INHERIT:inherited_to"
LIST_MAX = 100_000


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """How somebody came by a role: what the links of an effective assignment say."""

    assignment: Assignment  # as it was granted
    prior_role_id: str = ""  # "" where the role itself was granted


class Had(msgspec.Struct, frozen=True, kw_only=True):
    """A role that somebody has, and why."""

    assignment: Assignment
    origin: Origin


class Filters(msgspec.Struct, frozen=True, kw_only=True):
    """What the query asks for; "" and None: anything."""

    user_id: str = ""
    group_id: str = ""
    role_id: str = ""
    project_ids: frozenset[str] = frozenset()
    domain_id: str = ""
    system: bool = False
    inherited: bool | None = None

    def fit(self, row: Assignment) -> bool:
        """Whether an assignment is asked for."""
        return (
            self.user_id in ("", row.user_id)
            and self.group_id in ("", row.group_id)
            and self.role_id in ("", row.role_id)
            and (not self.project_ids or row.project_id in self.project_ids)
            and self.domain_id in ("", row.domain_id)
            and (not self.system or row.system)
            and self.inherited in (None, row.inherited)
        )


async def list_assignments(call: Call) -> Reply:
    own = permitted_domain(call)
    filters = await _filters(call)
    effective = call.query.flag("effective")
    if effective and (filters.group_id or filters.inherited):
        raise BadRequest(
            reason="Effective assignments are users' own: they have no group and are not inherited."
        )
    found = _effective(call, filters) if effective else _granted(call, filters)
    names = _Names(call) if call.query.flag("include_names") else None
    shown: list[dict[str, Any]] = []
    async for had in found:
        if own is not None and not await _is_in(call, had.assignment, own):
            continue
        shown.append(await _shown(call, had, names))
        if len(shown) >= LIST_MAX:
            break
    links = {"self": call.base_url + call.request.target, "previous": None, "next": None}
    return json_reply({"role_assignments": shown, "links": links})


async def _filters(call: Call) -> Filters:
    query = call.query
    project_id = query.get("scope.project.id") or ""
    domain_id = query.get("scope.domain.id") or ""
    system = query.flag("scope.system") and query.get("scope.system") not in ("false", "False")
    if sum((bool(project_id), bool(domain_id), system)) > 1:
        raise BadRequest(reason="Assignments are on a project, a domain or the system: name one.")
    if query.get("user.id") and query.get("group.id"):
        raise BadRequest(reason="Assignments are a user's or a group's: name one.")
    projects = {project_id} if project_id else set()
    if query.flag("include_subtree"):
        if not project_id:
            raise BadRequest(reason="include_subtree needs scope.project.id.")
        projects |= {row.id async for row in subtree_of(call, project_id)}
    inherited = None
    if _INHERITED in query:
        if query.get(_INHERITED) != "projects":
            raise BadRequest(reason=f"{_INHERITED} can be projects alone.")
        inherited = True
    return Filters(
        user_id=query.get("user.id") or "",
        group_id=query.get("group.id") or "",
        role_id=query.get("role.id") or "",
        project_ids=frozenset(projects),
        domain_id=domain_id,
        system=system,
        inherited=inherited,
    )


async def _granted(call: Call, filters: Filters) -> AsyncIterator[Had]:
    async for row in _rows(call, filters):
        if filters.fit(row):
            yield Had(assignment=row, origin=Origin(assignment=row))


async def _rows(call: Call, filters: Filters) -> AsyncIterator[Assignment]:
    """Yield the assignments of the actor that is asked for, else all."""
    if actor := filters.user_id or filters.group_id:
        kind = "u" if filters.user_id else "g"
        within: tuple[bytes, bytes | None] = under(f"{kind}-{actor}")
    else:
        within = (b"", None)
    async for row in every(call.log, "assignment", Assignment, within):
        yield row


async def _effective(call: Call, filters: Filters) -> AsyncIterator[Had]:
    """Yield what users have: groups and what is inherited taken apart, implied roles added."""
    log = call.log
    implied = await implications(log)
    roles = await all_roles(log)
    seen: set[tuple[Any, ...]] = set()
    async for granted in _sources(call, filters):
        async for user_id in _users(call, granted, filters.user_id):
            async for project_id in _projects(call, granted, filters.project_ids):
                for role_id in sorted(implied_by([granted.role_id], implied)):
                    row = Assignment(
                        role_id=role_id,
                        user_id=user_id,
                        group_id="",
                        project_id=project_id,
                        domain_id="" if granted.inherited else granted.domain_id,
                        system=granted.system,
                        inherited=False,
                    )
                    role = roles.get(role_id)
                    # A domain's own role is in no token: only what it implies counts.
                    if role is None or role.domain_id or not filters.fit(row):
                        continue
                    prior = granted.role_id if role_id != granted.role_id else ""
                    mark = (*msgspec.structs.astuple(row), granted, prior)
                    if mark not in seen:
                        seen.add(mark)
                        origin = Origin(assignment=granted, prior_role_id=prior)
                        yield Had(assignment=row, origin=origin)


async def _sources(call: Call, filters: Filters) -> AsyncIterator[Assignment]:
    """Yield the assignments that may give the user that is asked for something; else all."""
    if not filters.user_id:
        async for row in every(call.log, "assignment", Assignment):
            yield row
        return
    actors = [f"u-{filters.user_id}"]
    actors += [f"g-{group_id}" for group_id in await groups_of(call.log, filters.user_id)]
    for actor in actors:
        async for row in every(call.log, "assignment", Assignment, under(actor)):
            yield row


async def _users(call: Call, granted: Assignment, wanted: str) -> AsyncIterator[str]:
    if granted.user_id:
        yield granted.user_id
        return
    if wanted:  # one of the group's members, since its sources are theirs
        yield wanted
        return
    async for member in every(call.log, "member", Member, under(granted.group_id)):
        yield member.user_id


async def _projects(call: Call, granted: Assignment, wanted: frozenset[str]) -> AsyncIterator[str]:
    """Yield the projects on which an assignment counts; "" for one on a domain or the system."""
    if not granted.inherited:
        yield granted.project_id
        return
    above = granted.project_id or granted.domain_id
    if wanted:
        rows = await call.log.get_many("project", [id_key(id_) for id_ in sorted(wanted)])
        for row in rows:
            if isinstance(row, Project) and above in await lineage_of(call.log, row):
                yield row.id
        return
    if granted.project_id:
        async for project in subtree_of(call, granted.project_id):
            yield project.id
        return
    async for project in every(call.log, "project", Project):
        if project.domain_id == granted.domain_id:
            yield project.id


async def _is_in(call: Call, row: Assignment, domain_id: str) -> bool:
    if row.domain_id:
        return row.domain_id == domain_id
    if row.project_id:
        project = await call.log.get("project", id_key(row.project_id))
        return isinstance(project, Project) and project.domain_id == domain_id
    return False


class _Names:
    """The names of what assignments name, each looked up once."""

    def __init__(self, call: Call) -> None:
        self._log = call.log
        self._known: dict[tuple[str, str], dict[str, Any]] = {}

    async def of(self, table: str, id_: str) -> dict[str, Any]:
        """Return {"id", "name"}, and "domain" where there is one."""
        if (table, id_) not in self._known:
            row = await self._log.get(table, id_key(id_))
            found: dict[str, Any] = {"id": id_, "name": "" if row is None else row.name}
            if table != "domain" and row is not None and row.domain_id:
                found["domain"] = await self.of("domain", row.domain_id)
            self._known[table, id_] = found
        return self._known[table, id_]


async def _shown(call: Call, had: Had, names: _Names | None) -> dict[str, Any]:
    async def named(table: str, id_: str) -> dict[str, Any]:
        return {"id": id_} if names is None else await names.of(table, id_)

    row = had.assignment
    shown: dict[str, Any] = {"role": await named("role", row.role_id)}
    if row.user_id:
        shown["user"] = await named("user", row.user_id)
    else:
        shown["group"] = await named("group", row.group_id)
    if row.system:
        shown["scope"] = {"system": {"all": True}}
    elif row.project_id:
        shown["scope"] = {"project": await named("project", row.project_id)}
    else:
        shown["scope"] = {"domain": await named("domain", row.domain_id)}
    if row.inherited:
        shown["scope"]["OS-INHERIT:inherited_to"] = "projects"
    shown["links"] = _links(call, had)
    return shown


def _links(call: Call, had: Had) -> dict[str, str]:
    """Return where the assignment can be taken back, and what else it comes from."""
    row = had.origin.assignment
    actor = ("users", row.user_id) if row.user_id else ("groups", row.group_id)
    links: dict[str, str] = {}
    if row.system:
        where: Iterable[str] = ("system", *actor, "roles", row.role_id)
    else:
        target = ("projects", row.project_id) if row.project_id else ("domains", row.domain_id)
        where = (*target, *actor, "roles", row.role_id)
        if row.inherited:
            where = ("OS-INHERIT", *where, "inherited_to_projects")
    links["assignment"] = call.url(*where)
    if row.group_id and had.assignment.user_id:
        links["membership"] = call.url("groups", row.group_id, "users", had.assignment.user_id)
    if had.origin.prior_role_id:
        prior, role = had.origin.prior_role_id, had.assignment.role_id
        links["prior_role"] = call.url("roles", prior, "implies", role)
    return links


ROUTES = (Route("GET", "/v3/role_assignments", list_assignments, "list_role_assignments"),)
