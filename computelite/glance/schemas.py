"""Schemas of what Glance's API shows: /v2/schemas/image and its like."""

from __future__ import annotations

from typing import Any

from computelite.api.call import json_reply
from computelite.api.routing import Route
from computelite.glance.call import Call
from computelite.glance.fields import CONTAINER_FORMATS, DISK_FORMATS, VISIBILITIES
from computelite.glance.policy import POLICY
from computelite.image.errors import NotFound
from computelite.image.limits import NAME_MAX
from swiftlite.http.replies import Reply

_UUID = "^([0-9a-fA-F]){8}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){12}$"
_STATUSES = (
    "queued", "saving", "active", "killed", "deleted", "uploading", "importing",
    "pending_delete", "deactivated",
)  # fmt: skip
_TEXT: dict[str, Any] = {"type": "string"}
_MAYBE_TEXT: dict[str, Any] = {"type": ["null", "string"]}
_READ_ONLY: dict[str, Any] = {"readOnly": True}

_IMAGE: dict[str, Any] = {
    "id": {**_TEXT, "pattern": _UUID, "description": "An identifier for the image"},
    "name": {**_MAYBE_TEXT, "maxLength": NAME_MAX, "description": "What people call the image"},
    "status": {**_TEXT, **_READ_ONLY, "enum": list(_STATUSES)},
    "visibility": {**_TEXT, "enum": list(VISIBILITIES), "description": "Who sees the image"},
    "protected": {"type": "boolean", "description": "If true, it cannot be deleted"},
    "os_hidden": {"type": "boolean", "description": "If true, lists leave it out by default"},
    "checksum": {**_MAYBE_TEXT, **_READ_ONLY, "maxLength": 32, "description": "MD5 in hex"},
    "os_hash_algo": {**_MAYBE_TEXT, **_READ_ONLY, "maxLength": 64},
    "os_hash_value": {**_MAYBE_TEXT, **_READ_ONLY, "maxLength": 128},
    "owner": {**_MAYBE_TEXT, "maxLength": NAME_MAX, "description": "The project that owns it"},
    "size": {"type": ["null", "integer"], **_READ_ONLY, "description": "Bytes of its file"},
    "virtual_size": {"type": ["null", "integer"], **_READ_ONLY, "description": "Bytes of its disk"},
    "container_format": {**_MAYBE_TEXT, "enum": [None, *CONTAINER_FORMATS]},
    "disk_format": {**_MAYBE_TEXT, "enum": [None, *DISK_FORMATS]},
    "created_at": {**_TEXT, **_READ_ONLY},
    "updated_at": {**_TEXT, **_READ_ONLY},
    "tags": {"type": "array", "items": {"type": "string", "maxLength": NAME_MAX}},
    "min_ram": {"type": "integer", "description": "MB of memory that it needs"},
    "min_disk": {"type": "integer", "description": "GB of disk that it needs"},
    "self": {**_TEXT, **_READ_ONLY},
    "file": {**_TEXT, **_READ_ONLY},
    "stores": {**_TEXT, **_READ_ONLY},
    "schema": {**_TEXT, **_READ_ONLY},
}
_MEMBER: dict[str, Any] = {
    "created_at": _TEXT,
    "image_id": {**_TEXT, "pattern": _UUID},
    "member_id": _TEXT,
    "schema": {**_TEXT, **_READ_ONLY},
    "status": {**_TEXT, "enum": ["pending", "accepted", "rejected"]},
    "updated_at": _TEXT,
}
_LINKS = [
    {"rel": "self", "href": "{self}"},
    {"rel": "enclosure", "href": "{file}"},
    {"rel": "describedby", "href": "{schema}"},
]


def _collection(name: str, item: dict[str, Any]) -> dict[str, Any]:
    links = [{"rel": "describedby", "href": "{schema}"}]
    paging = {"first": _TEXT, "next": _TEXT} if name == "images" else {}
    if paging:
        links = [{"rel": rel, "href": f"{{{rel}}}"} for rel in ("first", "next")] + links
    properties = {name: {"type": "array", "items": item}, **paging, "schema": _TEXT}
    return {"name": name, "properties": properties, "links": links}


_IMAGE_SCHEMA: dict[str, Any] = {
    "name": "image",
    "properties": _IMAGE,
    "additionalProperties": _TEXT,
    "links": _LINKS,
}
_MEMBER_SCHEMA: dict[str, Any] = {"name": "member", "properties": _MEMBER}
SCHEMAS = {
    "image": _IMAGE_SCHEMA,
    "images": _collection("images", _IMAGE_SCHEMA),
    "member": _MEMBER_SCHEMA,
    "members": _collection("members", _MEMBER_SCHEMA),
}


async def show_schema(call: Call) -> Reply:
    POLICY.permit(call)
    found = SCHEMAS.get(call.params["name"])
    if found is None:
        raise NotFound(reason=f"There is no schema {call.params['name']!r}.")
    return json_reply(found)


ROUTES = (Route("GET", "/v2/schemas/{name}", show_schema, "get_schema"),)
