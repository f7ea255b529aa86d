"""Discovery: which versions of Glance's API there are, for anyone who asks."""

from __future__ import annotations

from typing import Any

from computelite.api.call import json_reply
from computelite.api.routing import Route
from computelite.glance.call import Call
from swiftlite.http.replies import Reply

CURRENT = "v2.9"
_VERSIONS = (CURRENT, *(f"v2.{minor}" for minor in range(8, -1, -1)))


async def list_versions(call: Call) -> Reply:
    """Answer 300: there are versions to choose from."""
    return json_reply(_document(call), 300)


async def show_versions(call: Call) -> Reply:
    """Answer the same to who has chosen."""
    return json_reply(_document(call))


def _document(call: Call) -> dict[str, Any]:
    links = [{"rel": "self", "href": f"{call.base_url}/image/v2/"}]
    return {
        "versions": [
            {
                "id": version,
                "status": "CURRENT" if version == CURRENT else "SUPPORTED",
                "links": links,
            }
            for version in _VERSIONS
        ]
    }


ROUTES = (
    Route("GET", "/", list_versions, ""),
    Route("GET", "/versions", show_versions, ""),
    Route("GET", "/v2", show_versions, ""),
)
