"""Imports: POST /v2/images/{image_id}/import, and what there is to know of them."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from computelite.api.call import json_reply
from computelite.api.errors import BadRequest, Conflicting
from computelite.api.request import checked
from computelite.api.routing import Route
from computelite.glance.access import owned_image, permits
from computelite.glance.call import Call
from computelite.glance.documents import IMPORT_METHODS, STORE
from computelite.glance.policy import POLICY
from computelite.image.address import URL_MAX
from computelite.image.errors import WrongStatus
from computelite.image.queries import held_by
from computelite.image.rows import GLANCE_DIRECT, Image
from computelite.times import utc_seconds
from swiftlite.http.replies import Reply


class Method(msgspec.Struct, frozen=True, kw_only=True):
    """How the bytes come."""

    name: str
    uri: Annotated[str, Meta(max_length=URL_MAX)] | None = None


class Import(msgspec.Struct, frozen=True, kw_only=True):
    """The body of an import."""

    method: Method
    stores: Annotated[list[str], Meta(max_length=16)] = []
    all_stores: bool = False
    all_stores_must_succeed: bool = True


async def import_image(call: Call) -> Reply:
    """Make an image's what was staged, or begin to fetch it."""
    await owned_image(call)
    asked = checked(call.body, Import)
    method = asked.method
    if method.name not in IMPORT_METHODS:
        raise BadRequest(reason=f"Unknown import method name '{method.name}'.")
    stores = asked.stores or [call.headers.get("x-image-meta-store", STORE)]
    if unknown := set(stores) - {STORE}:
        raise Conflicting(reason=f"There is no store {sorted(unknown)[0]!r}.")
    permit = permits(call)

    def ready(image: Image) -> None:
        permit(image)
        for name in ("container_format", "disk_format"):
            if getattr(image, name) is None:
                raise WrongStatus(reason=f"'{name}' needs to be set before import")

    image_id = call.params["image_id"]
    if method.name == GLANCE_DIRECT:
        await call.service.import_staged(image_id, ready, actor=call.actor)
    elif method.uri is None:
        raise BadRequest(reason="'uri' is required by the method 'web-download'.")
    else:
        await call.service.import_from(image_id, method.uri, ready, actor=call.actor)
    return Reply(202)


async def show_import_info(call: Call) -> Reply:
    POLICY.permit(call)
    methods = {
        "description": "Import methods available.",
        "type": "array",
        "value": list(IMPORT_METHODS),
    }
    return json_reply({"import-methods": methods})


async def show_stores(call: Call) -> Reply:
    POLICY.permit(call)
    store = {"id": STORE, "description": "erasure-coded object storage", "default": "true"}
    return json_reply({"stores": [store]})


async def show_usage(call: Call) -> Reply:
    """Answer what the caller's project has, and may have; -1 is no limit."""
    POLICY.permit(call)
    held, limits = await held_by(call.log, call.project_id), call.service.limits
    of_mib = None if limits.bytes is None else limits.bytes >> 20
    usage = {
        "image_size_total": (of_mib, held.bytes >> 20),
        "image_count_total": (limits.images, held.images),
        "image_count_uploading": (limits.transfers, held.transfers),
    }
    return json_reply(
        {
            "usage": {
                name: {"limit": -1 if limit is None else limit, "usage": used}
                for name, (limit, used) in usage.items()
            }
        }
    )


async def list_tasks(call: Call) -> Reply:
    """Answer the import of an image: the one under way, or the last one."""
    image = await owned_image(call)
    return json_reply({"tasks": list(_tasks(image, call.project_id))})


def _tasks(image: Image, owner: str) -> list[dict[str, Any]]:
    transfer, outcome = image.transfer, image.outcome
    if transfer is not None and transfer.kind in IMPORT_METHODS:
        return [
            _task(image, owner, transfer.id, transfer.kind, transfer.source, transfer.started_us)
            | {"status": "processing", "message": "", "request_id": transfer.request_id}
        ]
    if outcome is None or outcome.kind not in IMPORT_METHODS:
        return []
    return [
        _task(image, owner, outcome.transfer_id, outcome.kind, outcome.source, outcome.started_us)
        | {
            "status": "failure" if outcome.failure else "success",
            "message": outcome.failure,
            "request_id": outcome.request_id,
            "updated_at": utc_seconds(outcome.ended_us),
        }
    ]


def _task(
    image: Image, owner: str, task_id: str, method: str, source: str, started_us: int
) -> dict[str, Any]:
    asked: dict[str, Any] = {"name": method} | ({"uri": source} if source else {})
    return {
        "id": task_id,
        "type": "api_image_import",
        "owner": image.owner or owner,
        "image_id": image.id,
        "user_id": None,
        "input": {"image_id": image.id, "import_req": {"method": asked}},
        "result": None,
        "expires_at": None,
        "created_at": utc_seconds(started_us),
        "updated_at": utc_seconds(started_us),
    }


ROUTES = (
    Route("POST", "/v2/images/{image_id}/import", import_image, "modify_image"),
    Route("GET", "/v2/images/{image_id}/tasks", list_tasks, "get_image_tasks"),
    Route("GET", "/v2/info/import", show_import_info, "get_import_info"),
    Route("GET", "/v2/info/stores", show_stores, "get_stores_info"),
    Route("GET", "/v2/info/usage", show_usage, "get_usage"),
)
