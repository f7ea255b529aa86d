"""What a cloud has of identity from its first start on."""

from __future__ import annotations

from computelite.identity.commands.access_keys import IssuedKey, key_created
from computelite.identity.commands.assignments import grant_role
from computelite.identity.commands.common import name_is_free, new_id
from computelite.identity.commands.projects import change_project
from computelite.identity.commands.users import create_user, password_set
from computelite.identity.events.actors import (
    DEFAULT_DOMAIN,
    DomainCreated,
    ProjectCreated,
    UserCreated,
    domain_stream,
    project_stream,
    user_stream,
)
from computelite.identity.events.catalog import (
    REGIONS,
    EndpointCreated,
    RegionCreated,
    ServiceCreated,
    service_stream,
)
from computelite.identity.events.roles import (
    RoleCreated,
    RoleGranted,
    RoleImplied,
    built_in_role_id,
    role_stream,
)
from computelite.identity.keys import domain_name_key, id_key, name_key
from computelite.identity.passwords import password_verifier
from computelite.identity.queries import every, get_project, project_named, user_named
from computelite.identity.rows import Assignment, Service
from computelite.keystore import KeyStore
from computelite.secret import Secret
from eventlog.clock import Ids
from eventlog.event import Event
from eventlog.log import Actor, Log

SERVICE_PROJECT = "service"

# Each with what it implies, which comes before it.
ROLES: tuple[tuple[str, str], ...] = (
    ("reader", ""),
    ("member", "reader"),
    ("manager", "member"),
    ("admin", "manager"),
    ("service", ""),
    ("ResellerAdmin", ""),
)

# The rest of an endpoint's URL after the API port's own, which may be another at each start.
SERVICES: tuple[tuple[str, str, str], ...] = (
    ("identity", "keystone", "{api}/identity"),
    ("object-store", "swift", "{api}/v1/AUTH_$(project_id)s"),
    ("image", "glance", "{api}/image"),
)
INTERFACES = ("public", "internal", "admin")


async def found_identity(
    log: Log,
    ids: Ids,
    keystore: KeyStore,
    *,
    name: str,
    region: str,
    password: Secret,
    issued: IssuedKey,
    actor: Actor,
) -> None:
    """Make the default domain, the roles, the catalog, the first user, their project, the root key.

    User and project are both called `name`. Repeated after an interruption it makes what is
    missing; the user comes last, with everything at once.
    Raises:  NameTaken if the user is there.
    """
    await _found_domain(log, actor)
    await _found_roles(log, actor)
    await _found_catalog(log, ids, region, actor)
    await _found_project(log, ids, SERVICE_PROJECT, actor)
    project_id = await _found_project(log, ids, name, actor)
    user_id = new_id(ids)
    admin = built_in_role_id("admin")
    events: list[Event] = [
        UserCreated(user_id=user_id, name=name),
        password_set(keystore, user_id, password_verifier(password, ids)),
        RoleGranted(user_id=user_id, project_id=project_id, role_id=admin),
        RoleGranted(user_id=user_id, system=True, role_id=admin),
        key_created(keystore, issued, user_id=user_id, project_id=project_id, description="root"),
    ]
    free = name_is_free("user_name", name_key(DEFAULT_DOMAIN, name), "user", name)
    await log.append(user_stream(user_id), events, actor=actor, guards=[free])


async def complete_identity(
    log: Log, ids: Ids, keystore: KeyStore, *, name: str, region: str, actor: Actor
) -> None:
    """Give a cloud that an earlier version founded what it lacks.

    That is today's services, and all but users, projects and keys where there was no more. The
    domain comes last: who finds it there need not ask. Repeated after an interruption it makes what
    is missing.
    """
    if await log.get("domain", id_key(DEFAULT_DOMAIN)) is not None:
        await _found_catalog(log, ids, region, actor)
        return
    await _found_roles(log, actor)
    await _found_catalog(log, ids, region, actor)
    await _found_project(log, ids, SERVICE_PROJECT, actor)
    await restore_first(log, ids, keystore, name=name, actor=actor)
    await _found_domain(log, actor)


async def restore_first(log: Log, ids: Ids, keystore: KeyStore, *, name: str, actor: Actor) -> None:
    """Let the first user be there, and be an admin of their project and of the system.

    An admin can delete themselves, or take their own role: this is for the operator to mend it.
    Repeated after an interruption it does what is missing.
    """
    project = await get_project(log, await _found_project(log, ids, name, actor))
    await change_project(log, project, {} if project.enabled else {"enabled": True}, actor=actor)
    user = await user_named(log, DEFAULT_DOMAIN, name)
    if user is None:
        user = await create_user(
            log, ids, keystore, domain_id=DEFAULT_DOMAIN, name=name, actor=actor
        )
    for project_id, system in ((project.id, False), ("", True)):
        admin = Assignment(
            role_id=built_in_role_id("admin"),
            user_id=user.id,
            group_id="",
            project_id=project_id,
            domain_id="",
            system=system,
            inherited=False,
        )
        await grant_role(log, admin, actor=actor)


async def _found_domain(log: Log, actor: Actor) -> None:
    if await log.get("domain", id_key(DEFAULT_DOMAIN)) is None:
        domain = DomainCreated(
            domain_id=DEFAULT_DOMAIN, name="Default", description="The default domain"
        )
        free = name_is_free("domain_name", domain_name_key("Default"), "domain", "Default")
        await log.append(domain_stream(DEFAULT_DOMAIN), [domain], actor=actor, guards=[free])


async def _found_roles(log: Log, actor: Actor) -> None:
    for name, implied in ROLES:
        role_id = built_in_role_id(name)
        if await log.get("role", id_key(role_id)) is not None:
            continue
        events: list[Event] = [RoleCreated(role_id=role_id, name=name)]
        if implied:
            events.append(RoleImplied(role_id=role_id, implied_id=built_in_role_id(implied)))
        free = name_is_free("role_name", name_key("", name), "role", name)
        await log.append(role_stream(role_id), events, actor=actor, guards=[free])


async def _found_catalog(log: Log, ids: Ids, region: str, actor: Actor) -> None:
    """Put what this version serves into the catalog, as far as it is not there.

    A service that an operator deleted comes back: what is not to be used is disabled.
    """
    if await log.get("region", id_key(region)) is None:
        free = name_is_free("region", id_key(region), "region", region)
        made = RegionCreated(region_id=region)
        await log.append(REGIONS, [made], actor=actor, guards=[free])
    there = {service.type async for service in every(log, "service", Service)}
    for kind, name, url in SERVICES:
        if kind in there:
            continue
        service_id = new_id(ids)
        events: list[Event] = [ServiceCreated(service_id=service_id, type=kind, name=name)]
        events += [
            EndpointCreated(
                endpoint_id=new_id(ids),
                service_id=service_id,
                interface=interface,
                url=url,
                region_id=region,
            )
            for interface in INTERFACES
        ]
        await log.append(service_stream(service_id), events, actor=actor)


async def _found_project(log: Log, ids: Ids, name: str, actor: Actor) -> str:
    project = await project_named(log, DEFAULT_DOMAIN, name)
    if project is not None:
        return project.id
    project_id = new_id(ids)
    created = ProjectCreated(project_id=project_id, name=name)
    free = name_is_free("project_name", name_key(DEFAULT_DOMAIN, name), "project", name)
    await log.append(project_stream(project_id), [created], actor=actor, guards=[free])
    return project_id
