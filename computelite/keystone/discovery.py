"""The handlers of version discovery."""

from __future__ import annotations

from computelite.api.call import json_reply
from computelite.api.routing import Route
from computelite.keystone.call import Call
from computelite.keystone.versions import version_document, versions_document
from swiftlite.http.replies import Reply


async def list_versions(call: Call) -> Reply:
    """Answer 300: there are versions to choose from."""
    where = {"Location": f"{call.base_url}/identity/v3/"}
    return json_reply(versions_document(call.base_url), 300, where)


async def show_version(call: Call) -> Reply:
    """Answer what version 3 is."""
    return json_reply(version_document(call.base_url))


ROUTES = (
    Route("GET", "/", list_versions, ""),
    Route("GET", "/v3", show_version, ""),
)
