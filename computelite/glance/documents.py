"""Images and members as the API shows them.

Pure: no clock, no IO.
"""

from __future__ import annotations

from typing import Any

from computelite.image.rows import WEB_DOWNLOAD, Image, Member
from computelite.times import utc_seconds

STORE = "cumulog"
HASH = "sha512"
IMPORT_METHODS = ("glance-direct", "web-download")


def image_document(image: Image) -> dict[str, Any]:
    """Return an image; properties of a client's own stand beside its attributes."""
    content = image.content
    # A stage tells its size as soon as it is there.
    size = content.size if content else image.staged.size if image.staged else None
    found: dict[str, Any] = {
        **image.properties,
        "id": image.id,
        "name": image.name,
        "status": image.status,
        "visibility": image.visibility,
        "protected": image.protected,
        "os_hidden": image.hidden,
        "owner": image.owner or None,
        "disk_format": image.disk_format,
        "container_format": image.container_format,
        "min_disk": image.min_disk,
        "min_ram": image.min_ram,
        "size": size,
        "virtual_size": None if content is None else content.virtual_size,
        "checksum": None if content is None else content.checksum,
        "os_hash_algo": None if content is None else HASH,
        "os_hash_value": None if content is None else content.hash_value,
        "tags": list(image.tags),
        "created_at": utc_seconds(image.created_us),
        "updated_at": utc_seconds(image.updated_us),
        "self": f"/v2/images/{image.id}",
        "file": f"/v2/images/{image.id}/file",
        "schema": "/v2/schemas/image",
    }
    if content is not None:
        found["stores"] = STORE
    if image.transfer is not None and image.transfer.kind == WEB_DOWNLOAD:
        found["os_glance_importing_to_stores"] = STORE
        found["os_glance_failed_import"] = ""
    elif image.outcome is not None and image.outcome.kind in IMPORT_METHODS:
        found["os_glance_importing_to_stores"] = ""
        found["os_glance_failed_import"] = STORE if image.outcome.failure else ""
    return found


def member_document(member: Member) -> dict[str, Any]:
    """Return a project with which an image is shared."""
    return {
        "image_id": member.image_id,
        "member_id": member.member,
        "status": member.status,
        "created_at": utc_seconds(member.created_us),
        "updated_at": utc_seconds(member.updated_us),
        "schema": "/v2/schemas/member",
    }
