"""Patches of images: JSON pointers and operations, as Glance's two media types have them.

Source: RFC 6902 and RFC 6901, of which Glance takes add, remove and replace of one member; the
older media type is that of an early draft: {"replace": "/name", "value": "x"}.
Pure: no clock, no IO.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from computelite.api.errors import BadRequest, Conflicting, Forbidden
from computelite.glance.errors import UnsupportedMedia
from computelite.glance.fields import (
    ATTRIBUTES,
    attribute,
    check_properties,
    check_settable,
    property_of,
)
from computelite.image.rows import QUEUED, Image

DRAFT_4 = "application/openstack-images-v2.0-json-patch"
DRAFT_10 = "application/openstack-images-v2.1-json-patch"
OPERATIONS_MAX = 512
_OPERATIONS = ("add", "remove", "replace")
_ESCAPE = re.compile(r"~(?![01])")
_FORMATS = frozenset({"disk_format", "container_format"})


class Change(NamedTuple):
    """One operation on one attribute or property."""

    operation: str
    name: str
    value: Any = None
    is_draft_4: bool = False


def parse_patch(content: bytes, content_type: str) -> list[Change]:
    """Return the operations of a patch.

    Raises:  UnsupportedMedia, BadRequest, Forbidden for what nobody can change.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind not in (DRAFT_4, DRAFT_10):
        raise UnsupportedMedia(
            reason=f"Image PATCH expects Content-Type one of: {DRAFT_4}, {DRAFT_10}"
        )
    try:
        sent = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise BadRequest(reason="The body is not JSON.") from None
    if not isinstance(sent, list):
        raise BadRequest(reason="Request body must be a JSON array of operation objects.")
    if len(sent) > OPERATIONS_MAX:
        raise BadRequest(reason=f"A patch has at most {OPERATIONS_MAX} operations.")
    return [_change(each, is_draft_4=kind == DRAFT_4) for each in sent]


def patched(image: Image, changes: Sequence[Change]) -> dict[str, Any]:
    """Return what all operations together make of an image, by the names of `image.changed`.

    Raises:  Conflicting for a property that is not there, or is; Forbidden, BadRequest, OverLimit.
    """
    facts: dict[str, Any] = {}
    properties = dict(image.properties)
    for change in changes:
        name = change.name
        if name in ATTRIBUTES:
            if change.operation == "remove":
                raise Forbidden(reason=f"Property {name} may not be removed.")
            if change.operation == "add" and change.is_draft_4:
                raise Conflicting(reason=f"Property {name} already present.")
            if name in _FORMATS and image.status != QUEUED:
                raise Forbidden(reason=f"Attribute {name} can be only replaced for a queued image.")
            named, value = attribute(name, change.value)
            facts[named] = value
            continue
        is_there = name in properties
        if change.operation != "add" and not is_there:
            raise Conflicting(reason=f"Property {name} does not exist.")
        if change.operation == "add" and is_there and change.is_draft_4:
            raise Conflicting(reason=f"Property {name} already present.")
        if change.operation == "remove":
            del properties[name]
        else:
            properties[name] = property_of(name, change.value)
    check_properties(properties)
    return facts | {"properties": properties}


def _change(sent: object, *, is_draft_4: bool) -> Change:
    operation: object
    pointer: object
    if not isinstance(sent, dict):
        raise BadRequest(reason="Operations must be JSON objects.")
    if is_draft_4:
        found = [each for each in _OPERATIONS if each in sent]
        if len(found) != 1:
            raise BadRequest(
                reason="Operation objects must contain exactly one member named "
                '"add", "remove", or "replace".'
            )
        operation, pointer = found[0], sent[found[0]]
    else:
        operation, pointer = sent.get("op"), sent.get("path")
    if not isinstance(operation, str) or operation not in _OPERATIONS:
        raise BadRequest(reason=f"An operation is one of: {', '.join(_OPERATIONS)}.")
    name = _name(pointer)
    check_settable(name)
    if name == "id":
        raise Forbidden(reason="Attribute 'id' is read-only.")
    if operation == "remove":
        return Change(operation, name, is_draft_4=is_draft_4)
    if "value" not in sent:
        raise BadRequest(reason=f'Operation "{operation}" requires a member named "value".')
    return Change(operation, name, sent["value"], is_draft_4)


def _name(pointer: object) -> str:
    """Return the one member that a pointer names. Raises: BadRequest."""
    if not isinstance(pointer, str) or not pointer.startswith("/"):
        raise BadRequest(reason="The path of an operation is a pointer that begins with '/'.")
    name = pointer[1:]
    if not name.strip() or "/" in name or _ESCAPE.search(name):
        raise BadRequest(reason=f"Invalid JSON pointer for this resource: {pointer!r}.")
    return name.replace("~1", "/").replace("~0", "~").strip()
