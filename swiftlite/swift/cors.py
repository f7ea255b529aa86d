"""Cross-origin requests: what a container lets pages of other origins do, and see.

A container's owner names the origins in X-Container-Meta-Access-Control-Allow-Origin, separated by
blanks; accounts let none. In strict mode a reply to any other origin says nothing of origins.
Source: Fetch standard, "CORS protocol"; Swift admin guide, "CORS".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from swiftlite.catalog.rows import Bucket
from swiftlite.http.replies import Reply
from swiftlite.swift.errors import refused
from swiftlite.swift.request import Request

_ALLOW = "access-control-allow-origin"
_EXPOSE = "access-control-expose-headers"
_MAX_AGE = "access-control-max-age"
_ALWAYS_EXPOSED = (
    "cache-control",
    "content-language",
    "content-type",
    "etag",
    "expires",
    "last-modified",
    "pragma",
    "x-openstack-request-id",
    "x-timestamp",
    "x-trans-id",
)


def preflight(request: Request, bucket: Bucket | None, methods: Sequence[str]) -> Reply:
    """Answer OPTIONS: which methods there are, and to a browser whether it may go on.

    A container that is not there answers as one that lets nobody in.
    """
    allow = {"Allow": ", ".join(methods)}
    origin = request.headers.get("origin")
    if not origin or not request.container:
        return Reply(200, allow)
    asked = request.headers.get("access-control-request-method", "")
    if bucket is None or not _is_allowed(bucket, origin) or asked not in methods:
        reply = refused(401)
        reply.headers = {**reply.headers, **allow}
        return reply
    headers = {**allow, **_origin(bucket, origin), "Access-Control-Allow-Methods": allow["Allow"]}
    if _MAX_AGE in bucket.meta:
        headers["Access-Control-Max-Age"] = bucket.meta[_MAX_AGE]
    wanted = request.headers.get("access-control-request-headers", "")
    names = dict.fromkeys(name.strip() for name in wanted.split(",") if name.strip())
    if names:
        headers["Access-Control-Allow-Headers"] = ", ".join(names)
        vary = headers.get("Vary")
        headers["Vary"] = ", ".join(filter(None, (vary, "Access-Control-Request-Headers")))
    return Reply(200, headers)


def exposed(
    request: Request, bucket: Bucket | None, headers: Mapping[str, str], *, strict: bool
) -> Mapping[str, str]:
    """Return a reply's headers with what tells a browser who may see it."""
    origin = request.headers.get("origin")
    if not origin or bucket is None or (strict and not _is_allowed(bucket, origin)):
        return headers
    own = [
        name.lower() for name in headers if name.startswith(("X-Container-Meta", "X-Object-Meta"))
    ]
    named = [name.lower() for name in bucket.meta.get(_EXPOSE, "").split()]
    shown = dict.fromkeys([*_ALWAYS_EXPOSED, *own, *named])
    return {
        **headers,
        **_origin(bucket, origin),
        "Access-Control-Expose-Headers": ", ".join(shown),
    }


def _origin(bucket: Bucket, origin: str) -> dict[str, str]:
    if bucket.meta.get(_ALLOW, "").strip() == "*":
        return {"Access-Control-Allow-Origin": "*"}
    return {"Access-Control-Allow-Origin": origin, "Vary": "Origin"}


def _is_allowed(bucket: Bucket, origin: str) -> bool:
    named = bucket.meta.get(_ALLOW, "").split()
    return "*" in named or origin in named
