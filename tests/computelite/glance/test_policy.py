"""Who may do what to images: every route has a row, every error a status."""

from __future__ import annotations

from computelite.glance.errors import STATUSES
from computelite.glance.policy import POLICY, RULES
from computelite.glance.routes import ROUTES
from eventlog.errors import CloudError
from tests.computelite.glance.house import TOKENS

# Asked for beside the route's own, by what a request says.
BESIDE = {"publicize_image", "communitize_image", "change_owner", "download_deactivated"}


def test_every_route_has_a_row_and_every_row_is_asked() -> None:
    asked = {route.operation for route in ROUTES.rows if not route.is_open}
    assert asked | BESIDE == RULES.keys()


def test_only_versions_are_open() -> None:
    assert {route.pattern for route in ROUTES.rows if route.is_open} == {"/", "/versions", "/v2"}


def test_who_has_no_role_may_do_nothing() -> None:
    for operation in RULES:
        assert not POLICY.allows(TOKENS["unscoped"], operation, "p")
        changes = not operation.startswith("get_")
        assert not (changes and POLICY.allows(TOKENS["nobody"], operation, "p")), operation
        assert not (changes and POLICY.allows(TOKENS["rae"], operation, "p")), operation
        assert not (changes and POLICY.allows(TOKENS["auditor"], operation, "p")), operation
        assert not (changes and POLICY.allows(TOKENS["ben"], operation, "p")), operation
        assert POLICY.allows(TOKENS["root"], operation, "p")


def test_every_error_has_a_status() -> None:
    waiting: list[type[CloudError]] = [CloudError]
    while waiting:
        cls = waiting.pop()
        waiting += cls.__subclasses__()
        if cls is not CloudError:
            assert any(base in STATUSES.table for base in cls.__mro__), cls
