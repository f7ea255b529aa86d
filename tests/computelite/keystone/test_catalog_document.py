"""The catalog in tokens: URLs filled in, and nothing told that it need not tell."""

from __future__ import annotations

from typing import Any

import pytest

from computelite.identity.rows import Endpoint, Service
from computelite.keystone.catalog_document import catalog_document, filled_url

FACTS = {"project_id": "p1", "tenant_id": "p1", "user_id": "u1"}


def service(id_: str, type_: str, *, enabled: bool = True) -> Service:
    return Service(id=id_, type=type_, name=id_, description="", enabled=enabled, extra={})


def endpoint(service_id: str, url: str, **fields: Any) -> Endpoint:
    facts: dict[str, Any] = {
        "id": f"e-{service_id}",
        "interface": "public",
        "region_id": "RegionOne",
        "enabled": True,
        "name": "",
        "description": "",
        "extra": {},
    }
    return Endpoint(service_id=service_id, url=url, **(facts | fields))


@pytest.mark.parametrize(
    ("template", "url"),
    [
        ("{api}/identity", "http://h:9001/identity"),
        ("{api}/v1/AUTH_$(project_id)s", "http://h:9001/v1/AUTH_p1"),
        ("{api}/v1/AUTH_%(tenant_id)s/$(user_id)s", "http://h:9001/v1/AUTH_p1/u1"),
        ("https://other.example/x", "https://other.example/x"),
        ("http://x/$(admin_token)s", None),
        ("http://x/%(__class__)s", None),
        ("http://x/$()s", None),
        ("http://x/%s/%d/{0}/{x}", "http://x/%s/%d/{0}/{x}"),
        ("http://x/$(project_id)", "http://x/$(project_id)"),
    ],
)
def test_a_url_is_filled_in_or_left_out(template: str, url: str | None) -> None:
    assert filled_url(template, FACTS, "http://h:9001") == url


def test_what_a_client_calls_itself_is_not_filled_in_again() -> None:
    odd = {"project_id": "$(user_id)s", "user_id": "u1"}
    assert filled_url("http://x/$(project_id)s", odd, "") == "http://x/$(user_id)s"


def test_disabled_services_and_endpoints_are_left_out() -> None:
    services = [service("b", "object-store"), service("a", "identity"), service("c", "x")]
    services[2] = service("c", "x", enabled=False)
    endpoints = [
        endpoint("a", "{api}/identity"),
        endpoint("b", "{api}/v1", enabled=False),
        endpoint("c", "{api}/x"),
    ]
    catalog = catalog_document(
        services, endpoints, base_url="http://h", user_id="u1", project_id="p1"
    )
    assert [(each["type"], len(each["endpoints"])) for each in catalog] == [
        ("identity", 1),
        ("object-store", 0),
    ]


def test_without_a_project_what_needs_one_is_left_out() -> None:
    services = [service("b", "object-store")]
    endpoints = [
        endpoint("b", "{api}/v1/AUTH_$(project_id)s"),
        endpoint("b", "{api}/info", region_id=""),
    ]
    (found,) = catalog_document(
        services, endpoints, base_url="http://h", user_id="u1", project_id=None
    )
    assert found["endpoints"] == [
        {
            "id": "e-b",
            "interface": "public",
            "region": None,
            "region_id": None,
            "url": "http://h/info",
        }
    ]
