"""Discovery: which versions of Keystone's API there are, for anyone who asks.

Pure: no clock, no IO.
"""

from __future__ import annotations

from typing import Any

VERSION = "v3.14"
_UPDATED = "2020-04-07T00:00:00Z"
_MEDIA_TYPE = "application/vnd.openstack.identity-v3+json"


def versions_document(base_url: str) -> dict[str, Any]:
    """Return what `GET /identity` says, with status 300."""
    return {"versions": {"values": [_version(base_url)]}}


def version_document(base_url: str) -> dict[str, Any]:
    """Return what `GET /identity/v3` says."""
    return {"version": _version(base_url)}


def _version(base_url: str) -> dict[str, Any]:
    return {
        "id": VERSION,
        "status": "stable",
        "updated": _UPDATED,
        "links": [{"rel": "self", "href": f"{base_url}/identity/v3/"}],
        "media-types": [{"base": "application/json", "type": _MEDIA_TYPE}],
    }
