"""Looking at the identity tables: by id, by name, and what roles somebody has somewhere."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, TypeVar

from computelite.identity import rows
from computelite.identity.endpoint_filter import added_endpoints
from computelite.identity.errors import NoSuch
from computelite.identity.keys import (
    domain_name_key,
    id_key,
    name_key,
    pair_key,
    shown_of,
    under,
)
from computelite.identity.roles import Target, effective_roles, implication_map, implied_by
from eventlog.log import Log

_PAGE = 500
_EVERYTHING: tuple[bytes, None] = (b"", None)

R = TypeVar("R", bound=rows.Row)


async def every(
    log: Log, table: str, shape: type[R], within: tuple[bytes, bytes | None] = _EVERYTHING
) -> AsyncIterator[R]:
    """Yield every row of a table, or of a range of it, in key order."""
    lo, hi = within
    while page := await log.scan(table, lo, hi, limit=_PAGE):
        for _, row in page:
            assert isinstance(row, shape)
            yield row
        lo = page[-1][0] + b"\0"


async def get_domain(log: Log, domain_id: str) -> rows.Domain:
    """Raises:  NoSuch."""
    return await _get(log, "domain", rows.Domain, "domain", domain_id)


async def get_project(log: Log, project_id: str) -> rows.Project:
    """Raises:  NoSuch."""
    return await _get(log, "project", rows.Project, "project", project_id)


async def get_user(log: Log, user_id: str) -> rows.User:
    """Raises:  NoSuch."""
    return await _get(log, "user", rows.User, "user", user_id)


async def get_group(log: Log, group_id: str) -> rows.Group:
    """Raises:  NoSuch."""
    return await _get(log, "group", rows.Group, "group", group_id)


async def get_role(log: Log, role_id: str) -> rows.Role:
    """Raises:  NoSuch."""
    return await _get(log, "role", rows.Role, "role", role_id)


async def get_region(log: Log, region_id: str) -> rows.Region:
    """Raises:  NoSuch."""
    return await _get(log, "region", rows.Region, "region", region_id)


async def get_service(log: Log, service_id: str) -> rows.Service:
    """Raises:  NoSuch."""
    return await _get(log, "service", rows.Service, "service", service_id)


async def get_endpoint(log: Log, endpoint_id: str) -> rows.Endpoint:
    """Raises:  NoSuch."""
    return await _get(log, "endpoint", rows.Endpoint, "endpoint", endpoint_id)


async def get_endpoint_group(log: Log, endpoint_group_id: str) -> rows.EndpointGroup:
    """Raises:  NoSuch."""
    return await _get(
        log, "endpoint_group", rows.EndpointGroup, "endpoint group", endpoint_group_id
    )


async def groups_added_to(log: Log, project_id: str) -> list[rows.EndpointGroup]:
    """Return the endpoint groups that were added to a project, in the order of their ids."""
    return await _groups_among(log, await _associations(log, project_id))


async def endpoints_added_to(
    log: Log, project_id: str, endpoints: list[rows.Endpoint]
) -> list[rows.Endpoint] | None:
    """Return those of the endpoints that its associations add to a project; None: it has none."""
    associations = await _associations(log, project_id)
    if not associations:
        return None
    return added_endpoints(endpoints, associations, await _groups_among(log, associations))


async def projects_with(log: Log, association: rows.Association) -> list[rows.Project]:
    """Return the projects that what an association shows was added to, whichever it names."""
    within = under(shown_of(association))
    ids = [row.project_id async for row in every(log, "association_of", rows.Association, within)]
    found = await log.get_many("project", [id_key(each) for each in ids])
    return [row for row in found if isinstance(row, rows.Project)]


async def get_application_credential(log: Log, credential_id: str) -> rows.ApplicationCredential:
    """Raises:  NoSuch."""
    return await _get(
        log,
        "application_credential",
        rows.ApplicationCredential,
        "application credential",
        credential_id,
    )


async def domain_named(log: Log, name: str) -> rows.Domain | None:
    """Return the domain of a name, or None."""
    ref = await log.get("domain_name", domain_name_key(name))
    return None if ref is None else await log.get("domain", id_key(ref.id))


async def project_named(log: Log, domain_id: str, name: str) -> rows.Project | None:
    """Return the project of a name in a domain, or None."""
    ref = await log.get("project_name", name_key(domain_id, name))
    return None if ref is None else await log.get("project", id_key(ref.id))


async def user_named(log: Log, domain_id: str, name: str) -> rows.User | None:
    """Return the user of a name in a domain, or None."""
    ref = await log.get("user_name", name_key(domain_id, name))
    return None if ref is None else await log.get("user", id_key(ref.id))


async def application_credential_named(
    log: Log, user_id: str, name: str
) -> rows.ApplicationCredential | None:
    """Return the application credential of a name among a user's, or None."""
    ref = await log.get("application_credential_name", name_key(user_id, name))
    return None if ref is None else await log.get("application_credential", id_key(ref.id))


