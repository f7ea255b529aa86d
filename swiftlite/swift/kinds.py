"""Kinds of objects, as replies and listings tell them: large ones, manifests, links.

Pure: no clock, no IO.
"""

from __future__ import annotations

import hashlib
from typing import Any
from urllib.parse import quote

from swiftlite.catalog.rows import Shown, Version
from swiftlite.gateway.whole import DYNAMIC, LINK, STATIC
from swiftlite.swift.links import LINK_BYTES, LINK_ETAG, LINK_WHOLE_ETAG

EMPTY_ETAG = hashlib.md5(b"", usedforsecurity=False).hexdigest()


def whole_headers(version: Version) -> dict[str, str]:
    """Return what a reply adds about an object that stands for others, read as the whole."""
    if version.kind == STATIC:
        return {
            "X-Static-Large-Object": "True",
            "X-Manifest-Etag": version.target,
            "Etag": f'"{version.etag}"',
        }
    if version.kind == DYNAMIC:
        return {"X-Object-Manifest": version.target, "Etag": f'"{version.etag}"'}
    return {}


def own_headers(version: Version) -> dict[str, str]:
    """Return what a reply adds about such an object, read as it is itself."""
    if version.kind == STATIC:
        return {"X-Static-Large-Object": "True", "Etag": version.target}
    if version.kind == DYNAMIC:
        return {"X-Object-Manifest": version.target}
    if version.kind == LINK:
        _, _, path = version.target.partition("/")
        return {"X-Symlink-Target": quote(path)}
    return {}


def listed(found: Shown) -> dict[str, Any]:
    """Return what a listing in JSON tells of such an object beside, or instead of, the rest."""
    if found.kind == STATIC:
        return {"hash": found.target, "slo_etag": f'"{found.etag}"'}
    if found.kind == LINK:
        told: dict[str, Any] = {"symlink_path": "/v1/" + quote(found.target)}
        if LINK_ETAG in found.headers:
            told["symlink_etag"] = found.headers[LINK_ETAG]
        if LINK_BYTES in found.headers:
            told["symlink_bytes"] = int(found.headers[LINK_BYTES])
        if LINK_WHOLE_ETAG in found.headers:
            told["slo_etag"] = f'"{found.headers[LINK_WHOLE_ETAG]}"'
        return told
    return {}
