"""Who may do what: every route is asked, and what nobody was given is denied."""

from __future__ import annotations

import pytest

from computelite.api.routing import Route
from computelite.identity.caller import Caller, HeldRole, Named, ScopeProject
from computelite.keystone.policy import NOTHING, RULES, Target, Who, allows, kinds_of
from computelite.keystone.routes import ROUTES
from tests.computelite.keystone.conftest import Identity

ACME = Named(id="acme", name="acme")
CHANGES = ("POST", "PUT", "PATCH", "DELETE")
# What everybody may look at, and what filters by itself what it shows.
FOR_ALL = {operation for operation, who in RULES.items() if Who.ANYONE in who}


def caller(*roles: str, user: str = "u", project: str = "", domain: str = "", system: bool = False):
    return Caller(
        user=Named(id=user, name=user),
        user_domain=ACME,
        project=ScopeProject(id=project, name="p", domain=ACME) if project else None,
        domain=Named(id=domain, name=domain) if domain else None,
        is_system=system,
        roles=tuple(HeldRole(id=role, name=role) for role in roles),
    )


def test_every_route_has_a_row_and_every_row_a_route_or_a_reason() -> None:
    asked = {route.operation for route in ROUTES.rows if not route.is_open}
    assert asked <= RULES.keys()
    assert all(RULES[operation] for operation in asked)


def test_what_has_no_row_is_denied_to_the_admin_too() -> None:
    admin = caller("admin", "manager", "member", "reader", system=True)
    assert allows(admin, "delete_domain")
    assert not allows(admin, "launch_rocket")


@pytest.mark.parametrize(
    ("who", "target", "kinds"),
    [
        (caller("admin", project="p"), NOTHING, {Who.ADMIN}),
        (caller("admin", "reader", system=True), NOTHING, {Who.ADMIN, Who.SYSTEM_READER}),
        (caller("reader", project="p"), NOTHING, set()),
        (caller("admin", domain="acme"), NOTHING, set()),
        (
            caller("admin", domain="acme"),
            Target(domains=("acme",)),
            {Who.DOMAIN_USER, Who.DOMAIN_MANAGER},
        ),
        (caller("admin", domain="acme"), Target(domains=("acme", "other")), set()),
        (caller("manager", project="p"), Target(domains=("acme",)), set()),
        (caller("member", project="p"), Target(project_id="p"), {Who.PROJECT_USER}),
        (caller("member", project="p"), Target(project_id="q"), set()),
        (caller(), Target(user_id="u"), {Who.SELF}),
        (caller(user=""), Target(user_id=""), set()),
        (caller("service", project="p"), NOTHING, {Who.SERVICE}),
        (caller("service", domain="acme"), Target(domains=("acme",)), {Who.DOMAIN_USER}),
    ],
)
def test_what_a_caller_is_depends_on_scope_and_target(
    who: Caller, target: Target, kinds: set[Who]
) -> None:
    assert kinds_of(who, target) == kinds | {Who.ANYONE}


def test_a_domain_s_own_role_called_admin_is_not_the_role_admin() -> None:
    impostor = Caller(
        user=Named(id="u", name="u"),
        user_domain=ACME,
        project=ScopeProject(id="p", name="p", domain=ACME),
        roles=(HeldRole(id="r", name="admin", domain_id="acme"),),
    )
    assert not allows(impostor, "delete_domain")


async def everything(identity: Identity) -> dict[str, str]:
    """Return an existing thing for each parameter of a path, none of them an ordinary user's."""
    make = identity.make
    domain = await make("/domains", "domain", name="vault")
    inside = {"domain_id": domain["id"]}
    user = await make("/users", "user", name="victim", **inside)
    project = await make("/projects", "project", name="secret", tags=["blue"], **inside)
    group = await make("/groups", "group", name="them", **inside)
    role, implied = [await make("/roles", "role", name=name) for name in ("r1", "r2")]
    await identity.send("PUT", f"/roles/{role['id']}/implies/{implied['id']}")
    await identity.send("PUT", f"/groups/{group['id']}/users/{user['id']}")
    service = (await identity.get("/services"))["services"][0]["id"]
    endpoints = await make("/OS-EP-FILTER/endpoint_groups", "endpoint_group", name="e", filters={})
    policy = await make("/policies", "policy", blob="{}", type="application/json")
    credential = await make("/credentials", "credential", type="totp", blob="x", user_id=user["id"])
    wanted = {"service_id": service, "resource_name": "cores", "default_limit": 1}
    registered = await identity.send("POST", "/registered_limits", {"registered_limits": [wanted]})
    return {
        "user_id": user["id"],
        "project_id": project["id"],
        "domain_id": domain["id"],
        "group_id": group["id"],
        "role_id": role["id"],
        "prior_role_id": role["id"],
        "implied_role_id": implied["id"],
        "tag": "blue",
        "region_id": "RegionOne",
        "service_id": service,
        "endpoint_id": (await identity.get("/endpoints"))["endpoints"][0]["id"],
        "endpoint_group_id": endpoints["id"],
        "policy_id": policy["id"],
        "credential_id": credential["id"],
        "limit_id": registered.json["registered_limits"][0]["id"],
        "access": "CLNOBODY",
        "rule_id": "0" * 32,
    }


@pytest.mark.parametrize("kind", ["stranger", "member", "domain manager elsewhere", "absent"])
async def test_no_route_lets_somebody_without_rights_see_or_change_anything(
    identity: Identity, kind: str
) -> None:
    things = await everything(identity)
    own = await identity.make("/projects", "project", name="own")
    acme = await identity.make("/domains", "domain", name="acme")
    if kind == "stranger":
        user = await identity.make("/users", "user", name="nobody")
        token = f"{user['id']} unscoped"
    elif kind == "member":
        token = await identity.person("ann", "member", project=own["id"])
    else:
        token = await identity.person("meg", "manager", domain=acme["id"])
    if kind == "absent":
        things = dict.fromkeys(things, "f" * 32)
    head = identity.log.head()
    asked = 0
    for route in ROUTES.rows:
        if route.is_open or route.operation in FOR_ALL or "/v3/auth" in route.pattern:
            continue
        # What a domain's manager may see of their own domain, and roles that all can be given.
        if "manager" in kind and route.operation in ("list_roles", "get_role"):
            continue
        is_list = "{" not in route.pattern and route.method == "GET"
        seen_by_managers = is_list and Who.DOMAIN_READER in RULES[route.operation]
        if seen_by_managers and kind in ("domain manager elsewhere", "absent"):
            continue
        if kind == "absent" and route.operation in ("list_roles", "get_role"):
            continue
        path = route.pattern.removeprefix("/v3").format_map(things)
        body = body_for(route, things)
        answer = await identity.send(route.method, path, body, token=token)
        # A 400 would tell that the policy had not been asked first.
        may_name = "{" not in route.pattern and route.method == "POST"
        assert answer.status == 403 or (may_name and answer.status == 400), (
            route.method,
            path,
            answer.status,
            answer.text,
        )
        asked += 1
    assert asked > 70
    assert identity.log.head() == head


def body_for(route: Route, things: dict[str, str]) -> object:
    if route.method not in CHANGES:
        return None
    new = {"name": "new", "type": "t", "blob": "b"}
    new |= {name: things[name] for name in ("domain_id", "user_id")}
    kinds = ("domain", "project", "user", "group", "role", "region", "service", "policy")
    return {**dict.fromkeys((*kinds, "endpoint", "credential", "limit"), new), "tags": ["x"]}
