"""Info: what this Swift can do, for anyone who asks.

`CAPABILITIES` holds what is implemented, and nothing else: each feature's module puts its own
entry there.
"""

from __future__ import annotations

from typing import Any

import msgspec

from swiftlite.catalog.limits import BUCKETS_PER_PROJECT_MAX
from swiftlite.gateway.whole import LINKS_MAX
from swiftlite.http.replies import Reply
from swiftlite.swift import bulk_delete, extraction, tempurl
from swiftlite.swift.bulk_answer import BEAT_S
from swiftlite.swift.limits import (
    ACCOUNT_NAME_MAX,
    CONTAINER_NAME_MAX,
    FILE_MAX,
    HEADER_MAX,
    LISTING_MAX,
    META_COUNT_MAX,
    META_NAME_MAX,
    META_TOTAL_MAX,
    META_VALUE_MAX,
    OBJECT_NAME_MAX,
    POLICY,
    Settings,
)
from swiftlite.swift.request import Request
from swiftlite.swift.signatures import DIGESTS, FORM_DIGESTS
from swiftlite.swift.slo_manifest import MANIFEST_BYTES_MAX, SEGMENTS_MAX

CAPABILITIES: dict[str, dict[str, Any]] = {
    "account_quotas": {},
    "container_quotas": {},
    "bulk_delete": bulk_delete.INFO,
    "bulk_upload": extraction.INFO,
    "formpost": {"allowed_digests": list(FORM_DIGESTS), "deprecated_digests": ["sha1"]},
    "object_versioning": {},
    "slo": {
        "max_manifest_segments": SEGMENTS_MAX,
        "max_manifest_size": MANIFEST_BYTES_MAX,
        "yield_frequency": int(BEAT_S),
        "min_segment_size": 1,
        "allow_async_delete": False,
    },
    "staticweb": {},
    "symlink": {"symloop_max": LINKS_MAX, "static_links": True},
    "tempurl": {
        "methods": list(tempurl.METHODS),
        "incoming_remove_headers": list(tempurl.IGNORED_HEADERS),
        "incoming_allow_headers": [],
        "outgoing_remove_headers": ["x-object-meta-*"],
        "outgoing_allow_headers": ["x-object-meta-public-*"],
        "allowed_digests": list(DIGESTS),
    },
    "versioned_writes": {"allowed_flags": ["x-versions-location", "x-history-location"]},
}


def info(request: Request, settings: Settings) -> Reply:
    """Answer /info."""
    if request.method == "OPTIONS":
        return Reply(200, {"Allow": "HEAD, GET, OPTIONS"})
    if request.method not in ("GET", "HEAD"):
        return Reply(405, {"Allow": "HEAD, GET, OPTIONS"})
    headers = {"Content-Type": "application/json; charset=UTF-8"}
    if "origin" in request.headers:
        headers["Access-Control-Allow-Origin"] = "*"
        headers["Access-Control-Expose-Headers"] = "x-trans-id"
    return Reply(200, headers, msgspec.json.encode(_document(settings)))


def _document(settings: Settings) -> dict[str, Any]:
    swift = {
        "version": "2.38.0",
        "max_file_size": FILE_MAX,
        "max_meta_name_length": META_NAME_MAX,
        "max_meta_value_length": META_VALUE_MAX,
        "max_meta_count": META_COUNT_MAX,
        "max_meta_overall_size": META_TOTAL_MAX,
        "max_header_size": HEADER_MAX,
        "max_object_name_length": OBJECT_NAME_MAX,
        "max_container_name_length": CONTAINER_NAME_MAX,
        "max_account_name_length": ACCOUNT_NAME_MAX,
        "container_listing_limit": LISTING_MAX,
        "account_listing_limit": LISTING_MAX,
        "max_containers_per_account": BUCKETS_PER_PROJECT_MAX,
        "extra_header_count": 0,
        "valid_api_versions": ["v1"],
        "account_autocreate": True,
        "allow_account_management": False,
        "strict_cors_mode": settings.strict_cors,
        "cors_expose_headers": [],
        "policies": [{"name": POLICY, "aliases": POLICY, "default": True}],
    }
    return {"swift": swift, **CAPABILITIES}
