"""What requests say of an image: its attributes, and properties of a client's own.

Pure: no clock, no IO.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from computelite.api.errors import BadRequest, Forbidden
from computelite.api.request import checked
from computelite.image.errors import OverLimit
from computelite.image.limits import (
    NAME_MAX,
    PROPERTIES_BYTES_MAX,
    PROPERTIES_MAX,
    PROPERTY_BYTES_MAX,
    TAGS_MAX,
)

DISK_FORMATS = (
    "ami", "ari", "aki", "vhd", "vhdx", "vmdk", "raw", "qcow2", "vdi", "iso", "ploop",
)  # fmt: skip
CONTAINER_FORMATS = ("ami", "ari", "aki", "bare", "ovf", "ova", "docker", "compressed")
VISIBILITIES = ("community", "public", "private", "shared")

Text = Annotated[str, Meta(max_length=NAME_MAX, pattern=r"^[^\x00]*\Z")]
Tag = Annotated[str, Meta(min_length=1, max_length=NAME_MAX, pattern=r"^[^\x00-\x1f\x7f]*\Z")]
Amount = Annotated[int, Meta(ge=0, le=2**31 - 1)]
ImageId = Annotated[
    str,
    Meta(pattern=r"^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\Z"),
]
Project = Annotated[str, Meta(max_length=NAME_MAX, pattern=r"^[A-Za-z0-9-]*\Z")]

READ_ONLY = frozenset(
    {
        "created_at", "updated_at", "status", "checksum", "size", "virtual_size", "direct_url",
        "self", "file", "schema", "os_hash_algo", "os_hash_value", "stores",
    }
)  # fmt: skip
RESERVED = frozenset({"location", "locations", "deleted", "deleted_at"})
RESERVED_PREFIX = "os_glance_"


class Attributes(msgspec.Struct, frozen=True, kw_only=True):
    """The attributes that a client can set, by their names in the API."""

    name: Text | UnsetType | None = UNSET
    visibility: Literal[VISIBILITIES] | UnsetType = UNSET  # type: ignore[valid-type]
    disk_format: Literal[DISK_FORMATS] | UnsetType | None = UNSET  # type: ignore[valid-type]
    container_format: Literal[CONTAINER_FORMATS] | UnsetType | None = UNSET  # type: ignore[valid-type]
    min_disk: Amount | UnsetType = UNSET
    min_ram: Amount | UnsetType = UNSET
    protected: bool | UnsetType = UNSET
    os_hidden: bool | UnsetType = UNSET
    owner: Project | UnsetType | None = UNSET
    tags: list[Tag] | UnsetType = UNSET


class NewImage(Attributes, frozen=True, kw_only=True):
    """What makes an image."""

    id: ImageId | UnsetType = UNSET


ATTRIBUTES = frozenset(field.name for field in msgspec.structs.fields(Attributes))
_RENAMED = {"os_hidden": "hidden"}


def facts_of(sent: Attributes) -> dict[str, Any]:
    """Return the attributes that are set, by their names in events.

    Raises:  OverLimit for too many tags.
    """
    facts: dict[str, Any] = {}
    for name in ATTRIBUTES:
        value = getattr(sent, name)
        if value is UNSET:
            continue
        if name == "tags":
            value = tags_of(value)
        elif name == "owner":
            value = value or ""
        facts[_RENAMED.get(name, name)] = value
    return facts


def attribute(name: str, value: object) -> tuple[str, Any]:
    """Return one attribute, checked, by its name in events.

    Raises:  BadRequest, OverLimit.
    """
    ((named, found),) = facts_of(checked({name: value}, Attributes)).items()
    return named, found


def tags_of(tags: Iterable[str]) -> tuple[str, ...]:
    """Return tags as they are kept: each once, in their order. Raises: OverLimit."""
    found = tuple(sorted(set(tags)))
    if len(found) > TAGS_MAX:
        raise OverLimit(reason=f"An image has at most {TAGS_MAX} tags.")
    return found


def check_settable(name: str) -> None:
    """Return if a client can set what is called so. Raises: Forbidden."""
    if name in READ_ONLY:
        raise Forbidden(reason=f"Attribute '{name}' is read-only.")
    if name in RESERVED or name.startswith(RESERVED_PREFIX):
        raise Forbidden(reason=f"Attribute '{name}' is reserved.")


def property_of(name: str, value: object) -> str:
    """Return the value of a property of the client's own. Raises: BadRequest."""
    if not 0 < len(name) <= NAME_MAX or "\0" in name:
        raise BadRequest(reason=f"The name of a property has 1 to {NAME_MAX} characters.")
    if not isinstance(value, str):
        raise BadRequest(reason=f"Invalid input for {name}: the value of a property is a string.")
    if len(value) > PROPERTY_BYTES_MAX:
        raise BadRequest(
            reason=f"Invalid input for {name}: it has at most {PROPERTY_BYTES_MAX} characters."
        )
    return value


def check_properties(properties: Mapping[str, str]) -> None:
    """Return if an image can have all of these. Raises: OverLimit."""
    if len(properties) > PROPERTIES_MAX:
        raise OverLimit(reason=f"An image has at most {PROPERTIES_MAX} properties.")
    size = sum(len(name.encode()) + len(value.encode()) for name, value in properties.items())
    if size > PROPERTIES_BYTES_MAX:
        raise OverLimit(
            reason=f"The properties of an image have at most {PROPERTIES_BYTES_MAX} bytes."
        )