async def lineage_of(log: Log, project: rows.Project) -> tuple[str, ...]:
    """Return the ids of a project's parents, the nearest first, its domain last."""
    found: list[str] = []
    above: rows.Project | None = project
    while above is not None and above.parent_id != above.domain_id:
        found.append(above.parent_id)
        above = await log.get("project", id_key(above.parent_id))
    return (*found, project.domain_id)


async def is_in_force(log: Log, project: rows.Project) -> bool:
    """Whether a project and its domain are enabled; a disabled parent's children are disabled."""
    if not project.enabled:
        return False
    domain = await log.get("domain", id_key(project.domain_id))
    return domain is not None and domain.enabled


async def groups_of(log: Log, user_id: str) -> tuple[str, ...]:
    """Return the ids of the groups that a user is in."""
    members = every(log, "member_of", rows.Member, under(user_id))
    return tuple([member.group_id async for member in members])


async def is_member(log: Log, group_id: str, user_id: str) -> bool:
    """Whether a user is in a group."""
    return await log.get("member", pair_key(group_id, user_id)) is not None


async def assignments_of(log: Log, user_id: str) -> list[rows.Assignment]:
    """Return a user's assignments everywhere, their groups' included."""
    actors = [f"u-{user_id}", *(f"g-{group_id}" for group_id in await groups_of(log, user_id))]
    found: list[rows.Assignment] = []
    for actor in actors:
        found += [row async for row in every(log, "assignment", rows.Assignment, under(actor))]
    return found


async def implications(log: Log) -> dict[str, tuple[str, ...]]:
    """Return what each role implies by itself."""
    return implication_map([row async for row in every(log, "implied", rows.Implication)])


async def all_roles(log: Log) -> dict[str, rows.Role]:
    """Return every role by its id."""
    return {role.id: role async for role in every(log, "role", rows.Role)}


async def project_target(log: Log, project: rows.Project) -> Target:
    """Return a project as roles are asked for on it."""
    return Target(project_id=project.id, lineage=await lineage_of(log, project))


async def roles_of(
    log: Log,
    user_id: str,
    target: Target,
    *,
    through: rows.ApplicationCredential | None = None,
) -> tuple[rows.Role, ...]:
    """Return a user's effective roles on a target, by name.

    `through` an application credential those alone that it was given too, implied ones included.
    """
    assignments = await assignments_of(log, user_id)
    implied = await implications(log)
    found = effective_roles(assignments, implied, await all_roles(log), target)
    if through is None:
        return found
    given = implied_by(through.role_ids, implied)
    return tuple(role for role in found if role.id in given)


async def _associations(log: Log, project_id: str) -> list[rows.Association]:
    return [row async for row in every(log, "association", rows.Association, under(project_id))]


async def _groups_among(log: Log, associations: list[rows.Association]) -> list[rows.EndpointGroup]:
    ids = [each.endpoint_group_id for each in associations if each.endpoint_group_id]
    found = await log.get_many("endpoint_group", [id_key(each) for each in ids])
    return [row for row in found if isinstance(row, rows.EndpointGroup)]


async def _get(log: Log, table: str, shape: type[R], kind: str, id_: str) -> R:
    row: Any = await log.get(table, id_key(id_))
    if row is None:
        raise NoSuch(kind=kind, id=id_)
    assert isinstance(row, shape)
    return row
