"""The service catalog as a token shows it: where each service is, for this project and client.

Pure: no clock, no IO.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from computelite.identity.rows import Endpoint, Service

_FIELD = re.compile(r"[$%]\(([^)]*)\)s")
_API = "{api}"


def catalog_document(
    services: Iterable[Service],
    endpoints: Iterable[Endpoint],
    *,
    base_url: str,
    user_id: str,
    project_id: str | None,
    is_filtered: bool = False,
) -> list[dict[str, Any]]:
    """Return the enabled services, by type, with their enabled endpoints.

    `base_url`: what `{api}` in an endpoint's URL stands for. An endpoint whose URL needs a project,
    and there is none, or anything else that a catalog does not tell, is left out. So is, where the
    endpoints are but some (`is_filtered`), a service without any.
    """
    facts = {"user_id": user_id}
    if project_id is not None:
        facts |= {"project_id": project_id, "tenant_id": project_id}
    shown: dict[str, list[dict[str, Any]]] = {}
    for endpoint in endpoints:
        url = filled_url(endpoint.url, facts, base_url)
        if endpoint.enabled and url is not None:
            shown.setdefault(endpoint.service_id, []).append(_endpoint(endpoint, url))
    return [
        {
            "id": service.id,
            "type": service.type,
            "name": service.name,
            "endpoints": shown.get(service.id, []),
        }
        for service in sorted(services, key=lambda service: (service.type, service.id))
        if service.enabled and (service.id in shown or not is_filtered)
    ]


def filled_url(template: str, facts: Mapping[str, str], base_url: str) -> str | None:
    """Return the URL with its fields filled in; None if it names one that is not there."""
    if any(name not in facts for name in _FIELD.findall(template)):
        return None
    filled = _FIELD.sub(lambda match: facts[match[1]], template)
    return filled.replace(_API, base_url)


def _endpoint(endpoint: Endpoint, url: str) -> dict[str, Any]:
    region = endpoint.region_id or None
    return {
        "id": endpoint.id,
        "interface": endpoint.interface,
        "region_id": region,
        "region": region,
        "url": url,
    }
